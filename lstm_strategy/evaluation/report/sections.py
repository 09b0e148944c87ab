"""The sections of the report, each made from what the evaluation found."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from lstm_strategy.bars import bars_fingerprint
from lstm_strategy.evaluation.backtests import BacktestResult, readable_metrics, span_text
from lstm_strategy.evaluation.comparison import Board
from lstm_strategy.evaluation.plots import (
    plot_cost_break_even,
    plot_delay_break_even,
    plot_equity,
    plot_folds,
    plot_members,
    plot_permutation_test,
)
from lstm_strategy.evaluation.report.page import (
    capitalised,
    escaped,
    number_text,
    page_html,
    picture_html,
    points_text,
    settings_text,
    table_html,
)
from lstm_strategy.evaluation.report.tables import drawdowns_table, folds_table, trades_tables
from lstm_strategy.evaluation.robustness import Robustness, fold_table
from lstm_strategy.evaluation.verdict import Alarm, PermutationTest, Verdict
from lstm_strategy.support import library_versions

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_WIDE_INCHES, _PHONE_INCHES = 11.0, 5.2


_HEADINGS = {
    "total_return": "Total return",
    "cagr": "Return a year",
    "volatility": "Volatility",
    "sharpe": "Sharpe",
    "sortino": "Sortino",
    "max_drawdown": "Max drawdown",
    "calmar": "Calmar",
    "turnover": "Turnover a year",
    "trades": "Trades",
    "exposure": "Mean exposure",
    "costs": "Costs",
}


@dataclass(frozen=True)
class Findings:
    """All that the sections of the page are made from; None for what isn't known."""

    board: Board
    name: str
    result: BacktestResult
    verdict: Verdict | None
    alarms: Sequence[Alarm] | None
    bars: pd.DataFrame | None
    model: Any
    ledger: pd.DataFrame | None
    robustness: Robustness | None
    permutation_test: PermutationTest | None
    figures: Mapping[str, "Figure"]
    provenance: Mapping[str, object]
    tearsheet: str | None

    @cached_property
    def folds(self) -> pd.DataFrame | None:
        """See `fold_table`."""
        if self.robustness is not None and self.robustness.folds is not None:
            return self.robustness.folds
        if self.ledger is None:
            return None
        close = None if self.bars is None else self.bars["close"]
        return fold_table(self.result, self.ledger, close=close)


def findings_page(found: Findings) -> str:
    """The whole page; a section about which nothing is known is left out."""
    sections = {
        "verdict": ("Verdict", _verdict_section(found)),
        "strategies": ("All strategies", _strategies_section(found)),
        "equity": ("Equity", _equity_section(found)),
        "drawdowns": ("Drawdowns", drawdowns_table(found.result.equity, found.name)),
        "robustness": ("Robustness", _robustness_section(found)),
        "null-test": ("Null test", _null_test_section(found)),
        "folds": ("Folds", "" if found.folds is None else folds_table(found.folds)),
        "trades": ("Trades", trades_tables(found.result.trades)),
        "pictures": ("More pictures", _pictures_section(found)),
        "alarms": ("Alarms", _alarms_section(found)),
        "left-out": ("What was left out", _left_out_section(found)),
        "provenance": ("Where this came from", _provenance_section(found)),
    }
    shown = {key: (title, body) for key, (title, body) in sections.items() if body}
    return page_html(f"{found.result.name}: evaluation", terms=_terms(found), sections=shown)


def _terms(found: Findings) -> str:
    others, broker = len(found.board.results) - 1, found.board.broker
    against = f"Against {others} other {'strategies' if others > 1 else 'strategy'}" * (others > 0)
    return (
        f"{against or 'Alone'}, {span_text(found.result.equity)}. Orders fill at the next open; "
        f"commission {broker.commission_rate:.2%} and slippage {broker.slippage_rate:.2%} of each "
        "trade."
    )


def _verdict_section(found: Findings) -> str:
    verdict = found.verdict
    warning = ""
    if found.result.in_sample:
        warning = (
            '<p class="warning"><strong>In-sample.</strong> The model was trained on bars of this '
            "span: nothing here says how it does on others.</p>"
        )
    if verdict is None:
        return warning + f'<p class="sentence">{escaped(found.board.standing(found.name))}</p>'
    kind = "claimed" if verdict.claims_skill and not verdict.alarms else "doubtful"
    why = "What it rests on" if verdict.claims_skill else "What is in the way"
    low, high = verdict.sharpe_interval
    level = 1.0 - verdict.alpha
    numbers = {
        "Sharpe ratio": number_text(verdict.sharpe),
        f"{level:.0%} interval": f"{number_text(low)} to {number_text(high)}",
        "Largest p-value against a baseline": number_text(verdict.p_value, "{:.3f}"),
        "Confidence after all trials": number_text(verdict.deflated_sharpe, "{:.1%}"),
        "Trials": f"{verdict.n_trials:,}",
        "Bars": f"{verdict.n_bars:,}",
    }
    facts = "".join(
        f"<div><dt>{escaped(term)}</dt><dd>{escaped(value)}</dd></div>"
        for term, value in numbers.items()
    )
    reasons = "".join(f"<li>{escaped(capitalised(reason))}.</li>" for reason in verdict.reasons)
    return (
        f'{warning}<p class="sentence {kind}">{escaped(verdict.sentence)}</p>\n'
        f"<h3>{why}</h3>\n<ul>{reasons}</ul>\n"
        f'<dl class="facts">{facts}</dl>\n'
        f"<p>{escaped(_trials_text(verdict.n_trials))}</p>\n"
    )


def _trials_text(n_trials: int) -> str:
    if n_trials == 1:
        return (
            "One trial is counted: these settings and no others. Whoever tried others before, on "
            "these or overlapping dates, must count them, for the best of many looks good by luck."
        )
    return (
        f"{n_trials:,} trials are counted: settings whose results were looked at, these included. "
        "The confidence after all trials is that in a true Sharpe ratio above the one that the "
        f"luckiest of {n_trials:,} settings without any skill would show."
    )


def _strategies_section(found: Findings) -> str:
    table = readable_metrics(found.board.table).rename(columns=_HEADINGS)
    notes = ["Turnover in multiples of the equity, costs as a share of the equity at the start."]
    if found.verdict is not None and found.verdict.p_values:
        names = {result.name: key for key, result in found.board.results.items()}
        p_values = [found.verdict.p_values.get(names[row]) for row in table.index]
        readable = ["" if p is None else f"{p:.3f}" for p in p_values]
        after_sharpe = list(table.columns).index("Sharpe") + 1
        table.insert(after_sharpe, "p\N{NON-BREAKING HYPHEN}value", readable)
        notes.append(
            f"The p-value says how often luck alone would give {found.name} such a lead over the "
            "strategy, at equal risk."
        )
    caption = "Every strategy on the same bars, costs and sizing"
    return table_html(table, caption, first="Strategy", strong=found.result.name) + (
        f"<p>{escaped(' '.join(notes))}</p>"
    )


def _equity_section(found: Findings) -> str:
    growth = found.board.equity.iloc[-1] / found.board.equity.iloc[0] - 1.0
    alt = "Growth of 1, drawdown and exposure. Total returns: " + ", ".join(
        f"{name} {value:+.1%}" for name, value in growth.items()
    )
    caption = "Growth of 1 after costs, drawdown, and the exposure of the strategy."
    if found.ledger is not None:
        caption += " The strip says which fold forecast each bar, and until when it was trained."
    drawn = found.result.name if found.result.in_sample else found.name
    wide, phone = (
        plot_equity(found.board, highlight=drawn, ledger=found.ledger, width_inches=width)
        for width in (_WIDE_INCHES, _PHONE_INCHES)
    )
    link = ""
    if found.tearsheet is not None:
        link = f'<p><a href="{escaped(found.tearsheet)}">Tearsheet by quantstats</a></p>'
    return picture_html(wide, alt, caption, on_phone=phone) + link


def _robustness_section(found: Findings) -> str:
    robust, folds, pictures = found.robustness, found.folds, []
    if robust is not None:
        charged = found.board.broker.commission_rate * 1e4
        costs, delays = robust.costs["sharpe"], robust.delays["sharpe"]
        pictures += [
            picture_html(
                plot_cost_break_even(robust.costs, charged_bps=charged),
                f"Sharpe ratio by commission in basis points: {points_text(costs)}",
                "What higher commissions leave.",
            ),
            picture_html(
                plot_delay_break_even(robust.delays),
                f"Sharpe ratio by delay in bars: {points_text(delays)}",
                "What is left when every order comes late.",
            ),
        ]
    if robust is not None and robust.equity_by_member is not None:
        seeds = robust.equity_by_member
        final = seeds.iloc[-1] / seeds.iloc[0] - 1.0
        pictures.append(
            picture_html(
                plot_members(seeds, own=robust.result.equity),
                f"Growth of 1 by seed. Total returns: {points_text(final, '{:+.1%}')}",
                "The same strategy with each network of the ensemble alone.",
            )
        )
    if folds is not None:
        points = points_text(folds["total_return"], "{:+.1%}")
        pictures.append(
            picture_html(plot_folds(folds), f"Return by fold: {points}", "The return of each fold.")
        )
    return f'<div class="grid">{"".join(pictures)}</div>' if pictures else ""


def _null_test_section(found: Findings) -> str:
    test = found.permutation_test
    if test is None:
        return ""
    drawn = points_text(pd.Series(test.null, range(1, len(test.null) + 1)))
    picture = picture_html(
        plot_permutation_test(test),
        f"Sharpe ratio on real bars {number_text(test.real)}; on permutation: {drawn}",
        "The same pipeline, trained and traded anew on bars whose order was destroyed.",
    )
    return (
        f"<p>{escaped(test)}</p><p>Shuffled bars have the same moves, costs and drift, and no "
        f"order to learn. What is earned on them is luck.</p>{picture}"
    )


def _pictures_section(found: Findings) -> str:
    return "".join(picture_html(figure, text, text) for text, figure in found.figures.items())


def _alarms_section(found: Findings) -> str:
    if found.alarms is None:
        return "<p>None was looked for: that needs the bars.</p>"
    if not found.alarms:
        return "<p>None was raised.</p>"
    rows = (
        f"<div><dt>{escaped(capitalised(alarm.name))}</dt>"
        f"<dd>{escaped(alarm.message)} {escaped(alarm.remedy)}</dd></div>"
        for alarm in found.alarms
    )
    return f'<dl class="alarms">{"".join(rows)}</dl>'


def _left_out_section(found: Findings) -> str:
    missing = [f"{name} didn't run. {reason}" for name, reason in found.board.left_out.items()]
    robust = found.robustness
    if found.verdict is None:
        missing.append("No verdict: a single strategy has nothing to be compared with.")
    elif found.verdict.n_trials == 1:
        missing.append(
            "Only one trial is counted. If other settings or seeds were tried before, say how "
            "many (n_trials, or --trials), or the confidence is too high."
        )
    if found.alarms is None:
        missing.append("No alarm was looked for, because the bars weren't given.")
    if robust is None:
        missing.append("Other costs, late orders and single seeds weren't tried.")
    elif robust.equity_by_member is None:
        missing.append("Single seeds weren't tried: the model has no members.")
    if found.permutation_test is None:
        missing.append("No null test was made: training and trading anew on shuffled bars.")
    if found.ledger is None:
        missing.append("The model was trained once, or its folds aren't known.")
    missing.append(
        "Taxes, borrowing fees, the funding of perpetual futures, the market impact of orders, and "
        "dividends that prices don't hold."
    )
    return f"<ul>{''.join(f'<li>{escaped(line)}</li>' for line in missing)}</ul>"


def _provenance_section(found: Findings) -> str:
    broker = found.board.broker.model_dump()
    rows: dict[str, object] = {"Traded": span_text(found.result.equity)}
    if found.bars is not None:
        rows["Bars"] = span_text(found.bars)
        rows["Fingerprint of the bars"] = bars_fingerprint(found.bars)
    rows["Broker"] = settings_text(broker)
    rows["Strategy"] = settings_text(found.result.params)
    if found.verdict is not None:
        rows["Trials"] = f"{found.verdict.n_trials:,}"
    rows |= _model_rows(found)
    rows |= found.provenance
    body = "".join(
        f"<div><dt>{escaped(term)}</dt><dd>{escaped(value)}</dd></div>"
        for term, value in rows.items()
    )
    return f'<dl class="provenance">{body}</dl>'


def _model_rows(found: Findings) -> dict[str, object]:
    rows: dict[str, object] = {}
    refits = getattr(found.model, "refits", None)
    card = getattr(refits[0].model if refits else found.model, "card", None)
    if found.ledger is not None:
        folds = found.ledger.groupby("fold")
        rows["Folds"] = f"{folds.ngroups}; bars purged before each: {_purges(found.ledger)}"
    if card is None:
        return rows | {"Versions": settings_text(library_versions())}
    if found.ledger is None:
        span = card.training
        rows["Trained on"] = f"{span.start:%Y-%m-%d} to {span.end:%Y-%m-%d}, {span.n_bars:,} bars"
        rows["Fingerprint of the training bars"] = span.sha256
    settings = card.settings.model_dump()
    return rows | {
        "Seed": settings.pop("seed", "unknown"),
        "Network": settings_text(settings),
        "Features": json.dumps(card.features),
        "Versions": settings_text(card.versions | {"backend": card.backend}),
    }


def _purges(ledger: pd.DataFrame) -> str:
    if "purge_bars" not in ledger:
        return "unknown"
    return " or ".join(f"{bars:,}" for bars in sorted(ledger["purge_bars"].unique()))
