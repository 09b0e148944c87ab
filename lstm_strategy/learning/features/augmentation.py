"""The mirror image of a market: every rise a fall, every fall a rise, all else the same.

What holds for rises mostly holds for falls the other way round. A network that sees half of its
chunks in the mirror learns from twice the bars, and can't take the drift of its training years for
a pattern.
"""

import logging
from typing import TYPE_CHECKING

import pandas as pd

from lstm_strategy.learning.features.indicators import MIRRORED_COLUMNS

if TYPE_CHECKING:
    from lstm_strategy.learning.features.feature_set import FeatureSet

log = logging.getLogger(__name__)

_PRICES = {"open": "open", "high": "low", "low": "high", "close": "close"}


def mirror_bars(bars: pd.DataFrame, features: "FeatureSet") -> pd.DataFrame | None:
    """The bars with all log returns negated, beginning at the same close; None if unknown.

    A price p becomes p0²/p, where p0 is the first close; highs and lows change places and volume
    stays. The user's own columns become what their features say: ``{"kind": "column", "column":
    "funding_rate", "mirrored": "negated"}`` or ``"same"``. Where one says nothing there is no
    mirror image, and training goes without.

    >>> from lstm_strategy import FeatureSet, sample_bars
    >>> mirror = mirror_bars(sample_bars(), FeatureSet([{"kind": "rsi", "length": 14}]))
    >>> ups = (sample_bars()["close"].diff() > 0).sum()
    >>> int((mirror["close"].diff() < 0).sum() - ups)
    0
    """
    own = [name for name in features.bars_columns if name not in (*_PRICES, "volume")]
    told = {
        spec["column"]: MIRRORED_COLUMNS[spec["mirrored"]]
        for spec in features.specs
        if spec["kind"] == "column" and "mirrored" in spec
    }
    untold = [name for name in own if name not in told]
    if untold:
        log.info(
            "Training without the mirror image of the bars: what becomes of %r there? Say "
            '"mirrored": "negated" (a funding rate) or "same" (a volume) in its feature.',
            untold[0],
        )
        return None
    start = float(bars["close"].iloc[0])
    prices = {name: start**2 / bars[other] for name, other in _PRICES.items()}
    return bars.assign(**prices, **{name: bars[name] * sign for name, sign in told.items()})
