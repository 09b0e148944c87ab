"""Growth, drawdown and exposure as a chart, and as a picture where no script runs."""

from lstm_strategy.evaluation.plots import plot_equity
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import PERCENT, escape, picture_html
from lstm_strategy.support import number_text

_MOST_STRATEGIES = 24
_WIDE_INCHES, _PHONE_INCHES = 11.0, 5.2


def equity_section(content: ReportContent) -> str:
    """Return growth, drawdown and exposure, wide and for phones, and the link to the tearsheet."""
    drawn = content.results.keep_best(_MOST_STRATEGIES, content.name)
    growth = drawn.equity.iloc[-1] / drawn.equity.iloc[0] - 1.0
    alt = "Growth of 1, drawdown and exposure. Total returns: " + ", ".join(
        f"{name} {number_text(value, PERCENT)}" for name, value in growth.items()
    )
    caption = "Growth of 1 after costs, drawdown, and the exposure of the strategy."
    if content.ledger is not None:
        caption += " The strip below the growth shows which fold forecast each bar."
    if drawn is not content.results:
        caption += (
            f" Of {len(content.results.results):,} strategies {len(drawn.results)} are drawn, "
            "those with the best Sharpe ratios."
        )
    wide, phone = (
        plot_equity(
            drawn,
            highlight=content.name,
            ledger=content.ledger,
            width_inches=width,
        )
        for width in (_WIDE_INCHES, _PHONE_INCHES)
    )
    link = ""
    if content.tearsheet is not None:
        link = (
            f'<p><a href="{escape(content.tearsheet)}">Tearsheet by quantstats</a>, which counts '
            "drawdowns in calendar days, whereas this page counts bars.</p>"
        )
    still = f'<div class="static">{picture_html(wide, alt, caption, on_phone=phone)}</div>'
    return content.charts.equity + still + link
