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
# How do I train an LSTM, trade it in backtrader, and see whether it was worth it? The short answer
# is one cell: train on the S&P 500 up to 2010, trade 2011–2018, which the network has never seen,
# and put ten textbook strategies beside it.

# %%
from lstm_strategy import BASELINES, LSTMForecaster, LSTMStrategy, compare, sample_bars

bars = sample_bars("sp500")
forecaster = LSTMForecaster(target="policy", seed=7).fit(bars[:"2010"])
lstm = (LSTMStrategy, {"model": forecaster})
comparison = compare({"LSTM": lstm, **BASELINES}, bars, start="2011")
comparison.plot()

# %% [markdown]
# The upper chart shows what 1 became, on a log scale, so that equal slopes are equal percentages.
# The middle one shows how far each strategy stood below its own peak, and the lower one how much
# of its equity the LSTM held. The same in numbers:

# %%
comparison

# %% [markdown]
# Everybody trades the same bars from the same day on and pays the same costs. The S&P 500 rose in
# most of these years, so whoever stayed invested rose with it, and every change of mind cost
# commission and slippage: see the columns Turnover per year and Costs.
#
# **Don't expect an LSTM to beat the index.** Whether tomorrow's S&P 500 closes higher is close to
# a coin flip, and the package says so when that is what it finds:

# %%
print(comparison.assess().verdict)

# %% [markdown]
# The rest of this notebook takes the steps one by one.
#
# ## Bars
#
# `load_bars` reads CSV and Parquet files, DataFrames and the two embedded samples. It checks every
# bar, names the first bad one, and always returns the same thing: open, high, low, close and
# volume by date.

# %%
from lstm_strategy import load_bars

load_bars("sample:sp500").tail(3)

# %% [markdown]
# ## Features
#
# The network doesn't see prices, because 1,100 in 2004 and 2,500 in 2018 have little in common. It
# sees columns that keep the same scale over decades, each known at the close of its bar.

# %%
columns = forecaster.features.frame(bars)
axes = (
    columns.loc["2007":"2010"]
    .iloc[:, [0, 2, 5, 10]]
    .plot(
        subplots=True, figsize=(9, 6), lw=0.8, title="Four of the features around the crash of 2008"
    )
)

# %% [markdown]
# The first three are returns over 1, 21 and 252 bars in units of the usual volatility, so that a
# wild day in a calm year and one in a crash look alike. The last compares the volatility of the
# month with that of the year. What the network learns from such columns can hold in years that it
# hasn't seen.
#
# ## Training
#
# `target="policy"` asks the network for the position itself, and trains it on what positions earn
# after costs. It starts from a position held at constant volatility. The answer is the mean of
# several networks, or *members*, that start from different random weights. Each keeps another
# fifth of the bars for validation.

# %%
from lstm_strategy.evaluation.plots import plot_history

plot_history(forecaster.history)

# %% [markdown]
# Where a dashed line (training) falls and its solid line (validation) doesn't, the network is
# learning its training bars by heart. What counts is the weights at the dot, where the validation
# loss was lowest; a dot at the start means that training made nothing better. Compare each line
# with its own past only: the training loss contains a pull towards the starting position that the
# validation loss doesn't.

# %%
import pandas as pd

scores = {**forecaster.validation_scores, "confidence": forecaster.card.signal.confidence}
pd.Series(scores).round(3)

# %% [markdown]
# On the bars that a network kept for validation, `sharpe` is the Sharpe ratio of its positions
# after costs and `prior_sharpe` that of the position that it started from. `confidence` is how
# much of its changes to that position is used. It is 0 where they paid no better than luck would,
# and then the starting position is what you get.
#
# ## Forecasts
#
# There is one row per bar, known at its close. `signal` is the exposure to hold, from -1 (short)
# to 1 (long), `forecast` is the position before it is scaled to a constant volatility, and
# `uncertainty` is how far the networks disagree, as far as they are listened to.

# %%
forecasts = forecaster.forecast(bars)["2011":]
axes = forecasts.loc["2011", ["signal", "forecast", "uncertainty"]].plot(
    subplots=True, figsize=(9, 5), lw=0.9, title="Forecasts in 2011, the first unseen year"
)

# %% [markdown]
# The confidence is 0 here, so the forecast stays where it started and the networks have no say.
# What moves the signal is the volatility alone: in the crash of August 2011 less than half as much
# was held.
#
# ## In a strategy of your own
#
# `LSTMIndicator` is a backtrader indicator like any other, so its lines combine with those of
# other indicators. This strategy is long while the network asks for more than half of the equity
# and the market isn't overbought. The feed starts before 2011, because features and memory need
# hundreds of bars to warm up; trading starts in 2011, so that all of it is out of sample.

# %%
import backtrader as bt

from lstm_strategy import BarsFeed, LSTMIndicator, plot_chart


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


cerebro = bt.Cerebro()
cerebro.adddata(BarsFeed(bars["2007":]))
cerebro.addstrategy(PatientLSTM, model=forecaster)
cerebro.broker.setcash(100_000)
cerebro.broker.setcommission(0.001)
strategy = cerebro.run()[0]
print(f"100,000 became {cerebro.broker.getvalue():,.0f}")

# %%
plot_chart(strategy, last_bars=250)

# %% [markdown]
# This is backtrader's own chart of the last 250 bars: the account, closed trades, the price with
# buys and sells, and the two indicators. Each order fills at the open after the bar whose lines
# asked for it.
#
# ## The ready-made strategy
#
# `LSTMStrategy` holds the exposure that `signal` asks for. `run_backtest` starts it after the last
# training bar. If you give a `start` before that, the result's name says IN-SAMPLE.

# %%
from lstm_strategy import run_backtest

result = run_backtest(LSTMStrategy, bars, model=forecaster, name="LSTM")
result

# %% [markdown]
# ## Charts that answer
#
# With `interactive=True` the charts can be zoomed and pointed at, and the price shows each trade of
# one strategy: here of your own, beside the ready-made one and holding. Drag over the autumn of
# 2011 to look closer, point at a trade to see what it earned, and click on LSTM to add its curve.

# %%
few = {
    "Patient LSTM": (PatientLSTM, {"model": forecaster}),
    "LSTM": lstm,
    "Buy and hold": BASELINES["Buy and hold"],
}
compare(few, bars, start="2011").plot(interactive=True, highlight="Patient LSTM")

# %% [markdown]
# ## How much does one comparison prove?

# %%
print(comparison.describe_standing("LSTM"))

# %% [markdown]
# Not much. Over eight years the standard error of a Sharpe ratio is about a third, as large as
# most differences in the table. And whoever tries ten sets of features, three widths and five
# seeds will find one that looks good here by luck alone. The next notebook retrains as time moves
# on and asks how likely luck is.
#
# From here, try your own bars with `load_bars("prices.csv")`, other features with
# `features=FeatureSet([{"kind": "rsi", "length": 14}, ...])`, or another question with `target=`.
