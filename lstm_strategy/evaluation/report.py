"""The evaluation as one HTML page that needs nothing else: no network, no script, no other file.

The page says the verdict first and its reasons right after; then the numbers, the pictures, what
speaks against the result, what wasn't looked at, and where everything came from. The same input
gives the same page, byte for byte.
"""

import base64
import html
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import pandas as pd

from lstm_strategy.bars.fingerprint import bars_fingerprint
from lstm_strategy.bars.frequency import bars_per_year
from lstm_strategy.errors import LSTMStrategyError, TradingError
from lstm_strategy.evaluation.alarms import Alarm, result_named
from lstm_strategy.evaluation.alarms import alarms as raised_alarms
from lstm_strategy.evaluation.compare import Board
from lstm_strategy.evaluation.metrics import bar_returns, drawdown
from lstm_strategy.evaluation.plots import plot_equity
from lstm_strategy.evaluation.result import BacktestResult, readable_metrics, span_text
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
_DPI = 130
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
    page = report_html(board, **settings)
    return _written(Path(path), page)


def write_tearsheet(
    path: str | Path, result: BacktestResult, *, benchmark: BacktestResult | None = None
) -> Path:
    """Write quantstats' own page about a result, against a benchmark if there is one.

    Returns are by day; the page needs no network. quantstats restyles matplotlib and opens pyplot
    as soon as it is imported, so it works in a process of its own. Raises `LSTMStrategyError`
    where it isn't installed or can't digest the returns.
    """
    if importlib.util.find_spec("quantstats") is None:
        raise LSTMStrategyError("A tearsheet needs quantstats. Install it: pip install quantstats.")
    returns = {"own": _daily_returns(result)}
    if benchmark is not None:
        returns["benchmark"] = _daily_returns(benchmark)
    frame = pd.DataFrame(returns).dropna()
    year = round(bars_per_year(pd.DatetimeIndex(frame.index)))
    with tempfile.TemporaryDirectory(prefix="tearsheet-") as folder:
        source, target = Path(folder) / "returns.csv", Path(folder) / "tearsheet.html"
        frame.to_csv(source)
        done = subprocess.run(
            [sys.executable, "-c", _TEARSHEET_SCRIPT, str(source), str(target), str(year)]
            + [html.escape(run.name) for run in (result, benchmark) if run is not None],
            env=os.environ | {"MPLBACKEND": "Agg"},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise LSTMStrategyError(
                f"quantstats can't make a tearsheet of {result.name}: {reason[0]}. "
                "Give it a longer or a less constant equity curve, or leave the tearsheet out."
            )
        page = target.read_text(encoding="utf-8")
    # its favicon would be fetched from the web, and it calls a function that it doesn't have
    page = re.sub(r"<link\b[^>]*https?://[^>]*>", "", page).replace(' onload="save()"', "")
    return _written(Path(path), page)


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
    return _PAGE.substitute(
        title=_text(f"{found.result.name}: evaluation"),
        style=_STYLE,
        heading=_text(f"{found.result.name}: evaluation"),
        terms=_text(_terms(found)),
        links="".join(
            f'<li><a href="#{key}">{title}</a></li>' for key, (title, _) in shown.items()
        ),
        sections="\n".join(
            f'<section id="{key}" aria-labelledby="{key}-title">'
            f'<h2 id="{key}-title">{title}</h2>\n{body}</section>'
            for key, (title, body) in shown.items()
        ),
    )


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
        return warning + f'<p class="sentence">{_text(found.board.standing(found.name))}</p>'
    kind = "claimed" if verdict.claims_skill and not verdict.alarms else "doubtful"
    why = "What it rests on" if verdict.claims_skill else "What is in the way"
    low, high = verdict.sharpe_interval
    level = 1.0 - verdict.alpha
    numbers = {
        "Sharpe ratio": _number(verdict.sharpe),
        f"{level:.0%} interval": f"{_number(low)} to {_number(high)}",
        "Largest p-value against a baseline": _number(verdict.p_value, "{:.3f}"),
        "Confidence after all trials": _number(verdict.deflated_sharpe, "{:.1%}"),
        "Trials": f"{verdict.n_trials:,}",
        "Bars": f"{verdict.n_bars:,}",
    }
    facts = "".join(
        f"<div><dt>{_text(term)}</dt><dd>{_text(value)}</dd></div>"
        for term, value in numbers.items()
    )
    reasons = "".join(f"<li>{_text(_capitalised(reason))}.</li>" for reason in verdict.reasons)
    return (
        f'{warning}<p class="sentence {kind}">{_text(verdict.sentence)}</p>\n'
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
    return _table(table, caption, first="Strategy", strong=found.result.name) + (
        f"<p>{_text(' '.join(notes))}</p>"
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
        link = f'<p><a href="{_text(found.tearsheet)}">Tearsheet by quantstats</a></p>'
    return _picture(wide, alt, caption, on_phone=phone) + link


def _drawdowns_section(found: _Findings) -> str:
    worst = worst_drawdowns(found.result.equity)
    if worst.empty:
        return "<p>The equity never fell below an earlier peak.</p>"
    table = pd.DataFrame(
        {
            "Depth": [f"{depth:.1%}" for depth in worst["depth"]],
            "Peak": _dates(worst["peak"]),
            "Bottom": _dates(worst["bottom"]),
            "Recovered": _dates(worst["recovered"], missing="not yet"),
            "Bars": [f"{bars:,}" for bars in worst["bars"]],
        },
        index=range(1, len(worst) + 1),
    )
    return _table(table, f"The deepest falls of {found.name} from a peak", first="No.")


def _robustness_section(found: _Findings) -> str:
    robust, folds, pictures = found.robustness, found.folds, []
    if robust is not None:
        charged = found.board.broker.commission_rate * 1e4
        costs, delays = robust.costs["sharpe"], robust.delays["sharpe"]
        pictures += [
            _picture(
                plot_cost_break_even(robust.costs, charged_bps=charged),
                f"Sharpe ratio by commission in basis points: {_listed_points(costs)}",
                "What higher commissions leave.",
            ),
            _picture(
                plot_delay_break_even(robust.delays),
                f"Sharpe ratio by delay in bars: {_listed_points(delays)}",
                "What is left when every order comes late.",
            ),
        ]
    if robust is not None and robust.equity_by_seed is not None:
        seeds = robust.equity_by_seed
        final = seeds.iloc[-1] / seeds.iloc[0] - 1.0
        pictures.append(
            _picture(
                plot_seed_fan(seeds, own=robust.result.equity),
                f"Growth of 1 by seed. Total returns: {_listed_points(final, '{:+.1%}')}",
                "The same strategy with each network of the ensemble alone.",
            )
        )
    if folds is not None:
        points = _listed_points(folds["total_return"], "{:+.1%}")
        pictures.append(
            _picture(plot_folds(folds), f"Return by fold: {points}", "The return of each fold.")
        )
    return f'<div class="grid">{"".join(pictures)}</div>' if pictures else ""


def _folds_section(found: _Findings) -> str:
    folds = found.folds
    if folds is None:
        return ""
    columns: dict[str, Iterable[str]] = {
        "First bar": _dates(folds["first"]),
        "Last bar": _dates(folds["last"]),
    }
    if "train_end" in folds:
        columns["Trained to"] = _dates(folds["train_end"])
    columns |= {
        "Bars": [f"{bars:,}" for bars in folds["bars"]],
        "Return": [_number(value, "{:+.1%}") for value in folds["total_return"]],
    }
    if "market_return" in folds:
        columns["Market"] = [_number(value, "{:+.1%}") for value in folds["market_return"]]
    columns |= {
        "Sharpe": [_number(value) for value in folds["sharpe"]],
        "Max drawdown": [_number(value, "{:.1%}") for value in folds["max_drawdown"]],
        "Turnover a year": [_number(value) for value in folds["turnover"]],
        "Trades": [f"{trades:,}" for trades in folds["trades"]],
    }
    table = pd.DataFrame(columns, index=folds.index)
    caption = "Each fold, forecast by a model that was trained on earlier bars"
    return _table(table, caption, first="Fold")


def _trades_section(found: _Findings) -> str:
    trades = found.result.trades
    if trades.empty:
        return "<p>No trade was made.</p>"
    if len(trades) <= _N_TRADES:
        return _table(_readable_trades(trades), "All trades", first="Entry")
    by_profit = trades.sort_values("pnl", kind="stable")
    chosen = {
        "last": trades.tail(_N_TRADES).iloc[::-1],
        "best": by_profit.tail(_N_TRADES).iloc[::-1],
        "worst": by_profit.head(_N_TRADES),
    }
    return "".join(
        _table(
            _readable_trades(rows),
            f"The {kind} {_N_TRADES} of {len(trades):,} trades",
            first="Entry",
        )
        for kind, rows in chosen.items()
    )


def _readable_trades(trades: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Exit": _dates(trades["exit"], missing="open"),
            "Side": ["long" if size > 0 else "short" for size in trades["size"]],
            "Units": [f"{abs(size):,.4g}" for size in trades["size"]],
            "In at": [f"{price:,.6g}" for price in trades["entry_price"]],
            "Out at": [_number(price, "{:,.6g}") for price in trades["exit_price"]],
            "Return": [_number(value, "{:+.2%}") for value in trades["return"]],
            "Profit": [_number(value, "{:+,.0f}") for value in trades["pnl"]],
            "Bars": [f"{bars:,}" for bars in trades["bars"]],
        },
        index=_dates(trades["entry"]),
    )


def _pictures_section(found: _Findings) -> str:
    return "".join(_picture(figure, text, text) for text, figure in found.figures.items())


def _alarms_section(found: _Findings) -> str:
    if found.alarms is None:
        return "<p>None was looked for: that needs the bars.</p>"
    if not found.alarms:
        return "<p>None was raised.</p>"
    rows = (
        f"<div><dt>{_text(_capitalised(alarm.name))}</dt>"
        f"<dd>{_text(alarm.message)} {_text(alarm.remedy)}</dd></div>"
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
    return f"<ul>{''.join(f'<li>{_text(line)}</li>' for line in missing)}</ul>"


def _provenance_section(found: _Findings) -> str:
    broker = found.board.broker.model_dump()
    rows: dict[str, object] = {"Traded": span_text(found.result.equity)}
    if found.bars is not None:
        rows["Bars"] = span_text(found.bars)
        rows["Fingerprint of the bars"] = bars_fingerprint(found.bars)
    rows["Broker"] = _settings(broker)
    rows["Strategy"] = _settings(found.result.params)
    if found.verdict is not None:
        rows["Trials"] = f"{found.verdict.n_trials:,}"
    rows |= _model_rows(found)
    rows |= found.provenance
    body = "".join(
        f"<div><dt>{_text(term)}</dt><dd>{_text(value)}</dd></div>" for term, value in rows.items()
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
        return rows | {"Versions": _settings(library_versions())}
    if found.ledger is None:
        span = card.training
        rows["Trained on"] = f"{span.start:%Y-%m-%d} to {span.end:%Y-%m-%d}, {span.n_bars:,} bars"
        rows["Fingerprint of the training bars"] = span.sha256
    settings = card.settings.model_dump()
    return rows | {
        "Seed": settings.pop("seed", "unknown"),
        "Network": _settings(settings),
        "Features": json.dumps(card.features),
        "Versions": _settings(card.versions | {"backend": card.backend}),
    }


def _purges(ledger: pd.DataFrame) -> str:
    if "purge_bars" not in ledger:
        return "unknown"
    return " or ".join(f"{bars:,}" for bars in sorted(ledger["purge_bars"].unique()))


def _picture(
    figure: "Figure",
    alt: str,
    caption: str,
    *,
    on_phone: "Figure | None" = None,
) -> str:
    """A figure as a PNG within the page, with another one for narrow screens if there is one."""
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    narrow = ""
    if on_phone is not None:
        narrow = f'<source media="(max-width: 40rem)" srcset="{_data_uri(on_phone)}">'
    size = f'width="{width}" height="{height}"' if on_phone is None else ""
    return (
        f"<figure><picture>{narrow}"
        f'<img src="{_data_uri(figure)}" alt="{_text(alt)}" {size}></picture>'
        f"<figcaption>{_text(caption)}</figcaption></figure>\n"
    )


def _data_uri(figure: "Figure") -> str:
    picture = io.BytesIO()
    # without matplotlib's version in it: the same page everywhere
    figure.savefig(picture, format="png", dpi=_DPI, transparent=True, metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(picture.getvalue()).decode()


def _table(frame: pd.DataFrame, caption: str, *, first: str, strong: str | None = None) -> str:
    """A frame of text as a table that scrolls within its own box, its first column in place."""
    headings = "".join(f'<th scope="col">{_text(heading)}</th>' for heading in (first, *frame))
    rows = []
    for label, *values in frame.itertuples():
        cells = "".join(f"<td>{_text(value)}</td>" for value in values)
        kind = ' class="own"' if strong is not None and label == strong else ""
        rows.append(f'<tr{kind}><th scope="row">{_text(label)}</th>{cells}</tr>')
    return (
        f'<div class="scroll" role="region" aria-label="{_text(caption)}" tabindex="0">\n'
        f"<table><caption><span>{_text(caption)}</span></caption><thead><tr>{headings}</tr></thead>\n"
        f"<tbody>{''.join(rows)}</tbody></table></div>\n"
    )


def _dates(values: Iterable[Any], *, missing: str = "") -> list[str]:
    """Dates as text; with the time of day where one of them has any."""
    times = [pd.Timestamp(value) for value in values]
    has_hours = any(pd.notna(time) and time != time.normalize() for time in times)
    form = "%Y-%m-%d %H:%M" if has_hours else "%Y-%m-%d"
    return [missing if pd.isna(time) else time.strftime(form) for time in times]


def _number(value: float, form: str = "{:.2f}") -> str:
    return "n/a" if pd.isna(value) else form.format(value)


def _listed_points(values: pd.Series, form: str = "{:.2f}") -> str:
    return ", ".join(f"{_number(value, form)} at {key}" for key, value in values.items())


def _settings(values: Mapping[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items()) or "none"


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _text(value: object) -> str:
    return html.escape(str(value))


def _daily_returns(result: BacktestResult) -> pd.Series:
    equity = result.equity
    by_day = equity.groupby(pd.DatetimeIndex(equity.index).tz_localize(None).normalize()).last()
    return bar_returns(by_day)


def _written(path: Path, page: str) -> Path:
    """Write under a temporary name first: a reader sees the old page or the new, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(page, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


_TEARSHEET_SCRIPT = """
import logging, sys, warnings
warnings.simplefilter("ignore")
logging.disable()
import pandas as pd, quantstats
source, target, year, title, *benchmark = sys.argv[1:]
frame = pd.read_csv(source, index_col=0, parse_dates=True)
quantstats.reports.html(
    frame["own"], frame["benchmark"] if benchmark else None, output=target, title=title,
    strategy_title=title, benchmark_title=(benchmark or [None])[0], periods_per_year=int(year),
)
"""

_PAGE = Template(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>$title</title>
<link rel="icon" href="data:,">
<style>$style</style>
</head>
<body>
<header>
<h1>$heading</h1>
<p>$terms</p>
<nav aria-label="Sections"><ul>$links</ul></nav>
</header>
<main>
$sections
</main>
</body>
</html>
"""
)

_STYLE = """
:root { color-scheme: light dark; --page: #ffffff; --text: #1c2126; --soft: #59636e;
  --line: #d5dbe1; --box: #f4f6f8; --own: #fdf0ef; --link: #0a56b0; --good: #1a7f37;
  --doubt: #9a5b00; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14181c; --text: #e4e8ec; --soft: #9aa5b0; --line: #333b44; --box: #1d2329;
    --own: #362022; --link: #7db7ff; --good: #56d07a; --doubt: #e5a848; --bad: #ff8a80; }
  figure img { filter: invert(0.93) hue-rotate(180deg) saturate(1.5) brightness(1.12); }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 76rem; background: var(--page);
  color: var(--text); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; }
h2 { margin: 2.75rem 0 0.75rem; font-size: 1.3rem; }
h3 { margin: 1.25rem 0 0.25rem; font-size: 1rem; }
p, ul { margin: 0.5rem 0; max-width: 48rem; }
ul { padding-left: 1.25rem; }
a { color: var(--link); }
header p, figcaption, caption, dt { color: var(--soft); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; padding: 0; list-style: none;
  max-width: none; }
nav a { display: inline-block; padding: 0.2rem 0; }
.sentence { padding: 0.9rem 1.1rem; border-left: 0.35rem solid var(--soft);
  background: var(--box); font-size: 1.15rem; }
.sentence.claimed { border-color: var(--good); }
.sentence.doubtful { border-color: var(--doubt); }
.warning { color: var(--bad); }
.scroll { overflow-x: auto; margin: 0.75rem 0 1.25rem; border: 1px solid var(--line); }
.scroll:focus-visible { outline: 2px solid var(--link); }
table { border-collapse: separate; border-spacing: 0; width: 100%;
  font-size: 0.9rem; font-variant-numeric: tabular-nums; }
caption { padding: 0.5rem 0.6rem; text-align: left; }
caption span { position: sticky; left: 0.6rem; display: inline-block;
  max-width: min(100%, calc(100vw - 4rem)); }
th, td { padding: 0.35rem 0.6rem; border-top: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; white-space: normal; }
th:first-child { position: sticky; left: 0; background: var(--page); text-align: left;
  border-right: 1px solid var(--line); }
tbody th { font-weight: 400; }
.own th, .own td { background: var(--own); font-weight: 600; }
.own th:first-child { background: var(--own); }
figure { margin: 0.75rem 0 1.25rem; }
figure img { display: block; max-width: 100%; height: auto; }
figcaption { margin-top: 0.4rem; font-size: 0.9rem; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr));
  gap: 0 1.5rem; }
dl { margin: 0.75rem 0; }
dd { margin: 0; overflow-wrap: anywhere; }
.facts { display: flex; flex-wrap: wrap; gap: 0.75rem 2rem; }
.facts dt { font-size: 0.85rem; }
.facts dd { font-size: 1.1rem; font-variant-numeric: tabular-nums; }
.alarms > div { margin: 0.75rem 0; padding-left: 0.9rem; border-left: 0.35rem solid var(--doubt);
  max-width: 48rem; }
.alarms dt { color: var(--text); font-weight: 600; }
.provenance > div { padding: 0.4rem 0; border-top: 1px solid var(--line); font-size: 0.9rem; }
@media (min-width: 48rem) {
  .provenance > div { display: grid; grid-template-columns: 15rem 1fr; gap: 1rem; }
}
@media (max-width: 40rem) {
  body { padding: 1rem 1rem 3rem; }
  .scroll th, .scroll td { padding: 0.35rem 0.55rem; }
  #strategies tbody th { max-width: 8.5rem; white-space: normal; }
}
@media print { nav { display: none; } .scroll { overflow: visible; } }
"""
