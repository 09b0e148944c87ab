"""The committed results, and what became worse since."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import AtLeast, Measured, Skipped
from lstm_strategy.support import write_json

RESULTS_FILE = Path(__file__).parent / "results.json"
LARGEST_DROP = 0.30  # of a ratio; what is less happens from run to run


@dataclass(frozen=True)
class Drop:
    """A ratio that fell by more than the largest drop that is accepted."""

    name: str
    before: float
    now: float

    def __str__(self) -> str:
        share = 1 - self.now / self.before
        return f"{self.name} fell by {share:.0%}: from {self.before:,.3g} to {self.now:,.3g}"


def find_drops(before: Mapping[str, float], now: Mapping[str, Measured]) -> list[Drop]:
    """The ratios that fell by more than the largest drop; those measured only once don't count."""
    return [
        Drop(name, before[name], ratio)
        for name, ratio in now.items()
        if not isinstance(ratio, Skipped)
        and name in before
        and ratio < (1 - LARGEST_DROP) * before[name]
    ]


def load_results() -> dict[str, Any]:
    """What results.json holds; no ratio if there is no such file."""
    if not RESULTS_FILE.is_file():
        return {"ratios": {}}
    results: dict[str, Any] = json.loads(RESULTS_FILE.read_text("utf-8"))
    return results


def build_results(
    measured: Mapping[str, Measured], *, versions: dict[str, str], cpu_count: int | None
) -> dict[str, Any]:
    """The content of results.json: ratios to three digits, and what they were measured with."""
    ratios = {name: value for name, value in measured.items() if not isinstance(value, Skipped)}
    return {
        "ratios": {name: float(f"{ratio:.3g}") for name, ratio in ratios.items()},
        "at_least": [name for name, ratio in ratios.items() if isinstance(ratio, AtLeast)],
        "skipped": {name: str(why) for name, why in measured.items() if isinstance(why, Skipped)},
        "versions": versions,
        "cpu_count": cpu_count,
    }


def merge_results(kept: Mapping[str, Any], new: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """The new results and the kept ones of figures that weren't measured, in the order of names.

    A figure that was skipped keeps no ratio from before: the results are of one installation.
    """
    renewed = {*new["ratios"], *new["skipped"]}
    ratios = {**kept["ratios"], **new["ratios"]}
    skipped = {**kept.get("skipped", {}), **new["skipped"]}
    bounds = {*new["at_least"], *(set(kept.get("at_least", [])) - renewed)}
    return {
        **new,
        "ratios": {n: ratios[n] for n in names if n in ratios and n not in new["skipped"]},
        "at_least": [name for name in names if name in bounds],
        "skipped": {n: skipped[n] for n in names if n in skipped and n not in new["ratios"]},
    }


def write_results(results: dict[str, Any]) -> None:
    """Replace results.json."""
    write_json(RESULTS_FILE, results)
