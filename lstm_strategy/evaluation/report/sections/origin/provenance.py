"""Where everything came from, in words and as a file of settings."""

import pandas as pd

from lstm_strategy.bars import Panel, bars_fingerprint
from lstm_strategy.evaluation.backtests import BacktestResult, span_text
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import escape, terms_html
from lstm_strategy.evaluation.report.sections.origin.settings_file import settings_file
from lstm_strategy.evaluation.report.sections.origin.settings_words import (
    params_words,
    terms_words,
)
from lstm_strategy.learning.forecaster import ModelCard, card_words
from lstm_strategy.support import library_versions, number_text

_FROM_BARS = {
    *("bars_per_year", "bars_per_day", "bars_per_year_by_market", "bars_per_day_by_market"),
}
_FROM_BROKER = {"band", "reserve", "lot_size", "latency_bars", "execution_bars", "execution"}
"""What the terms say already, of a strategy that keeps to them."""


def provenance_section(content: ReportContent) -> str:
    """Return bars, terms, settings, seeds and versions: all that is needed to repeat the result."""
    card = None if content.model is None else content.model.card
    groups: dict[str, dict[str, object]] = {
        "Bars": {**_run_rows(content), **_bars_rows(content.bars)},
        "Terms": {**terms_words(content.results)},
        "Strategy": {**params_words(_own_params(content.result))},
        "Model": _model_rows(content, card),
        "Software": _version_rows(card),
    }
    tables = "".join(
        f"<h3>{name}</h3>\n{terms_html(rows.items(), 'provenance')}\n"
        for name, rows in groups.items()
        if rows
    )
    return (
        f"{tables}<h3>Settings as a file</h3>\n"
        f'<pre class="file" tabindex="0">{escape(settings_file(content))}</pre>\n'
    )


def _own_params(result: BacktestResult) -> dict[str, object]:
    """The parameters that no other row says."""
    said = {"model"} | _FROM_BARS | (_FROM_BROKER if result.uses_broker_sizing else set())
    return {name: value for name, value in result.params.items() if name not in said}


def _run_rows(content: ReportContent) -> dict[str, object]:
    rows: dict[str, object] = {}
    if content.market:
        rows["Market"] = content.market
    rows |= content.provenance
    if content.command:
        rows["Command"] = content.command
    rows["Bars traded"] = span_text(content.result.equity)
    if content.assessment.verdict is not None:
        rows["Trials"] = f"{content.assessment.verdict.n_trials:,}"
    return rows


def _bars_rows(bars: pd.DataFrame | Panel) -> dict[str, object]:
    if not isinstance(bars, Panel):
        return {"All bars": span_text(bars), "Fingerprint of the bars": bars_fingerprint(bars)}
    left_out = {f"Left out: {symbol}": reason for symbol, reason in bars.dropped.items()}
    return {
        "All bars": span_text(pd.DataFrame(index=bars.dates)),
        "Markets": f"{len(bars)}: {', '.join(bars.symbols)}",
        **left_out,
        "Fingerprint of the panel": bars.fingerprint,
    }


def _model_rows(content: ReportContent, card: ModelCard | None) -> dict[str, object]:
    rows: dict[str, object] = {}
    if content.ledger is not None:
        n_folds = content.ledger["fold"].nunique()
        rows["Folds"] = (
            f"{n_folds}, with bars purged before each: {_describe_purges(content.ledger)}"
        )
    if card is None:
        return rows
    rows = {**card_words(card), **rows}
    kept = [] if content.model is None else [each.signal.confidence for each in content.model.cards]
    if min(kept, default=1) < 1:
        shares = ", ".join(number_text(share, "{:.0%}") for share in kept)
        rows["Share of the signal kept"] = f"{shares}, by how it held up on held-out bars"
    if content.ledger is None:
        rows |= _training_rows(card)
    return rows


def _training_rows(card: ModelCard) -> dict[str, object]:
    span = card.training
    rows: dict[str, object] = {
        "Trained on": f"{span.start:%Y-%m-%d} to {span.end:%Y-%m-%d}, {span.n_bars:,} bars"
    }
    if span.traits.adjusted_by:
        rows["Continuous futures"] = (
            f"adjusted by {span.traits.adjusted_by}; returns are those of the contracts"
        )
    return rows | {"Fingerprint of the training bars": span.sha256}


def _version_rows(card: ModelCard | None) -> dict[str, object]:
    versions = library_versions() if card is None else card.versions | {"backend": card.backend}
    return {"Versions": ", ".join(f"{name} {version}" for name, version in versions.items())}


def _describe_purges(ledger: pd.DataFrame) -> str:
    if "purge_bars" not in ledger:
        return "unknown"
    return " or ".join(f"{bars:,}" for bars in sorted(ledger["purge_bars"].unique()))
