"""Columns that the user has added to the bars, and what becomes of them in the mirror."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

MIRRORED_COLUMNS = {"negated": -1.0, "same": 1.0}
"""What may become of a column of the user's where rises and falls are exchanged."""


def own_column(bars: pd.DataFrame, *, column: str, mirrored: str | None = None) -> pd.DataFrame:
    """A column of the bars as it stands, holding the last known value where it is NaN.

    Known at the close of its row: a funding rate that is only set on settlement rows stays in
    force until the next settlement. `mirrored` is for training, see `mirror_bars`.
    """
    return bars[[column]].ffill()


def mirror_sign(spec: Mapping[str, Any]) -> float | None:
    """What the column that a feature reads is multiplied with in the mirror; None: not known.

    A variance is the same there.
    """
    if spec["kind"] in ("log_variance_ratio", "volatility"):
        return 1.0
    return MIRRORED_COLUMNS[spec["mirrored"]] if spec.get("mirrored") else None
