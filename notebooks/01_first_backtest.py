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
# # A first backtest
#
# From bars to an equity curve: look at prices and features, train an LSTM on the S&P 500 up to
# 2010, use it as an indicator in a strategy of your own, and compare the ready strategy with ten
# textbook baselines on 2011–2018, which the network has never seen.
#
# The network is asked for the position itself (`target="policy"`), which it learns on what
# positions earn after costs. It begins as a position held at constant volatility, and stays that
# where what it learned doesn't hold up.
#
# **Don't expect it to beat the index.** Whether tomorrow's S&P 500 closes higher is close to a coin
# flip, and one equity curve can't tell skill from luck. This notebook shows how the pieces fit.

# %%
import os

import backtrader as bt
import pandas as pd

from lstm_strategy import (
    BASELINES,
    BarsFeed,
    BrokerSettings,
    FeatureSet,
    LSTMForecaster,
    LSTMIndicator,
    LSTMStrategy,
    compare,
    load_bars,
    plot_chart,
    plot_equity,
    run_backtest,
)

pd.set_option("display.precision", 3)
QUICK = os.environ.get("LSTM_STRATEGY_QUICK") == "1"  # the tests train for a moment only

# %% [markdown]
# ## Bars
#
# `load_bars` reads CSV and Parquet files, DataFrames and two embedded samples, checks every bar and
# names the first bad one. What comes back is always the same: open, high, low, close and volume on
# an index of dates.

# %%
bars = load_bars("sample:sp500")
bars.tail(3)

# %%
ax = bars["close"].plot(figsize=(9, 3), lw=0.9, title="S&P 500, daily closes")
ax.axvspan(bars.index[0], pd.Timestamp("2010-12-31"), alpha=0.1, label="training")
legend = ax.legend(loc="upper left")
# %% [markdown]
# ## Features
#
# The network doesn't see prices: 1,100 in 2004 and 2,800 in 2018 have little in common. It sees
# columns made from them by pandas-ta that keep the same scale over decades. Each value is known at
# the close of its bar.

# %%
features = FeatureSet.preset("momentum_and_volatility")
features.names

# %%
columns = features.frame(bars)
axes = columns.loc["2007":"2010", features.names[:3] + features.names[-1:]].plot(
    subplots=True, figsize=(9, 6), lw=0.8, title="Four of the features around the crash of 2008"
)

# %% [markdown]
# Returns are measured in units of the usual volatility, so that a wild day of a calm year and one
# of a crash look alike, and the last column says how wild the month was against the year. That is
# what a network can carry over to years it hasn't seen.

# %% [markdown]
# ## Training
#
# Bars up to 2010 only. The position is the mean of several networks that start from different
# random weights. Each keeps another fifth of the bars for validation, and the weights of the epoch
# with the lowest loss there.

# %%
brief = {"epochs": 2, "members": 1} if QUICK else {}
forecaster = LSTMForecaster(features, target="policy", seed=7, **brief)
forecaster.fit(bars[:"2010"], progress=False)

# %%
losses = forecaster.history.pivot(index="epoch", columns="member", values=["loss", "val_loss"])
ax = losses["loss"].add_prefix("training, member ").plot(figsize=(9, 3.5), ls="--", lw=0.9)
ax.set_prop_cycle(None)
losses["val_loss"].add_prefix("validation, member ").plot(ax=ax, lw=1.4)
ax.set(title="Loss by epoch", xlabel="epoch")
legend = ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
# %% [markdown]
# A dashed line that falls while its solid line doesn't is a network learning its training bars by
# heart; the weights kept are those of the epoch with the lowest solid line, or those before any
# training. Only the dashed ones hold the pull towards the position that it began with, so compare a
# line with its own past rather than with the other.

# %%
pd.Series({**forecaster.validation_scores, "confidence": forecaster.card.signal.confidence})

# %% [markdown]
# Each network is scored on the days that it didn't learn from: its Sharpe ratio after costs beside
# that of the position that it began with. `confidence` is what is kept of its changes to that
# position. A 0 says that they paid no better than luck would, and that the position stays as it
# was.

# %% [markdown]
# ## Forecasts
#
# One row per bar, known at its close. `signal` is the exposure asked for (-1 short … 1 long),
# `forecast` the position before it is scaled to a constant volatility, and `uncertainty` how far
# the networks disagree, as far as they are listened to.

# %%
forecasts = forecaster.forecast(bars)["2011":]
forecasts.head(3)

# %%
axes = forecasts.loc["2011", ["signal", "forecast", "uncertainty"]].plot(
    subplots=True, figsize=(9, 5), lw=0.9, title="Forecasts in 2011, the first unseen year"
)

# %% [markdown]
# ## In a strategy of your own
#
# `LSTMIndicator` is a backtrader indicator like any other: combine its lines with others. This one
# is long while the network asks for more than half of the equity and the market isn't overbought.
# The feed begins before 2011, because features and memory take hundreds of bars to warm up; it
# trades from 2011 on, so that all of it is out of sample.


# %%
class PatientLSTM(bt.Strategy):
    params = (("model", None), ("min_signal", 0.5))

    def __init__(self):
        self.lstm = LSTMIndicator(self.data, model=self.p.model)
        self.rsi = bt.ind.RSI(period=14)
        self.go_long = bt.And(self.lstm.signal > self.p.min_signal, self.rsi < 70)

    def next(self):
        if self.data.datetime.date().year < 2011:
            return
        if self.go_long[0] and not self.position:
            self.order_target_percent(target=0.95)
        elif self.position and not self.go_long[0]:
            self.close()


# %%
cerebro = bt.Cerebro()
cerebro.adddata(BarsFeed(bars["2007":]))
cerebro.addstrategy(PatientLSTM, model=forecaster)
cerebro.broker.setcash(100_000)
cerebro.broker.setcommission(0.001)
strategy = cerebro.run()[0]
f"{cerebro.broker.getvalue():,.0f} of 100,000 left after costs"

# %%
plot_chart(strategy, last_bars=250)

# %% [markdown]
# backtrader's own chart of the last 250 bars. From top to bottom: cash and value, closed trades
# (blue won, red lost), the price with buys and sells, then the two indicators. Each order fills at
# the open after the bar whose lines asked for it.

# %% [markdown]
# ## The ready strategy
#
# `LSTMStrategy` holds the exposure that `signal` asks for, long and short. `run_backtest` starts it
# after the last training bar unless you give `start`; one before that would put IN-SAMPLE into the
# name of the result. Signals at one close fill at the next open, with commission and slippage;
# an order sent at the very last close meets no open, and a warning says so.

# %%
broker = BrokerSettings(commission_rate=0.001, slippage_rate=0.0005)
result = run_backtest(LSTMStrategy, bars, model=forecaster, broker=broker, name="LSTM")
result

# %%
ax = result.exposure["2011-07":"2011-12"].plot(
    figsize=(9, 2.5), lw=0.9, title="Exposure in a crash"
)

# %% [markdown]
# ## Against honest baselines
#
# The same bars, first bar, costs and sizing for everybody.

# %%
comparison = compare(
    {"LSTM": (LSTMStrategy, {"model": forecaster}), **BASELINES}, bars, start="2011", broker=broker
)
comparison

# %%
plot_equity(comparison)

# %% [markdown]
# Above: what 1 became, on a log scale, so that equal slopes are equal percentages. In the middle:
# how far each strategy stood below its own peak. Below: how much of its equity the LSTM held.
# The S&P 500 rose in most of these years, so whoever stayed long rose with it, and every change of
# mind paid commission and slippage: see the columns turnover and costs.

# %%
print(comparison.describe_standing("LSTM"))

# %% [markdown]
# That sentence is all that this comparison supports. Eight years are few: the standard error of a
# Sharpe ratio over them is about a third, as large as most differences in the table. And whoever
# tries ten features, three widths and five seeds will find one that looks good here by luck alone.
#
# From here: your own bars with `load_bars("prices.csv")`, other features with
# `FeatureSet([{"kind": "rsi", "length": 14}, ...])`, another horizon, `long_only=True`; and the
# same comparison again.
