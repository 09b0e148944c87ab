"""Bars whose future is another one, and the places where that is worth trying."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from lstm_strategy.bars import CONTRACT_PRICE, columns_beside_close, has_contract
from lstm_strategy.errors import BarsError

ALTERATIONS = ("mirrored", "rally", "crash", "reordered")
"""Ways to alter later bars; the first one turns every later move around."""

_PRICES = ["open", "high", "low", "close"]
_MIRROR = -1.5
_LARGEST_LOG_MOVE = 4.0
_TREND_A_BAR = 0.01
_BESIDE_CLOSE = 0.9  # of its distance from the close, on the other side


def alter_bars(
    bars: pd.DataFrame, n_known: int, *, how: str = "mirrored", keeps_open: bool = False
) -> pd.DataFrame:
    """Change every bar from position `n_known` on, volumes and extra columns too.

    Args:
        bars: Valid bars, shape (n_bars, n_columns); they stay as they are.
        n_known: Bars that are kept.
        how: "mirrored" turns all later moves around and makes them half as large again, "rally"
            and "crash" add a steady trend, "reordered" lets the later bars come in the opposite
            order.
        keeps_open: Whether the open of the first later bar stays, too: what is known when that
            bar has just begun.

    Returns:
        Valid bars of the same shape; the contract of a continuous series moves with its prices.

    Raises:
        ValueError: For another way than these.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = sample_bars()
        >>> altered = alter_bars(bars, 100)
        >>> int((altered["close"] == bars["close"]).sum())
        100
    """
    altered = bars.copy()
    later = bars.iloc[n_known:]
    if later.empty:
        return altered
    anchor = float(bars["close"].iloc[max(n_known - 1, 0)])
    moves = np.log(later[_PRICES].to_numpy(np.float64) / anchor)
    prices = anchor * np.exp(_alter_moves(moves, how))
    if keeps_open:
        prices[0, 0] = later["open"].iloc[0]
    prices[:, 1], prices[:, 2] = prices.max(axis=1), prices.min(axis=1)
    for name in bars.columns.difference(_PRICES):
        altered[name] = _alter_extra_column(bars[name], n_known)
    if has_contract(bars):
        worth = bars[CONTRACT_PRICE].iloc[max(n_known - 1, 0)] * prices[:, 3] / anchor
        altered[CONTRACT_PRICE] = np.append(bars[CONTRACT_PRICE].to_numpy()[:n_known], worth)
    for name, values in zip(_PRICES, prices.T, strict=True):
        known = bars[name].to_numpy(np.float64)[:n_known]
        altered[name] = np.concatenate([known, values])
    for name in [] if has_contract(bars) else columns_beside_close(bars):
        beside = 1.0 - _BESIDE_CLOSE * (later[name] / later["close"] - 1.0)
        altered[name] = np.append(bars[name].to_numpy()[:n_known], beside * prices[:, 3])
    return altered


def _alter_moves(moves: np.ndarray, how: str) -> np.ndarray:
    """Other log moves since the last known close, shape (n_later_bars, 4)."""
    if how == "mirrored":
        largest = float(np.abs(moves).max(initial=0.0))
        mirrored: np.ndarray = moves * max(_MIRROR, -_LARGEST_LOG_MOVE / max(largest, 1e-12))
        return mirrored
    if how == "reordered":
        return moves[::-1]
    if how not in ALTERATIONS:
        raise ValueError(f"how must be one of {', '.join(ALTERATIONS)}, got {how!r}.")
    steps = np.arange(1, len(moves) + 1)[:, None]
    trend = np.minimum(_TREND_A_BAR * steps, _LARGEST_LOG_MOVE / 2)
    altered: np.ndarray = moves / 2 + (trend if how == "rally" else -trend)
    return altered


def _alter_extra_column(column: pd.Series, n_known: int) -> pd.Series:
    """A volume or a column of the user's with other values from `n_known` on."""
    values = column.to_numpy(np.float64).copy()
    later = values[n_known:]
    known = values[:n_known][np.isfinite(values[:n_known])]
    finite = values[np.isfinite(values)]
    # not far beyond any real one, so that nobody takes it for a mistake
    largest = float(np.abs(finite).max(initial=0.0))
    if column.name == "volume":
        values[n_known:] = 3 * later[::-1] + np.arange(len(later)) % 7
    elif len(finite) and (finite > 0).all():  # it may have to be, as a variance does
        last = known[-1] if len(known) else float(np.median(finite))
        moves = np.clip(np.log(later / last), -_LARGEST_LOG_MOVE, _LARGEST_LOG_MOVE)
        others = 2 * last * np.exp(_MIRROR * moves)  # NaN stays NaN
        values[n_known:] = np.minimum(others, 2 * largest)
    else:
        last = known[-1] if len(known) else 0.0
        values[n_known:] = np.clip(2 * last + _MIRROR * later, -largest, largest)
    return pd.Series(values, index=column.index, name=column.name)


def cut_points(
    bars: pd.DataFrame, *, first: int, n_random: int = 3, edges: Iterable[int] = (), seed: int = 0
) -> list[int]:
    """Numbers of known bars that are worth trying, adversarial ones and some at random.

    Args:
        bars: Valid bars.
        first: Bars of warm-up, the smallest number to try.
        n_random: How many to draw at random.
        edges: Others to try, such as the edges of folds.
        seed: Of the random ones.

    Returns:
        Sorted numbers: right after the warm-up, before the two largest moves, at the edges, one
        bar before the end, and at random.

    Raises:
        BarsError: If no bar is left to remove after the first `first` ones.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> cut_points(sample_bars().iloc[:50], first=48, n_random=0)
        [48, 49]
    """
    last = len(bars) - 1
    if first > last:
        raise BarsError(
            f"An audit needs more than {first + 1:,} bars, which is the warm-up and a bar to "
            f"remove, got {len(bars):,}. Load more history."
        )
    moves = np.log(bars["close"]).diff().abs().to_numpy()[first:]
    largest = first + np.argsort(np.nan_to_num(moves))[::-1][:2]
    random = np.random.default_rng(seed).integers(first, last + 1, n_random)
    wanted = [first, first + 1, *largest, last, *random, *edges]
    return sorted({int(n) for n in wanted if first <= n <= last})


def pick_evenly(values: list[int], n_wanted: int) -> list[int]:
    """Pick at most so many of the values: the first, the last, and evenly between.

    Args:
        values: What to pick from.
        n_wanted: How many, at most.

    Example:
        >>> pick_evenly([1, 2, 3, 4, 5], 3)
        [1, 3, 5]
    """
    places = np.linspace(0, len(values) - 1, min(n_wanted, len(values))).round().astype(int)
    return [values[place] for place in places]
