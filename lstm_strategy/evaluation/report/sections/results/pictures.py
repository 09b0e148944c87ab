"""Pictures that were handed over."""

from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import picture_html


def pictures_section(content: ReportContent) -> str:
    """Return the figures that were handed over, each above its caption; "" without any."""
    return "".join(picture_html(figure, text, text) for text, figure in content.figures.items())
