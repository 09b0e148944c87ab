"""The README's code runs as written, in the order in which a reader meets it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


@pytest.mark.slow
def test_the_scripts_run_and_print_an_equity_and_a_table(tmp_path):
    script = "\n".join(re.findall(r"```python\n(.*?)```", README, re.S))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    equity, *table = done.stdout.splitlines()
    assert re.fullmatch(r"\d{1,3}(,\d{3})+|\d+", equity)
    assert [line.split("  ")[0] for line in table[1:3]] == ["LSTM", "Buy and hold"]
    assert (tmp_path / "models" / "sp500" / "model.json").is_file()
    assert (tmp_path / "results" / "equity.png").is_file()
    assert "<html" in (tmp_path / "results" / "report.html").read_text()


@pytest.mark.slow
def test_the_recipe_for_many_symbols_runs_as_written(tmp_path):
    page = (ROOT / "docs" / "scale.md").read_text()
    (recipe,) = (
        code for code in re.findall(r"```python\n(.*?)```", page, re.S) if "symbols" in code
    )
    script = tmp_path / "recipe.py"
    script.write_text(recipe)
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"\(\d+, 4\)\n", done.stdout)


def test_every_file_that_the_readme_links_to_is_there():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_command_that_the_readme_names_exists():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`?make (\w+)", README):
        assert f"\n{target}:" in makefile, target
