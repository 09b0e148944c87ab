# ---
# jupyter:
#   jupytext:
#     formats: py:percent,ipynb
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Walk forward, and the verdict
#
# A model that was trained once grows old, and one split of the bars proves little. A walk forward
# retrains as it moves on, and every bar is forecast by a network that had only seen earlier ones.
# Then comes the question that matters: could luck have done the same?
#
# It is asked twice: on a simulated market in which there is something to find, and on the S&P 500.

# %%
import logging
import os

import pandas as pd
from IPython.display import Markdown

from lstm_strategy import (
    BASELINES,
    BrokerSettings,
    LSTMForecaster,
    LSTMStrategy,
    WalkForward,
    compare,
    sample_bars,
    simulate_bars,
    verdict,
    walk_forward,
)
from lstm_strategy.evaluation.plots import (
    plot_cost_break_even,
    plot_delay_break_even,
    plot_folds,
    plot_members,
)

pd.set_option("display.precision", 3)
QUICK = os.environ.get("LSTM_STRATEGY_QUICK") == "1"  # the tests train for a moment only
logging.getLogger("lstm_strategy").setLevel(logging.ERROR)  # not of every single order
brief = {"epochs": 2, "members": 2, "lookback": 20} if QUICK else {"members": 3}

# %% [markdown]
# ## A market in which there is something to find
#
# In `remembered_news`, rare news decides, until the next news, whether busy bars are followed by
# rises or by falls. The last bar alone says nothing, so it takes a memory. `oracle` is what
# somebody who knows the rule would hold.

# %%
market = simulate_bars("remembered_news", 1_500 if QUICK else 7_000, seed=3, strength=0.4)
bars = market.bars
ax = bars["close"].plot(figsize=(9, 3), lw=0.8, title="A simulated market: remembered news")

# %% [markdown]
# ## The folds
#
# Train on 3,500 bars, forecast the next 700, move on by 700. The last bars of each training window
# are left out (`purge`), because their labels are only known in the test fold.

# %%
splits = WalkForward(700, 400) if QUICK else WalkForward(3_500, 700)
pd.DataFrame(
    {
        "train from": fold.train_start,
        "train to": fold.train_end,
        "test from": fold.test_start,
        "test to": fold.test_end,
    }
    for fold in splits.folds(bars)
)

# %%
walked = walk_forward(bars, LSTMForecaster(seed=7, **brief), splits)
walked.ledger.iloc[[0, -1]]

# %% [markdown]
# The *ledger* has a row for each bar that was forecast: by which fold's model, what that model had
# been trained on, how many bars were left out in between, and a checksum of the training bars. In
# every row the training ends before the bar. That is how you can prove that a result is out of
# sample:

# %%
bool((walked.ledger["train_end"] < walked.ledger.index).all())

# %% [markdown]
# ## Against the baselines
#
# What `walk_forward` gives is a forecaster like any other. The costs are low here, since the edge
# of this market lies in every single bar.

# %%
broker = BrokerSettings(commission_rate=0.0002, slippage_rate=0.0001)
comparison = compare({"LSTM": (LSTMStrategy, {"model": walked}), **BASELINES}, bars, broker=broker)
comparison

# %%
comparison.plot()

# %% [markdown]
# The strip below the curves says which fold's model forecast which bars, and when its training
# ended. A curve that rose in one fold only would be a reason for doubt; this one rises in three. It
# stays flat in the two whose networks had learned nothing that held up on the bars that they held
# out.
#
# ## The verdict

# %%
judged = verdict(comparison)
Markdown(f"> {judged}")

# %%
pd.Series(
    {
        "largest p-value against a baseline": judged.p_value,
        "Sharpe ratio": judged.sharpe,
        "95% interval, from": judged.sharpe_interval[0],
        "to": judged.sharpe_interval[1],
        "deflated Sharpe ratio": judged.deflated_sharpe,
    },
    name="LSTM",
).map("{:.3f}".format).to_frame()

# %% [markdown]
# Skill is claimed only if every hurdle is cleared: all bars out of sample; ahead of *each* baseline
# at equal volatility, with a p-value (Hansen's test for superior predictive ability) of at most 5%;
# an interval of the Sharpe ratio above zero; and a deflated Sharpe ratio of at least 95%, which
# allows for the number of settings that were tried. Say so if you tried twenty:
# `verdict(comparison, n_trials=20)`.

# %% [markdown]
# ## What is left on worse terms
#
# The same forecasts, traded again at other commissions, with late orders, and with each network of
# the ensemble alone. Nothing is trained again.

# %%
robustness = comparison.try_robustness()
plot_cost_break_even(robustness.costs, break_even_bps=robustness.break_even_bps, charged_bps=2)

# %% [markdown]
# Where the line crosses zero the commission has eaten the whole edge. If you pay about that much,
# there is no strategy, however good the forecasts are.

# %%
plot_delay_break_even(robustness.delays)

# %% [markdown]
# Orders that come a bar late lose nearly everything here, and that is right: the rule of this
# market speaks of the next bar only. On real bars it is a warning that the edge may lie in fills
# you won't get.

# %%
plot_folds(robustness.folds)

# %%
plot_members(robustness.equity_by_member, own=comparison.find("LSTM").equity)

# %% [markdown]
# The networks differ in nothing but the random numbers they were trained with, and the band between
# the worst and the best is wide: with a single network you would not know which one you got. The
# ensemble trades on their mean, in which part of their noise cancels. Judge that, and never the
# best seed.
#
# ## The S&P 500
#
# The same network and the same test, on prices that thousands of people try to forecast.

# %%
index = sample_bars("sp500")
index = index["2004":"2008-06"] if QUICK else index
years = WalkForward("2 years", "2 years") if QUICK else WalkForward("8 years", "2 years")
walked = walk_forward(index, LSTMForecaster(seed=7, **brief), years)
comparison = compare({"LSTM": (LSTMStrategy, {"model": walked}), **BASELINES}, index)
comparison.plot()

# %%
judged = verdict(comparison)
Markdown("\n".join([f"> {judged}", "", *(f"- {reason}" for reason in judged.reasons)]))

# %% [markdown]
# Whatever the networks learned here, it didn't hold up on the bars that they held out, in any of
# the folds, so they never traded. "No evidence of skill" isn't the same as evidence of no skill: a
# small edge may be there, and too few years to see it. But no one should pay for it on this
# evidence, and this is what an honest test usually says about daily prices of an index.
#
# `comparison.to_html("report.html")` puts all of this on one page that needs no network. From the
# shell: `lstm-strategy compare BARS --walk-forward --out DIR`.
