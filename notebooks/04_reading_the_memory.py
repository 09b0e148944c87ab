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
# # Reading the memory
#
# What does a trained network look at, and what does it remember? On real prices nobody knows the
# right answer. So here is a network that was trained on a market whose rule is known, to see
# whether the pictures show the truth.

# %%
import numpy as np
import pandas as pd

from lstm_strategy import LSTMForecaster, simulate_bars
from lstm_strategy.evaluation.plots import (
    plot_gradients,
    plot_hidden_states,
    plot_importance,
    plot_saliency,
)
from lstm_strategy.learning.inspection import (
    feature_importance,
    forecast_gradients,
    hidden_states,
    memory_saliency,
)

bars = simulate_bars("remembered_news", 12_000, seed=5).bars
moon = np.sin(2 * np.pi * np.arange(len(bars)) / 29.5)
bars["moon"] = moon + np.random.default_rng(0).normal(0, 0.3, len(bars))

features = [
    {"kind": "log_return", "length": 1},
    {"kind": "relative_volume", "length": 20},
    {"kind": "natr", "length": 14},
    {"kind": "column", "column": "moon", "mirrored": "same"},
]
n_training = 9_000
forecaster = LSTMForecaster(features, members=3, seed=7).fit(bars[:n_training])

states = hidden_states(forecaster, bars)
plot_hidden_states(states[-200:], bars, state="member 0, layer 0, cell")

# %% [markdown]
# The cells of an LSTM are its memory. These are the cells of one network over the last 200 bars,
# one row for each. Those at the top change often; those further down keep their colour for weeks
# and then turn within a bar. What are they keeping?
#
# ## A market that only a memory can trade
#
# In `remembered_news` there is news on 4% of the bars: a jump on very high volume. Its direction
# decides, until the next news, whether *busy* bars (those of high volume) are followed by rises
# and quiet ones by falls, or the other way round. To forecast the next bar, you have to know two
# things: was this bar busy, and which way did the latest news point, however long ago that was?

# %%
is_news = bars["volume"] > 4 * bars["volume"].rolling(20).median()
shown = bars.iloc[1_000:1_120]
ax = shown["close"].plot(
    figsize=(9, 3.2), color="black", lw=0.9, title="120 bars: a jump on high volume is news"
)
lines = ax.plot(shown["close"].where(is_news), "o")

# %% [markdown]
# The moon is a column that has nothing to do with the price. A method that finds it important is
# no good.
#
# ## Which features does it need?
#
# Shuffle one feature in time, leave the others alone, and see how much worse the forecasts become
# on bars after the training. The values are shuffled in blocks of 20 bars, so that the feature
# still moves from bar to bar as it did, but at the wrong time.

# %%
importance = feature_importance(forecaster, bars)
plot_importance(importance)

# %% [markdown]
# The whiskers are 95% intervals. The network needs the volume (was there news, is this bar busy?)
# and the return (which way did the news point?). The moon is grey, because its interval includes
# zero. `NATR`, the range of recent bars, rises at news too, but adds little to the other two.
#
# Two warnings. Features that say the same thing stand in for each other, and then each looks
# unimportant. And where the network knows nothing, as on most daily prices, every bar of this
# chart is grey: there is nothing to explain.
#
# ## How far back does it look?
#
# How far would the forecast move if a feature of an earlier bar had been one standard deviation
# higher? That is a gradient. This is its size by the age of the bar, averaged over many forecasts:

# %%
plot_saliency(memory_saliency(forecaster, bars))

# %% [markdown]
# On this log scale a straight line is a memory that fades at a constant pace. There is a peak at
# the latest bar (is it busy?), then a long tail. News comes every 25 bars on average, so the
# latest news is often that old and sometimes three times as old. A network without this tail can't
# trade this market.
#
# The moon has a tail as well. A gradient only shows that the network *listens*, since its weights
# are hardly ever exactly zero. Whether what it hears is of any use, only the importance above can
# say.
#
# ## One forecast
#
# Averages hide what matters here. Take one forecast, 12 bars after news:

# %%
news_at = np.flatnonzero(is_news)
alone = news_at[:-1][np.diff(news_at) > 12]  # no other news within 12 bars
at = bars.index[alone[alone > len(bars) - 1_500][0] + 12]
plot_gradients(forecast_gradients(forecaster, bars, at, lags=40), bars["close"])

# %% [markdown]
# What happened before the news, 12 bars ago, hardly counts: the news has replaced all earlier
# news, and the network has learned to let go of it. From the news on each bar counts, and the
# latest bar counts most. A fixed window of ten bars would have missed the news.
#
# Is that the rule, or a lucky pick? These are the mean sizes for 25 such forecasts after the
# training:

# %%
times = bars.index[alone[alone > len(bars) - 1_500][:25] + 12]
sizes = pd.DataFrame(
    [forecast_gradients(forecaster, bars, at, lags=40)["RELVOL_20"].abs().array for at in times]
)
pd.Series(
    {
        "a bar before the news": sizes.iloc[:, :-13].to_numpy().mean(),
        "the news": sizes.iloc[:, -13].mean(),
        "a bar since then, the latest apart": sizes.iloc[:, -12:-1].to_numpy().mean(),
    }
).round(4)

# %% [markdown]
# It is the rule: the news counts about nine times as much as a bar before it. The bars since then
# count nearly as much as the news, because each of them could have been news, had its volume been
# higher, and that is what a gradient asks.
#
# ## What it carries
#
# Back to the cells of the first picture. Does one of them hold the answer? Compare each with the
# direction of the latest news, which the network was never given:

# %%
news_direction = np.sign(bars["close"].diff()).where(is_news).ffill()
cells = states["member 0, layer 0, cell"][n_training:]
correlation = cells.corrwith(news_direction).abs().sort_values(ascending=False)
correlation.head(5).round(2)

# %%
cell = cells[correlation.index[0]][-200:]
lines = {"the cell": cell, "latest news": cell.abs().median() * news_direction[cell.index]}
ax = pd.DataFrame(lines).plot(
    figsize=(9, 3.2), style=["-", "k--"], drawstyle="steps-post", title="What a cell remembers"
)

# %% [markdown]
# The cell turns within a bar when the news does, and mostly holds in between; in October it let go
# two months early. Nobody told the network that there is such a thing as news: it found it by
# forecasting the next bar. (A cell may also be a mirror image of the news, since its sign means
# nothing.) This one was picked as the one with the highest correlation, on the bars shown, so
# expect a little less of it on others.
#
# Now read a network of your own: `LSTMForecaster.load("models/mine")` and the same calls. For a
# walk forward, take one fold at a time: `walked.refits[0].model`.
