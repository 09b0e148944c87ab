"""The wheel as somebody else installs it: built from a copy, used outside the tree."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

import lstm_strategy
from lstm_strategy import BASELINES

pytestmark = pytest.mark.slow

TREE = Path(__file__).parents[1]
FOLDERS = ("lstm_strategy", "strategies")
BUILD_FILES = ("pyproject.toml", "setup.cfg", "README.md", "LICENSE")


def run_command(command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that `python -m build` makes of the working tree."""
    source = tmp_path_factory.mktemp("source")
    for name in BUILD_FILES:
        shutil.copy(TREE / name, source)
    for name in FOLDERS:
        shutil.copytree(TREE / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "build", "--wheel", source]
    built = subprocess.run(command, capture_output=True, text=True)
    if built.returncode and "No matching distribution found for setuptools" in built.stderr:
        pytest.skip("no package index to get setuptools from")
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = (source / "dist").iterdir()
    return wheel


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel: calling it runs one of its programs in `folder`."""

    scripts: Path
    library: Path
    folder: Path
    environment: dict

    def __call__(self, program, *words):
        return run_command([self.scripts / program, *words], cwd=self.folder, env=self.environment)


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Run a command of a fresh environment that holds the wheel, outside the tree."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False)
    paths = {"base": str(home), "platbase": str(home)}
    scripts = Path(sysconfig.get_path("scripts", "venv", paths))
    library = Path(sysconfig.get_path("purelib", "venv", paths))
    python = scripts / Path(sys.executable).name
    run_command([sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", wheel])
    # Lends TensorFlow and the rest. A folder named in a .pth comes after the environment's own,
    # and the .pth files inside it, such as that of an editable install, are not read.
    lent = [path for path in sys.path if path.endswith("-packages")]
    (library / "lent.pth").write_text("\n".join(lent))
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    return Installed(scripts, library, elsewhere, environment)


def test_the_wheel_holds_the_whole_package_and_nothing_beside_it(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"lstm_strategy", f"lstm_strategy-{lstm_strategy.__version__}.dist-info"}
    sources = {str(path.relative_to(TREE)) for path in (TREE / "lstm_strategy").rglob("*.py")}
    packed = {name for name in names if name.startswith("lstm_strategy/")}
    pages = TREE / "lstm_strategy/evaluation"
    scripts = {
        str(path.relative_to(TREE)) for end in ("js", "css") for path in pages.rglob(f"*.{end}")
    }
    assert len(scripts) == 3
    assert packed == sources | scripts | {"lstm_strategy/py.typed"}


def test_the_metadata_names_licence_python_and_readme(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        metadata = archive.read(name).decode()
    assert re.search(r"^License(-Expression)?: GPL-3.0-or-later$", metadata, re.MULTILINE)
    assert re.search(r"^Requires-Python: >=3.11$", metadata, re.MULTILINE)
    assert re.search(r"^Requires-Dist: tensorflow>=", metadata, re.MULTILINE)
    readme = (TREE / "README.md").read_text(encoding="utf-8")
    assert metadata.rstrip().endswith(readme.rstrip())


def test_the_package_comes_from_the_wheel(installed):
    file = installed("python", "-c", "import lstm_strategy; print(lstm_strategy.__file__)")
    assert file.strip() == str(installed.library / "lstm_strategy" / "__init__.py")


def test_the_baselines_are_there_outside_the_tree(installed):
    code = "from lstm_strategy import BASELINES; print(*BASELINES, sep='\\n')"
    assert installed("python", "-c", code).splitlines() == list(BASELINES)


def test_the_command_line_is_there_outside_the_tree(installed):
    assert installed("lstm-strategy", "--version") == f"lstm-strategy {lstm_strategy.__version__}\n"


def test_the_demo_runs_outside_the_tree(installed):
    printed = installed("lstm-strategy", "demo", "--out", "shown")
    metrics = pd.read_csv(installed.folder / "shown" / "metrics.csv", index_col="strategy")
    assert {"LSTM policy", *BASELINES} < set(metrics.index)
    assert "Out of sample, 2009-01-05 to 2018-12-31" in printed
