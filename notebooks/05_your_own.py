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
# # Features, targets and networks of your own
#
# What the network sees, what it is asked and how it is built can all be yours; the folds, the
# audit, the streaming and the comparison stay the same. Here: a funding rate, the question "is the
# move larger than what it costs?", and a stack of GRUs.

# %%
import logging
import os

import numpy as np
import pandas as pd

from lstm_strategy import (
    BASELINES,
    BrokerSettings,
    FeatureSet,
    LSTMForecaster,
    LSTMStrategy,
    audit,
    compare,
    plot_equity,
    simulate_bars,
)
from lstm_strategy.evaluation.plots import plot_importance
from lstm_strategy.learning.inspection import feature_importance

pd.set_option("display.precision", 3)
QUICK = os.environ.get("LSTM_STRATEGY_QUICK") == "1"  # the tests train for a moment only
logging.getLogger("lstm_strategy").setLevel(logging.ERROR)  # not of every single order
brief = {"epochs": 2, "members": 2, "lookback": 20} if QUICK else {"members": 3, "lookback": 40}

# %% [markdown]
# ## Bars with a column of your own
#
# Any column beside open, high, low, close and volume comes along: into the features, into
# `BarsFeed` as a line, into a live stream. Here it is a made-up funding rate: what the holders of
# long positions in a perpetual future pay to the others. In this market the crowd is wrong: the
# higher the rate, the lower the next returns. Yours would come from an exchange.

# %%
n_bars = 1_600 if QUICK else 6_000
walk = simulate_bars("noise", n_bars, seed=11).bars
surprise = np.random.default_rng(12).normal(size=n_bars)
crowd = pd.Series(surprise, walk.index).ewm(span=20).mean() * 3  # positions build up slowly
drift = np.exp(-0.0025 * crowd.shift(1, fill_value=0.0)).cumprod()

bars = walk.mul(drift, axis=0).assign(volume=walk["volume"])
bars["open"] = bars["close"].shift(1, fill_value=100.0)
bars["high"] = bars[["open", "high", "close"]].max(axis=1)
bars["low"] = bars[["open", "low", "close"]].min(axis=1)
bars["funding_rate"] = 0.0001 * (1 + crowd)

axes = bars.loc[bars.index[-500:], ["close", "funding_rate"]].plot(
    subplots=True, figsize=(9, 4.5), lw=0.9, title="The last 500 bars"
)

# %% [markdown]
# **What stands in a row must have been known at its close.** A column is taken at its word, since
# no test can know when a number was published. If your source stamps values with the start of the
# period that they describe, shift them first.
#
# ## Features
#
# Every indicator of pandas-ta is there by name, in pandas-ta's own convention; `column` passes a
# column of yours through. Whatever else pandas can compute becomes a feature in the same way: put
# it into the bars. `mirrored` says what becomes of the column where rises are falls: a funding rate
# changes its sign.

# %%
mean = bars["funding_rate"].rolling(60, min_periods=1).mean()
bars["funding_surprise"] = (bars["funding_rate"] - mean) * 1e4

features = FeatureSet(
    [
        {"kind": "log_return", "length": 1},
        {"kind": "rsi", "length": 14},
        {"kind": "natr", "length": 14},
        {"kind": "column", "column": "funding_rate", "mirrored": "negated"},
        {"kind": "column", "column": "funding_surprise", "mirrored": "negated"},
    ]
)
pd.DataFrame({"warm-up, bars": {column.name: column.warm_up for column in features.columns}})

# %% [markdown]
# An indicator that looks ahead is refused, with the argument that mends it where there is one:

# %%
try:
    FeatureSet([{"kind": "dpo", "length": 20}])
except ValueError as error:
    print(error)

# %% [markdown]
# ## A target
#
# The default asks whether the next close is higher. But a rise that is smaller than the costs isn't
# worth a trade. A target is a function of the bars and the horizon that gives 0, 1, or NaN where
# the answer isn't known yet:


# %%
def beats_costs(bars, horizon):
    """Will the close be higher by more than 0.3% after ``horizon`` bars?"""
    later = bars["close"].shift(-horizon) / bars["close"] - 1
    return (later > 0.003).astype(float).where(later.notna())


f"{beats_costs(bars, 5).mean():.0%} of the bars are followed by such a rise"

# %% [markdown]
# The horizon is a promise: training and test are kept that many bars apart. A target that looks
# further would leak, so it is tried on bars cut short, and refused:


# %%
def looks_too_far(bars, horizon):
    return (bars["close"].shift(-horizon - 3) > bars["close"]).astype(float)


try:
    LSTMForecaster(features, target=looks_too_far, horizon=5).fit(bars)
except ValueError as error:
    print(error)

# %% [markdown]
# ## A network
#
# A function of the number of features that gives a Keras model: a forecast per step. Any layers, as
# long as each is recurrent or sees one bar alone; a layer that would look at later bars is found
# out and refused. Scaling, ensemble, early stopping and the ONNX model come from the package.


# %%
def residual_grus(n_features, width=12, depth=2):
    import keras  # takes seconds to load, and only training needs it

    inputs = keras.Input((None, n_features))
    rows = keras.layers.Dense(width)(inputs)
    for _ in range(depth):
        normed = keras.layers.LayerNormalization()(rows)
        read = keras.layers.GRU(width, return_sequences=True)(normed)
        rows = keras.layers.Add()([rows, keras.layers.Dropout(0.3)(read)])
    forecast = keras.layers.Dense(1, activation="sigmoid")(rows)
    return keras.Model(inputs, forecast)


training, start = bars[: n_bars * 3 // 4], bars.index[n_bars * 3 // 4]
forecasters = {
    "GRUs, beats costs": LSTMForecaster(
        features,
        target=beats_costs,
        horizon=5,
        network=residual_grus,
        learning_rate=0.01,
        seed=7,
        **brief,
    ),
    "LSTM, direction": LSTMForecaster(features, horizon=5, seed=7, **brief),
}
for forecaster in forecasters.values():
    forecaster.fit(training)

# %%
pd.DataFrame({name: model.validation_scores for name, model in forecasters.items()})

# %% [markdown]
# The columns answer different questions, so compare each with a coin flip (an AUC of 0.5), not
# with the other.
#
# ## Does it use the column?

# %%
plot_importance(feature_importance(forecasters["GRUs, beats costs"], bars))

# %% [markdown]
# The funding rate is what this market was made from, and the network has found it, on bars after
# the training. What is grey could be left out.
#
# ## Does anything look ahead?
#
# The audit runs features, scaling, network and strategy again with later bars removed or altered,
# your network and columns included.

# %%
audit(bars, model=forecasters["GRUs, beats costs"])

# %% [markdown]
# ## Against the baselines
#
# Held for five bars or so, an edge can pay for its trading: commission 0.05%, slippage 0.02%. With
# a horizon of one bar the same drift would be eaten by costs.

# %%
broker = BrokerSettings(commission_rate=0.0005, slippage_rate=0.0002)
entries = {name: (LSTMStrategy, {"model": model}) for name, model in forecasters.items()}
comparison = compare({**entries, **BASELINES}, bars, start=start, broker=broker)
plot_equity(comparison, highlight=list(entries))

# %% [markdown]
# ## Saved, and one bar at a time
#
# A network of your own is saved, loaded and streamed like the LSTM; it forecasts without TensorFlow
# where its layers can be written as an ONNX model, as these can. Of the functions only the names
# are saved: pass them again to retrain it.

# %%
folder = forecasters["GRUs, beats costs"].save("models/grus")
loaded = LSTMForecaster.load(folder, engine="onnx")
loaded

# %%
stream = loaded.stream(history=bars[:-5])
live = [stream.update({"datetime": time, **bar}) for time, bar in bars[-5:].iterrows()]
batch = forecasters["GRUs, beats costs"].forecast(bars)[-5:]
batch.assign(streamed=[row.signal for row in live]).map("{:.5f}".format)

# %% [markdown]
# The signals of the stream, which saw one bar at a time, are those of the batch. That is the
# promise to check before anything goes live.
