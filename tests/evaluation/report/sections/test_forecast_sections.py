"""What the report says of forecasts and of the training, with the numbers of the measures."""

import re
from copy import copy
from dataclasses import replace
from html import unescape
from importlib import import_module

import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy.evaluation.comparison import compare
from lstm_strategy.evaluation.report import ReportContent
from lstm_strategy.evaluation.report.sections.evidence import forecasts_section, training_section
from lstm_strategy.evaluation.skill import score_folds
from lstm_strategy.learning.targets import Policy
from lstm_strategy.learning.walk_forward import Refit, WalkForwardForecaster
from lstm_strategy.trading.baselines import MACD
from lstm_strategy.trading.lstm import LSTMStrategy

BARS = random_walk(500)


def content_of(model):
    comparison = compare({"LSTM": (LSTMStrategy, {"model": model})}, BARS)
    return ReportContent(comparison, comparison.assess(), BARS, model=model)


@pytest.fixture(scope="module")
def walked(trained):
    refits = [Refit(trained, BARS.index[430]), Refit(copy(trained), BARS.index[460])]
    ledger = pd.DataFrame({"fold": [1] * 30 + [2] * 40}, index=BARS.index[430:])
    return content_of(WalkForwardForecaster(refits, ledger))


def rows_of(section, caption):
    """The cells of the table with such a caption, by the name of the row."""
    table = section[section.index(caption) :]
    table = table[: table.index("</table>")]
    rows = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', table)
    return {name: re.findall(r"<td[^>]*>(.*?)</td>", row) for name, row in rows}


@pytest.mark.usefixtures("no_pictures")
def test_each_fold_has_its_scores_and_those_of_its_training(walked, trained):
    rows = rows_of(forecasts_section(walked), "How good the forecasts of LSTM were over 1 bar")
    assert list(rows) == ["1", "2", "All"]
    scores = score_folds(walked.outcomes).loc["all"]
    assert rows["All"][:3] == [
        f"{scores['n_forecasts']:.0f}",
        f"{scores['log_loss']:.3f}",
        f"{scores['brier']:.3f}",
    ]
    assert rows["1"][-3:] == [
        f"{trained.card.validation_scores[name]:.3f}" for name in ("log_loss", "auc", "accuracy")
    ]
    assert rows["All"][-1] == ""
    assert int(rows["1"][0]) + int(rows["2"][0]) == int(rows["All"][0])


@pytest.mark.usefixtures("no_pictures")
def test_a_model_that_was_trained_once_has_one_row(trained):
    content = content_of(trained)
    rows = rows_of(forecasts_section(content), "How good the forecasts of LSTM were")
    assert list(rows) == ["All"]
    assert rows["All"][-1] == f"{trained.card.validation_scores['accuracy']:.3f}"


def heads_of(section, caption):
    table = section[section.index(caption) :]
    return re.findall(r'<th scope="col">(.*?)</th>', table[: table.index("</table>")])


def with_novelty(content, novelty):
    """The same content, whose model has found the bars of the backtest as strange as that."""
    index = content.result.equity.index
    told = pd.DataFrame({"": novelty}, index, dtype=float)
    other = copy(content)
    other.__dict__["novelty"] = told
    return other


@pytest.mark.usefixtures("no_pictures")
def test_the_share_of_strange_bars_is_shown_by_fold(walked):
    n_bars = len(walked.result.equity)
    is_late = walked.result.equity.index >= BARS.index[460]
    novelty = pd.Series(0.5, range(n_bars)).mask(is_late, 1.5).to_numpy()
    section = forecasts_section(with_novelty(walked, novelty))
    rows = rows_of(section, "How good the forecasts of LSTM were")
    place = heads_of(section, "How good the forecasts of LSTM were").index("Strange bars") - 1
    share = is_late.mean()
    assert [row[place] for row in rows.values()] == ["0.0%", "100.0%", f"{share:.1%}"]
    assert f"{share:.0%} of the bars are strange to the model: " in section


@pytest.mark.usefixtures("no_pictures")
def test_few_strange_bars_are_counted_and_not_spoken_of(walked):
    section = forecasts_section(with_novelty(walked, 0.5))
    assert "Strange bars" in section
    assert "of the bars are strange to the model" not in section


@pytest.mark.usefixtures("no_pictures")
def test_nothing_is_said_of_strange_bars_where_none_is_known(walked):
    assert "trange bars" not in forecasts_section(with_novelty(walked, float("nan")))


def test_the_strange_bars_of_a_network_are_those_of_its_forecasts(trained):
    content = content_of(trained)
    first, last = content.result.equity.index[[0, -1]]
    known = trained.forecast(BARS)["novelty"][first:last].dropna()
    assert content.novelty[""].dropna().tolist() == known.tolist()


def test_forecasts_are_drawn_and_calibrated(walked):
    section = forecasts_section(walked)
    alts = [unescape(alt) for alt in re.findall(r'alt="(.*?)"', section)]
    assert alts[0].startswith("Probability of a higher close at each close, between 0.")
    assert alts[-1].startswith("Share of higher closes by mean forecast: ")
    groups = rows_of(section, "Are the forecasts calibrated?")
    n_forecasts = rows_of(section, "How good the forecasts")["All"][0]
    assert sum(int(cells[-1]) for cells in groups.values()) == int(n_forecasts)


def test_a_flat_policy_is_told_apart_from_the_exposure_that_is_held(walked, monkeypatch):
    scores = import_module("lstm_strategy.evaluation.report.sections.evidence.forecast_scores")
    monkeypatch.setattr(scores, "target_name", lambda model: Policy().name)
    why = "the exposure held still falls when recent volatility rises"
    assert why in unescape(scores.course_part(walked))
    monkeypatch.undo()
    assert why not in unescape(scores.course_part(walked))


@pytest.mark.usefixtures("no_pictures")
def test_standard_errors_of_one_market_speak_of_no_other_markets(walked):
    section = unescape(forecasts_section(walked))
    assert "is a standard error, which allows for overlapping horizons." in section
    assert "treats all markets at a bar as one observation and" not in section
    forecasts = import_module("lstm_strategy.evaluation.report.sections.evidence.forecasts")
    several = forecasts._how_to_read(walked.skill, is_panel=True)
    assert "which treats all markets at a bar as one observation and allows for" in several


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(("ic", "is_read"), [(0.02, True), (float("nan"), False)])
def test_an_ic_that_is_not_known_is_not_explained(walked, monkeypatch, ic, is_read):
    scores = pd.DataFrame({"n_forecasts": [70.0], "ic": ic, "hit_rate": 0.5}, index=["all"])
    room = "lstm_strategy.evaluation.report.sections.evidence.forecast_scores"
    monkeypatch.setattr(f"{room}.score_folds", lambda *_: scores)
    monkeypatch.setattr(f"{room}.calibrate", lambda _: None)
    content = copy(walked)
    content.__dict__["outcomes"] = replace(walked.outcomes, kind="return")
    assert ("An IC of 0 means no skill." in forecasts_section(content)) == is_read


def test_the_training_is_shown_as_loss_by_epoch(walked, trained):
    section = training_section(walked)
    best = trained.history["val_loss"].min()
    assert f"Best on held-out bars by fold: 1: {best:.2f}, 2: {best:.2f}" in section
    assert section.startswith("<figure>")
    assert "Loss by epoch in training and on held-out bars, a line for each fold" in section
    assert "A network that stopped earlier counts with its last value." not in section


def test_a_training_in_which_one_network_stopped_earlier_says_what_it_counts_with(
    trained, monkeypatch
):
    content = content_of(trained)
    course = pd.DataFrame(
        {"member": [0, 0, 1], "epoch": [0, 1, 0], "loss": [0.7, 0.6, 0.7], "val_loss": 0.7}
    )
    monkeypatch.setattr(ReportContent, "histories", {"": course})
    assert "A network that stopped earlier counts with its last value." in training_section(content)


def test_the_training_of_a_policy_is_shown_as_utility(trained, monkeypatch):
    monkeypatch.setattr(
        "lstm_strategy.evaluation.report.sections.evidence.training.target_name",
        lambda model: Policy().name,
    )
    section = training_section(content_of(trained))
    assert f"Utility by epoch. Best on held-out bars: {-trained.history['val_loss'].min():.2f}" in (
        section
    )


def test_a_rule_has_neither_forecasts_nor_training():
    comparison = compare({"MACD": MACD}, BARS)
    content = ReportContent(comparison, comparison.assess(), BARS)
    assert forecasts_section(content) == training_section(content) == ""
