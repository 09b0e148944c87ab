"""The places of the charts in a page, with their buttons."""

from lstm_strategy.evaluation.interactive.series import MARKET_COLOR, SOLID, Series
from lstm_strategy.support import escape_html

_KEYS = (
    "Drag to zoom in, double-click to show everything, or zoom with Ctrl and the mouse wheel. On "
    "the keyboard, the arrow keys scroll, plus and minus zoom, 0 shows everything, and Shift with "
    "an arrow key reads out the next or previous bar, beginning at the first or last one shown."
)


def equity_html(
    series: list[Series], *, has_folds: bool, n_bars: int, n_drawn: int, n_strategies: int
) -> str:
    """Return the place of growth, drawdown and exposure.

    Args:
        series: The strategies, each of which gets a button.
        has_folds: Whether there is a strip of folds.
        n_bars: How many bars there are.
        n_drawn: How many of them are drawn; fewer are said to be.
        n_strategies: How many strategies there are; where fewer are drawn, that is said.
    """
    buttons = "".join(map(_button, series))
    strip = "The strip shows which fold's model forecast each bar. " if has_folds else ""
    thinned = (
        f"There are more bars than a screen can show: {n_drawn:,} of {n_bars:,} are drawn, "
        "including every peak and trough. "
        if n_drawn < n_bars
        else ""
    )
    others = (
        f"There are more strategies than a chart can show: {len(series):,} of {n_strategies:,} are "
        "drawn, those with the best Sharpe ratios. The table has all of them. "
        if len(series) < n_strategies
        else ""
    )
    return _place(
        "chart-equity",
        "Growth, drawdown and exposure of the strategies",
        f'<div class="series" role="group" aria-label="Strategies shown">{buttons}</div>{_ZOOM}',
        f"{strip}{thinned}{others}".strip(),
    )


def price_html(
    label: str, markets: list[str], *, has_forecast: bool, n_trades: int, n_marked: int
) -> str:
    """Return the place of price, trades and forecast.

    Args:
        label: The strategy whose trades are shown.
        markets: The markets; one market has the name "".
        has_forecast: Whether there is a forecast below the price.
        n_trades: How many trades there are in these markets.
        n_marked: How many of them are marked; fewer are said to be.
    """
    chooser = ""
    if len(markets) > 1:
        options = "".join(
            f'<option value="m{number}">{escape_html(market)}</option>'
            for number, market in enumerate(markets)
        )
        chooser = f'<label class="market">Market <select>{options}</select></label>'
    below = " The forecast is below, with its uncertainty as a band." if has_forecast else ""
    marked = (
        f" Of {n_trades:,} trades {n_marked:,} are marked: those with the largest profits and "
        "losses."
        if n_marked < n_trades
        else ""
    )
    return _place(
        "chart-price",
        f"Price, and the trades of {label}",
        f"{chooser}{_ZOOM}",
        "Triangles are entries, pointing up for long and down for short; squares are exits. Blue "
        "marks a profit, orange a loss, and grey a trade that is still open. A trade of several "
        "fills is marked at the first and the last; the tables have its average prices."
        f"{marked}{below}",
        more=' <span class="chart-marked"></span>',
        says_beside=False,
    )


def markets_html(label: str, lines: list[Series]) -> str:
    """Return the place of what each market earned.

    Args:
        label: The strategy that traded them.
        lines: The markets and their sum, each of which gets a button.
    """
    buttons = "".join(map(_button, lines))
    return _place(
        "chart-markets",
        f"What each market earned for {label}",
        f'<div class="series" role="group" aria-label="Markets shown">{buttons}</div>{_ZOOM}',
        "What each market earned after costs since the start, as a share of the starting equity; "
        "together they are the change of the equity.",
    )


def _button(each: Series) -> str:
    dash = "" if each.dash == SOLID else each.dash
    kind = ' class="market-line"' if each.color == MARKET_COLOR else ""
    return (
        f'<button type="button" aria-pressed="{str(each.is_shown).lower()}" '
        f'data-series="{each.key}"><svg width="26" height="8" aria-hidden="true">'
        f'<line{kind} x1="0" x2="26" y1="4" y2="4" stroke="{each.color}" stroke-width="3" '
        f'stroke-dasharray="{dash}"/></svg>{escape_html(each.label)}'
        "</button>"
    )


def _place(
    key: str, label: str, tools: str, hint: str, *, more: str = "", says_beside: bool = True
) -> str:
    """The place of a chart; `says_beside` where its numbers stand beside the pointer.

    Where bokeh shows some there itself, ours stand in the line below.
    """
    note = '<div class="chart-pointer" aria-hidden="true" hidden></div>' if says_beside else ""
    return (
        f'<div class="chart" role="group" aria-label="{escape_html(label)}">'
        f'<div class="chart-tools">{tools}</div>'
        f'<div id="{key}" class="chart-panels" role="application" tabindex="0" '
        f'aria-label="Chart" aria-describedby="{key}-hint"></div>'
        f'<p class="chart-reading" aria-live="polite"></p>'
        f'{note}<p class="chart-hint" id="{key}-hint">{escape_html(hint)}{more}'
        f' <span class="for-pointers">{_KEYS}</span></p></div>\n'
    )


_ZOOM = (
    '<div class="zoom" role="group" aria-label="Span shown">'
    + "".join(
        f'<button type="button" data-zoom="{act}" aria-label="{label}">{text}</button>'
        for act, label, text in (
            ("in", "Zoom in", "+"),
            ("out", "Zoom out", "\N{MINUS SIGN}"),
            ("left", "Earlier", "\N{LEFTWARDS ARROW}"),
            ("right", "Later", "\N{RIGHTWARDS ARROW}"),
            ("all", "Show all", "All"),
        )
    )
    + "</div>"
)
