"""What the evaluation found, section by section, as one HTML page that needs no other file.

The page gives the verdict first and its reasons right after; then the numbers, the pictures, what
speaks against the result, what wasn't looked at, and where everything came from. The same input
gives the same page, byte for byte.
"""

from pathlib import Path

from lstm_strategy.bars import Panel
from lstm_strategy.evaluation.backtests import span_text
from lstm_strategy.evaluation.interactive import chart_style
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import page_html
from lstm_strategy.evaluation.report.sections import (
    alarms_section,
    calendar_section,
    costs_section,
    drawdowns_section,
    equity_section,
    folds_section,
    forecasts_section,
    left_out_section,
    markets_section,
    permutation_section,
    pictures_section,
    provenance_section,
    robustness_section,
    strategies_section,
    trade_statistics_section,
    trades_section,
    training_section,
    verdict_section,
)
from lstm_strategy.learning.forecaster import ask_words, network_words
from lstm_strategy.support import count_of, write_whole


def report_html(content: ReportContent) -> str:
    """Return the whole page as text; a section about which nothing is known is left out.

    Args:
        content: What the page is made from.

    Raises:
        TradingError: If the assessment is of a strategy that isn't compared.

    Example:
        >>> from lstm_strategy import BASELINES, compare, sample_bars
        >>> bars = sample_bars("sp500")
        >>> comparison = compare({"MACD": BASELINES["MACD"]}, bars, start="2016")
        >>> page = report_html(ReportContent(comparison, comparison.assess(), bars))
        >>> "<title>MACD: evaluation</title>" in page
        True
    """
    sections = {
        "verdict": ("Verdict", verdict_section(content)),
        "strategies": ("All strategies", strategies_section(content)),
        "equity": ("Equity", equity_section(content)),
        "calendar": ("Months and years", calendar_section(content)),
        "costs": ("Gross and net", costs_section(content)),
        "markets": ("Markets", markets_section(content)),
        "drawdowns": ("Drawdowns", drawdowns_section(content)),
        "robustness": ("Robustness", robustness_section(content)),
        "permutation-test": ("Permutation test", permutation_section(content)),
        "folds": ("Folds", folds_section(content)),
        "forecasts": ("How good are the forecasts?", forecasts_section(content)),
        "training": ("How it was trained", training_section(content)),
        "trade-statistics": ("Trade statistics", trade_statistics_section(content)),
        "trades": ("Trades", trades_section(content)),
        "pictures": ("More pictures", pictures_section(content)),
        "alarms": ("Alarms", alarms_section(content)),
        "left-out": ("What was left out", left_out_section(content)),
        "provenance": ("Where this came from", provenance_section(content)),
    }
    shown = {key: (title, body) for key, (title, body) in sections.items() if body}
    return page_html(
        _title(content),
        terms=_describe_terms(content),
        sections=shown,
        style=chart_style(),
        scripts=content.charts.scripts,
        tail=content.charts.tail,
    )


def write_report(path: str | Path, content: ReportContent) -> Path:
    """Write the page of `report_html`, whole or not at all.

    Args:
        path: The file.
        content: What the page is made from.

    Returns:
        The path.

    Raises:
        TradingError: If the assessment is of a strategy that isn't compared.

    Example:
        >>> from lstm_strategy import BASELINES, compare, sample_bars
        >>> bars = sample_bars("sp500")
        >>> comparison = compare({"MACD": BASELINES["MACD"]}, bars, start="2016")
        >>> content = ReportContent(comparison, comparison.assess(), bars)
        >>> write_report("report.html", content)  # doctest: +SKIP
    """
    return write_whole(path, report_html(content).encode())


def _title(content: ReportContent) -> str:
    market = f" on {content.market}" if content.market else ""
    return f"{content.result.label}{market}: evaluation"


def _describe_terms(content: ReportContent) -> str:
    """What was traded, when, against whom and at which costs, what the model is, and the date."""
    others, broker = len(content.results.results) - 1, content.results.broker
    against = "alone"
    if others:
        against = f"against {others} other {'strategies' if others > 1 else 'strategy'}"
    sentences = [
        f"{_describe_market(content)}{span_text(content.result.equity)}, {against}",
        f"Orders fill at the next open; {broker.describe_costs()}",
        *_describe_model(content),
    ]
    if content.made_on is not None:
        sentences.append(f"Report dated {content.made_on:%Y-%m-%d}")
    return " ".join(f"{sentence}." for sentence in sentences)


def _describe_market(content: ReportContent) -> str:
    n_markets = len(content.bars) if isinstance(content.bars, Panel) else 1
    parts = [content.market, f"{n_markets} markets" if n_markets > 1 else ""]
    named = ", ".join(filter(None, parts))
    return f"{named}, " if named else ""


def _describe_model(content: ReportContent) -> list[str]:
    card = None if content.model is None else content.model.card
    if card is None:
        return []
    trained = "trained once"
    if content.ledger is not None:
        trained = f"retrained for each of {count_of(content.ledger['fold'].nunique(), 'fold')}"
    network = network_words(card.settings, card.network)
    return [f"The model predicts {ask_words(card.settings)}: {network}, {trained}"]
