"""Strategies and indicators run in full, cut short and with other bars to come: all must agree."""

import traceback
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.errors import AuditError, LSTMStrategyError
from lstm_strategy.evaluation.audit.cerebro.bar_cut import AFTER_OPEN, REMOVED, BarCut
from lstm_strategy.evaluation.audit.cerebro.class_state import restore_class_state
from lstm_strategy.evaluation.audit.cerebro.divergences import BarAligner, Divergence
from lstm_strategy.evaluation.audit.cerebro.money import CHARGES, FILLS
from lstm_strategy.evaluation.audit.cerebro.recording import MODES, Recording, record_run
from lstm_strategy.evaluation.audit.cerebro.subject import AuditSubject
from lstm_strategy.evaluation.audit.cerebro.wording import (
    fill_finding,
    finding_from_divergence,
    note_on_bar_count,
    terms_finding,
)
from lstm_strategy.evaluation.audit.findings import Check, Finding, PartialAudit
from lstm_strategy.learning.features import ALTERATIONS, cut_points, pick_evenly
from lstm_strategy.support import OnWords, format_time

_N_RANDOM_CUTS = 2
_N_ORDER_CUTS = 5
_N_MONEY_CUTS = 8
_N_CUTS: dict[str, int | None] = {"vector": None, "next": 5}  # None for all
_N_CUTS_IN_BRIEF: dict[str, int | None] = {"vector": 3, "next": 2}
_ENOUGH_CUTS_WITH_LEAKS = 2
_READS_BEYOND = (IndexError, KeyError)


def audit_cerebro(
    subject: AuditSubject,
    bars: pd.DataFrame,
    *,
    edges: Iterable[int],
    seed: int,
    on_progress: OnWords,
) -> PartialAudit:
    """Set the full run of a subject beside runs that knew fewer bars, or others.

    Compared up to each cut: every line of every indicator, positions, what fills were worth, what
    was charged, cash, equity and the orders as they were sent, in vector mode and bar by bar. What
    happens to an order later isn't compared, so that one which the end of the shorter run leaves
    unfilled is no difference.

    Args:
        subject: What runs.
        bars: The bars.
        edges: Numbers of known bars that are cut at besides those that this audit finds.
        seed: Chooses the random cuts.
        on_progress: Called with what is being done.

    Raises:
        AuditError: If the strategy raises, or gives different orders on the same bars twice, or if
            the cash becomes NaN, or if costs are audited and no order fills.
    """
    return _CerebroAudit(subject, bars, on_progress).run(tuple(edges), seed)


class _CerebroAudit:
    def __init__(self, subject: AuditSubject, bars: pd.DataFrame, on_progress: OnWords) -> None:
        self._subject, self._bars, self._on_progress = subject, bars, on_progress
        self._name = subject.name
        self._aligner = BarAligner(bars)
        self._findings: dict[str, Finding] = {}
        self._modes: dict[str, set[str]] = {}  # in which each culprit was found
        self._notes: dict[str, Finding] = {}
        self._n_comparisons = 0
        self._n_failed = 0

    def run(self, edges: tuple[int, ...], seed: int) -> PartialAudit:
        # the broker goes bar by bar in both modes, which differ in how indicators are computed
        modes = MODES[:1] if self._subject.is_costs else MODES
        full = {mode: self._record_in_full(mode) for mode in modes}
        if not self._subject.is_brief:
            self._check_repeats_itself(full["vector"])
        self._find_fills_at_the_close(full["vector"])
        self._find_other_terms(full["vector"])
        n_cuts = _N_CUTS_IN_BRIEF if self._subject.is_brief else _N_CUTS
        for mode in modes:
            cuts = self._choose_cuts(full[mode], edges, seed)
            n_wanted = n_cuts[mode]
            self._try_cuts(
                full[mode], mode, cuts if n_wanted is None else pick_evenly(cuts, n_wanted)
            )
        errors = [recording.error for recording in full.values() if recording.error]
        if errors and not self._findings:
            raise self._failure(errors[0]) from errors[0]
        findings = tuple(self._findings.values())
        notes = tuple(note for name, note in self._notes.items() if name not in self._findings)
        check = Check(self._name, self._n_comparisons, len(findings))
        return PartialAudit(findings, notes, (check,))

    def _record(self, bars: pd.DataFrame, mode: str) -> Recording:
        with _restored(self._subject.classes):
            return record_run(self._subject.factory, bars, mode=mode)

    def _record_in_full(self, mode: str) -> Recording:
        self._on_progress(f"{self._name}: the full run, {mode} mode")
        try:
            full = self._record(self._bars, mode)
        except LSTMStrategyError:
            raise
        except Exception as error:
            raise self._failure(error) from error
        reads_beyond = isinstance(full.error, _READS_BEYOND)
        if full.error is not None and not (reads_beyond and len(full.times) > 2):
            raise self._failure(full.error) from full.error
        is_missing = full.account["cash"].isna().to_numpy()
        if is_missing.any():
            bar = self._aligner.n_bars_until(full.times[is_missing.argmax()]) - 1
            raise AuditError(
                f"{self._name}: the cash is NaN from {format_time(self._bars.index[bar])} on, so "
                "nothing could be compared. Charge 0 where a column of the bars has no value, "
                "which math.isnan tells."
            )
        if self._subject.is_costs and not full.account[FILLS].any():
            raise AuditError(
                "No order fills on these bars and terms, so there are no costs to compare. Load "
                "more bars, or give more cash."
            )
        return full

    def _failure(self, error: Exception) -> AuditError:
        if isinstance(error, AuditError):
            return error
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if not _is_library_file(frame.filename)] or frames[-1:]
        place = f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""
        return AuditError(
            f"{self._name} raises {type(error).__name__}: {error}{place}. Fix it, then audit it."
        )

    def _check_repeats_itself(self, full: Recording) -> None:
        self._on_progress(f"{self._name}: the same run again")
        again = self._record(self._bars, "vector")
        divergences = self._aligner.find_divergences(full, again, len(self._bars))
        if divergences:
            first = divergences[0]
            raise AuditError(
                f"{self._name} isn't the same in two runs over the same bars: {first.culprit} "
                f"differs first at {format_time(first.time)}. Give its random numbers a seed, "
                "and keep nothing from one run to the next."
            )

    def _find_fills_at_the_close(self, full: Recording) -> None:
        for order in full.orders:
            if not order.at_open and order.filled_at and order.filled_at[0] <= order.time:
                time = self._bars.index[self._aligner.n_bars_until(order.time) - 1]
                self._findings["fill"] = fill_finding(order, time, self._classes(full))
                return

    def _find_other_terms(self, full: Recording) -> None:
        if full.breach and "fill" not in self._findings and not self._subject.is_costs:
            self._findings["terms"] = terms_finding(full.breach, self._name)

    def _choose_cuts(self, full: Recording, edges: tuple[int, ...], seed: int) -> list[int]:
        if self._subject.is_costs:
            return [n for n in self._choose_money_cuts(full) if n < len(self._bars)]
        # where an order was sent, knowing the next bar would have mattered most
        sent = sorted({self._aligner.n_bars_until(order.time) for order in full.orders})
        chosen = [*edges, *pick_evenly(sent, _N_ORDER_CUTS)]
        if any(order.at_open for order in full.orders):
            chosen += [n - 1 for n in pick_evenly(sent, _N_ORDER_CUTS)]
        if full.money_code:
            chosen += self._choose_money_cuts(full)
        first = min(full.first_decision, len(full.times) - 1)
        cuts = cut_points(self._bars, first=first, n_random=_N_RANDOM_CUTS, edges=chosen, seed=seed)
        return [n for n in cuts if n < len(full.times) + (full.error is None)]

    def _choose_money_cuts(self, full: Recording) -> list[int]:
        """The bars after which others show whether a fill or a payment knew them."""
        chosen = set()
        for column in (FILLS, CHARGES):
            moved = np.flatnonzero(full.account[column].diff().to_numpy())
            numbers = [self._aligner.n_bars_until(time) for time in full.times[moved]]
            chosen.update(pick_evenly(numbers, _N_MONEY_CUTS))
        return sorted(chosen)

    def _try_cuts(self, full: Recording, mode: str, cuts: list[int]) -> None:
        changes = [REMOVED, ALTERATIONS[0]]
        if any(order.at_open for order in full.orders):
            changes.append(AFTER_OPEN)
        n_with_leaks = 0
        for number, n_known in enumerate(cuts, 1):
            self._on_progress(f"{self._name}: {mode} mode, cut {number} of {len(cuts)}")
            has_leak = [self._find_leaks(full, BarCut(mode, n_known, how)) for how in changes]
            n_with_leaks += any(has_leak)
            if n_with_leaks == _ENOUGH_CUTS_WITH_LEAKS:
                return

    def _find_leaks(self, full: Recording, cut: BarCut) -> bool:
        """Keep what a cut shows, as findings or as notes; whether there were findings."""
        divergences = self._compare(full, cut)
        if divergences and cut.is_removal and not any(d.is_fatal for d in divergences):
            # A rule that asks how many bars there are changes with their number alone, and says
            # nothing of their prices: other prices show which of the two it is.
            others = (replace(cut, how=how) for how in ALTERATIONS)
            if not any(self._compare(full, other) for other in others):
                for divergence in divergences:
                    note = note_on_bar_count(divergence, cut.describe(self._bars))
                    self._notes.setdefault(divergence.culprit, note)
                return False
        for divergence in divergences:
            self._add_finding(full, divergence, cut)
        return bool(divergences)

    def _compare(self, full: Recording, cut: BarCut) -> list[Divergence]:
        self._n_comparisons += 1
        try:
            other = self._record(cut.change(self._bars), cut.mode)
        except Exception as error:
            if cut.is_removal and isinstance(error, _READS_BEYOND):
                return [self._aligner.divergence_from_error(error, cut.n_known - 1)]
            self._n_failed += 1
            if self._n_failed == self._n_comparisons > 5:
                raise self._failure(error) from error
            return []
        return self._aligner.find_divergences(full, other, cut.n_known, at_open=cut.is_after_open)

    def _add_finding(self, full: Recording, divergence: Divergence, cut: BarCut) -> None:
        culprit, words = divergence.culprit, cut.describe(self._bars)
        earlier = self._findings.get(culprit)
        if earlier is None:
            home = full.homes.get(culprit.removeprefix("line ")) if divergence.is_line else None
            self._findings[culprit] = finding_from_divergence(
                divergence,
                cut,
                words,
                self._name,
                home=home,
                classes=self._classes(full),
                money_code=full.money_code,
                is_costs=self._subject.is_costs,
            )
            self._modes[culprit] = {cut.mode}
        elif cut.mode not in self._modes[culprit]:
            self._modes[culprit].add(cut.mode)
            self._findings[culprit] = replace(earlier, found_by=f"{earlier.found_by}; {words}")

    def _classes(self, full: Recording) -> list[Any]:
        return [*self._subject.classes, *dict.fromkeys(full.homes.values())]


@contextmanager
def _restored(classes: Iterable[Any]) -> Iterator[None]:
    """The users' classes as they were, however the run ends."""
    with ExitStack() as stack:
        for owner in classes:
            if isinstance(owner, type):
                stack.enter_context(restore_class_state(owner))
        yield


def _is_library_file(path: str) -> bool:
    return any(part in path for part in ("/backtrader/", "/lstm_strategy/", "site-packages"))
