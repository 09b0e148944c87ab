"""How well are volatilities forecast, next to the true variance or on a file of realised ones?

`python -m benchmarks.volatility garch` prints the QLIKE loss of each model on simulated GARCH
markets, as a multiple of that of the true variance, which nobody can beat.

`python -m benchmarks.volatility FILE` reads a CSV file whose first column is the date, and in
which other columns are returns and realised variances (`--returns`, `--variance`, `--percent`). It
prints a table of forecasts that are out of sample from `--start` on, refitted every `--refit` bars.
"""

import argparse
import functools
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from lstm_strategy import LSTMForecaster, Volatility, WalkForward, simulate_bars, walk_forward
from lstm_strategy.evaluation.forecasts import ForecastComparison, compare_forecasts
from lstm_strategy.learning.forecaster import TrainableForecaster
from lstm_strategy.learning.reference import VolatilityForecaster, volatility_baselines
from lstm_strategy.learning.variance import measure_variance, qlike_losses

TRAINING_SHARE = 0.75
TRADING_DAYS = 252


def models_of(
    horizon: int, column: str | None = None, *, members: int = 5
) -> dict[str, TrainableForecaster]:
    """The LSTM, if it is to have members, and the models of volatility by the name for tables."""
    lstm = LSTMForecaster(target=Volatility(column=column), horizon=horizon, seed=1)
    return {
        **({} if members == 0 else {"LSTM": lstm.unfitted_copy(members=members)}),
        **volatility_baselines(horizon=horizon, column=column),
        "EWMA 0.94": VolatilityForecaster("ewma", decay=0.94, horizon=horizon, column=column),
    }


def garch_losses(seeds: list[int], *, n_bars: int = 20_000, members: int = 5) -> pd.DataFrame:
    """The mean QLIKE loss of each model over that of the true variance, a row a market."""
    return pd.DataFrame({seed: garch_row(seed, n_bars, members) for seed in seeds}).T.rename_axis(
        "seed"
    )


def garch_row(seed: int, n_bars: int, members: int) -> pd.Series:
    market = simulate_bars("garch", n_bars, seed=seed)
    n_known = int(n_bars * TRAINING_SHARE)
    came = measure_variance(market.bars).shift(-1).to_numpy()

    def loss(variance: pd.Series) -> float:
        with np.errstate(divide="ignore"):
            losses = qlike_losses(came, variance.to_numpy())[n_known:]
        return float(losses[np.isfinite(losses)].mean())

    of_truth = loss(market.variance)
    models = models_of(1, members=members)
    fitted = {name: model.fit(market.bars[:n_known]) for name, model in models.items()}
    annual = {name: model.forecast(market.bars)["forecast"] for name, model in fitted.items()}
    ratios = {name: loss(each**2 / TRADING_DAYS) / of_truth for name, each in annual.items()}
    return pd.Series({"loss of the true variance": of_truth, **ratios})


def read_realized(
    file: Path, *, returns: str = "rets", variance: str = "rv", is_percent: bool = False
) -> pd.DataFrame:
    """Bars of closes alone, made of returns, with a column of realised variances."""
    table = pd.read_csv(file, index_col=0, parse_dates=True)
    unit = 100.0 if is_percent else 1.0
    close = 100.0 * (1 + table[returns] / unit).cumprod()
    bars = pd.DataFrame(dict.fromkeys(["open", "high", "low", "close"], close))
    return bars.assign(volume=0.0, realized_variance=table[variance] / unit**2)


def compare_on(
    bars: pd.DataFrame, *, start: str, refit: int, horizon: int = 1, members: int = 5
) -> ForecastComparison:
    """The models of volatility, refitted along the bars, held against the realised variance."""
    n_known = bars.index.searchsorted(pd.Timestamp(start)) - 1  # whose close forecasts `start`
    splits = WalkForward(int(n_known), refit, expanding=True, horizon=horizon)
    walk = functools.partial(walk_forward, bars, splits=splits, n_jobs=1)
    models = models_of(horizon, "realized_variance", members=members)
    walked = {name: walk(forecaster=model) for name, model in models.items()}
    return compare_forecasts(walked, bars)


def build_table(figures: pd.DataFrame) -> Table:
    table = Table(str(figures.index.name))
    for column in figures:
        table.add_column(str(column), justify="right")
    for label, row in figures.iterrows():
        cells = (f"{value:.4f}" if isinstance(value, float) else str(value) for value in row)
        table.add_row(str(label), *cells)
    if figures.index.name == "seed" and len(figures) > 2:
        table.add_section()
        table.add_row("median", *(f"{value:.4f}" for value in figures.median()))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("market", help="garch, or a CSV file of realised variances")
    parser.add_argument("--seeds", type=int, default=5, help="garch: how many markets")
    parser.add_argument("--bars", type=int, default=20_000, help="garch: bars of a market")
    parser.add_argument("--returns", default="rets", help="the column of returns")
    parser.add_argument("--variance", default="rv", help="the column of realised variances")
    parser.add_argument("--percent", action="store_true", help="both are in percent (squared)")
    parser.add_argument("--start", default="2010-01-01", help="the first day that is forecast")
    parser.add_argument("--refit", type=int, default=22, help="bars of a test fold")
    parser.add_argument("--members", type=int, default=5, help="of the LSTM; 0 leaves it out")
    parser.add_argument("--horizon", type=int, default=1, help="bars ahead")
    arguments = parser.parse_args()
    if arguments.market == "garch":
        figures = garch_losses(
            list(range(1, arguments.seeds + 1)), n_bars=arguments.bars, members=arguments.members
        )
    else:
        bars = read_realized(
            Path(arguments.market),
            returns=arguments.returns,
            variance=arguments.variance,
            is_percent=arguments.percent,
        )
        figures = compare_on(
            bars,
            start=arguments.start,
            refit=arguments.refit,
            horizon=arguments.horizon,
            members=arguments.members,
        ).table
    Console(width=180).print(build_table(figures))


if __name__ == "__main__":
    main()
