"""Divergences of runs as findings."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from lstm_strategy.evaluation.audit.cerebro.bar_cut import BarCut
from lstm_strategy.evaluation.audit.cerebro.divergences import Divergence
from lstm_strategy.evaluation.audit.cerebro.recording import SentOrder
from lstm_strategy.evaluation.audit.findings import Finding, FindingKind
from lstm_strategy.evaluation.audit.source_hints import (
    find_hints,
    hint_texts,
    is_from_user,
    relevant_hints,
)

_LAYER = "strategy"
_COSTS = "costs"


def finding_from_divergence(
    divergence: Divergence,
    cut: BarCut,
    found_by: str,
    name: str,
    *,
    home: Any,
    classes: Sequence[Any],
    money_code: Sequence[Any] = (),
    is_costs: bool = False,
) -> Finding:
    """Return the finding that a divergence is.

    Args:
        divergence: Where the runs diverge.
        cut: What was done to the bars.
        found_by: The same in words.
        name: The name of the strategy.
        home: The class of the line that diverges, if it is one.
        classes: All classes whose source may hold the cause.
        money_code: What decides what trading costs and when orders fill.
        is_costs: Whether the strategy is known to be innocent.
    """
    of_user = [code for code in money_code if is_from_user(code)]
    is_costs = is_costs or _is_of_costs(divergence, of_user)
    if is_costs:
        name = ", ".join(code.__name__ for code in of_user or money_code) or "the broker"
        hints = find_hints(of_user)
    else:
        hints = find_hints([] if home is None else [home]) or find_hints([*classes, *of_user])
    hints = relevant_hints(hints, bar=divergence.bar)
    if hints:
        remedy = hints[0].remedy
    elif divergence.is_line:
        remedy = "Compute the line from index 0 and below: [0] is the present bar, [-1] the last."
    else:
        remedy = f"See what {name} reads on that bar: only index 0 and below is known there."
    kind, what = _describe(divergence, cut)
    return Finding(
        layer=_COSTS if is_costs else _LAYER,
        culprit=f"{divergence.culprit} ({name})" if is_costs else divergence.culprit,
        kind=kind,
        what=what,
        time=divergence.time,
        known=divergence.known,
        with_later=divergence.with_later,
        found_by=found_by,
        remedy=remedy,
        source=hint_texts(hints),
    )


def _is_of_costs(divergence: Divergence, of_user: Sequence[Any]) -> bool:
    """Whether a broker that holds code of the user's, and not the strategy, knew later bars."""
    if not (divergence.is_money and of_user):
        return False
    # an order that a strategy withdraws changes the position as well
    return not divergence.culprit.startswith("position") or bool(find_hints(of_user))


def _describe(divergence: Divergence, cut: BarCut) -> tuple[FindingKind, str]:
    if divergence.is_fatal:
        words = "raises where the bars end, because it reads a bar that isn't there yet."
        return FindingKind.READ_BEYOND, words
    if cut.is_after_open:
        words = "depends on the rest of a bar of which only the open was known."
        return FindingKind.REST_OF_BAR, words
    back = cut.n_known - divergence.bar
    words = (
        f"changes when later bars do, from {back} bar{'s' if back > 1 else ''} before they begin."
    )
    return FindingKind.LATER_BARS, words


def note_on_bar_count(divergence: Divergence, found_by: str) -> Finding:
    """Return the note on a rule that asks how many bars there are."""
    return Finding(
        layer=_LAYER,
        culprit=divergence.culprit,
        kind=FindingKind.NUMBER_OF_BARS,
        what=(
            "depends on how many bars there are, though not on what they hold: other prices in "
            "the later bars change nothing."
        ),
        time=divergence.time,
        known=divergence.known,
        with_later=divergence.with_later,
        found_by=found_by,
        remedy="Live, nobody knows where the bars end. Decide by date.",
        is_leak=False,
    )


def fill_finding(order: SentOrder, time: pd.Timestamp, classes: Sequence[Any]) -> Finding:
    """Return the finding on an order that fills at the close it was decided on."""
    hints = [hint for hint in find_hints(classes) if "set_coc" in hint.code]
    return Finding(
        layer=_LAYER,
        culprit="fill",
        kind=FindingKind.FILL_AT_CLOSE,
        what="an order fills at the close it was decided on (cheat-on-close).",
        time=time,
        known="not filled yet",
        with_later=f"{order}, filled at that close",
        found_by="the full run (vector mode)",
        remedy="Leave cheat-on-close out, so that orders fill at the next open.",
        source=hint_texts(hints),
    )


def terms_finding(breach: str, name: str) -> Finding:
    """Return the finding on a strategy that doesn't keep to the terms of its run.

    Args:
        breach: What it changed and what to do about it, in words that begin with its name.
        name: The name of the strategy.
    """
    what, _, remedy = breach.removeprefix(f"{name} ").partition(". ")
    return Finding(
        layer=_LAYER,
        culprit="terms",
        kind=FindingKind.OTHER_TERMS,
        what=f"it {what}.",
        found_by="the full run (vector mode)",
        remedy=remedy,
    )
