"""Says of each difference between a live run and its backtest where it comes from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import backtrader as bt
import pandas as pd

from lstm_strategy.bars import check_bars
from lstm_strategy.errors import BarsError, TooFewBarsError, TradingError
from lstm_strategy.learning.serving import open_forecaster
from lstm_strategy.support import count_of, format_time, library_versions, spell
from lstm_strategy.trading.baselines import EVERY_BASELINE
from lstm_strategy.trading.cerebro import BrokerSettings
from lstm_strategy.trading.live.journal import JournalContent, read_journal
from lstm_strategy.trading.live.replay.rerun import Constraints, rerun
from lstm_strategy.trading.live.replay.tables import Difference, find_differences
from lstm_strategy.trading.live.session import verdicts_of, withdrawals_of
from lstm_strategy.trading.lstm import LSTMStrategy

CAUSES: Mapping[str, str] = {
    "corrected": "the bar was corrected after it had been traded on",
    "missed": "the bar was missed",
    "invented": "the bar came, and isn't among the bars fetched later",
    "late": "the bar came too late to trade on",
    "refused": "a limit refused the order",
    "withdrawn": "the kill switch withdrew the order",
    "filled elsewhere": "a broker filled the order otherwise than a simulated one",
    "other model": "another model traded",
    "other settings": "the run had other settings",
    "other version": "another version traded",
    "follows": "it follows from an earlier difference",
    "unexplained": "nothing explains it",
}
"""Why a backtest doesn't do what a live run did, in words."""

_KINDS = ("bar", "forecast", "order", "fill", "account")
_COLUMNS = ("time", "what", "live", "backtest", "cause", "why")


@dataclass(frozen=True, eq=False)
class Replay:
    """What a backtest does otherwise than the live run did.

    Attributes:
        differences: One row a bar, forecast, order, fill or account that isn't the same to nine
            digits, in order: its `time`, `what` it is, what it was `live` and in the `backtest`
            (empty where there was none), the `cause`, one of `CAUSES`, and `why` in words.
        n_bars: How many bars had come.
        n_left_out: How often each kind of bar came that no strategy saw, such as "repeated".

    Example:
        >>> Replay(pd.DataFrame(columns=["cause"]), n_bars=50, n_left_out={}).summary
        '50 bars came live or late. A backtest does the same to nine digits: no difference.'
    """

    differences: pd.DataFrame
    n_bars: int
    n_left_out: Mapping[str, int]

    @property
    def counts(self) -> dict[str, int]:
        """How many differences there are of each cause that occurs."""
        found = self.differences["cause"].value_counts()
        return {cause: int(found[cause]) for cause in CAUSES if cause in found}

    @property
    def summary(self) -> str:
        """What was found, in a few lines."""
        came = f"{count_of(self.n_bars, 'bar')} came live or late."
        if self.differences.empty:
            return f"{came} A backtest does the same to nine digits: no difference."
        lines = [
            f"{came} A backtest differs in {count_of(len(self.differences), 'record')}:",
            *(f"  {number}: {CAUSES[cause]}" for cause, number in self.counts.items()),
            f"Unexplained: {self.counts.get('unexplained', 0) or 'none'}.",
        ]
        left_out = ", ".join(f"{number} {kind}" for kind, number in self.n_left_out.items())
        if left_out:
            lines.append(f"Of what the source handed over, the run left out: {left_out}.")
        return "\n".join(lines)


def replay_journal(
    path: str | Path,
    *,
    bars: Any = None,
    strategy: type[bt.Strategy] | None = None,
    model: Any = None,
    broker: BrokerSettings | None = None,
    **params: Any,
) -> Replay:
    """Rerun as a backtest what happened live, and say where each difference comes from.

    The run is repeated twice. Once on the journal's bars under what held it back: bars that came
    too late to trade on, and orders that a limit refused or the kill switch withdrew. That must
    give the journal again; what it doesn't give again is put down to another model, other settings,
    a broker's fills or another version, and is unexplained where there is none of these. Then as a
    backtest of `bars`, free of all that: since the first came out right, its differences can only
    come from the bars and from what held the run back.

    Args:
        path: The folder of a run, or the journal in it.
        bars: The bars as they are known now; they must reach from the first bar that came to the
            last. By default those of the journal.
        strategy: The class that traded; by default ours of the name in the journal.
        model: The model that traded, or its folder.
        broker: The terms of the account; by default those in the journal.
        **params: Parameters of the strategy; by default those in the journal.

    Raises:
        JournalError: If there is no journal, or it is damaged.
        BarsError: If the bars aren't valid, or don't cover those of the run.
        TradingError: If no bar came live, the strategy hadn't the bars for a decision yet, or it,
            its model or its account can't be found out from the journal.

    Example:
        >>> import tempfile
        >>> from lstm_strategy import BASELINES, open_source, sample_bars
        >>> from lstm_strategy.trading.live import LiveSession
        >>> folder = Path(tempfile.mkdtemp())
        >>> bars = sample_bars("sp500")[:300]
        >>> bars.to_csv(folder / "index.csv")
        >>> source = open_source(f"play:{folder}/index.csv?history=200&pace=0&faults=0.1&seed=1")
        >>> state = LiveSession(BASELINES["MACD"], source, folder / "run").run()
        >>> replay_journal(folder / "run").counts
        {}
        >>> "unexplained" in replay_journal(folder / "run", bars=bars).counts
        False
    """
    content = read_journal(path)
    came = content.bars.index[content.n_history :]
    live = content.is_live[content.is_live]
    if live.empty:
        raise TradingError(f"No bar has come live in {path} yet, so there is nothing to replay.")
    run = _find_run(content, strategy, model, broker, params)
    known = content.bars if bars is None else _fit_bars(bars, content)
    held_back = Constraints(
        content.is_live.to_numpy(),
        verdicts_of(content),
        withdrawals_of(content),
        content.n_history,
    )
    start = live.index[0]
    try:
        again = rerun(run.strategy, content.bars, start, run.broker, run.params, held_back)
    except TooFewBarsError as error:
        raise TradingError(
            f"The run in {path} has decided nothing yet, so there is nothing to replay: its "
            f"{run.strategy.__name__} was still warming up. Let the run go on, or begin it with a "
            "longer history."
        ) from error
    tested = rerun(run.strategy, known, start, run.broker, run.params)
    seen = {
        "forecast": content.forecasts,
        "order": content.orders,
        "fill": content.fills,
        "account": content.accounts,
    }
    found, not_again = list[Difference](), list[Difference]()
    for kind, table in seen.items():
        found += find_differences(kind, table, tested[kind].loc[came[0] :])
        not_again += find_differences(kind, table, again[kind].loc[came[0] :])
    rows = [
        *_explain_bars(content, known.loc[: came[-1]]),
        *_explain_late(content, start),
    ]
    rows += _Explanations(content, run, rows, not_again).explain(found)
    return Replay(_table_of(rows), n_bars=len(came), n_left_out=_left_out(content))


@dataclass(frozen=True)
class _Run:
    """What is run, and in what it differs from what ran live, in words."""

    strategy: type[bt.Strategy]
    broker: BrokerSettings
    params: Mapping[str, Any]
    is_paper: bool
    other: Mapping[str, str]


@dataclass(frozen=True)
class _Row:
    time: pd.Timestamp
    what: str
    live: str
    backtest: str
    cause: str
    why: str


def _find_run(
    content: JournalContent,
    strategy: type[bt.Strategy] | None,
    model: Any,
    broker: BrokerSettings | None,
    params: Mapping[str, Any],
) -> _Run:
    settings = content.head["settings"]
    stated, terms = dict(settings["params"]), dict(settings["broker"])
    is_paper = settings["account"] == "paper"
    chosen = strategy or _strategy_of(settings["strategy"])
    if model is None and stated.get("model") is not None:
        raise TradingError(
            f"A model traded in this run, and a journal keeps no models. Give {spell('model')}."
        )
    account = broker or _broker_of(terms)
    now = account.readable_settings()
    changes = _changes({"strategy": settings["strategy"]}, {"strategy": chosen.__name__})
    changes += _changes(stated, {name: each for name, each in params.items() if _is_plain(each)})
    changes += _changes(terms, now)
    # what the strategy takes from its terms follows them
    kept = {
        name: each
        for name, each in stated.items()
        if not (name in now and name in terms and each == terms[name])
    }
    given = {**kept, **params}
    other = {"other settings": f"{CAUSES['other settings']}: {', '.join(changes)}"}
    if not changes:
        other = {}
    if model is not None:
        given["model"] = open_forecaster(model)
        fingerprint = str(getattr(given["model"], "fingerprint", None) or "")
        if fingerprint != content.head["model"]:
            other["other model"] = (
                f"{CAUSES['other model']}: its fingerprint is {content.head['model'] or 'none'}, "
                f"and that of the given one {fingerprint or 'none'}"
            )
    versions = _version_changes(content)
    if versions:
        other["other version"] = f"{CAUSES['other version']}: {', '.join(versions)}"
    if not is_paper and len(content.accounts):
        cash = float(content.accounts["equity"].iloc[0])
        account = account.model_copy(update={"cash": cash})
    return _Run(chosen, account, given, is_paper, other)


def _strategy_of(name: str) -> type[bt.Strategy]:
    ours = {each.__name__: each for each in (*EVERY_BASELINE.values(), LSTMStrategy)}
    if name not in ours:
        raise TradingError(
            f"{name} traded in this run, which isn't among the baselines. Give "
            f"{spell('strategy')}, from which it comes."
        )
    return ours[name]


def _broker_of(terms: Mapping[str, Any]) -> BrokerSettings:
    if any(name.startswith("instrument") for name in terms):
        raise TradingError(
            f"The run traded {terms.get('instrument', 'instruments')}, of which a journal keeps "
            f"the words alone. Give {spell('broker')}, the terms of the account."
        )
    return BrokerSettings(**terms)


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What is given now and was something else, in words."""
    return [
        f"{name} was {before.get(name)} and is {each}"
        for name, each in now.items()
        if name != "model" and before.get(name) != each
    ]


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | bool | int | float)


def _version_changes(content: JournalContent) -> list[str]:
    now, changes = library_versions(), dict[str, str]()
    for record in content.records:
        versions = record.get("versions")
        if record["kind"] == "run" and isinstance(versions, Mapping):
            changes |= {
                name: f"{name} was {each} and is {now.get(name)}"
                for name, each in versions.items()
                if now.get(name) != each
            }
    return list(changes.values())


def _fit_bars(bars: Any, content: JournalContent) -> pd.DataFrame:
    """The bars fetched later, as far as the journal goes, with its history where they begin later.

    Raises:
        BarsError: If they lack a column or don't cover the run.
    """
    frame, seen = check_bars(bars).frame, content.bars
    zone = pd.DatetimeIndex(seen.index).tz
    own_zone = pd.DatetimeIndex(frame.index).tz
    if (zone is None) != (own_zone is None):
        raise BarsError(
            f"The bars of the journal have {zone or 'no timezone'}, and those given "
            f"{own_zone or 'none'}. Give bars on the same clock."
        )
    lacking = [str(name) for name in seen if name not in frame]
    if lacking:
        raise BarsError(f"The bars have no column {lacking[0]}, which the run saw. Add it.")
    frame = frame if zone is None else frame.tz_convert(zone)
    first, last = seen.index[content.n_history], seen.index[-1]
    if frame.empty or frame.index[0] > first or frame.index[-1] < last:
        raise BarsError(
            f"The bars must reach from {format_time(first)} to {format_time(last)}, as those of "
            "the run do. Fetch them all."
        )
    frame = frame.loc[seen.index[0] : last, list(seen)].astype("float64")
    before = seen[seen.index < frame.index[0]]
    return pd.concat([before, frame]) if len(before) else frame


def _explain_bars(content: JournalContent, known: pd.DataFrame) -> list[_Row]:
    """What is different in the bars themselves."""
    notes = content.notes
    rows = []
    for each in find_differences("bar", content.bars, known):
        told = [
            text
            for about, text in zip(notes["about"], notes["text"], strict=True)
            if about in ("corrected", "late", "invalid", "out_of_order")
            and (f" {each.time} " in f" {text} " or f" {format_time(each.time)};" in text)
        ]
        cause = "missed" if not each.one else "corrected" if each.other else "invented"
        why = CAUSES[cause] + (f": {told[-1].rstrip('.')}" if told else "")
        rows.append(_Row(each.time, "bar", each.one, each.other, cause, why))
    return rows


def _explain_late(content: JournalContent, start: pd.Timestamp) -> list[_Row]:
    late = content.is_live.loc[start:]
    return [
        _Row(time, "bar", "not traded on", "traded on", "late", CAUSES["late"])
        for time in late.index[~late.to_numpy(bool)]
    ]


class _Explanations:
    """Says where differences come from.

    Args:
        content: The journal.
        run: What is run.
        rows: What is different in the bars, explained.
        not_again: What of the journal its own bars don't give again.
    """

    def __init__(
        self,
        content: JournalContent,
        run: _Run,
        rows: Iterable[_Row],
        not_again: Iterable[Difference],
    ) -> None:
        self._run = run
        self._not_again = {(each.what, each.time, each.number) for each in not_again}
        self._late = {row.time for row in rows if row.cause == "late"}
        self._held_back = _held_back(content)
        roots = [(row.time, row.why) for row in rows]
        roots += [(time, why) for (time, _), (_, why) in self._held_back.items()]
        self._roots = sorted(roots, key=lambda root: root[0])
        self._told: set[str] = set()

    def explain(self, found: Iterable[Difference]) -> list[_Row]:
        """Return the differences with their causes."""
        rows = []
        for each in sorted(found, key=lambda each: (each.time, _KINDS.index(each.what))):
            key = (each.what, each.time, each.number)
            explain = self._explain_other if key in self._not_again else self._explain_held_back
            rows.append(_Row(each.time, each.what, each.one, each.other, *explain(each)))
        return rows

    def _explain_other(self, each: Difference) -> tuple[str, str]:
        """What comes from another model, other settings, another broker or another version."""
        other = dict(self._run.other)
        is_of_broker = each.what in ("order", "fill", "account")
        if not self._run.is_paper and is_of_broker:
            other.setdefault("filled elsewhere", CAUSES["filled elsewhere"])
        for cause in ("other model", "other settings", "filled elsewhere", "other version"):
            if cause not in other:
                continue
            always = {"other model": "forecast", "filled elsewhere": "fill"}.get(cause)
            if each.what == always or not self._told:
                self._told.add(cause)
                return cause, other[cause]
            return "follows", f"{CAUSES['follows']}: {other[cause]}"
        return "unexplained", CAUSES["unexplained"]

    def _explain_held_back(self, each: Difference) -> tuple[str, str]:
        """What comes from the bars, from bars that were late, and from orders that didn't leave."""
        if each.what == "order" and (each.time, each.number) in self._held_back:
            return self._held_back[each.time, each.number]
        if each.what == "order" and not each.one and each.time in self._late:
            return "late", CAUSES["late"]
        earlier = [root for root in self._roots if root[0] <= each.time]
        if not earlier:
            return "unexplained", CAUSES["unexplained"]
        time, why = earlier[-1]
        last = f"at {format_time(time)} {why}"
        more = f", after {len(earlier) - 1} more" if len(earlier) > 1 else ""
        return "follows", f"{CAUSES['follows']}: {last}{more}"


def _held_back(content: JournalContent) -> dict[tuple[pd.Timestamp, int], tuple[str, str]]:
    """The orders that were refused or withdrawn, by bar and place there."""
    orders = content.orders
    places = orders.groupby(level=0).cumcount()
    found = {}
    for time, place, row in zip(orders.index, places, orders.to_dict("records"), strict=True):
        if row["status"] in ("refused", "withdrawn"):
            why = f"{CAUSES[row['status']]}: {row.get('reason')}"
            found[pd.Timestamp(time), int(place)] = (row["status"], why)
    return found


def _left_out(content: JournalContent) -> dict[str, int]:
    """How many bars came that no strategy saw, as the sessions counted."""
    total: dict[str, int] = {}
    for record in content.records:
        for kind, number in (record.get("counts") or {}).items():
            if kind not in ("missing", "corrected", "delayed") and number:
                total[kind] = total.get(kind, 0) + int(number)
    return total


def _table_of(rows: Iterable[_Row]) -> pd.DataFrame:
    ordered = sorted(rows, key=lambda row: (row.time, _KINDS.index(row.what)))
    return pd.DataFrame([vars(row) for row in ordered], columns=list(_COLUMNS))
