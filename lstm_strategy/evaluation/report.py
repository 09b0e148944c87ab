"""What the evaluation found, section by section, as one HTML page that needs no other file.

The page says the verdict first and its reasons right after; then the numbers, the pictures, what
speaks against the result, what wasn't looked at, and where everything came from. The same input
gives the same page, byte for byte.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lstm_strategy.bars.fingerprint import bars_fingerprint
from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.alarms import Alarm, result_named
from lstm_strategy.evaluation.alarms import alarms as raised_alarms
from lstm_strategy.evaluation.compare import Board
from lstm_strategy.evaluation.metrics import drawdown
from lstm_strategy.evaluation.plots import plot_equity
from lstm_strategy.evaluation.report_page import (
    capitalised,
    date_texts,
    escaped,
    number_text,
    page_html,
    picture_html,
    points_text,
    settings_text,
    table_html,
)
from lstm_strategy.evaluation.result import (
    BacktestResult,
    readable_metrics,
    span_text,
    write_whole,
)
from lstm_strategy.evaluation.robustness import Robustness, fold_table
from lstm_strategy.evaluation.robustness_plots import (
    plot_cost_break_even,
    plot_delay_break_even,
    plot_folds,
    plot_seed_fan,
)
from lstm_strategy.evaluation.verdict import Verdict
from lstm_strategy.evaluation.verdict import verdict as judged
from lstm_strategy.learning.models import Forecaster, opened_forecaster, ready_forecasts
from lstm_strategy.learning.storage import library_versions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_N_TRADES = 5
_N_DRAWDOWNS = 5
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
class _Findings:
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
    figures: Mapping[str, "Figure"]
    provenance: Mapping[str, object]
    tearsheet: str | None

    @cached_property
    def folds(self) -> pd.DataFrame | None:
        if self.robustness is not None and self.robustness.folds is not None:
            return self.robustness.folds
        if self.ledger is None:
            return None
        close = None if self.bars is None else self.bars["close"]
        return fold_table(self.result, self.ledger, close=close)


def report_html(
    board: Board,
    *,
    name: str | None = None,
    verdict: Verdict | None = None,
    alarms: Sequence[Alarm] | None = None,
    bars: pd.DataFrame | None = None,
    model: Forecaster | str | Path | None = None,
    ledger: pd.DataFrame | None = None,
    robustness: Robustness | None = None,
    figures: Mapping[str, "Figure"] | None = None,
    provenance: Mapping[str, object] | None = None,
    tearsheet: str | None = None,
    n_trials: int = 1,
) -> str:
    """The page about one strategy of a board, as text; everything but the board may be left out.

    Args:
        name: the strategy; by default the first whose name starts with LSTM, else the first.
        verdict: by default that of `verdict(board, name, n_trials=n_trials)`, where the board
            has another strategy.
        alarms: by default those that `alarms` raises on all that is given here; needs `bars`.
        bars: those that the board ran on.
        model: the forecaster or its folder: for where it came from, its ledger and its alarms.
        ledger: that of a walk-forward forecaster; by default the model's.
        robustness: costs, delays, folds and seeds, from the function of that name.
        figures: more pictures to show, by their caption.
        provenance: more rows of "where this came from".
        tearsheet: address of a page to link, such as "tearsheet.html" beside the report.
        n_trials: settings and seeds whose result was looked at before this one.

    Raises `TradingError` for a name that isn't on the board, or a board of nothing.
    """
    name = _first_name(board) if name is None else name
    result = result_named(board, name)
    opened: Any = None if model is None else opened_forecaster(model)
    ledger = getattr(opened, "ledger", None) if ledger is None else ledger
    if alarms is None and bars is not None:
        alarms = _alarms(board, name, bars, opened, ledger, robustness)
    if verdict is None and len(board.results) > 1:
        verdict = judged(board, name, n_trials=n_trials, alarms=alarms or ())
    return _page(
        _Findings(
            board=board,
            name=name,
            result=result,
            verdict=verdict,
            alarms=alarms,
            bars=bars,
            model=opened,
            ledger=ledger,
            robustness=robustness,
            figures=figures or {},
            provenance=provenance or {},
            tearsheet=tearsheet,
        )
    )


def write_report(path: str | Path, board: Board, **settings: Any) -> Path:
    """Write the page of `report_html`, whole or not at all, and return its path."""
    return write_whole(path, report_html(board, **settings).encode())


def worst_drawdowns(equity: pd.Series, *, n: int = _N_DRAWDOWNS) -> pd.DataFrame:
    """The deepest falls from a peak, deepest first, each until the peak is reached again.

    Columns: peak, bottom and recovered (dates; NaT while still below), depth (a negative
    fraction) and bars (from the peak to the recovery, or to the end).

    >>> curve = pd.Series([10.0, 8.0, 9.0, 10.0, 9.5], pd.date_range("2024-01-01", periods=5))
    >>> worst_drawdowns(curve)[["depth", "bars"]].round(2).to_numpy().tolist()
    [[-0.2, 3.0], [-0.05, 1.0]]
    """
    depth = drawdown(equity)
    is_below = (depth < 0).to_numpy()
    number = (depth.eq(0) & depth.shift(-1).lt(0)).cumsum()
    position = pd.Series(range(len(equity)), index=equity.index)
    rows = []
    for _, under in depth[is_below].groupby(number[is_below]):
        first, last = int(position[under.index[0]]), int(position[under.index[-1]])
        has_recovered = last + 1 < len(equity)
        rows.append(
            {
                "peak": equity.index[first - 1],
                "bottom": under.idxmin(),
                "recovered": equity.index[last + 1] if has_recovered else pd.NaT,
                "depth": float(under.min()),
                "bars": last + has_recovered - first + 1,
            }
        )
    table = pd.DataFrame(rows, columns=["peak", "bottom", "recovered", "depth", "bars"])
    return table.sort_values("depth", kind="stable").head(n).reset_index(drop=True)


def _first_name(board: Board) -> str:
    if not board.results:
        raise TradingError("A report needs a strategy, and the board has none.")
    named = (name for name in board.results if name.lower().startswith("lstm"))
    return next(named, next(iter(board.results)))


def _alarms(
    board: Board,
    name: str,
    bars: pd.DataFrame,
    model: Any,
    ledger: pd.DataFrame | None,
    robustness: Robustness | None,
) -> list[Alarm]:
    """The alarms of everything that is known."""
    known: dict[str, Any] = {}
    if model is not None:
        traded = board.results[name].equity.index
        forecasts = ready_forecasts(model, bars).forecast(bars)
        known["forecast"] = forecasts["forecast"].reindex(traded)
    if ledger is not None:
        known["folds"] = ledger["fold"]
    if robustness is not None:
        known["equity_by_seed"] = robustness.equity_by_seed
        known["delayed_sharpe"] = robustness.delayed_sharpe
    return raised_alarms(board, bars, name=name, **known)


def _page(found: _Findings) -> str:
    sections = {
        "verdict": ("Verdict", _verdict_section(found)),
        "strategies": ("All strategies", _strategies_section(found)),
        "equity": ("Equity", _equity_section(found)),
        "drawdowns": ("Drawdowns", _drawdowns_section(found)),
        "robustness": ("Robustness", _robustness_section(found)),
        "folds": ("Folds", _folds_section(found)),
        "trades": ("Trades", _trades_section(found)),
        "pictures": ("More pictures", _pictures_section(found)),
        "alarms": ("Alarms", _alarms_section(found)),
        "left-out": ("What was left out", _left_out_section(found)),
        "provenance": ("Where this came from", _provenance_section(found)),
    }
    shown = {key: (title, body) for key, (title, body) in sections.items() if body}
    return page_html(f"{found.result.name}: evaluation", terms=_terms(found), sections=shown)


def _terms(found: _Findings) -> str:
    others, broker = len(found.board.results) - 1, found.board.broker
    against = f"Against {others} other {'strategies' if others > 1 else 'strategy'}" * (others > 0)
    return (
        f"{against or 'Alone'}, {span_text(found.result.equity)}. Orders fill at the next open; "
        f"commission {broker.commission_rate:.2%} and slippage {broker.slippage_rate:.2%} of each "
        "trade."
    )


def _verdict_section(found: _Findings) -> str:
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
    )


def _strategies_section(found: _Findings) -> str:
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


def _equity_section(found: _Findings) -> str:
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


def _drawdowns_section(found: _Findings) -> str:
    worst = worst_drawdowns(found.result.equity)
    if worst.empty:
        return "<p>The equity never fell below an earlier peak.</p>"
    table = pd.DataFrame(
        {
            "Depth": [f"{depth:.1%}" for depth in worst["depth"]],
            "Peak": date_texts(worst["peak"]),
            "Bottom": date_texts(worst["bottom"]),
            "Recovered": date_texts(worst["recovered"], missing="not yet"),
            "Bars": [f"{bars:,}" for bars in worst["bars"]],
        },
        index=range(1, len(worst) + 1),
    )
    return table_html(table, f"The deepest falls of {found.name} from a peak", first="No.")


def _robustness_section(found: _Findings) -> str:
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
    if robust is not None and robust.equity_by_seed is not None:
        seeds = robust.equity_by_seed
        final = seeds.iloc[-1] / seeds.iloc[0] - 1.0
        pictures.append(
            picture_html(
                plot_seed_fan(seeds, own=robust.result.equity),
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


def _folds_section(found: _Findings) -> str:
    folds = found.folds
    if folds is None:
        return ""
    columns: dict[str, Iterable[str]] = {
        "First bar": date_texts(folds["first"]),
        "Last bar": date_texts(folds["last"]),
    }
    if "train_end" in folds:
        columns["Trained to"] = date_texts(folds["train_end"])
    columns |= {
        "Bars": [f"{bars:,}" for bars in folds["bars"]],
        "Return": [number_text(value, "{:+.1%}") for value in folds["total_return"]],
    }
    if "market_return" in folds:
        columns["Market"] = [number_text(value, "{:+.1%}") for value in folds["market_return"]]
    columns |= {
        "Sharpe": [number_text(value) for value in folds["sharpe"]],
        "Max drawdown": [number_text(value, "{:.1%}") for value in folds["max_drawdown"]],
        "Turnover a year": [number_text(value) for value in folds["turnover"]],
        "Trades": [f"{trades:,}" for trades in folds["trades"]],
    }
    table = pd.DataFrame(columns, index=folds.index)
    caption = "Each fold, forecast by a model that was trained on earlier bars"
    return table_html(table, caption, first="Fold")


def _trades_section(found: _Findings) -> str:
    trades = found.result.trades
    if trades.empty:
        return "<p>No trade was made.</p>"
    if len(trades) <= _N_TRADES:
        return table_html(_readable_trades(trades), "All trades", first="Entry")
    by_profit = trades.sort_values("pnl", kind="stable")
    chosen = {
        "last": trades.tail(_N_TRADES).iloc[::-1],
        "best": by_profit.tail(_N_TRADES).iloc[::-1],
        "worst": by_profit.head(_N_TRADES),
    }
    return "".join(
        table_html(
            _readable_trades(rows),
            f"The {kind} {_N_TRADES} of {len(trades):,} trades",
            first="Entry",
        )
        for kind, rows in chosen.items()
    )


def _readable_trades(trades: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Exit": date_texts(trades["exit"], missing="open"),
            "Side": ["long" if size > 0 else "short" for size in trades["size"]],
            "Units": [f"{abs(size):,.4g}" for size in trades["size"]],
            "In at": [f"{price:,.6g}" for price in trades["entry_price"]],
            "Out at": [number_text(price, "{:,.6g}") for price in trades["exit_price"]],
            "Return": [number_text(value, "{:+.2%}") for value in trades["return"]],
            "Profit": [number_text(value, "{:+,.0f}") for value in trades["pnl"]],
            "Bars": [f"{bars:,}" for bars in trades["bars"]],
        },
        index=date_texts(trades["entry"]),
    )


def _pictures_section(found: _Findings) -> str:
    return "".join(picture_html(figure, text, text) for text, figure in found.figures.items())


def _alarms_section(found: _Findings) -> str:
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


def _left_out_section(found: _Findings) -> str:
    missing = [f"{name} didn't run. {reason}" for name, reason in found.board.left_out.items()]
    robust = found.robustness
    if found.verdict is None:
        missing.append("No verdict: a single strategy has nothing to be compared with.")
    elif found.verdict.n_trials == 1:
        missing.append(
            "Only one trial is counted. If other settings or seeds were tried before, say how "
            "many, or the confidence is too high."
        )
    if found.alarms is None:
        missing.append("No alarm was looked for, because the bars weren't given.")
    if robust is None:
        missing.append("Other costs, late orders and single seeds weren't tried.")
    elif robust.equity_by_seed is None:
        missing.append("Single seeds weren't tried: the model has no members.")
    if found.ledger is None:
        missing.append("The model was trained once, or its folds aren't known.")
    missing.append(
        "Taxes, borrowing fees, the market impact of orders, and dividends that prices don't hold."
    )
    return f"<ul>{''.join(f'<li>{escaped(line)}</li>' for line in missing)}</ul>"


def _provenance_section(found: _Findings) -> str:
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


def _model_rows(found: _Findings) -> dict[str, object]:
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
