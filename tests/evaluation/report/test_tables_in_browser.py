"""What a click on the heading of a table does."""

import re
from importlib.resources import files

import pytest
from browser import needs_chromium, open_in_chromium

pytestmark = needs_chromium


@pytest.mark.parametrize(
    ("column", "clicks", "order"),
    [(0, 1, "ABC"), (0, 2, "CBA"), (1, 1, "CAB"), (1, 2, "ACB")],  # B has no number
)
def test_names_are_sorted_from_a_and_numbers_from_the_largest(tmp_path, column, clicks, order):
    rows = "".join(
        f"<tr><th>{name}</th><td>{number}</td></tr>"
        for name, number in [("C", "5.0%"), ("A", "-1.0%"), ("B", "n/a")]
    )
    table = f"<table><thead><tr><th>Name</th><th>Return</th></tr></thead><tbody>{rows}</tbody>"
    script = files("lstm_strategy.evaluation.report.page").joinpath("tables.js").read_text("utf-8")
    click = f"""
    for (let n = 0; n < {clicks}; n++) document.querySelectorAll(".sort")[{column}].click();
    document.title = [...document.querySelectorAll("tbody th")].map((e) => e.textContent).join("");
    """
    page = f"<!doctype html><title></title>{table}</table><script>{script}</script>"
    dom, _ = open_in_chromium(f"{page}<script>{click}</script>", tmp_path)
    assert re.search("<title>(.*?)</title>", dom)[1] == order
