"""The settings of a report as a file: what it says is what ran."""

import re
import tomllib
from copy import copy
from dataclasses import replace
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import random_walk

from lstm_strategy import Future, LSTMForecaster, Perpetual, Policy, Spot, Volatility
from lstm_strategy.evaluation.comparison import compare
from lstm_strategy.evaluation.report import ReportContent, report_html
from lstm_strategy.evaluation.report.sections.origin.settings_file import settings_file
from lstm_strategy.evaluation.report.sections.origin.toml_text import toml_text
from lstm_strategy.learning.targets import choose_target
from lstm_strategy.trading.baselines import MACD
from lstm_strategy.trading.cerebro import BrokerSettings
from lstm_strategy.trading.instruments import build_instrument
from lstm_strategy.trading.lstm import LSTMStrategy

BARS = random_walk(120)
PLAIN = st.recursive(
    st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(), PLAIN, min_size=1, max_size=4))
def test_what_is_written_is_what_is_read(table):
    assert tomllib.loads(toml_text({"a table": table})) == {"a table": table}


def test_none_and_empty_tables_are_left_out():
    assert toml_text({"a": {"b": None, "c": {"d": None}}, "e": {}}) == "[a]\nc = {}"


def test_what_toml_has_no_word_for_is_refused():
    with pytest.raises(TypeError, match="can't hold <object"):
        toml_text({"a": {"b": object()}})


def file_of(broker=None, **params):
    comparison = compare({"MACD": (MACD, params)}, BARS, broker=broker)
    content = ReportContent(
        comparison,
        comparison.assess(),
        BARS,
        strategy_params=comparison.prepared.job("MACD").given_params,
    )
    return settings_file(content)


@pytest.mark.parametrize(
    "broker",
    [
        pytest.param(BrokerSettings(commission_rate=0.002, cash=5_000, lot_size=1), id="shares"),
        pytest.param(BrokerSettings(latency_bars=1, execution_bars=3), id="slow"),
        pytest.param(BrokerSettings(instrument=Spot(commission_rate=0.001, impact=1.0)), id="spot"),
        pytest.param(
            BrokerSettings(
                instruments={
                    "BTC/USDT": Perpetual(leverage=3, maintenance_margin_rate=((0, 0.004),)),
                    "ES": Future(multiplier=50, initial_margin=12_000),
                }
            ),
            id="by market",
        ),
    ],
)
def test_the_terms_of_the_file_are_those_of_the_run(broker):
    comparison = compare({"MACD": MACD}, BARS, broker=BrokerSettings())
    content = ReportContent(replace(comparison, broker=broker), comparison.assess(), BARS)
    table = tomllib.loads(settings_file(content))["broker"]
    if "instrument" in table:
        table["instrument"] = build_instrument(table["instrument"])
    if "instruments" in table:
        table["instruments"] = {k: build_instrument(v) for k, v in table["instruments"].items()}
    assert BrokerSettings(**table) == broker


def test_the_parameters_that_were_given_are_in_the_file_and_no_others():
    assert "[strategy]" not in file_of()
    assert tomllib.loads(file_of(long_only=True))["strategy"] == {"long_only": True}


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("direction", id="by name"),
        pytest.param(Policy(cost_rate={"A": 0.001}, prior="flat"), id="policy"),
        pytest.param(Volatility(estimator="yang_zhang"), id="volatility"),
    ],
)
def test_a_target_of_the_file_is_the_one_that_was_asked(trained, target):
    settings = trained.card.settings.model_copy(update={"target": choose_target(target)})
    text = toml_text({"forecaster": settings.model_dump(mode="json")})
    again = LSTMForecaster.from_arguments(tomllib.loads(text)["forecaster"])
    assert again.settings == settings


def test_the_forecaster_of_the_file_is_the_one_that_was_trained(trained):
    comparison = compare({"LSTM": (LSTMStrategy, {"model": trained})}, random_walk(500))
    content = ReportContent(comparison, comparison.assess(), random_walk(500), model=trained)
    tables = tomllib.loads(settings_file(content))
    again = LSTMForecaster.from_arguments(tables["forecaster"])
    assert again.describe_settings() == trained.describe_settings()


class OwnTarget(type(choose_target("direction"))):
    """A question that no file has a name for."""


class OwnSpot(Spot):
    """An instrument that no file has a name for."""


def test_what_a_file_cannot_hold_stands_in_comments_above(trained):
    own = copy(trained)
    target = OwnTarget()
    own.card = trained.card.model_copy(
        update={
            "settings": trained.card.settings.model_copy(update={"target": target}),
            "network": "mine.build",
        }
    )
    broker = BrokerSettings(instrument=OwnSpot())
    comparison = compare({"MACD": MACD}, BARS, broker=broker)
    text = settings_file(ReportContent(comparison, comparison.assess(), BARS, model=own))
    comments = [line for line in text.splitlines() if line.startswith("# ")][1:]
    assert comments == [
        "# The target is a class or a function of your own, which a file can't hold.",
        "# The network is built by mine.build, which a file can't hold.",
        f"# {broker.instrument} is an instrument of your own, which a file can't hold.",
    ]
    tables = tomllib.loads(text)
    assert "target" not in tables["forecaster"]
    assert BrokerSettings(**tables["broker"]).instrument is None


@pytest.mark.usefixtures("no_pictures")
def test_a_command_with_any_name_of_a_file_stays_a_comment_and_the_page_shows_what_was_given():
    odd = 'a\nb = "\r\x85\u202e'
    comparison = compare({"MACD": (MACD, {})}, BARS)
    command = f"lstm-strategy compare {odd!s}"
    content = ReportContent(
        comparison, comparison.assess(), BARS, command=command, strategy_params={"note": odd}
    )
    shown = re.search('<pre class="file"[^>]*>(.*?)</pre>', report_html(content), re.DOTALL)
    assert tomllib.loads(settings_file(content))["strategy"] == {"note": odd}
    assert tomllib.loads(unescape(shown[1]))["strategy"] == {"note": odd}


@pytest.mark.usefixtures("no_pictures")
def test_the_page_shows_the_file_as_it_is():
    comparison = compare({"MACD": MACD}, BARS)
    content = ReportContent(
        comparison, comparison.assess(), BARS, market="A <b>", command="lstm-strategy compare 'a b'"
    )
    shown = re.search(r'<pre class="file"[^>]*>(.*?)</pre>', report_html(content), re.S)
    assert unescape(shown[1]) == settings_file(content)
    assert "lstm-strategy compare 'a b' --config settings.toml" in settings_file(content)
