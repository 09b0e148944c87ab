"""Which bars features can be computed from, and which ones a network can learn from."""

import logging
from collections.abc import Mapping

import numpy as np
import pandas as pd

from lstm_strategy.bars import describe_lone_market
from lstm_strategy.errors import FeatureError
from lstm_strategy.learning.features.feature_set import FeatureSet
from lstm_strategy.learning.features.indicators import (
    column_roles,
    format_spec,
    is_market_wide,
    left_out_columns,
)
from lstm_strategy.support import naive_utc_index

log = logging.getLogger(__name__)


def check_inputs(features: FeatureSet, bars: pd.DataFrame) -> None:
    """Refuse bars without what the features read, and with numbers there that can't be right.

    Args:
        features: The features to be computed.
        bars: All bars of a market; a volume of 0 on each of them means that it has none.

    Raises:
        FeatureError: Naming the column, the time and the remedy.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> check_inputs(FeatureSet.preset("default"), sample_bars())
    """
    features.check_columns(bars)
    _check_volume(features, bars)
    for spec in features.specs:
        for name, role in column_roles(spec).items():
            offence = role.find_impossible(bars[name], bars["close"])
            if offence is not None:
                raise FeatureError(offence)


def describe_wrong_input(
    features: FeatureSet, name: str, value: float, time: pd.Timestamp
) -> str | None:
    """Say what is wrong with one number in a column of the user's; None where nothing is.

    Args:
        features: The features that read it.
        name: The name of the column.
        value: The number.
        time: The time of its bar.

    Example:
        >>> features = FeatureSet([{"kind": "funding_rate"}])
        >>> describe_wrong_input(features, "close", 1.0, pd.Timestamp("2024-01-01")) is None
        True
    """
    for spec in features.specs:
        role = column_roles(spec).get(name)
        if role is not None:
            return role.find_impossible(pd.Series([value], [time], name=name))
    return None


def check_training_inputs(features: FeatureSet, bars: pd.DataFrame) -> None:
    """Refuse bars that can't be learned from; see `check_inputs`.

    Columns as a whole are looked at, too: rates in percent, and values that are missing for
    years. Where values are missing for a while, it is logged how many.

    Args:
        features: The features to be computed.
        bars: All bars of a market.

    Raises:
        FeatureError: Naming the column, the time and the remedy.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> check_training_inputs(FeatureSet.preset("default"), sample_bars())
    """
    check_inputs(features, bars)
    for spec in features.specs:
        for name, role in column_roles(spec).items():
            offence = role.find_doubtful(bars[name])
            if offence is not None:
                raise FeatureError(f"{format_spec(spec)} can't be learned from: {offence}")
        for argument, name in left_out_columns(spec, bars).items():
            log.warning(
                "The bars have the column %s, which %s leaves out. Give the feature %s.",
                name,
                format_spec(spec),
                f'"{argument}": "{name}"',
            )
    roles = {name: role for spec in features.specs for name, role in column_roles(spec).items()}
    for name, role in roles.items():
        note = role.describe_missing(bars[name])
        if note is not None:
            log.info(note)


def check_markets_meet(features: FeatureSet, panel: Mapping[str, pd.DataFrame]) -> None:
    """Refuse a panel with a market that never meets another, where a feature looks across.

    Args:
        features: The features to be computed.
        panel: Valid bars by symbol.

    Raises:
        FeatureError: Naming the market.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> of = {"kind": "log_return", "length": 1}
        >>> panel = {"SP": sample_bars("sp500"), "NQ": sample_bars("nasdaq")}
        >>> check_markets_meet(FeatureSet([{"kind": "panel_rank", "of": of}]), panel)
    """
    wide = [format_spec(spec) for spec in features.specs if is_market_wide(spec)]
    if not wide:
        return
    times = {symbol: naive_utc_index(bars.index) for symbol, bars in panel.items()}
    together = pd.Series(np.concatenate([index.to_numpy() for index in times.values()]))
    shared = pd.DatetimeIndex(together[together.duplicated()].unique())
    for symbol, index in times.items():
        if len(index) and not index.isin(shared).any():
            raise FeatureError(
                f"{wide[0]} looks across the markets of a panel, and "
                f"{describe_lone_market(panel, symbol)} Or leave the feature out."
            )


def _check_volume(features: FeatureSet, bars: pd.DataFrame) -> None:
    if len(bars) <= features.warm_up or bars["volume"].any():
        return
    readers = features.volume_readers
    if readers:
        raise FeatureError(
            f"The bars have no volume (it is 0 on every bar), and {', '.join(readers)} "
            f"{'reads' if len(readers) == 1 else 'read'} it. Leave out what reads volume, or "
            'take the preset "prices".'
        )
