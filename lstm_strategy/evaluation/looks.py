"""One look for each strategy, the same in every picture and on every page."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

BLACK = "black"
"""What holding the market, and the sum of all markets, is drawn in."""

# 3:1 against white and against a dark page (Okabe and Ito 2008, the light ones darkened), after the
# red of what a picture is about. No eye without one kind of cones, or without any, can tell all of
# them apart by colour alone, so that lines are broken in different ways too. The numbers of colours
# and of strokes have no common divisor, so that the looks repeat late.
_OWN_COLOR = "#d1242f"
_COLORS = ("#0072b2", "#009e73", "#b04a93", "#a6781a", "#3b93c9", "#7f7f7f", "#6f5fc0")
_STROKES = ((6, 2), (2, 2), (6, 2, 2, 2), (12, 3, 2, 3))
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


def choose_looks(names: Sequence[str], *, own: str, held: Iterable[str] = ()) -> dict[str, Look]:
    """Return the look of each strategy.

    What the picture is about is a whole red line, and holding the market a black one of long
    strokes. All others have the looks of their places in the order given, of which the first 28
    differ.

    Args:
        names: The strategies.
        own: The one that the picture is about.
        held: Those that hold the market.

    Example:
        >>> names = ["LSTM", "Buy and hold", "MACD"]
        >>> looks = choose_looks(names, own="LSTM", held={"Buy and hold"})
        >>> [look.color for look in looks.values()]
        ['#d1242f', 'black', '#0072b2']
    """
    held, others = set(held), _others()
    looks = {}
    for name in names:
        if name == own:
            looks[name] = Look(_OWN_COLOR)
        elif name in held:
            looks[name] = Look(BLACK, _MARKET_STROKES)
        else:
            looks[name] = next(others)
    return looks


def choose_market_looks(n_markets: int) -> list[Look]:
    """Return the looks of markets beside their sum, which is a whole black line.

    Example:
        >>> choose_market_looks(2)[1].color
        '#009e73'
    """
    return list(itertools.islice(_others(), n_markets))


def _others() -> Iterator[Look]:
    looks = zip(itertools.cycle(_COLORS), itertools.cycle(_STROKES), strict=False)
    return (Look(color, strokes) for color, strokes in looks)
