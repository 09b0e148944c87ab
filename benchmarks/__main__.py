"""Run the benchmarks, show the ratios, and compare them with those in benchmarks/results.json."""

import argparse
import importlib
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from rich.table import Table

from benchmarks import guard
from benchmarks.figures import Measured, Skipped, console, format_figure
from lstm_strategy.support import library_versions

FOLDER = Path(__file__).parent
TABLES = (
    "acl18",
    "futures",
    "perpetual",
    "soak",
)  # benchmarks that print a table of their own, with arguments of their own
LIBRARIES = (
    "backtrader",
    "jax",
    "keras",
    "lib-pybroker",
    "numpy",
    "onnxruntime",
    "pandas",
    "tensorflow",
    "tensorflow-cpu",
    "torch",
)


def benchmark_modules() -> list[ModuleType]:
    """The modules of this folder that have something to measure, by name."""
    names = sorted(found.name for found in iter_modules([str(FOLDER)]) if found.name[0] != "_")
    modules = [importlib.import_module(f"benchmarks.{name}") for name in names]
    return [module for module in modules if hasattr(module, "measure")]


def short_name(module: ModuleType) -> str:
    return module.__name__.removeprefix("benchmarks.")


def measure_all(modules: list[ModuleType]) -> dict[str, Measured]:
    """The figures of all modules, each in the order in which its module lists them."""
    measured: dict[str, Measured] = {}
    for module in modules:
        with console.status(f"measuring {short_name(module)}"):
            ratios = module.measure()
        measured |= {name: ratios[name] for name in module.FIGURES}
    return measured


def build_table(
    modules: list[ModuleType], measured: Mapping[str, Measured], before: Mapping[str, float]
) -> Table:
    table = Table(title="Speed, as ratios measured in one run")
    table.add_column("benchmark", no_wrap=True)
    table.add_column("times as fast as")
    for name in ("aim", "before", "ratio"):
        table.add_column(name, justify="right")
    for module in modules:
        for name, figure in module.FIGURES.items():
            ratio = measured[name]
            misses = figure.aim and not isinstance(ratio, Skipped) and ratio < figure.aim
            aim = "" if figure.aim is None else format_figure(figure.aim)
            kept = format_figure(before[name]) if name in before else ""
            style = "red" if misses else None
            table.add_row(name, figure.peer, aim, kept, format_figure(ratio), style=style)
    return table


def main(words: list[str] | None = None) -> int:
    """Return 1 if a ratio fell by much; results.json is then left as it is without --write."""
    words = sys.argv[1:] if words is None else words
    if words and words[0] in TABLES:
        code: int = importlib.import_module(f"benchmarks.{words[0]}").main(words[1:])
        return code
    modules = benchmark_modules()
    by_name = {short_name(module): module for module in modules}
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"one of {', '.join(by_name)}; all by default"
    )
    parser.add_argument(
        "--write", action="store_true", help="keep the results even if a ratio fell by much"
    )
    arguments = parser.parse_args(words)
    unknown = [name for name in arguments.names if name not in by_name]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(by_name)}")
    chosen = [by_name[name] for name in dict.fromkeys(arguments.names or by_name)]

    kept = guard.load_results()
    measured = measure_all(chosen)
    console.print(build_table(chosen, measured, kept["ratios"]))
    drops = guard.find_drops(kept["ratios"], measured)
    for drop in drops:
        console.print(f"[red]{drop}")
    _print_differences(kept)
    if drops and not arguments.write:
        console.print(
            f"{guard.RESULTS_FILE.name} is left as it was. Give --write to keep these results."
        )
        return 1
    versions = {"python": platform.python_version(), **library_versions(LIBRARIES)}
    new = guard.build_results(measured, versions=versions, cpu_count=os.cpu_count())
    names = [name for module in modules for name in module.FIGURES]
    guard.write_results(guard.merge_results(kept, new, names))
    return 0


def _print_differences(kept: Mapping[str, Any]) -> None:
    if kept.get("cpu_count", os.cpu_count()) != os.cpu_count():
        console.print(
            f"The kept results are of a machine with {kept['cpu_count']} CPUs, and this one has "
            f"{os.cpu_count()}. Ratios to peers that use them differently aren't comparable."
        )


if __name__ == "__main__":
    sys.exit(main())
