"""From bars to rows of features with their labels."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise, repeat
from typing import Literal, Self

import numpy as np
import pandas as pd

from lstm_strategy.bars import Panel, as_panel, is_panel, name_market, proportional_markets
from lstm_strategy.errors import LSTMStrategyError, TrainingError
from lstm_strategy.learning.features import (
    FeatureSet,
    check_training_inputs,
    join_features,
    mirror_bars,
)
from lstm_strategy.learning.training.enough_bars import (
    check_enough_bars,
    check_enough_rows,
    check_known,
    note_constant,
)
from lstm_strategy.learning.training.held_out import PanelRows, held_out_spans
from lstm_strategy.learning.training.settings import FeatureUnits, ForecasterSettings
from lstm_strategy.learning.training.training_set import MirrorImage, TrainingSet
from lstm_strategy.support import naive_utc_index, spell

OnBad = Literal["raise", "drop"]
"""Whether a market that can't be learned from is an error, or left out and counted."""


def build_training_set(
    bars: pd.DataFrame | Mapping[str, pd.DataFrame],
    features: FeatureSet,
    settings: ForecasterSettings,
    *,
    context: FeatureSet | None = None,
    leave_out: np.ndarray | None = None,
    validation: np.ndarray | None = None,
    on_bad: OnBad = "raise",
) -> tuple[TrainingSet, pd.DatetimeIndex]:
    """Collect the rows that can be learned from, and the dates by which they are held out.

    Args:
        bars: Valid bars, shape (n_bars, n_columns), or a panel of them.
        features: What the network sees.
        settings: The target, its horizon, and who holds out how much.
        context: What the target needs besides, which the network doesn't see.
        leave_out: True for bars whose label must not be learned from, shape (n_bars,); of a panel
            for dates, shape (n_dates,).
        validation: True for bars that every member holds out, shape (n_bars,), or (n_dates,);
            without it each member holds out another stretch.
        on_bad: Whether a market of a panel that has too few bars is an error, or left out.

    Returns:
        The rows, and the times of their bars; of a panel the dates on which some market has a row.

    Raises:
        FeatureError: If the bars lack a column or a volume that a feature reads.
        TrainingError: If there are too few bars, a feature isn't known on enough of them, or all
            labels are the same.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> features = FeatureSet([{"kind": "rsi", "length": 14}])
        >>> rows, times = build_training_set(sample_bars(), features, ForecasterSettings())
        >>> len(rows.labels) == len(times), len(rows.held_out)
        (True, 5)
    """
    maker = _RowMaker(features, context, settings)
    bars = proportional_markets(bars)
    if is_panel(bars):
        return _build_panel_set(maker, as_panel(bars), leave_out, validation, on_bad)
    inputs = maker.inputs
    table = maker.tabulate(bars, inputs.frame(bars), maker.mirror_columns(bars), leave_out)
    check_known(table.columns.iloc[inputs.warm_up :], settings)
    check_enough_bars(settings, inputs, len(bars), n_usable=int(table.usable.sum()))
    rows = maker.take_usable(table, bars)
    note_constant(rows.features, features.names)
    settings.target.check_labels(rows.labels, settings.horizon)
    held_out = _choose_held_out(settings, table.usable, validation)
    return replace(rows, held_out=held_out), pd.DatetimeIndex(bars.index[table.usable])


@dataclass(frozen=True, eq=False)
class _Table:
    """The inputs and labels of every bar of a market, and which bars have them all."""

    columns: pd.DataFrame
    labels: pd.DataFrame
    mirrored: pd.DataFrame | None
    usable: np.ndarray


@dataclass(frozen=True, eq=False)
class _RowMaker:
    """Makes the rows of a market of its bars."""

    features: FeatureSet
    context: FeatureSet | None
    settings: ForecasterSettings

    def for_market(self, symbol: str) -> Self:
        target = self.settings.target.in_market(symbol)
        return replace(self, settings=self.settings.model_copy(update={"target": target}))

    @property
    def inputs(self) -> FeatureSet:
        return join_features(self.features, self.context)

    def mirror_columns(self, bars: pd.DataFrame) -> pd.DataFrame | None:
        """The features with rises and falls exchanged; None where that isn't wanted or known."""
        mirrored_bars = self._mirror_bars(bars)
        return None if mirrored_bars is None else self.features.frame(mirrored_bars)

    def mirror_frames(self, panel: Panel) -> Iterator[pd.DataFrame | None]:
        """The same of each market in turn."""
        if self.features.needs_panel:
            mirrored = {
                symbol: self.for_market(symbol)._mirror_bars(bars) for symbol, bars in panel.items()
            }
            known = {symbol: bars for symbol, bars in mirrored.items() if bars is not None}
            # what becomes of a column in the mirror is known for all markets or for none
            yield from self.features.frames(known).values() if known else repeat(None, len(panel))
            return
        for symbol, bars in panel.items():
            with name_market(symbol):
                yield self.for_market(symbol).mirror_columns(bars)

    def _mirror_bars(self, bars: pd.DataFrame) -> pd.DataFrame | None:
        target, horizon = self.settings.target, self.settings.horizon
        if not self.settings.mirror:
            return None
        if target.mirror_labels(pd.DataFrame(target.labels(bars, horizon)).to_numpy()) is None:
            return None
        return mirror_bars(bars, self.features.specs)

    def tabulate(
        self,
        bars: pd.DataFrame,
        columns: pd.DataFrame,
        mirrored: pd.DataFrame | None,
        leave_out: np.ndarray | None,
    ) -> _Table:
        """Find the usable bars, with the inputs and the mirrored features of all of them."""
        check_training_inputs(self.inputs, bars)
        labels = pd.DataFrame(self.settings.target.labels(bars, self.settings.horizon))
        usable = (columns.notna().all(axis=1) & labels.notna().all(axis=1)).to_numpy()
        if mirrored is not None:
            usable = usable & mirrored.notna().all(axis=1).to_numpy()
        if leave_out is not None:
            usable = usable & ~leave_out
        return _Table(columns, labels, mirrored, usable)

    def take_usable(self, table: _Table, bars: pd.DataFrame) -> TrainingSet:
        """The usable rows, of which nobody holds out any yet."""
        target, horizon, usable = self.settings.target, self.settings.horizon, table.usable
        labels = table.labels.to_numpy(np.float32)[usable]
        mirrored_labels = target.mirror_labels(labels)
        image = None
        if table.mirrored is not None and mirrored_labels is not None:
            image = MirrorImage(table.mirrored.to_numpy()[usable], mirrored_labels)
        context_names = [] if self.context is None else self.context.names
        return TrainingSet(
            features=table.columns[self.features.names].to_numpy()[usable],
            labels=labels,
            weights=target.weights(bars, horizon).to_numpy()[usable],
            held_out=(),
            purge=horizon,
            mirrored=image,
            context=table.columns[context_names].to_numpy()[usable],
        )


def _build_panel_set(
    maker: _RowMaker,
    panel: Panel,
    leave_out: np.ndarray | None,
    validation: np.ndarray | None,
    on_bad: OnBad,
) -> tuple[TrainingSet, pd.DatetimeIndex]:
    """The rows of all markets one after another, in single precision, and their dates."""
    settings = maker.settings
    times = naive_utc_index(panel.dates)
    parts, dates, ends = {}, [], []
    dropped: dict[str, str] = {}
    frames = panel_frames(maker.inputs, panel)
    for (symbol, columns), mirrored in zip(frames, maker.mirror_frames(panel), strict=True):
        bars = panel[symbol]
        places = times.searchsorted(naive_utc_index(bars.index))
        left_out = None if leave_out is None else leave_out[places]
        with drop_market(symbol, dropped, on_bad):
            own = maker.for_market(symbol)
            table = own.tabulate(bars, columns, mirrored, left_out)
            n_usable = int(table.usable.sum())
            check_enough_rows(settings, maker.inputs, len(bars), n_usable=n_usable)
            parts[symbol] = _weigh_alike(_shorten(own.take_usable(table, bars)))
            usable = np.flatnonzero(table.usable)
            dates.append(places[usable])
            ends.append(places[np.minimum(usable + settings.horizon, len(bars) - 1)])
    if not parts:
        raise TrainingError(
            f"no market of the panel can be learned from: {next(iter(dropped.values()))}"
        )
    rows = _join_markets(parts, dates, ends, dropped)
    used = np.unique(np.concatenate(dates))
    check_enough_bars(settings, maker.inputs, len(times), n_usable=len(used), unit="dates")
    note_constant(rows.features, maker.features.names)
    settings.target.check_labels(rows.labels, settings.horizon)
    held_out = _choose_held_out(settings, np.isin(np.arange(len(times)), used), validation)
    rows = _hold_out_where_it_fits(replace(rows, held_out=held_out), settings)
    if settings.scaling == "market":
        rows = _bring_to_units_of_panel(rows)
    return rows, pd.DatetimeIndex(panel.dates[used])


@contextmanager
def drop_market(symbol: str, dropped: dict[str, str], on_bad: OnBad) -> Iterator[None]:
    """Name the market in errors, or note it among the dropped ones in place of the error."""
    try:
        with name_market(symbol):
            yield
    except LSTMStrategyError as error:
        if on_bad == "raise":
            raise
        dropped[symbol] = str(error)


def panel_frames(
    features: FeatureSet, panel: Mapping[str, pd.DataFrame]
) -> Iterator[tuple[str, pd.DataFrame]]:
    """The features of each market of a panel, one by one where none looks across the markets.

    Args:
        features: The features.
        panel: Valid bars by symbol.

    Yields:
        The symbol, and the columns on the index of its bars.
    """
    if features.needs_panel:
        yield from features.frames(panel).items()
        return
    for symbol, bars in panel.items():
        with name_market(symbol):
            columns = features.frame(bars)
        yield symbol, columns


def _shorten(rows: TrainingSet) -> TrainingSet:
    """The rows in single precision, which is what networks compute with."""
    image = rows.mirrored
    if image is not None:
        image = replace(image, features=image.features.astype(np.float32))
    return replace(rows, features=rows.features.astype(np.float32), mirrored=image)


def _weigh_alike(rows: TrainingSet) -> TrainingSet:
    """The rows with a mean weight of 1, so that no market drowns the others."""
    usual = rows.weights.mean()
    return replace(rows, weights=rows.weights / usual) if usual > 0 else rows


def _join_markets(
    by_symbol: Mapping[str, TrainingSet],
    dates: Sequence[np.ndarray],
    ends: Sequence[np.ndarray],
    dropped: Mapping[str, str],
) -> TrainingSet:
    """The rows of all markets one after another."""
    parts = list(by_symbol.values())
    used = np.unique(np.concatenate(dates))
    edges = np.cumsum([0, *map(len, dates)]).tolist()
    images = [part.mirrored for part in parts if part.mirrored is not None]
    image = None
    if len(images) == len(parts):
        image = MirrorImage(
            np.concatenate([part.features for part in images]),
            np.concatenate([part.labels for part in images]),
        )
    return TrainingSet(
        features=np.concatenate([part.features for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        weights=np.concatenate([part.weights for part in parts]),
        context=np.concatenate([part.context for part in parts]),
        held_out=(),
        purge=parts[0].purge,
        mirrored=image,
        panel=PanelRows(
            symbols=tuple(by_symbol),
            markets=tuple(slice(first, stop) for first, stop in pairwise(edges)),
            dates=np.searchsorted(used, np.concatenate(dates)),
            label_ends=np.searchsorted(used, np.concatenate(ends), side="right") - 1,
            dropped=dropped,
        ),
    )


def _hold_out_where_it_fits(rows: TrainingSet, settings: ForecasterSettings) -> TrainingSet:
    """Hold out the last stretch for each member whose own leaves no market a chunk to learn from.

    Raises:
        TrainingError: If the last stretch doesn't leave one either.
    """
    last = rows.held_out[0]
    held_out = tuple(
        stretch if _has_chunks(rows, member, settings) else last
        for member, stretch in enumerate(rows.held_out)
    )
    if not _has_chunks(rows, 0, settings):
        raise TrainingError(
            f"No market has {2 * settings.lookback:,} bars in one piece to learn from and "
            f"{3 * settings.lookback // 2:,} more to hold out. Load more history, leave out the "
            f"markets that begin late, or shorten {spell('lookback')}."
        )
    return replace(rows, held_out=held_out)


def _bring_to_units_of_panel(rows: TrainingSet) -> TrainingSet:
    """The rows with the features of each market in units in which it varies as the panel does."""
    assert rows.panel is not None
    features, mirrored = rows.features.copy(), rows.mirrored
    images = None if mirrored is None else mirrored.features.copy()
    is_learned, of_panel = rows.is_learned, rows.scaling_rows
    units = {}
    for symbol, market in zip(rows.panel.symbols, rows.panel.markets, strict=True):
        parts = [part[market] for part in (features, images) if part is not None]
        known = np.concatenate([part[is_learned[market]] for part in parts])
        if len(known):
            units[symbol] = FeatureUnits.between(known, of_panel)
            for part in parts:
                part[:] = units[symbol].convert(part)
    if mirrored is not None and images is not None:
        mirrored = replace(mirrored, features=images)
    panel = replace(rows.panel, units=units)
    return replace(rows, features=features, mirrored=mirrored, panel=panel)


def _has_chunks(rows: TrainingSet, member: int, settings: ForecasterSettings) -> bool:
    """Whether a member has a chunk to learn from, and one that ends in what it holds out."""
    chunk = 2 * settings.lookback
    learns = any(span.stop - span.start >= chunk for span in rows.learned_by(member))
    return learns and bool(rows.validation_spans(member, settings.lookback))


def _choose_held_out(
    settings: ForecasterSettings, usable: np.ndarray, validation: np.ndarray | None
) -> tuple[slice, ...]:
    """The rows that each member holds out: those asked for, or other ones for each."""
    if validation is None:
        return held_out_spans(
            int(usable.sum()),
            share=settings.validation,
            members=settings.members,
            lookback=settings.lookback,
            purge=settings.horizon,
        )
    watched = np.flatnonzero(validation[usable])
    return (slice(int(watched[0]), int(watched[-1]) + 1),) * settings.members
