"""Strategies and indicators run in full, cut short and with other bars to come: all must agree."""

import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import backtrader as bt
import pandas as pd

from lstm_strategy.errors import AuditError, LSTMStrategyError
from lstm_strategy.evaluation.audit.cerebro.class_state import restore_class_state
from lstm_strategy.evaluation.audit.cerebro.differences import Clock, Part
from lstm_strategy.evaluation.audit.cerebro.recording import MODES, Build, Recording, record_run
from lstm_strategy.evaluation.audit.findings import Finding, time_text
from lstm_strategy.evaluation.audit.source_hints import hints_in, relevant_hints
from lstm_strategy.learning.features import ALTERATIONS, alter_bars, cut_points, pick_evenly
from lstm_strategy.trading.cerebro import add_warm_up

Tell = Callable[[str], None]

_N_ORDER_CUTS = 5
_N_CUTS = {(False, "vector"): None, (False, "next"): 5, (True, "vector"): 3, (True, "next"): 2}
_ENOUGH_CUTS_WITH_LEAKS = 2
_MOST_PLACES = 3
_READS_BEYOND = (IndexError, KeyError)
_OPEN = "the open of"


@dataclass(frozen=True)
class CerebroAudit:
    """What running a strategy showed, and how many runs were set side by side."""

    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    n_comparisons: int


@dataclass(frozen=True)
class _Trial:
    """A run with other bars after the first ``n_known``; ``how`` is a word for it."""

    mode: str
    n_known: int
    how: str

    def bars(self, bars: pd.DataFrame) -> pd.DataFrame:
        if self.how == "removed":
            return bars.iloc[: self.n_known]
        if self.how == _OPEN:
            return alter_bars(bars, self.n_known, keeps_open=True)
        return alter_bars(bars, self.n_known, how=self.how)

    def words(self, bars: pd.DataFrame) -> str:
        last = time_text(bars.index[self.n_known - 1])
        if self.how == _OPEN:
            began = time_text(bars.index[self.n_known])
            return f"altering what follows the open of {began} ({self.mode} mode)"
        verb = "removing" if self.how == "removed" else "altering"
        return f"{verb} the bars after {last} ({self.mode} mode)"


def audit_cerebro(
    build: Build,
    bars: pd.DataFrame,
    *,
    name: str,
    classes: Iterable[Any],
    layer: str = "strategy",
    edges: Iterable[int] = (),
    n_random: int = 2,
    is_brief: bool = False,
    seed: int = 0,
    tell: Tell = lambda what: None,
) -> CerebroAudit:
    """Set the full run of ``build(bars)`` beside runs that knew fewer bars, or others.

    Compared up to each cut: every line of every indicator, cash, positions and the orders as
    they were sent, in vector mode and bar by bar. What happens to an order later isn't compared,
    so that one which the end of the shorter run leaves unfilled is no difference. ``classes``
    are those whose source may give hints and whose attributes are put back after each run;
    ``is_brief`` makes fewer cuts, and trusts the strategy to repeat itself.

    Raises:
        AuditError: if the strategy raises, or gives different orders on the same bars twice.
    """
    audit = _Audit(build, bars, name, tuple(classes), layer, tell)
    return audit.run(edges=tuple(edges), n_random=n_random, is_brief=is_brief, seed=seed)


class _Audit:
    def __init__(
        self,
        build: Build,
        bars: pd.DataFrame,
        name: str,
        classes: tuple[Any, ...],
        layer: str,
        tell: Tell,
    ) -> None:
        self._build, self._bars, self._name = build, bars, name
        self._classes, self._layer, self._tell = classes, layer, tell
        self._clock = Clock(bars)
        self._n_failed = 0
        self._found: dict[str, Finding] = {}
        self._noted: dict[str, Finding] = {}
        self._n_comparisons = 0

    def run(
        self, *, edges: tuple[int, ...], n_random: int, is_brief: bool, seed: int
    ) -> CerebroAudit:
        full = {mode: self._full_run(mode) for mode in MODES}
        if not is_brief:
            self._check_repeats_itself(full["vector"])
        self._refuse_fills_at_the_close(full["vector"])
        for mode in MODES:
            cuts = self._cuts(full[mode], edges, n_random, seed)
            n_cuts = _N_CUTS[is_brief, mode]
            cuts = cuts if n_cuts is None else pick_evenly(cuts, n_cuts)
            self._try_cuts(full[mode], mode, cuts)
        errors = [recording.error for recording in full.values() if recording.error]
        if errors and not self._found:
            raise self._failure(errors[0]) from errors[0]
        notes = tuple(note for name, note in self._noted.items() if name not in self._found)
        return CerebroAudit(tuple(self._found.values()), notes, self._n_comparisons)

    def _recorded(self, bars: pd.DataFrame, mode: str) -> Recording:
        with _restored(self._classes):
            return record_run(self._build, bars, mode=mode)

    def _full_run(self, mode: str) -> Recording:
        self._tell(f"{self._name}: the full run, {mode} mode")
        try:
            full = self._recorded(self._bars, mode)
        except LSTMStrategyError:
            raise
        except Exception as error:
            raise self._failure(error) from error
        reads_beyond = isinstance(full.error, _READS_BEYOND)
        if full.error is not None and not (reads_beyond and len(full.times) > 2):
            raise self._failure(full.error) from full.error
        return full

    def _failure(self, error: Exception) -> AuditError:
        if isinstance(error, AuditError):
            return error
        frames = traceback.extract_tb(error.__traceback__)
        own = [f for f in frames if not _is_library_file(f.filename)] or frames[-1:]
        place = f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""
        return AuditError(
            f"{self._name} raises {type(error).__name__}: {error}{place}. Mend it, then audit it."
        )

    def _check_repeats_itself(self, full: Recording) -> None:
        self._tell(f"{self._name}: the same run again")
        again = self._recorded(self._bars, "vector")
        parts = self._clock.parts(full, again, len(self._bars))
        if parts:
            raise AuditError(
                f"{self._name} isn't the same in two runs over the same bars: {parts[0].culprit} "
                f"differs first at {time_text(parts[0].time)}. Give its random numbers a seed, "
                "and keep nothing from one run to the next."
            )

    def _cuts(self, full: Recording, edges: tuple[int, ...], n_random: int, seed: int) -> list[int]:
        # where an order was sent, knowing the next bar would have mattered most
        sent = sorted({self._clock.n_bars_until(order.time) for order in full.orders})
        first = min(full.first_decision, len(full.times) - 1)
        chosen = [*edges, *pick_evenly(sent, _N_ORDER_CUTS)]
        if any(order.at_open for order in full.orders):
            chosen += [n - 1 for n in pick_evenly(sent, _N_ORDER_CUTS)]
        cuts = cut_points(self._bars, first=first, n_random=n_random, edges=chosen, seed=seed)
        return [n for n in cuts if n < len(full.times) + (full.error is None)]

    def _try_cuts(self, full: Recording, mode: str, cuts: list[int]) -> None:
        n_with_leaks = 0
        has_open_orders = any(order.at_open for order in full.orders)
        for number, n_known in enumerate(cuts, 1):
            self._tell(f"{self._name}: {mode} mode, cut {number} of {len(cuts)}")
            leaks = self._leaks(full, _Trial(mode, n_known, "removed"))
            leaks += self._leaks(full, _Trial(mode, n_known, ALTERATIONS[0]))
            if has_open_orders:
                leaks += self._leaks(full, _Trial(mode, n_known, _OPEN))
            n_with_leaks += bool(leaks)
            if n_with_leaks == _ENOUGH_CUTS_WITH_LEAKS:
                return

    def _leaks(self, full: Recording, trial: _Trial) -> list[Part]:
        parts = self._tried(full, trial)
        if parts and trial.how == "removed" and not any(part.is_fatal for part in parts):
            # A rule that asks how many bars there are changes with their number alone, and tells
            # nothing of their prices: other prices show which of the two it is.
            others = (replace(trial, how=how) for how in ALTERATIONS)
            if not any(self._tried(full, other) for other in others):
                for part in parts:
                    self._note_counting(part, trial)
                return []
        for part in parts:
            self._add(full, part, trial)
        return parts

    def _tried(self, full: Recording, trial: _Trial) -> list[Part]:
        self._n_comparisons += 1
        try:
            other = self._recorded(trial.bars(self._bars), trial.mode)
        except Exception as error:
            if trial.how == "removed" and isinstance(error, _READS_BEYOND):
                return [self._clock.raised(error, trial.n_known - 1)]
            self._n_failed += 1
            if self._n_failed == self._n_comparisons > 5:
                raise self._failure(error) from error
            return []
        return self._clock.parts(full, other, trial.n_known, at_open=trial.how == _OPEN)

    def _add(self, full: Recording, part: Part, trial: _Trial) -> None:
        earlier = self._found.get(part.culprit)
        if earlier is not None:
            if f"{trial.mode} mode" not in earlier.found_by:
                found_by = f"{earlier.found_by}; {trial.words(self._bars)}"
                self._found[part.culprit] = replace(earlier, found_by=found_by)
            return
        self._found[part.culprit] = self._finding(full, part, trial)

    def _finding(self, full: Recording, part: Part, trial: _Trial) -> Finding:
        home = full.homes.get(part.culprit.removeprefix("line "))
        users = [home] if home is not None and part.is_line else []
        hints = relevant_hints(hints_in(users) or hints_in(self._all_classes(full)), bar=part.bar)
        back = trial.n_known - part.bar
        if part.is_fatal:
            what = "raises where the bars end, because it reads a bar that isn't there yet."
        elif trial.how == _OPEN:
            what = "depends on the rest of a bar of which only the open was known."
        else:
            reach = f"{back} bar{'s' if back > 1 else ''} before they begin"
            what = f"changes when later bars do, from {reach}."
        remedy = hints[0].remedy if hints else _plain_remedy(part, self._name)
        return Finding(
            layer=self._layer,
            culprit=part.culprit,
            what=what,
            time=part.time,
            known=part.known,
            with_later=part.with_later,
            found_by=trial.words(self._bars),
            remedy=remedy,
            source=tuple(map(str, hints[:_MOST_PLACES])),
        )

    def _note_counting(self, part: Part, trial: _Trial) -> None:
        self._noted.setdefault(
            part.culprit,
            Finding(
                layer=self._layer,
                culprit=part.culprit,
                what=(
                    "depends on how many bars there are, though not on what they hold: other "
                    "prices in the later bars change nothing."
                ),
                time=part.time,
                known=part.known,
                with_later=part.with_later,
                found_by=trial.words(self._bars),
                remedy="Live, nobody knows where the bars end. Decide by date.",
                is_leak=False,
            ),
        )

    def _refuse_fills_at_the_close(self, full: Recording) -> None:
        for order in full.orders:
            if not order.at_open and order.filled_at and order.filled_at[0] <= order.time:
                hints = [h for h in hints_in(self._all_classes(full)) if "set_coc" in h.code]
                bar = self._clock.n_bars_until(order.time) - 1
                self._found["fill"] = Finding(
                    layer=self._layer,
                    culprit="fill",
                    what="an order fills at the close it was decided on (cheat-on-close).",
                    time=self._bars.index[bar],
                    known="not filled yet",
                    with_later=f"{order}, filled at that close",
                    found_by="the full run (vector mode)",
                    remedy="Leave cheat-on-close out, so that orders fill at the next open.",
                    source=tuple(map(str, hints)),
                )
                return

    def _all_classes(self, full: Recording) -> list[Any]:
        return [*self._classes, *dict.fromkeys(full.homes.values())]


def _plain_remedy(part: Part, name: str) -> str:
    if part.is_line:
        return "Compute the line from index 0 and below: [0] is the present bar, [-1] the last."
    return f"See what {name} reads on that bar: only index 0 and below is known there."


@contextmanager
def _restored(classes: Iterable[Any]) -> Iterator[None]:
    """The users' classes as they were, however the run ends."""
    with ExitStack() as stack:
        for owner in classes:
            if isinstance(owner, type):
                stack.enter_context(restore_class_state(owner))
            if isinstance(owner, type) and issubclass(owner, bt.Strategy):
                stack.enter_context(restore_class_state(add_warm_up(owner)))
        yield


def _is_library_file(path: str) -> bool:
    return any(part in path for part in ("/backtrader/", "/lstm_strategy/", "site-packages"))
