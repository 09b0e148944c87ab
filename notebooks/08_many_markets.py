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
# Does a network learn more from many markets than from one? What limits a network on real prices
# is that one market has too few bars. A *panel* is the bars of many markets by symbol: one network
# learns from all of them, and one strategy trades them together.

# %%
from lstm_strategy import (
    BrokerSettings,
    LSTMForecaster,
    LSTMStrategy,
    load_panel,
    run_backtest,
    simulate_bars,
)
from lstm_strategy.bars import slice_panel

market = simulate_bars("remembered_news", 3_000, seed=7, n_assets=8)
panel = load_panel(market.bars)
start = panel.dates[2_250]
known = slice_panel(panel, end=panel.dates[2_249])

pooled = LSTMForecaster(members=3, seed=7).fit(known)
free = BrokerSettings(commission_rate=0.0, slippage_rate=0.0)
result = run_backtest(LSTMStrategy, panel, start=start, model=pooled, broker=free)
result.plot()

# %% [markdown]
# These are eight simulated markets with one rule, `remembered_news`. They share their news, which
# decides until the next news whether busy bars are followed by rises or by falls. Each market has
# busy bars of its own, and noise of its own. The network was trained on the first three quarters
# of the dates, and the portfolio is traded on the last.
#
# ## One network for all, or one for each?
#
# The *oracle* knows the rule and the hidden news. How much of its Sharpe ratio do the signals earn
# on the last quarter of the dates? This is the network for all markets beside networks that were
# trained on one market each:

# %%
import pandas as pd


def sharpe_per_bar(symbol, exposure):
    earned = exposure * panel[symbol]["close"].pct_change().shift(-1)
    return earned[start:].mean() / max(earned[start:].std(), 1e-12)  # 0 where nothing was held


shares = {}
for symbol in ["A01", "A02", "A03"]:
    alone = LSTMForecaster(members=3, seed=7).fit(known[symbol])
    oracle = sharpe_per_bar(symbol, market.oracle[symbol])
    shares[symbol] = {
        "one network for all": sharpe_per_bar(symbol, pooled.forecast(panel)[symbol]["signal"]),
        "one for each": sharpe_per_bar(symbol, alone.forecast(panel[symbol])["signal"]),
    }
    shares[symbol] = {name: sharpe / oracle for name, sharpe in shares[symbol].items()}

pd.DataFrame(shares).T.map("{:.0%}".format)

# %% [markdown]
# With the bars of one market the network hardly finds the rule. Where its forecasts don't hold up
# on bars that it kept for validation, its signal is taken back to nothing, which is the 0%. The
# bars of all markets together show it the rule.
#
# ## One portfolio
#
# On a panel `LSTMStrategy` decides for all markets once a bar. Its exposures become orders under
# one budget: it sells before it buys, so that it never runs short of cash, and it says what it
# couldn't do. A `PortfolioStrategy` of your own answers `target_exposures()` in the same way.

# %%
result.by_market.round(3)

# %% [markdown]
# These markets cost nothing to trade. At the usual costs little would be left of a signal that
# changes with every busy bar; the page on [costs](../docs/how-to/costs.md) shows how to find where
# that begins.
#
# ## A folder of markets
#
# Your own markets come from a folder with a file for each. A market is read when it is needed, and
# checked as `load_bars` checks it; whatever is wrong with one is said with its symbol. Markets may
# start late or end early.

# %%
from pathlib import Path

from lstm_strategy.bars import describe_span

folder = Path("markets")
folder.mkdir(exist_ok=True)
market.bars["A01"].to_csv(folder / "A01.csv")
market.bars["A02"][600:].to_csv(folder / "A02.csv")
market.bars["A03"][:2_700].to_csv(folder / "A03.csv")

for symbol, bars in load_panel(folder).items():
    print(f"{symbol}: {describe_span(bars)}")

# %% [markdown]
# How to choose markets, and why a list of today's markets flatters every test, is on the page [a
# universe of your own](../docs/how-to/universe.md).
