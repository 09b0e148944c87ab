"""One look for each strategy, the same in every picture and on every page."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

BLACK = "black"
"""What holding the market, and the sum of all markets, is drawn in."""

# 3:1 against white and against dark pages, after the red of what a picture is about. No eye without
# one kind of cones, or without any, can tell all of them apart by colour alone, so lines are broken
# in different ways too. The numbers of colours and of strokes have no common divisor, so that the
# looks repeat late.
_OWN_COLOR = "#d1242f"
_BLUE, _GREEN, _PINK, _AMBER = "#3b93c9", "#009e73", "#b04a93", "#a6781a"
_GREY, _VIOLET = "#7f7f7f", "#6f5fc0"
_COLORS = (_BLUE, _GREEN, _PINK, _AMBER, _GREY, _VIOLET)
_DASHES, _DOTS, _DASH_DOT = (6, 2), (2, 2), (8, 2, 2, 2)
_SPACED, _DASH_DOT_DOT = (4, 5), (12, 2, 2, 2, 2, 2)
_STROKES = (_DASHES, _DOTS, _DASH_DOT, _SPACED, _DASH_DOT_DOT)
_MARKET_STROKES = (14, 2)


@dataclass(frozen=True)
class Look:
    """How a line is drawn.

    Attributes:
        color: As "#d1242f", or "black".
        strokes: The lengths of strokes and gaps, in pixels of a screen; empty for a whole line.
    """

    color: str
    strokes: tuple[int, ...] = ()


# Two of the same strokes have colours that an eye with two kinds of cones tells apart too. One look
# is shared only by what isn't compared with one another: strategies on one market and on many, and
# forecasts of volatility.
_KNOWN = (
    (Look(_BLUE, _DASHES), ("SMA cross", "Time-series momentum", "EWMA")),
    (Look(_AMBER, _DOTS), ("MACD", "MACD trend", "log-HAR")),
    (Look(_PINK, _DOTS), ("RSI reversion",)),
    (Look(_GREEN, _SPACED), ("Bollinger reversion", "log-HAR with leverage")),
    (Look(_PINK, _DASHES), ("Donchian breakout", "Minimum variance", "GARCH")),
    (Look(_GREEN, _DOTS), ("12-1 momentum", "12-1 cross-sectional momentum")),
    (Look(_VIOLET, _DASH_DOT), ("Volatility target", "Volatility-scaled hold", "GJR-GARCH-t")),
    (Look(_AMBER, _DASHES), ("Short-term reversal",)),
    (Look(_GREY, _DASH_DOT), ("Random entries",)),
    (Look(_BLUE, _DASH_DOT), ("Logistic, last bar",)),
    (Look(_GREY, _DASHES), ("Logistic, window",)),
    (Look(_VIOLET, _DOTS), ("Boosting, last bar",)),
    (Look(_AMBER, _SPACED), ("Boosting, window",)),
    (Look(_PINK, _SPACED), ("Funding carry",)),
    (Look(_BLUE, _DASH_DOT_DOT), ("Funding reversal",)),
    (Look(_GREY, _DASH_DOT_DOT), ("Basis reversion",)),
    (Look(_VIOLET, _SPACED), ("Carry", "Carry of all")),
    (Look(_VIOLET, _DASH_DOT_DOT), ("Carry and trend", "Carry and trend of all")),
)
_FREE = (
    Look(_GREEN, _DASHES),
    Look(_PINK, _DASH_DOT_DOT),
    Look(_GREY, _DOTS),
    Look(_AMBER, _DASH_DOT),
    Look(_BLUE, _SPACED),
    Look(_VIOLET, _DASHES),
    Look(_GREEN, _DASH_DOT_DOT),
    Look(_BLUE, _DOTS),
    Look(_PINK, _DASH_DOT),
    Look(_GREY, _SPACED),
    Look(_AMBER, _DASH_DOT_DOT),
    Look(_GREEN, _DASH_DOT),
)
_KNOWN_LOOKS = {name: look for look, names in _KNOWN for name in names}


def choose_looks(names: Sequence[str], *, own: str, held: Iterable[str] = ()) -> dict[str, Look]:
    """Return the look of each strategy.

    What the picture is about is a whole red line, and holding the market a black one of long
    strokes. Each baseline of ours has a look of its own, whatever it is compared with. All others
    have the looks that are left, in the order given; the first 28 strategies differ.

    Args:
        names: The strategies.
        own: The one that the picture is about.
        held: Those that hold the market.

    Example:
        >>> names = ["LSTM", "Buy and hold", "MACD"]
        >>> looks = choose_looks(names, own="LSTM", held={"Buy and hold"})
        >>> [look.color for look in looks.values()]
        ['#d1242f', 'black', '#a6781a']
    """
    looks = {}
    for name in held:
        looks[name] = Look(BLACK, _MARKET_STROKES)
    looks[own] = Look(_OWN_COLOR)
    for name in names:
        known = _KNOWN_LOOKS.get(name)
        if name not in looks and known and known not in looks.values():
            looks[name] = known
    lent = [look for look, _ in _KNOWN if look not in looks.values()]
    others = itertools.cycle([*_FREE, *lent])
    return {name: looks.get(name) or next(others) for name in names}


def choose_market_looks(n_markets: int) -> list[Look]:
    """Return the looks of markets beside their sum, which is a whole black line.

    Example:
        >>> choose_market_looks(2)[1].color
        '#009e73'
    """
    return list(itertools.islice(_every_look(), n_markets))


def _every_look() -> Iterator[Look]:
    looks = zip(itertools.cycle(_COLORS), itertools.cycle(_STROKES), strict=False)
    return (Look(color, strokes) for color, strokes in looks)
