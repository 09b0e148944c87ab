import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.verdict.trial_record import Trial, TrialRecord

BARS = random_walk(30)
DAYS = pd.date_range("2020-01-01", periods=10)


def try_setting(record, *, units=8, costs=0.001, first=0, last=9, bars=BARS, seen=True, **settings):
    record, trial = record.with_trial(
        training={"units": units, "windows": ("10 years", "1 year")},
        trading={"costs": costs},
        bars=bars,
        first=DAYS[first],
        last=DAYS[last],
        **settings,
    )
    return (record.with_looked_at(trial) if seen else record), trial


def test_the_same_setting_tried_again_is_one_trial(tmp_path):
    record, trial = try_setting(TrialRecord())
    record.write(tmp_path)
    again, same = try_setting(TrialRecord.from_folder(tmp_path))
    assert (again.n_trials(same), len(again.trials)) == (1, 1)
    assert same.number == trial.number == 1


def test_other_settings_and_other_terms_count():
    record, _ = try_setting(TrialRecord())
    record, _ = try_setting(record, units=16)
    record, trial = try_setting(record, units=16, costs=0.0)
    assert record.n_trials(trial) == 3


def test_the_same_setting_on_other_bars_is_no_new_setting():
    record, _ = try_setting(TrialRecord())
    record, trial = try_setting(record, bars=random_walk(31))
    assert (record.n_trials(trial), len(record.trials)) == (1, 2)


def test_only_dates_that_overlap_count():
    record, _ = try_setting(TrialRecord(), units=1, first=0, last=4)
    record, _ = try_setting(record, units=2, first=4, last=6)
    record, trial = try_setting(record, units=3, first=5, last=9)
    assert record.n_trials(trial) == 2


def test_a_trial_whose_results_were_never_shown_does_not_count():
    record, _ = try_setting(TrialRecord(), units=1, seen=False)
    record, trial = try_setting(record, units=2, seen=False)
    assert record.n_trials(trial) == 1


def test_other_costs_share_the_model_and_other_networks_do_not():
    record, first = try_setting(TrialRecord())
    record, cheaper = try_setting(record, costs=0.0)
    record, wider = try_setting(record, units=16)
    record, foreign = try_setting(record, units=1, keeps_model=False)
    _, last = try_setting(record, units=2)
    models = [trial.model for trial in (first, cheaper, wider, foreign, last)]
    assert models == ["model", "model", "model-2", "", "model-3"]


def test_dates_with_and_without_a_zone_can_be_compared():
    record, _ = try_setting(TrialRecord(), units=1)
    aware = DAYS.tz_localize("UTC")
    record, trial = record.with_trial(
        training={}, trading={}, bars=BARS, first=aware[0], last=aware[1]
    )
    assert record.n_trials(trial) == 2


def test_later_trials_have_files_of_their_own():
    record, first = try_setting(TrialRecord())
    _, second = try_setting(record, units=2)
    assert (first.own_file("a.csv"), second.own_file("a.csv")) == ("a.csv", "a-2.csv")


@pytest.mark.parametrize("text", ["{", "[]", '{"trials": [{"number": 1}]}'])
def test_a_record_that_is_damaged_is_refused_with_a_remedy(tmp_path, text):
    (tmp_path / "trials.json").write_text(text)
    with pytest.raises(TradingError, match=r"isn.t a record of trials.*Choose another folder"):
        TrialRecord.from_folder(tmp_path)


def test_what_is_written_is_what_is_read(tmp_path):
    record, _ = try_setting(TrialRecord())
    record.write(tmp_path)
    assert TrialRecord.from_folder(tmp_path) == record
    assert all(isinstance(trial, Trial) for trial in record.trials)


RESULTS = ("metrics.csv", "report.html")


def show_results(record, trial, folder, place=None):
    """Write the results of a trial where the record says, and give the record and the place."""
    if place is None:
        place = record.choose_place(trial, folder, RESULTS)
    for name in RESULTS:
        (folder / trial.model_copy(update={"place": place}).result_file(name)).touch()
    record = record.with_looked_at(trial, place=place)
    return record, record.trials[trial.number - 1]


def test_each_setting_keeps_its_results_and_writes_them_again_in_the_same_place(tmp_path):
    record, _ = try_setting(TrialRecord(), units=2, seen=False)  # stopped before it had any
    record, first = try_setting(record, units=4, seen=False)
    record, first = show_results(record, first, tmp_path)
    record, second = try_setting(record, units=6, seen=False)
    record, second = show_results(record, second, tmp_path)
    assert (first.place, second.place) == (1, 2)
    assert second.result_file("report.html") == "report-2.html"
    record, first = show_results(record, first, tmp_path)
    assert [trial.place for trial in record.trials] == [0, 1, 2]


def test_results_that_the_record_knows_nothing_of_stay(tmp_path):
    (tmp_path / "report.html").touch()
    record, trial = try_setting(TrialRecord(), seen=False)
    assert record.choose_place(trial, tmp_path, RESULTS) == 2


def test_a_setting_whose_results_were_written_over_has_another_place_next_time(tmp_path):
    record, first = try_setting(TrialRecord(), units=4, seen=False)
    record, first = show_results(record, first, tmp_path)
    record, second = try_setting(record, units=6, seen=False)
    record, _ = show_results(record, second, tmp_path, place=1)
    assert [trial.place for trial in record.trials] == [0, 1]
    assert record.choose_place(record.trials[0], tmp_path, RESULTS) == 2


def test_a_model_that_no_trial_trained_stays():
    assert try_setting(TrialRecord(), models=["model", "notes"])[1].model == "model-2"
    record, first = try_setting(TrialRecord())
    assert try_setting(record, models=["model"])[1].model == first.model == "model"
