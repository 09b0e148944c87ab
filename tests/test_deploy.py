"""A machine that only trades: the recipe of the docs in an empty environment."""

import os
import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from lstm_strategy import LSTMForecaster, simulate_bars

TREE = Path(__file__).parents[1]
PAGE = (TREE / "docs" / "how-to" / "deploy.md").read_text(encoding="utf-8")
REQUIREMENTS = (TREE / "requirements-deploy.txt").read_text(encoding="utf-8")
MOST_BYTES = 520e6  # the page says 470 MB

TRADE = """
from lstm_strategy import LSTMForecaster, LSTMStrategy, load_bars, run_backtest
bars = load_bars("bars.csv")
model = LSTMForecaster.load("model")
print(repr(float(model.forecast(bars)["forecast"].iloc[-1])))
stream = model.stream(bars[:-1])
print(repr(float(stream.update({"datetime": bars.index[-1], **bars.iloc[-1]}).forecast)))
result = run_backtest(LSTMStrategy, bars, start=bars.index[320], model=model)
print(repr(float(result.equity.iloc[-1])))
"""


def test_the_deployed_packages_are_some_of_those_that_the_package_needs():
    setup = ConfigParser()
    setup.read(TREE / "setup.cfg", encoding="utf-8")
    needed = {re.split("[>=]", line)[0] for line in setup["options"]["install_requires"].split()}
    deployed = [line for line in REQUIREMENTS.splitlines() if not line.startswith("#")]
    assert set(deployed) < needed
    assert not {"tensorflow", "keras", "matplotlib", "scipy"} & set(deployed)


def run(command, **options):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)


@pytest.fixture(scope="module")
def bars():
    return simulate_bars("noise", 400, seed=1).bars


@pytest.fixture(scope="module")
def trained(bars):
    settings = {"units": (2,), "epochs": 1, "members": 1, "lookback": 20, "seed": 1}
    return LSTMForecaster(**settings).fit(bars[:300], progress=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory, trained, bars):
    """A folder with bars, a model, and `venv`, made by the page's commands."""
    place = tmp_path_factory.mktemp("place")
    (recipe,) = re.findall(r"```sh\n(python3 -m venv venv\n.*?)```", PAGE, re.S)
    for line in recipe.splitlines():
        words = [sys.executable if word == "python3" else word for word in line.split()]
        words = [str(TREE / word) if (TREE / word).exists() else word for word in words]
        done = run(words, cwd=place)
        if done.returncode and "No matching distribution found" in done.stderr:
            pytest.skip("no package index to install from")
        assert done.returncode == 0, done.stdout + done.stderr
    trained.save(place / "model")
    bars.to_csv(place / "bars.csv")
    return place


@pytest.fixture(scope="module")
def outside():
    """The environment variables of a machine that knows nothing of this tree."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.mark.slow
def test_it_is_as_small_as_the_page_says_and_has_no_tensorflow(place):
    files = [file for file in (place / "venv").rglob("*") if file.is_file()]
    assert sum(file.lstat().st_size for file in files) < MOST_BYTES
    names = {file.name for file in (place / "venv").glob("lib/python*/site-packages/*")}
    assert "lstm_strategy" in names
    assert not names & {"tensorflow", "keras", "scipy", "matplotlib", "joblib"}


@pytest.mark.slow
def test_a_saved_model_forecasts_and_trades_there(place, trained, bars, outside):
    done = run([place / "venv/bin/python", "-c", TRADE], cwd=place, env=outside)
    assert done.returncode == 0, done.stderr
    forecast, streamed, equity = map(float, done.stdout.split())
    assert forecast == pytest.approx(trained.forecast(bars)["forecast"].iloc[-1], abs=1e-5)
    assert streamed == pytest.approx(forecast, abs=1e-6)
    assert equity > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["--version"],
        ["forecast", "bars.csv", "--model", "model"],
        ["backtest", "bars.csv", "--model", "model"],
    ],
    ids=lambda words: words[0].strip("-"),
)
def test_the_command_line_runs_there(place, words, outside):
    done = run([place / "venv/bin/lstm-strategy", *words], cwd=place, env=outside)
    assert done.returncode == 0, done.stderr
