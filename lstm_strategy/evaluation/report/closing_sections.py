"""What speaks against a result, what was left out, and where everything came from, as HTML."""

import json

import pandas as pd

from lstm_strategy.bars import Panel, bars_fingerprint
from lstm_strategy.evaluation.backtests import span_text
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import capitalise, escape, settings_text, terms_html
from lstm_strategy.support import library_versions
from lstm_strategy.trading.cerebro import BrokerSettings


def alarms_section(content: ReportContent) -> str:
    """Return the reasons to doubt the result, one below the other."""
    if not content.assessment.alarms:
        return "<p>No alarm was raised.</p>"
    rows = [
        (capitalise(alarm.name), f"{alarm.message} {alarm.remedy}")
        for alarm in content.assessment.alarms
    ]
    return terms_html(rows, "alarms")


def left_out_section(content: ReportContent) -> str:
    """Return what the report doesn't know, so that nobody reads it as more than it is."""
    missing = [f"{name} didn't run. {reason}" for name, reason in content.results.left_out.items()]
    missing += [each.early_end for each in content.results.results.values() if each.early_end]
    missing += content.results.market_notes
    robust = content.assessment.robustness
    if content.assessment.verdict is None:
        missing.append("No verdict: a single strategy has nothing to be compared with.")
    elif content.assessment.verdict.n_trials == 1:
        missing.append(
            "Only one trial is counted. If other settings or seeds were tried before, say how "
            "many (n_trials, or --trials), or the confidence is too high."
        )
    if robust is None:
        missing.append("Other costs, late orders and single members weren't tried.")
    elif robust.equity_by_member is None:
        missing.append("Single members weren't tried: the model has only one.")
    if content.assessment.permutation_test is None:
        missing.append("No permutation test was made: training and trading again on shuffled bars.")
    if content.ledger is None:
        missing.append("The model was trained once, or its folds aren't known.")
    missing.append(_describe_uncharged(content.results.broker))
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in missing)}</ul>"


def _describe_uncharged(broker: BrokerSettings) -> str:
    charged = broker.costs_beside_fee
    uncharged = ["Taxes"]
    if "borrowing" not in charged:
        uncharged.append("borrowing fees")
    if not broker.has_derivatives:
        uncharged.append("the funding of perpetual futures")
    if "impact" not in charged:
        uncharged.append("the market impact of orders")
    return f"{', '.join(uncharged)}, and dividends that prices don't hold."


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
