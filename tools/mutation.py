"""Mutation score of an area: change its code a little, and see whether a test or doctest notices.

    pip install cosmic-ray
    python tools/mutation.py metrics --sample 100 --seed 0

The changes are those of cosmic-ray, except in annotations. Each is tried in a process of its own,
forked from one that has loaded the libraries, with only the tests that reach the changed lines, the
quickest first. It prints the changes that no test noticed, and writes all results to `--out`.
`--again FILE` tries those of an earlier run again that survived it.
"""

import argparse
import ast
import contextlib
import importlib.abc
import importlib.util
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
AREAS = {
    "targets": (["learning/targets/**/*.py"], ["learning/targets"]),
    "splitter": (
        [
            f"learning/walk_forward/{name}.py"
            for name in ("splitter", "fold", "fold_edges", "window_sizes")
        ],
        ["learning/walk_forward"],
    ),
    "execution": (["trading/execution/**/*.py"], ["trading/execution", "trading/cerebro"]),
    "instruments": (["trading/instruments/**/*.py"], ["trading/instruments", "trading/cerebro"]),
    "metrics": (["evaluation/metrics/**/*.py"], ["evaluation/metrics"]),
    "statistics": (["evaluation/statistics/**/*.py"], ["evaluation/statistics"]),
    "verdict": (["evaluation/verdict/**/*.py"], ["evaluation/verdict"]),
    "causality": (["learning/features/causality/**/*.py"], ["learning/features"]),
    "training": (["learning/training/**/*.py"], ["learning/training"]),
    "inference": (["learning/inference/**/*.py"], ["learning/inference"]),
    "bars": (["bars/**/*.py"], ["bars"]),
    "live": (["trading/live/**/*.py"], ["trading/live"]),
}
"""The files of the package that are changed, and the tests that should notice."""

_PATIENCE_S = 40  # beyond four times what the tests usually take


class Mutant(NamedTuple):
    """One change: which operator of cosmic-ray's, where it is used for the how manieth time."""

    file: str
    operator: str
    occurrence: int
    line: int
    last_line: int

    @property
    def code(self) -> str:
        """The changed source of the file."""
        from cosmic_ray.mutating import mutate_code
        from cosmic_ray.plugins import get_operator

        source = (ROOT / self.file).read_text()
        return mutate_code(source, get_operator(self.operator)(), self.occurrence)


def find_mutants(file: Path) -> Iterator[Mutant]:
    """All changes of a file, except in annotations, which no test runs."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    source = file.read_text()
    spans = list(_annotations(ast.parse(source)))
    nodes = list(ast_nodes(get_ast(source)))
    for name in sorted(operator_names()):
        operator = get_operator(name)
        if operator.arguments():  # these need a name of the code to put in
            continue
        places = [place for node in nodes for place in operator().mutation_positions(node)]
        for number, (start, stop) in enumerate(places):
            if not any(first <= start and stop <= last for first, last in spans):
                yield Mutant(str(file.relative_to(ROOT)), name, number, start[0], stop[0])


def _annotations(tree: ast.AST) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Where types stand, from line and column to line and column."""
    for node in ast.walk(tree):
        found: list[Any] = []
        if isinstance(node, ast.arg | ast.AnnAssign):
            found = [node.annotation]
        elif isinstance(node, ast.FunctionDef):
            found = [node.returns]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Annotated":
            found = [node]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
            found = [node.args[1]]
        for each in filter(None, found):
            yield (each.lineno, each.col_offset), (each.end_lineno, each.end_col_offset)


class ChangedModule(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from changed source, and is a plugin of pytest that stays in front.

    Without that, pytest would read the module of a doctest from its file.
    """

    def __init__(self, mutant: Mutant) -> None:
        self._name = mutant.file.removesuffix(".py").replace("/", ".")
        self._path, self._code = ROOT / mutant.file, mutant.code
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Find the one module."""
        if name == self._name:
            return importlib.util.spec_from_file_location(name, self._path, loader=self)
        return None

    def exec_module(self, module: Any) -> None:
        """Run the changed source."""
        exec(compile(self._code, str(self._path), "exec"), module.__dict__)

    def pytest_configure(self) -> None:
        """Go to the front again."""
        sys.meta_path.remove(self)
        sys.meta_path.insert(0, self)


class ChosenTests:
    """A plugin that runs the wanted tests, in their order."""

    def __init__(self, wanted: list[str]) -> None:
        self._places = {test: place for place, test in enumerate(wanted)}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Leave out what isn't wanted."""
        wanted = [item for item in items if item.nodeid in self._places]
        items[:] = sorted(wanted, key=lambda item: self._places[item.nodeid])


class ReachedLines:
    """A plugin that notes which lines each test reaches, and how long it takes."""

    def __init__(self, coverage: Any) -> None:
        self._coverage = coverage
        self.seconds: Counter[str] = Counter()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Name the test."""
        self._coverage.switch_context(nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Add the time of a phase."""
        self.seconds[report.nodeid] += report.duration

    def pytest_runtest_logfinish(self) -> None:
        """What comes between tests is nobody's."""
        self._coverage.switch_context("")


def run_tests(paths: list[str], plugins: list[Any]) -> int:
    """What pytest returns for the quick tests and doctests of files or folders."""
    import pytest
    from hypothesis import settings

    settings.register_profile("mutation", derandomize=True, database=None)
    settings.load_profile("mutation")
    words = ["-q", "-x", "--doctest-modules", "-m", "not slow", "-p", "no:cacheprovider"]
    words += ["-p", "no:cov", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return int(pytest.main([*words, *paths], plugins=plugins))


def run_forked(job: Callable[[], int], log: Path, patience_s: float) -> int | None:
    """What a job returns in a process of its own; None where it takes too long."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        code = 99
        with contextlib.suppress(BaseException):
            code = job()
        sys.stdout.flush()
        os._exit(code)
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def measure_tests(paths: list[str], files: list[Path], out: Path) -> dict[str, Any]:
    """Which tests reach which lines, how long they take, and which libraries they load."""

    def job() -> int:
        import coverage

        measured = coverage.Coverage(data_file=None, source=["lstm_strategy"], config_file=False)
        measured.start()
        notes = ReachedLines(measured)
        code = run_tests(paths, [notes])
        measured.stop()
        data = measured.get_data()
        lines = {str(f.relative_to(ROOT)): data.contexts_by_lineno(str(f)) for f in files}
        own = {file.stem for file in (ROOT / "tests").rglob("*.py")} | {"lstm_strategy", "__main__"}
        libraries = [name for name in sys.modules if name.partition(".")[0] not in own]
        found = {"seconds": notes.seconds, "lines": lines, "libraries": libraries}
        out.write_text(json.dumps(found))
        return code

    log = out.with_suffix(".log")
    if run_forked(job, log, patience_s=3_600.0) != 0:
        raise SystemExit(f"The tests don't pass as they are, see {log}.")
    return json.loads(out.read_text())


def find_tests(mutant: Mutant, known: dict[str, Any]) -> list[str]:
    """The tests that reach a change, the quickest first; all for what an import runs."""
    tree = ast.parse((ROOT / mutant.file).read_text())
    around = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and node.lineno <= mutant.line <= (node.end_lineno or 0)
    ]
    lines = known["lines"][mutant.file]  # of a statement on many lines the first ones may count
    reached: set[str] = set()
    for line in range(max(around, default=mutant.line), mutant.last_line + 1):
        reached.update(lines.get(str(line), []))
    seconds = known["seconds"]
    tests = set(seconds) if "" in reached else reached
    return sorted(tests, key=lambda test: (seconds.get(test, 0.0), test))


def try_mutant(mutant: Mutant, known: dict[str, Any], out: Path) -> str:
    """Tell what becomes of a change: "killed", "survived", "timeout" or "unreached"."""
    tests = find_tests(mutant, known)
    if not tests:
        return "unreached"
    files = sorted({test.partition("::")[0] for test in tests})
    usual = sum(known["seconds"].get(test, 0.0) for test in tests)
    code = run_forked(
        lambda: run_tests(files, [ChangedModule(mutant), ChosenTests(tests)]),
        out / "last.log",
        patience_s=_PATIENCE_S + 4 * usual,
    )
    return {0: "survived", 5: "survived", None: "timeout"}.get(code, "killed")


def main() -> None:
    """Try a sample of the changes of an area."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("area", choices=AREAS)
    parser.add_argument("--sample", type=int, default=100, help="how many changes")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument(
        "--tests", nargs="+", help="only these of the area: what they notice is less"
    )
    parser.add_argument("--again", type=Path, help="results whose survivors are tried again")
    parser.add_argument("--out", type=Path, default=Path(".mutation"), help="a folder for results")
    asked = parser.parse_args()
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    asked.out.mkdir(parents=True, exist_ok=True)
    globs, rooms = AREAS[asked.area]
    found = {file for each in globs for file in (ROOT / "lstm_strategy").glob(each)}
    files = sorted(file for file in found if file.stem != "__init__")
    mutants = [mutant for file in files for mutant in find_mutants(file)]
    random.Random(asked.seed).shuffle(mutants)
    sample = mutants[: asked.sample]
    if asked.again:
        sample = [Mutant(**each["mutant"]) for each in json.loads(asked.again.read_text())]
    print(f"{asked.area}: {len(sample)} of {len(mutants)} changes")
    tests = asked.tests or [f"tests/{room}" for room in rooms]
    paths = [*tests, *(str(file.relative_to(ROOT)) for file in files)]
    known = measure_tests(paths, files, asked.out / f"{asked.area}-tests.json")
    for library in known["libraries"]:
        with contextlib.suppress(Exception):
            importlib.import_module(library)
    left, ends = [], Counter[str]()
    for mutant in sample:
        end = try_mutant(mutant, known, asked.out)
        ends[end] += 1
        if end in ("survived", "unreached"):
            text = (ROOT / mutant.file).read_text().splitlines()[mutant.line - 1].strip()
            print(f"{end} {mutant.file}:{mutant.line} {mutant.operator} | {text}", flush=True)
            left.append({"mutant": mutant._asdict(), "end": end})
        (asked.out / f"{asked.area}.json").write_text(json.dumps(left, indent=1))
    score = (ends["killed"] + ends["timeout"]) / max(1, len(sample))
    print(f"{asked.area}: {score:.0%} of {len(sample)} changes were noticed ({dict(ends)})")


if __name__ == "__main__":
    main()
