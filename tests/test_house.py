"""The house keeps its order: no import circle, no full room, and nobody reaches past a face."""

import ast
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

TREE = Path(__file__).parents[1]
PACKAGE = "lstm_strategy"
MOST_MODULES = 10


def module_files(tree: Path, package: str) -> dict[str, Path]:
    """The files of a package by the dotted name of their module."""
    files = sorted((tree / package).rglob("*.py"))
    names = (".".join(file.relative_to(tree).with_suffix("").parts) for file in files)
    return {name.removesuffix(".__init__"): file for name, file in zip(names, files, strict=True)}


def imported_modules(file: Path, modules: dict[str, Path]) -> Iterator[str]:
    """The modules that a file imports, within functions and for type checkers too."""
    for module, _ in imported_names(file, modules):
        yield module


def imported_names(file: Path, modules: dict[str, Path]) -> Iterator[tuple[str, str]]:
    """The module and the name of each import; the name of a whole module is empty."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module in modules:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner, "") if inner in modules else (node.module, alias.name)


def modules_behind_faces(file: Path, modules: dict[str, Path]) -> Iterator[str]:
    """The modules that a file needs: for a name from a face, the one behind it."""
    for module, name in imported_names(file, modules):
        while modules[module].name == "__init__.py" and name:
            behind = [m for m, n in imported_names(modules[module], modules) if n == name]
            if not behind:
                break
            module = behind[0]
        yield module


def import_circle(tree: Path, package: str) -> list[str]:
    """Modules of which each imports the next and the last the first; empty where there are none."""
    modules = module_files(tree, package)
    imports = {
        name: set(modules_behind_faces(file, modules)) - {name}
        for name, file in modules.items()
        if file.name != "__init__.py"
    }
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def reaches_past_faces(tree: Path, package: str, users: list[Path]) -> list[str]:
    """Imports from a module of a room by a file that isn't in the room, as "file: module"."""
    modules = module_files(tree, package)
    rooms = {name for name, file in modules.items() if file.name == "__init__.py"}
    found = []
    for file in users:
        home = _room_of(file, tree, rooms)
        for module in imported_modules(file, modules):
            room = module if module in rooms else module.rpartition(".")[0]
            is_inside = home == room or home.startswith(f"{room}.")
            if module not in rooms and room != package and not is_inside and not _is_light(module):
                found.append(f"{file.relative_to(tree)}: {module}")
    return found


def _is_light(module: str) -> bool:
    """Whether a module may be imported as such: the one that makes faces lazy."""
    return module == f"{PACKAGE}.support.lazy"


def _room_of(file: Path, tree: Path, rooms: set[str]) -> str:
    """The room of a module, or the one that a test mirrors."""
    parts = file.relative_to(tree).with_suffix("").parts[:-1]
    if parts[:1] == ("tests",):
        parts = (PACKAGE, *parts[1:])
    return ".".join(parts) if ".".join(parts) in rooms else "outside"


def write_modules(tree: Path, sources: dict[str, str]) -> None:
    for name, source in sources.items():
        file = tree / "planted" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)


def test_no_module_imports_itself_in_a_circle():
    assert import_circle(TREE, PACKAGE) == []


@pytest.mark.parametrize(
    "way_back",
    [
        pytest.param("from planted.a import x", id="at the top"),
        pytest.param("def f():\n    from planted.a import x", id="in a function"),
        pytest.param(
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import planted.a",
            id="for type checkers",
        ),
        pytest.param("from planted.room import z", id="through a face"),
    ],
)
def test_a_planted_circle_is_found(tmp_path, way_back):
    write_modules(
        tmp_path,
        {
            "__init__.py": "",
            "a.py": "from planted import b\nx = 1",
            "b.py": "from planted.c import y",
            "c.py": f"y = 1\n{way_back}",
            "room/__init__.py": "from planted.room.inner import z",
            "room/inner.py": "from planted.a import x as z",
            "d.py": "x = 1",
        },
    )
    circle = import_circle(tmp_path, "planted")
    assert {"planted.a", "planted.b", "planted.c"} <= set(circle)
    (tmp_path / "planted" / "c.py").write_text("y = 1")
    assert import_circle(tmp_path, "planted") == []


def test_a_room_holds_at_most_ten_modules():
    counts = {
        str(face.parent.relative_to(TREE)): len(list(face.parent.glob("*.py"))) - 1
        for face in (TREE / PACKAGE).rglob("__init__.py")
    }
    assert {room: n for room, n in counts.items() if n > MOST_MODULES} == {}


def test_each_file_of_tests_has_a_name_of_its_own():
    """pytest imports them by their names alone, and finds no second one of a name."""
    names = Counter(file.name for file in (TREE / "tests").rglob("test_*.py"))
    assert [name for name, n_files in names.items() if n_files > 1] == []


def users_of_the_package() -> list[Path]:
    folders = (PACKAGE, "tests", "benchmarks", "strategies", "notebooks", "tools")
    return [file for folder in folders for file in sorted((TREE / folder).rglob("*.py"))]


def test_whoever_stands_outside_a_room_imports_from_its_face():
    assert reaches_past_faces(TREE, PACKAGE, users_of_the_package()) == []


def test_a_planted_reach_past_a_face_is_found(tmp_path):
    write_modules(
        tmp_path,
        {
            "__init__.py": "",
            "room/__init__.py": "from planted.room.inner import x",
            "room/inner.py": "x = 1",
            "room/other.py": "from planted.room.inner import x",
            "user.py": "from planted.room.inner import x",
            "polite.py": "from planted.room import x",
        },
    )
    users = sorted((tmp_path / "planted").rglob("*.py"))
    assert reaches_past_faces(tmp_path, "planted", users) == ["planted/user.py: planted.room.inner"]


@pytest.mark.parametrize("face", sorted((TREE / PACKAGE).rglob("__init__.py")), ids=str)
def test_every_face_says_what_is_inside(face):
    assert ast.get_docstring(ast.parse(face.read_text()))
