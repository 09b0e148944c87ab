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
# Which features does a trained network need, which bars of the past still move its forecast, and
# what does it carry from bar to bar? On real prices nobody knows the right answer. So read a
# network that was trained on a market whose rule is known, and see whether the pictures show the
# truth.

# %%
import os

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

pd.set_option("display.precision", 4)
QUICK = os.environ.get("LSTM_STRATEGY_QUICK") == "1"  # the tests train for a moment only

# %% [markdown]
# ## A market that only a memory can trade
#
# In `remembered_news` there is news on 4% of the bars: a jump on very high volume. Its direction
# decides, until the next news, whether *busy* bars (a volume above the usual) are followed by
# rises, and quiet ones by falls, or the other way round. To forecast the next bar one must know two
# things: was this bar busy, and which way was the latest news, however long ago?
#
# We add a column that has nothing to do with the price, the moon. A reader of networks that finds
# it important is no good.

# %%
market = simulate_bars("remembered_news", 2_000 if QUICK else 12_000, seed=5)
days = np.arange(len(market.bars))
noise = np.random.default_rng(0).normal(0, 0.3, len(days))
bars = market.bars.assign(moon=np.sin(2 * np.pi * days / 29.5) + noise)
is_news = bars["volume"] > 4 * bars["volume"].rolling(20).median()

shown = bars.iloc[1_000:1_120]
ax = shown["close"].plot(figsize=(9, 3.2), color="black", lw=0.9, label="close")
ax.plot(shown.index[is_news[shown.index]], shown["close"][is_news], "o", label="news")
ax.set(title="120 bars of the market: a jump on high volume is news")
legend = ax.legend()

# %%
features = [
    {"kind": "log_return", "length": 1},
    {"kind": "relative_volume", "length": 20},
    {"kind": "natr", "length": 14},
    {"kind": "column", "column": "moon", "mirrored": "same"},
]
brief = {"epochs": 3, "members": 2, "lookback": 20} if QUICK else {"members": 3}
n_training = len(bars) * 3 // 4
forecaster = LSTMForecaster(features, seed=7, **brief).fit(bars[:n_training])
pd.Series(forecaster.validation_scores)

# %% [markdown]
# ## Which features does it need?
#
# Permutation importance: shuffle one feature in time, leave all else, and see how much worse the
# forecasts become on bars after the training. The values are shuffled in blocks of 20 bars, so that
# the feature stays what it is from bar to bar, and only stands at the wrong place.

# %%
importance = feature_importance(forecaster, bars)
importance

# %%
plot_importance(importance)

# %% [markdown]
# The whiskers are 95% intervals, from the differences between stretches of bars. The network needs
# the return (which way was the news?) and the volume (was there news, is this bar busy?). The moon
# is grey: its interval holds zero. `NATR`, the range of recent bars, knows of news too, but nothing
# that the other two don't say better.
#
# Two warnings. Features that say the same stand in for each other, and each looks unimportant. And
# where the network knows nothing, as on most daily prices, every bar here is grey: then there is
# nothing to explain.

# %% [markdown]
# ## How far back does it look?
#
# The gradient of the forecast with respect to each feature of each earlier bar: how far would the
# forecast move if that feature had been one standard deviation higher? Its size, averaged over many
# forecasts:

# %%
saliency = memory_saliency(forecaster, bars)
plot_saliency(saliency)

# %% [markdown]
# On this logarithmic scale a straight line is a memory that fades at a constant pace. There is a
# peak at the latest bar (is it busy?), then a long tail. News comes every 25 bars on average, so
# the latest news is that old on average and sometimes three times as old: a network without this
# tail can't trade this market.
#
# The moon has a tail as well. A gradient only says that the network *listens*: its weights are
# hardly ever exactly zero. Whether what it hears is of any use is for the importance above to say.

# %% [markdown]
# ## One forecast
#
# An average hides what matters here. Take one forecast, a dozen bars after news:

# %%
after_training = np.arange(len(bars)) > len(bars) - (300 if QUICK else 1_500)
news_at = np.flatnonzero(is_news & after_training)
quiet = [
    bar for bar in news_at if bar + 12 < len(bars) and not is_news.iloc[bar + 1 : bar + 13].any()
]
at = bars.index[quiet[0] + 12]
lags = 19 if QUICK else 40
gradients = forecast_gradients(forecaster, bars, at, lags=lags)
plot_gradients(gradients, bars["close"])

# %% [markdown]
# What happened before the news, 12 bars ago, hardly counts: the news has replaced all earlier news,
# and the network has learned to let go of it. From the news on each bar counts, and the latest bar
# most. A fixed window of ten bars would have missed the news.
#
# Is that the rule or a lucky pick? The same for all forecasts after the training whose latest news
# is 12 bars old:

# %%
times = [bars.index[bar + 12] for bar in quiet[:25]]
sizes = [forecast_gradients(forecaster, bars, time, lags=lags).abs() for time in times]
volume = np.array([size["RELVOL_20"].to_numpy() for size in sizes])
pd.DataFrame(
    {
        "mean size": [volume[:, -13].mean(), volume[:, :-13].mean(), volume[:, -12:-1].mean()],
        "standard error": [
            part.std(ddof=1) / len(volume) ** 0.5
            for part in (volume[:, -13], volume[:, :-13].mean(1), volume[:, -12:-1].mean(1))
        ],
    },
    index=["the news", "each bar before the news", "each bar since, but the latest"],
)

# %% [markdown]
# The news counts about ten times as much as a bar before it. The bars since count nearly as much as
# the news: each of them could have been news, had its volume been higher, and that is what a
# gradient asks.

# %% [markdown]
# ## What it carries
#
# The cells of the LSTM are its memory. Here are those of one network over 200 bars, a row for each,
# those that change fast above, those that hold on below:

# %%
states = hidden_states(forecaster, bars)
shown = states[-200:]
plot_hidden_states(shown, bars, state="member 0, layer 0, cell")

# %% [markdown]
# The upper rows flicker with every bar. Lower rows keep their colour for weeks and then turn within
# a bar: at news. Does one of them hold the answer? Compare each cell with the direction of the
# latest news, which the network was never told:

# %%
news_direction = np.sign(bars["close"].diff()).where(is_news).ffill()
cells = states["member 0, layer 0, cell"][n_training:].dropna()
correlation = cells.corrwith(news_direction.reindex(cells.index)).abs()
memory_cell = correlation.idxmax()
correlation.sort_values(ascending=False).head(5).rename("correlation with the news").to_frame()

# %%
span = cells.index[-200:]
ax = cells.loc[span, memory_cell].plot(
    figsize=(9, 3.2), lw=1.2, label=f"cell {memory_cell}", title="A cell, and what it remembers"
)
steps = news_direction[span] * cells[memory_cell].abs().median()
ax.plot(span, steps, drawstyle="steps-post", color="black", ls="--", lw=0.9, label="latest news")
ax.plot(span[is_news[span]], steps[is_news[span]], "ko", ms=4)
legend = ax.legend(loc="upper left", bbox_to_anchor=(1, 1))

# %% [markdown]
# A cell that jumps with the news and holds until the next (or the mirror image of it: the sign of a
# cell means nothing). Nobody told the network that there is such a thing as news: it found it by
# forecasting the next bar. The cell with the highest correlation was picked from all of them, on
# the bars shown, so expect a little less of it on others.
#
# Now read a network of your own: `LSTMForecaster.load("models/mine")` and the same calls. Of a walk
# forward take one fold at a time: `walked.refits[0].model`.
