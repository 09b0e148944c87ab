"""Where everything came from."""

import json

import pandas as pd

from lstm_strategy.bars import Panel, bars_fingerprint
from lstm_strategy.evaluation.backtests import span_text
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import settings_text, terms_html
from lstm_strategy.support import library_versions


def provenance_section(content: ReportContent) -> str:
    """Return bars, terms, settings, seeds and versions: all that is needed to repeat the result."""
    rows: dict[str, object] = {
        "Traded": span_text(content.result.equity),
        **_describe_bars(content.bars),
        "Broker": settings_text(content.results.broker.readable_settings()),
        "Strategy": settings_text(content.result.params),
    }
    if content.assessment.verdict is not None:
        rows["Trials"] = f"{content.assessment.verdict.n_trials:,}"
    rows |= _model_rows(content)
    rows |= content.provenance
    return terms_html(rows.items(), "provenance")


def _model_rows(content: ReportContent) -> dict[str, object]:
    rows: dict[str, object] = {}
    card = None if content.model is None else content.model.card
    if content.ledger is not None:
        folds = content.ledger.groupby("fold")
        rows["Folds"] = (
            f"{folds.ngroups}; bars purged before each: {_describe_purges(content.ledger)}"
        )
    if card is None:
        return rows | {"Versions": settings_text(library_versions())}
    kept = [] if content.model is None else [card.signal.confidence for card in content.model.cards]
    if min(kept, default=1) < 1:
        shares = ", ".join(f"{share:.0%}" for share in kept)
        rows["Kept of the signal, by how it held up on held-out bars"] = shares
    if content.ledger is None:
        span = card.training
        rows["Trained on"] = f"{span.start:%Y-%m-%d} to {span.end:%Y-%m-%d}, {span.n_bars:,} bars"
        if span.traits.adjusted_by:
            rows["Continuous futures"] = (
                f"adjusted by {span.traits.adjusted_by}; returns are those of the contracts"
            )
        rows["Fingerprint of the training bars"] = span.sha256
    settings = card.settings.model_dump()
    return rows | {
        "Seed": settings.pop("seed", "unknown"),
        "Network": settings_text(settings),
        "Features": json.dumps(card.features),
        "Versions": settings_text(card.versions | {"backend": card.backend}),
    }


def _describe_purges(ledger: pd.DataFrame) -> str:
    if "purge_bars" not in ledger:
        return "unknown"
    return " or ".join(f"{bars:,}" for bars in sorted(ledger["purge_bars"].unique()))


def _describe_bars(bars: pd.DataFrame | Panel) -> dict[str, object]:
    if not isinstance(bars, Panel):
        return {"Bars": span_text(bars), "Fingerprint of the bars": bars_fingerprint(bars)}
    left_out = {f"Left out: {symbol}": reason for symbol, reason in bars.dropped.items()}
    return {
        "Bars": span_text(pd.DataFrame(index=bars.dates)),
        "Markets": f"{len(bars)}: {', '.join(bars.symbols)}",
        **left_out,
        "Fingerprint of the panel": bars.fingerprint,
    }
