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
# # Many markets: one network, one portfolio
#
# What limits a network on real prices is too few bars of one market. A *panel* is the bars of many
# markets by symbol: one network learns from all of them, and one strategy trades them together.

# %%
import logging
import os
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd

from lstm_strategy import (
    BrokerSettings,
    LSTMForecaster,
    LSTMStrategy,
    load_panel,
    run_backtest,
    simulate_bars,
)
from lstm_strategy.bars import describe_span, slice_panel

pd.set_option("display.precision", 3)
pd.set_option("display.max_colwidth", None)
QUICK = os.environ.get("LSTM_STRATEGY_QUICK") == "1"  # the tests train for a moment only
logging.getLogger("lstm_strategy").setLevel(logging.ERROR)  # not of every single order
brief = {"epochs": 1, "members": 1, "lookback": 20} if QUICK else {"members": 3}

# %% [markdown]
# ## A folder of markets
#
# Eight markets of one rule, `remembered_news`: they share their news, which decides until the next
# news whether busy bars are followed by rises or by falls. Each is busy by itself and has noise of
# its own. They are written to a folder as they would come from a vendor; one of them starts late,
# and one ends early.

# %%
n_bars = 600 if QUICK else 3_000
simulated = simulate_bars("remembered_news", n_bars, seed=7, n_assets=3 if QUICK else 8)
folder = Path(mkdtemp())
for symbol, bars in simulated.bars.items():
    spans = {"A02": slice(n_bars // 5, None), "A03": slice(None, int(0.9 * n_bars))}
    bars.iloc[spans.get(symbol, slice(None))].to_csv(folder / f"{symbol}.csv")

panel = load_panel(folder)
pd.Series({symbol: describe_span(bars) for symbol, bars in panel.items()}, name="bars").to_frame()

# %% [markdown]
# A market is read when it is needed and checked as `load_bars` checks it; whatever is wrong with
# one is said with its symbol. How to choose markets, and why a list of today's markets flatters
# every test, is on the page [a universe of your own](../docs/how-to/universe.md).
#
# ## One network against one for each market
#
# Everything is trained on the first three quarters of the dates. What counts is the share of the
# oracle's Sharpe ratio that the signals earn on the last quarter: the oracle knows the rule and the
# hidden state.

# %%
start = panel.dates[int(0.75 * len(panel.dates))]
known = slice_panel(panel, end=start - pd.Timedelta("1D"))
pooled = LSTMForecaster(seed=7, **brief).fit(known, progress=False)
forecasts = pooled.forecast(panel)
forecasts["A02"].tail(3)


# %%
def share_of_oracle(symbol, signal):
    """The Sharpe ratio of a signal after `start`, as a share of the oracle's."""
    earned = panel[symbol]["close"].pct_change().shift(-1)[start:]
    held, best = signal[start:] * earned, simulated.oracle[symbol][start:] * earned
    return (held.mean() / held.std()) / (best.mean() / best.std()) if held.std() > 0 else 0.0


alone = {
    symbol: LSTMForecaster(seed=7, **brief).fit(bars, progress=False)
    for symbol, bars in list(known.items())[: 1 if QUICK else 3]
}
shares = pd.DataFrame(
    {
        "one network for all": {
            symbol: share_of_oracle(symbol, frame["signal"]) for symbol, frame in forecasts.items()
        },
        "one for each": {
            symbol: share_of_oracle(symbol, model.forecast(panel[symbol])["signal"])
            for symbol, model in alone.items()
        },
    }
)
shares

# %% [markdown]
# A network that is trained on one of these markets hardly finds the memory, and where its
# forecasts don't hold up on held-out bars its signal is taken back to nothing. The bars of all
# markets show it.
#
# ## One portfolio
#
# On a panel `LSTMStrategy` decides for all markets once a bar. Its exposures become orders under
# one budget: it sells before it buys, so that cash is never short, and says what it couldn't do. A
# `PortfolioStrategy` of your own answers `target_exposures()` in the same way.

# %%
terms = BrokerSettings(commission_rate=0.0, slippage_rate=0.0)
result = run_backtest(LSTMStrategy, panel, start=start, model=pooled, broker=terms)
result.by_market

# %%
result.figure()

# %% [markdown]
# These markets cost nothing to trade. At the usual costs little would be left of a signal that
# changes with every busy bar; [costs](../docs/how-to/costs.md) says how to find where that begins.
