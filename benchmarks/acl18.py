"""How often is the next day's movement foretold on ACL18, next to published networks?

`python -m benchmarks acl18 FILE` reads daily prices of 87 US shares, as Feng et al. (2019) cut them
from the data set of Xu and Cohen (2018): a long table with a column `ticker` and an adjusted close.
One network is trained on all of them with this package's defaults, and asked for the movements
that are published: days on which a share rises by 0.55% or more, or falls by 0.5% or more.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from lstm_strategy import LSTMForecaster
from lstm_strategy.bars import Panel, load_panel, slice_panel
from lstm_strategy.evaluation.statistics import ClusteredMean, clustered_mean
from lstm_strategy.support import naive_utc_index

RISE, FALL = 0.0055, -0.005
LEARNED = ("2014-01-02", "2015-09-30")  # published networks hold out what follows 2015-08-03
LOOKBACK = 50  # of the usual 60, a member's fifth of the 440 days is too short
TESTED = ("2015-10-01", "2015-12-31")
PUBLISHED = {"LSTM": 0.532, "ALSTM": 0.549, "Adv-ALSTM": 0.572}
SOURCE = "LSTM, ALSTM and Adv-ALSTM are those of Feng et al. (2019), without an error by day."


@dataclass(frozen=True)
class Accuracy:
    """Shares of movements that were foretold, with errors that are clustered by day."""

    of_forecasts: ClusteredMean
    of_always_up: ClusteredMean
    lead: ClusteredMean


def label_movements(close: pd.Series) -> pd.Series:
    """1 on days of a rise, 0 on days of a fall, NaN on the days between and on the first one."""
    move = close.pct_change()
    label = np.where(move >= RISE, 1.0, np.where(move <= FALL, 0.0, np.nan))
    return pd.Series(label, naive_utc_index(close.index))


def measure_accuracy(
    forecasts: Mapping[str, pd.Series], panel: Mapping[str, pd.DataFrame]
) -> Accuracy:
    """Hold probabilities of a rise, known at the close of the day before, against movements.

    Only movements of the tested days count, those for which there is a forecast.
    """
    labels = pd.DataFrame({s: label_movements(panel[s]["close"]) for s in forecasts})
    known_before = {s: f.set_axis(naive_utc_index(f.index)).shift(1) for s, f in forecasts.items()}
    told = pd.DataFrame(known_before).reindex(labels.index)
    came, told = (frame.loc[TESTED[0] : TESTED[1]].to_numpy() for frame in (labels, told))
    is_known = ~np.isnan(came) & ~np.isnan(told)
    right = np.where(is_known, (told > 0.5) == (came == 1.0), np.nan)
    up = np.where(is_known, came, np.nan)
    return Accuracy(clustered_mean(right), clustered_mean(up), clustered_mean(right - up))


def train_and_forecast(panel: Panel, *, seed: int) -> dict[str, pd.Series]:
    """The forecasts of one network for all shares, trained on the days before those tested."""
    forecaster = LSTMForecaster(target="direction", lookback=LOOKBACK, seed=seed)
    forecaster.fit(slice_panel(panel, *LEARNED))
    frames = forecaster.forecast(slice_panel(panel, LEARNED[0]))
    return {symbol: frame["forecast"] for symbol, frame in frames.items()}


def build_table(accuracies: Mapping[str, Accuracy]) -> Table:
    table = Table("", caption=SOURCE)
    for title in ("accuracy", "error by day", "lead on always up", "its error", "movements"):
        table.add_column(title, justify="right")
    for name, accuracy in PUBLISHED.items():
        table.add_row(name, f"{accuracy:.1%}")
    first = next(iter(accuracies.values()))
    for name, mean, lead in (
        ("Always up", first.of_always_up, None),
        *((name, each.of_forecasts, each.lead) for name, each in accuracies.items()),
    ):
        leads = ("", "") if lead is None else (f"{lead.mean:+.1%}", f"{lead.error:.1%}")
        table.add_row(name, f"{mean.mean:.1%}", f"{mean.error:.1%}", *leads, f"{mean.n_values:,}")
    return table


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks acl18",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, help="the prices: a Parquet or CSV file")
    parser.add_argument("--seeds", type=int, default=1, help="how many networks, one after another")
    arguments = parser.parse_args(words)
    panel = load_panel(arguments.file, adjusted=True)
    accuracies = {}
    for seed in range(1, arguments.seeds + 1):
        forecasts = train_and_forecast(panel, seed=seed)
        accuracies[f"This package, seed {seed}"] = measure_accuracy(forecasts, panel)
    Console().print(build_table(accuracies))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
