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
# # Volatility: forecast it, judge the forecast, hold less where it is high
#
# Can the network forecast how much prices will move? Which way they will go is hard to know. How
# far is not, because wild days follow wild days. Here an LSTM is asked for the variance of the
# next bar, first on a simulated market whose true variance is known, then on the S&P 500.

# %%
import numpy as np

from lstm_strategy import (
    BASELINES,
    LSTMForecaster,
    LSTMStrategy,
    Volatility,
    compare,
    compare_forecasts,
    sample_bars,
    simulate_bars,
)

market = simulate_bars("garch", 8_000, seed=3)
bars, start = market.bars, market.bars.index[5_600]
truth = np.sqrt(252 * market.variance)  # annualised

lstm = LSTMForecaster(target="volatility", members=3, seed=7).fit(bars[:5_600])
ax = truth[start:][:500].plot(figsize=(9, 3.2), lw=2.5, color="0.75", label="true volatility")
ax = lstm.forecast(bars)["forecast"][start:][:500].plot(
    ax=ax, lw=1, color="#d1242f", label="LSTM, out of sample", legend=True, xlabel=""
)

# %% [markdown]
# Every bar of a GARCH(1,1) market raises or lowers the variance of the bars after it. The grey
# line is the true volatility of the next bar, which nobody sees on a real market. The red line is
# what the network made of prices alone.
#
# It sees what econometricians look at (the preset "volatility"): the variance of 1 to 66 bars
# against that of 250, and returns, with losses apart. It starts as a regression on these, which is
# log-HAR with leverage, and the LSTM learns what the regression leaves out.
#
# ## Whose forecast is closer?
#
# The same bars for all: the LSTM, an EWMA, log-HAR with and without leverage, two kinds of GARCH,
# and the truth itself. The loss is QLIKE, in which calm and wild times weigh the same; lower is
# better.

# %%
from lstm_strategy.learning.reference import volatility_baselines

rivals = {name: model.fit(bars[:5_600]) for name, model in volatility_baselines().items()}
judged = compare_forecasts({"LSTM": lstm, **rivals, "truth": truth}, bars, start=start)
judged.table[["qlike", "mz_slope", "dm_p", "in_confidence_set"]].sort_values("qlike").round(3)

# %%
judged.plot()

# %%
print(judged.verdict)

# %% [markdown]
# The market is a GARCH, so nobody can do better than GARCH, which comes as close as the truth
# itself. The LSTM has never heard of that rule. It loses a little to GARCH, by more than luck
# explains, and beats EWMA and both regressions. That even the truth has a loss shows how noisy a
# single bar is as a measure of its variance.
#
# ## Hold less where it is high
#
# A forecast of volatility makes a strategy: hold the target volatility divided by the forecast
# one. Here it is on the S&P 500, trained on the bars before 2013 and traded after them, beside
# holding the index and the rule that does the same with the volatility of the past.

# %%
index = sample_bars("sp500")
target = Volatility(target_volatility=0.12)
forecaster = LSTMForecaster(target=target, members=3, seed=7).fit(index[:"2012"])
entries = {
    "LSTM volatility": (LSTMStrategy, {"model": forecaster}),
    "Buy and hold": BASELINES["Buy and hold"],
    "Volatility target": BASELINES["Volatility target"],
}
comparison = compare(entries, index, start="2013")
comparison.plot()

# %%
comparison

# %% [markdown]
# The LSTM fell less than the index because it held less, and least when it became wild. That is
# what a forecast of volatility can do. It says nothing about the direction, so don't expect a
# higher Sharpe ratio: here it is a little below that of holding the index. The rule without a
# network did a little better, and paid less in costs.
