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
# Can I bring my own data, my own question and my own network? Yes, each of them; the walk forward,
# the audit, the live stream and the comparison stay the same. Here they are a funding rate, the
# question "is the rise larger than what it costs?", and a stack of GRUs.
#
# ## Bars with a column of your own
#
# Any column beside open, high, low, close and volume comes along: into the features, into
# `BarsFeed` as a line, into a live stream. This one is a made-up funding rate, which holders of
# long positions pay to the others. In this market the crowd is wrong: the higher the rate, the
# lower the next returns. Yours would come from an exchange.

# %%
import numpy as np
import pandas as pd

from lstm_strategy import simulate_bars

walk = simulate_bars("noise", 6_000, seed=11).bars
surprise = np.random.default_rng(12).normal(size=len(walk))
crowd = pd.Series(surprise, walk.index).ewm(span=20).mean() * 3  # positions build up slowly
drift = np.exp(-0.0025 * crowd.shift(1, fill_value=0.0)).cumprod()

prices = walk[["open", "high", "low", "close"]].mul(drift, axis=0)
bars = prices.assign(volume=walk["volume"], funding_rate=0.0001 * (1 + crowd))
bars["open"] = bars["close"].shift(1, fill_value=100.0)
bars["high"] = bars[["open", "high", "close"]].max(axis=1)
bars["low"] = bars[["open", "low", "close"]].min(axis=1)

axes = bars[["close", "funding_rate"]][-500:].plot(
    subplots=True, figsize=(9, 4.5), lw=0.9, xlabel="", title="The last 500 bars"
)

# %% [markdown]
# **What stands in a row must have been known at its close.** The package can't test when a number
# was published, so it takes a column at its word. If your source stamps values with the start of
# the period that they describe, shift them first.
#
# ## Features
#
# Every indicator of pandas-ta is there by name, and `column` passes a column of yours through.
# Whatever else pandas can compute becomes a feature in the same way: put it into the bars.
# `mirrored` says what becomes of the column where rises are turned into falls: a funding rate
# changes its sign.

# %%
from lstm_strategy import FeatureSet

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
features.frame(bars).tail(3).round(4)

# %% [markdown]
# An indicator that looks ahead is refused. The message names the argument that mends it, if there
# is one:

# %%
try:
    FeatureSet([{"kind": "dpo", "length": 20}])
except ValueError as error:
    print(error)

# %% [markdown]
# ## A target
#
# The target `direction` asks whether the next close is higher. But a rise that is smaller than its
# costs isn't worth a trade. A target of your own is a function of the bars and the horizon that
# returns 0, 1, or NaN where the answer isn't known yet:


# %%
def beats_costs(bars, horizon):
    """Will the close be higher by more than 0.3% after ``horizon`` bars?"""
    later = bars["close"].shift(-horizon) / bars["close"] - 1
    return (later > 0.003).astype(float).where(later.notna())


print(f"{beats_costs(bars, 5).mean():.0%} of the bars are followed by such a rise")

# %% [markdown]
# The horizon is a promise: training and test are kept that many bars apart. A target that looks
# further ahead would leak, so it is tried on bars that are cut short, and refused:

# %%
from lstm_strategy import LSTMForecaster


def looks_too_far(bars, horizon):
    return (bars["close"].shift(-horizon - 3) > bars["close"]).astype(float)


try:
    LSTMForecaster(features, target=looks_too_far, horizon=5).fit(bars)
except ValueError as error:
    print(error)

# %% [markdown]
# ## A network
#
# A network of your own is a function that takes the number of features and returns a Keras model
# with one forecast per step. Any layer will do that is recurrent or sees one bar alone; a layer
# that would look at later bars is found out and refused. Scaling, ensemble, early stopping and the
# ONNX model come from the package.


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


training, start = bars[:4_500], bars.index[4_500]
grus = LSTMForecaster(
    features,
    target=beats_costs,
    horizon=5,
    network=residual_grus,
    learning_rate=0.01,
    lookback=40,
    members=3,
    seed=7,
).fit(training)
lstm = LSTMForecaster(features, horizon=5, lookback=40, members=3, seed=7).fit(training)

scores = {"GRUs, beats costs": grus.validation_scores, "LSTM, direction": lstm.validation_scores}
pd.DataFrame(scores).round(3)

# %% [markdown]
# The two answer different questions, so compare each with a coin flip (an AUC of 0.5) and not with
# the other.
#
# ## Does it use the column?

# %%
from lstm_strategy.evaluation.plots import plot_importance
from lstm_strategy.learning.inspection import feature_importance

plot_importance(feature_importance(grus, bars))

# %% [markdown]
# It does. The funding rate is what drives this market, and on bars after the training it is the
# one feature that the network needs. What is grey could be left out.
#
# ## Does anything look ahead?
#
# The audit runs features, scaling, network and strategy again with later bars removed or altered,
# your network and columns included.

# %%
from lstm_strategy import audit

audit(bars, model=grus)

# %% [markdown]
# ## Against the baselines
#
# A position that is held for about five bars can earn more than its trades cost: here a commission
# of 0.05% and a slippage of 0.02%.

# %%
from lstm_strategy import BASELINES, BrokerSettings, LSTMStrategy, compare

entries = {
    "GRUs, beats costs": (LSTMStrategy, {"model": grus}),
    "LSTM, direction": (LSTMStrategy, {"model": lstm}),
}
broker = BrokerSettings(commission_rate=0.0005, slippage_rate=0.0002)
comparison = compare({**entries, **BASELINES}, bars, start=start, broker=broker)
comparison.plot(highlight=list(entries))

# %% [markdown]
# Both end above every baseline, on a market that was made so that they can: the funding rate tells
# them what the baselines, which read prices alone, can't know. On real bars ask for the verdict
# before you believe such a picture ([notebook 02](02_walk_forward.ipynb)).
#
# ## Saved, and one bar at a time
#
# A network of your own is saved, loaded and streamed like the LSTM. It forecasts without
# TensorFlow if its layers can be written as an ONNX model, as these can. Only the names of your
# functions are saved: pass the functions again to retrain it.

# %%
folder = grus.save("models/grus")
loaded = LSTMForecaster.load(folder, engine="onnx")

stream = loaded.stream(history=bars[:-5])
live = [stream.update({"datetime": time, **bar}) for time, bar in bars[-5:].iterrows()]
batch = grus.forecast(bars)[-5:]
batch.assign(streamed=[row.signal for row in live]).round(5)

# %% [markdown]
# The signals of the stream, which saw one bar at a time, are those of the batch. Check that
# promise before anything goes live.
