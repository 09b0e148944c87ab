"""Run every benchmark, show the ratios, and keep them in benchmarks/results.json."""

import importlib
import importlib.metadata
import json
import os
import platform
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).parent
RESULTS_FILE = FOLDER / "results.json"
LIBRARIES = (
    "backtrader",
    "keras",
    "numpy",
    "onnxruntime",
    "pandas",
    "tensorflow",
    "tensorflow-cpu",
)


def benchmark_modules() -> list[ModuleType]:
    """The modules of this folder that have something to measure, by name."""
    names = sorted(found.name for found in iter_modules([str(FOLDER)]) if found.name[0] != "_")
    modules = [importlib.import_module(f"benchmarks.{name}") for name in names]
    return [module for module in modules if hasattr(module, "measure")]


def results_of(ratios: dict[str, float]) -> dict[str, Any]:
    """What results.json holds: ratios to three digits, and what they were measured with."""
    return {
        "ratios": {name: float(f"{ratio:.3g}") for name, ratio in ratios.items()},
        "versions": {"python": platform.python_version(), **_versions()},
        "cpu_count": os.cpu_count(),
    }


def _versions() -> dict[str, str]:
    installed = {
        found.name.lower().replace("_", "-"): found.version
        for found in importlib.metadata.distributions()
    }
    return {name: installed[name] for name in LIBRARIES if name in installed}


def main() -> None:
    console = Console()
    table = Table("benchmark", "times as fast as", title="Speed, as ratios measured in one run")
    table.add_column("ratio", justify="right")
    ratios: dict[str, float] = {}
    for module in benchmark_modules():
        with console.status(f"measuring {module.__name__}"):
            measured = module.measure()
        for name, ratio in measured.items():
            table.add_row(
                name, module.PEERS[name], f"{ratio:,.3g}" if ratio < 1e3 else f"{ratio:,.0f}"
            )
        ratios |= measured
    console.print(table)
    RESULTS_FILE.write_text(json.dumps(results_of(ratios), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
