"""Run the benchmarks, show the ratios, and compare them with those in benchmarks/results.json."""

import argparse
import importlib
import importlib.metadata
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
from benchmarks.figures import Measured, Skipped, console, shown

FOLDER = Path(__file__).parent
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


def library_versions() -> dict[str, str]:
    installed = {
        found.name.lower().replace("_", "-"): found.version
        for found in importlib.metadata.distributions()
    }
    found = {name: installed[name] for name in LIBRARIES if name in installed}
    return {"python": platform.python_version(), **found}


def measured_by(modules: list[ModuleType]) -> dict[str, Measured]:
    """The figures of all modules, each in the order in which its module lists them."""
    measured: dict[str, Measured] = {}
    for module in modules:
        with console.status(f"measuring {short_name(module)}"):
            found = module.measure()
        measured |= {name: found[name] for name in module.FIGURES}
    return measured


def table_of(
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
            aim = "" if figure.aim is None else shown(figure.aim)
            kept = shown(before[name]) if name in before else ""
            style = "red" if misses else None
            table.add_row(name, figure.peer, aim, kept, shown(ratio), style=style)
    return table


def main(words: list[str] | None = None) -> int:
    """Returns 1 where a ratio fell by much; results.json then stays as it is without --write."""
    modules = benchmark_modules()
    by_name = {short_name(module): module for module in modules}
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(by_name)}")
    parser.add_argument("--write", action="store_true", help="keep the results in any case")
    arguments = parser.parse_args(words)
    unknown = [name for name in arguments.names if name not in by_name]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(by_name)}")
    chosen = [by_name[name] for name in dict.fromkeys(arguments.names or by_name)]

    kept = guard.kept_results()
    measured = measured_by(chosen)
    console.print(table_of(chosen, measured, kept["ratios"]))
    fallen = guard.drops(kept["ratios"], measured)
    for drop in fallen:
        console.print(f"[red]{drop}")
    _tell_what_differs(kept)
    if fallen and not arguments.write:
        console.print(f"{guard.RESULTS_FILE.name} is as it was; --write takes these results over.")
        return 1
    new = guard.run_tasks(measured, versions=library_versions(), cpu_count=os.cpu_count())
    names = [name for module in modules for name in module.FIGURES]
    guard.write_results(guard.merged(kept, new, names))
    return 0


def _tell_what_differs(kept: Mapping[str, Any]) -> None:
    if kept.get("cpu_count", os.cpu_count()) != os.cpu_count():
        console.print(
            f"The kept results are of a machine with {kept['cpu_count']} CPUs, this one has "
            f"{os.cpu_count()}: ratios to peers that use them differently aren't comparable."
        )


if __name__ == "__main__":
    sys.exit(main())
