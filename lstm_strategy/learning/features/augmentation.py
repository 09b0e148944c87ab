"""The mirror image of a market: every rise a fall, every fall a rise, all else the same.

What holds for rises mostly holds for falls the other way round. A network that sees half of its
chunks in the mirror learns from twice the bars, and can't take the drift of its training years for
a pattern.
"""

import logging

import numpy as np
import pandas as pd

from lstm_strategy.learning.features.indicators import (
    FeatureSpecs,
    bars_columns_of,
    column_roles,
    market_spec,
)
from lstm_strategy.learning.features.kinds import mirror_sign

log = logging.getLogger(__name__)

_PRICES = {"open": "open", "high": "low", "low": "high", "close": "close"}


def mirror_bars(bars: pd.DataFrame, specs: FeatureSpecs) -> pd.DataFrame | None:
    """Negate all log returns, beginning at the same close.

    A price p becomes p0²/p, where p0 is the first close; highs and lows change places and volume
    stays. The user's own columns become what their features say: `{"kind": "column", "column":
    "funding_rate", "mirrored": "negated"}` or `"same"`. Kinds that know what they read say it by
    themselves: rates are negated, a spot price above the close comes to lie below it.

    Args:
        bars: Valid bars, shape (n_bars, n_columns); they stay as they are.
        specs: The features that will read them.

    Returns:
        Bars of the same shape; None, and a line in the log, if a feature reads a column of the
        user's and none says what becomes of it.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = sample_bars()
        >>> mirrored = mirror_bars(bars, [{"kind": "rsi", "length": 14}])
        >>> int((mirrored["close"].diff() < 0).sum() - (bars["close"].diff() > 0).sum())
        0
    """
    specs = [market_spec(spec) for spec in specs]
    signs = {
        spec["column"]: sign
        for spec in specs
        if spec.get("column") is not None and (sign := mirror_sign(spec)) is not None
    }
    roles = {name: role for spec in specs for name, role in column_roles(spec).items()}
    for spec in specs:
        for name in bars_columns_of(spec):
            if name not in signs and name not in roles:
                log.info(
                    "Training without the mirror image of the bars: what becomes of %r there? Say "
                    '"mirrored": "negated" (a funding rate) or "same" (a volume) in its feature.',
                    name,
                )
                return None
    start = float(bars["close"].iloc[0])
    prices = {name: start**2 / bars[other] for name, other in _PRICES.items()}
    own = {name: bars[name] * sign for name, sign in signs.items()}
    close, mirrored_close = bars["close"].to_numpy(), prices["close"].to_numpy()
    with np.errstate(divide="ignore"):
        for name, role in roles.items():
            mirrored = role.mirror(bars[name].to_numpy(np.float64), close, mirrored_close)
            own[name] = np.where(np.isinf(mirrored), np.nan, mirrored)  # of a price of 0
    return bars.assign(**prices, **own)
