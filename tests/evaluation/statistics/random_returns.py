"""Bar returns without skill, and with as much of it as a test asks for."""

from string import ascii_letters

import numpy as np
import pandas as pd


def random_returns(seed=0, *, n_bars=400, sharpes=(0.0, 0.0, 0.0), volatility=0.01):
    """One column a Sharpe ratio per bar, named a, b, c, ...; independent normals."""
    rng = np.random.default_rng(seed)
    columns = [rng.normal(sharpe * volatility, volatility, n_bars) for sharpe in sharpes]
    index = pd.date_range("2020-01-01", periods=n_bars, name="datetime")
    return pd.DataFrame(dict(zip(ascii_letters, columns, strict=False)), index=index)
