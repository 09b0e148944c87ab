"""The verdict's sentence, which never says more than the numbers do."""

from collections.abc import Sequence

from lstm_strategy.evaluation.verdict.alarms import Alarm
from lstm_strategy.evaluation.verdict.hurdles import Evidence


def word_verdict(
    evidence: Evidence, reasons: Sequence[str], alarms: Sequence[Alarm], *, claims_skill: bool
) -> str:
    """Return the verdict in one sentence.

    Args:
        evidence: The numbers.
        reasons: The hurdles that failed, or all of them if none did.
        alarms: The alarms that qualify a claim.
        claims_skill: Whether every hurdle was cleared.
    """
    if not claims_skill or evidence.spa is None:
        more = len(reasons) - 1
        others = f"; {more} more {'hurdle' if more == 1 else 'hurdles'} failed" if more else ""
        return f"No evidence of skill in {evidence.name}: {reasons[0]}{others}."
    interval, n_baselines = evidence.interval, len(evidence.p_values)
    beaten = "its only baseline" if n_baselines == 1 else f"each of {n_baselines} baselines"
    open_questions = f", if {_list_alarms(alarms)} can be explained" if alarms else ""
    return (
        f"Evidence of skill in {evidence.name}{open_questions}: over {evidence.n_bars:,} bars it "
        f"beat {beaten} at equal risk (the hardest was {evidence.spa.hardest_baseline}, p-value "
        f"{evidence.p_value:.3f}) with a Sharpe ratio of {interval.estimate:.2f} "
        f"({interval.level:.0%} interval {interval.low:.2f} to {interval.high:.2f}); that is about "
        "these bars, not a promise about the next ones."
    )


def _list_alarms(alarms: Sequence[Alarm]) -> str:
    names = ", ".join(alarm.name for alarm in alarms)
    return f"the alarm {names}" if len(alarms) == 1 else f"the alarms {names}"
