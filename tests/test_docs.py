"""The how-to pages' code runs as written, and the site knows every page and every face."""

import ast
import importlib
import json
import logging
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from lstm_strategy.trading.cerebro import trades_from_fills

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
HOW_TO = sorted((DOCS / "how-to").glob("*.md"))
WITH_CODE = [page for page in HOW_TO if "```python" in page.read_text()]


@pytest.fixture
def usual_logging():
    """Lets the code of a page silence our notes for itself alone."""
    yield
    logging.getLogger("lstm_strategy").setLevel(logging.NOTSET)


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.stem)
def test_the_code_of_a_how_to_page_runs_in_its_order(
    page, tmp_path, monkeypatch, capsys, usual_logging
):
    monkeypatch.chdir(tmp_path)
    module = ModuleType("page")  # a strategy class looks up the module that it was made in
    monkeypatch.setitem(sys.modules, "page", module)
    for code in re.findall(r"```python\n(.*?)```", page.read_text(), re.S):
        exec(compile(code, page.name, "exec"), module.__dict__)
    assert capsys.readouterr().out


def test_every_how_to_page_is_in_the_navigation_and_on_the_list():
    navigation = (ROOT / "mkdocs.yml").read_text()
    listed = (DOCS / "how-to" / "index.md").read_text()
    for page in HOW_TO:
        assert f"how-to/{page.name}" in navigation
        assert page.name == "index.md" or f"({page.name})" in listed


@pytest.mark.slow
def test_the_commands_that_one_gets_started_with_run_as_they_stand(tmp_path):
    text = (DOCS / "get-started.md").read_text()
    commands = re.findall(r"^lstm-strategy (\w+ sample:sp500 .+)$", text, re.M)
    assert [command.split()[0] for command in commands] == [
        "train", "forecast", "backtest", "compare",
    ]  # fmt: skip
    for command in commands:
        brief = ["--epochs", "1", "--members", "1"] if command.startswith("train") else []
        line = [sys.executable, "-m", "lstm_strategy", *command.split(), *brief]
        subprocess.run(line, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "comparison" / "report.html").exists()


def test_the_list_of_how_to_pages_says_which_question_each_answers():
    listed = (DOCS / "how-to" / "index.md").read_text()
    rows = re.findall(r"^\| (.+) \| \[.+\]\((.+)\) \|$", listed, re.M)
    assert {page for _, page in rows} == {page.name for page in HOW_TO} - {"index.md"}
    assert [question for question, _ in rows if not question.endswith("?")] == []


def test_every_figure_that_is_measured_is_explained():
    measured = json.loads((ROOT / "benchmarks" / "results.json").read_text())["ratios"]
    explained: set[str] = set()
    for row in re.findall(r"^\| (`[^|]*`) \|", (DOCS / "speed.md").read_text(), re.M):
        first, *others = re.findall("`(.*?)`", row)
        explained |= {first, *(first.rpartition("_")[0] + other for other in others)}
    assert explained == set(measured)


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text()
    pages = [page.relative_to(DOCS).as_posix() for page in sorted(DOCS.rglob("*.md"))]
    assert [page for page in pages if page not in navigation] == []


def test_the_page_on_evaluation_explains_every_column_of_trades():
    text = (DOCS / "evaluation.md").read_text()
    table = text.split("### The columns of trades.csv")[1].split("\n#")[0]
    no_fills = pd.DataFrame({"size": [], "price": [], "commission": []}, pd.DatetimeIndex([]))
    columns = trades_from_fills(no_fills, pd.Series([1.0], pd.DatetimeIndex(["2024"]))).columns
    assert re.findall(r"^\| `(\w+)` \|", table, re.M) == ["strategy", "symbol", *columns]


def test_links_between_pages_lead_somewhere():
    # the pages in api/ and that of the command line exist on the site only, and its strict build
    # checks links to them
    on_site = r"https?:|#|api/|(?:\.\./)?command-line\.md"
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in sorted(DOCS.rglob("*.md"))
        for link in re.findall(rf"\]\((?!{on_site})([^)#\s]+)", page.read_text())
        if not (page.parent / link).exists()
    ]
    assert broken == []


PAGES = [
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY")),
    *sorted(DOCS.rglob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_name_that_a_page_imports_exists(page):
    missing = [
        f"{node.module}.{alias.name}"
        for code in re.findall(r"```python\n(.*?)```", page.read_text(), re.S)
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.ImportFrom) and node.module.startswith("lstm_strategy")
        for alias in node.names
        if not hasattr(importlib.import_module(node.module), alias.name)
    ]
    assert missing == []
