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
# How do I know that a result isn't luck? A model that was trained once grows old, and one split of
# the bars proves little. A walk forward retrains as time moves on, so that each bar is forecast by
# a network that has seen only earlier ones. Here is one on a simulated market in which there is
# something to find; the S&P 500 comes after it.

# %%
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

market = simulate_bars("remembered_news", 7_000, seed=3, strength=0.4)
splits = WalkForward(train=3_500, test=700)
walked = walk_forward(market.bars, LSTMForecaster(members=3, seed=7), splits)

low_costs = BrokerSettings(commission_rate=0.0002, slippage_rate=0.0001)
lstm = (LSTMStrategy, {"model": walked})
comparison = compare({"LSTM": lstm, **BASELINES}, market.bars, broker=low_costs)
comparison.plot()

# %% [markdown]
# In this market rare news decides, until the next news, whether busy bars are followed by rises or
# by falls. The last bar alone says nothing, so trading it takes a memory.
#
# The strip below the curves shows which fold's model forecast which bars, and when its training
# ended. Where the LSTM's curve is flat, the networks of that fold had learned nothing that held up
# on the bars that they kept for validation, so they held nothing. A curve that rose in one fold
# only would be a reason for doubt; this one rises in three.
#
# ## The folds
#
# Each model trains on 3,500 bars and forecasts the next 700. The last bar of each training window
# is left out (`purge_bars`), because its label is known only in the test fold.

# %%
walked.ledger.groupby("fold").agg(
    train_start=("train_start", "first"),
    train_end=("train_end", "first"),
    purge_bars=("purge_bars", "first"),
    bars_forecast=("train_end", "size"),
)

# %% [markdown]
# The *ledger* behind this table has a row for each bar that was forecast: the fold, what its model
# was trained on, and a checksum of those bars. It is how you can prove that a result is out of
# sample. In every row the training ends before the bar:

# %%
bool((walked.ledger["train_end"] < walked.ledger.index).all())

# %% [markdown]
# ## Against the baselines
#
# What `walk_forward` returns is a forecaster like any other, and `compare` trades it beside the
# baselines on the same terms. Costs are low here, because the edge of this market is small on each
# bar.

# %%
comparison

# %% [markdown]
# ## The verdict

# %%
judged = verdict(comparison)
judged

# %% [markdown]
# Skill is claimed only if every hurdle is cleared:
#
# - all bars are out of sample;
# - the strategy is ahead of *each* baseline at equal volatility, with a p-value of at most 5%
#   (Hansen's test for superior predictive ability);
# - the 95% interval of its Sharpe ratio lies above zero;
# - its deflated Sharpe ratio, which allows for the number of settings that were tried, is at least
#   95%. If you tried twenty, say so: `verdict(comparison, n_trials=20)`.

# %% [markdown]
# ## What is left on worse terms
#
# The same forecasts are traded again at higher commissions, with late orders, and by each network
# of the ensemble alone. Nothing is trained again.

# %%
from lstm_strategy.evaluation.plots import (
    plot_cost_break_even,
    plot_delay_break_even,
    plot_folds,
    plot_members,
)

robustness = comparison.try_robustness()
plot_cost_break_even(robustness.costs, break_even_bps=robustness.break_even_bps, charged_bps=2)

# %% [markdown]
# Where the line crosses zero, the commission has eaten the whole edge. If you pay about that much,
# there is no strategy, however good the forecasts are.

# %%
plot_delay_break_even(robustness.delays)

# %% [markdown]
# With orders that come a bar late nothing is left of the edge, and so it should be: the rule of
# this market is about the next bar only. On real bars, a picture like this is a warning that the
# edge may lie in fills that you won't get.

# %%
plot_folds(robustness.folds)

# %%
plot_members(robustness.equity_by_member, own=comparison.find("LSTM").equity)

# %% [markdown]
# There is a profit in one fold after another, and with each network alone. That of the fourth fold
# is too small to be seen: its model held next to nothing. The networks differ only in the random
# numbers that they started from, and yet the band between the worst and the best is wide. With a
# single network you wouldn't know which one you had. The ensemble trades on their mean, in which
# part of their noise cancels. Judge that, and never the best seed.
#
# ## The S&P 500
#
# The same network and the same test, on prices that thousands of people try to forecast.

# %%
index = sample_bars("sp500")
walked = walk_forward(index, LSTMForecaster(members=3, seed=7), WalkForward("8 years", "2 years"))
real = compare({"LSTM": (LSTMStrategy, {"model": walked}), **BASELINES}, index)
real.plot()

# %%
print(verdict(real))

# %% [markdown]
# Whatever the networks learned here, it didn't hold up on the bars that they kept for validation,
# in any of the folds, so they never traded. "No evidence of skill" isn't evidence of no skill: a
# small edge may be there, and the years may be too few to see it. But on this evidence nobody
# should pay for it, and that is what an honest test usually says about the daily prices of an
# index.
#
# `comparison.to_html("report.html")` puts all of this on one page that needs no network. From the
# shell: `lstm-strategy compare BARS --walk-forward --out DIR`.
