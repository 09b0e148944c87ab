"""Which of several columns of volume counts, and what stands for no volume at all."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from lstm_strategy.bars.columns.names import plain_name
from lstm_strategy.errors import BarsError
from lstm_strategy.support import spell

_QUOTES = "usd usdt usdc busd tusd fdusd dai eur gbp jpy krw try quote ccy_quote money turnover"


def choose_volume(
    places: Sequence[int],
    labels: Sequence[str],
    values: Mapping[int, np.ndarray],
    prices: Mapping[str, np.ndarray],
) -> tuple[int | None, str]:
    """Choose the column that counts what was traded in units of the market.

    A column that is 0 throughout gives way to the next, as MetaTrader's volume does to its ticks.
    Of two whose quotient lies between low and high, one counts money: `Volumen` beside `Stuecke`.

    Args:
        places: The columns that are named as volume, the most trusted first.
        labels: The names of all columns.
        values: The numbers in those columns.
        prices: `high` and `low`.

    Returns:
        The column, None where there is none, and what must be reported.

    Raises:
        BarsError: If it can't be seen which of two counts units.
    """
    traded = [place for place in places if _has_volume(values[place])]
    if not traded:
        return (places[0] if places else None), ""
    first = traded[0]
    note = ""
    if first != places[0]:
        note = (
            f"column {labels[places[0]].strip()} is 0 on every bar; "
            f"{labels[first].strip()} was read as the volume"
        )
    rivals = [p for p in traded if re.match(r"vol(ume)?_", plain_name(labels[p]))]
    if len(rivals) < 2 or first not in rivals:
        counts = (p for p in traded[1:] if _is_money(values[first], values[p], prices))
        counted = next(counts, None)
        if counted is None:
            return first, note
        money, label = labels[first].strip(), labels[counted].strip()
        return counted, f"column {money} counts money; {label} was read as the volume"
    units = [
        p
        for p in rivals
        if not any(_is_money(values[p], values[q], prices) for q in rivals if q != p)
    ]
    if len(units) != 1:
        units = [p for p in rivals if plain_name(labels[p]).split("_", 1)[1] not in _QUOTES.split()]
    if len(units) != 1:
        found = ", ".join(labels[p].strip() for p in rivals)
        raise BarsError(
            f"the columns {found} may all be the volume. Choose one: "
            f"{spell('columns', {'volume': labels[rivals[0]].strip()})}."
        )
    return units[0], f"{labels[units[0]].strip()} was read as the volume"


def _has_volume(values: np.ndarray) -> bool:
    return bool((np.nan_to_num(values) > 0).any())


def _is_money(values: np.ndarray, units: np.ndarray, prices: Mapping[str, np.ndarray]) -> bool:
    """Whether one volume divided by the other is a price of its bar."""
    with np.errstate(divide="ignore", invalid="ignore"):
        paid = values / units
    known = np.isfinite(paid) & (units > 0)
    if not known.any():
        return False
    low, high = prices["low"][known] * 0.999, prices["high"][known] * 1.001
    return bool(((paid[known] >= low) & (paid[known] <= high)).mean() > 0.9)
