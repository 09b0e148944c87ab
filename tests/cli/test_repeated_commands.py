"""The line that repeats a result, and the settings that go with it."""

import re
import shlex
import tomllib
from html import unescape

import pytest

from lstm_strategy.cli.settings import repeatable_command


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        pytest.param("compare a.csv --out b --seed 2", "compare a.csv --seed 2", id="out"),
        pytest.param("compare a.csv -o b --force", "compare a.csv", id="short"),
        pytest.param("compare --config=c.toml a.csv", "compare a.csv", id="equals sign"),
        pytest.param(
            "compare 'a b.csv' --start 2013", "compare 'a b.csv' --start 2013", id="space"
        ),
        pytest.param("backtest a.csv --report --chart -o b", "backtest a.csv", id="pages"),
        pytest.param("demo --out --force", "demo", id="a value like an option"),
    ],
)
def test_what_names_files_is_left_out(typed, kept):
    argv = ["/usr/bin/lstm-strategy", *shlex.split(typed)]
    assert repeatable_command(argv) == f"lstm-strategy {kept}"


@pytest.mark.slow
def test_the_settings_of_a_report_fed_back_give_the_same_table(results, here):
    results(
        *("compare", "bars.csv", "--config", "tiny.toml", "--out", "first"),
        *("--commission", "0.002", "--members", "1", "--long-only", "--epochs", "1"),
    )
    page = (here / "first" / "report.html").read_text(encoding="utf-8")
    assert "<title>LSTM on bars: evaluation</title>" in page
    text = unescape(re.search(r'<pre class="file"[^>]*>(.*?)</pre>', page, re.S)[1])
    (here / "settings.toml").write_text(text, encoding="utf-8")
    assert tomllib.loads(text)["broker"]["commission_rate"] == 0.002
    (command,) = re.findall(r"^# Save this as settings.toml, then: (.*)$", text, re.M)
    results(*shlex.split(command)[1:], "--out", "second")
    without_options = ["compare", "bars.csv", "--config", "settings.toml", "--long-only"]
    results(*without_options, "--out", "third")
    tables = [(here / name / "metrics.csv").read_text() for name in ("first", "second", "third")]
    assert tables[0] == tables[1] == tables[2]
