import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import random_walk
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils import check_random_state

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.targets import Direction
from lstm_strategy.learning.walk_forward.fold_edges import edge_after, edge_at, position_before
from lstm_strategy.learning.walk_forward.splitter import WalkForward

BERLIN_HOURS = pd.date_range("2020-01-15 09:00", "2020-06-30", freq="h", tz="Europe/Berlin")
sixty_times = settings(max_examples=60)


def on(index):
    """A frame without columns: only the dates matter."""
    return pd.DataFrame(index=pd.DatetimeIndex(index))


def spans(folds):
    return [(f.train.start, f.train.stop, f.test.start, f.test.stop) for f in folds]


@st.composite
def walks_in_bars(draw):
    """A WalkForward in bars, and a number of bars that is enough for it."""
    horizon = draw(st.integers(1, 6))
    purge = draw(st.none() | st.integers(horizon, horizon + 4))
    left_out = horizon if purge is None else purge
    validation = draw(st.none() | st.integers(left_out + 1, left_out + 8))
    train = draw(st.integers(left_out + (validation or 0) + 1, 60))
    walk = WalkForward(
        train,
        draw(st.integers(1, 20)),
        validation=validation,
        expanding=draw(st.booleans()),
        horizon=horizon,
        purge=purge,
    )
    return walk, draw(st.integers(train + 1, 200))


@st.composite
def walks_in_time(draw):
    """A WalkForward on the calendar, and daily or hourly bars with holes."""
    is_daily = draw(st.booleans())
    zone = draw(st.sampled_from([None, "UTC", "America/New_York", "Europe/Berlin"]))
    start = pd.Timestamp("2019-12-31") + pd.Timedelta(days=draw(st.integers(0, 365)))
    index = pd.date_range(start, periods=900, freq="D" if is_daily else "h", tz=zone)
    is_kept = np.random.default_rng(draw(st.integers(0, 99))).random(len(index)) > 0.2
    walk = WalkForward(
        draw(st.sampled_from(["6 months", "20 weeks"] if is_daily else ["10 days", "200 hours"])),
        draw(st.sampled_from(["1 month", "17 days", 30] if is_daily else ["2 days", "7 hours"])),
        expanding=draw(st.booleans()),
        horizon=draw(st.integers(1, 4)),
    )
    return walk, on(index[is_kept])


any_walk = st.one_of(
    walks_in_bars().map(lambda case: (case[0], np.zeros(case[1]))), walks_in_time()
)


def test_a_rolling_walk_worked_by_hand():
    folds = WalkForward(5, 3, horizon=2).folds(np.zeros(10))
    # ten bars 0…9; the windows end at 5 and 8, two bars before that are purged
    assert spans(folds) == [(0, 3, 5, 8), (3, 6, 8, 10)]
    assert [fold.number for fold in folds] == [1, 2]
    assert [(f.train_start, f.train_end, f.test_start, f.test_end) for f in folds] == [
        (0, 2, 5, 7),
        (3, 5, 8, 9),
    ]


def test_an_expanding_walk_worked_by_hand():
    folds = WalkForward("5 bars", "3 bars", expanding=True, purge=1).folds(np.zeros(12))
    assert spans(folds) == [(0, 4, 5, 8), (0, 7, 8, 11), (0, 10, 11, 12)]


def test_validation_is_the_end_of_the_training_window_purged_on_both_sides():
    (fold,) = WalkForward(10, 2, validation=4, horizon=1).folds(np.zeros(12))
    assert fold.train_indices.tolist() == [0, 1, 2, 3, 4]
    assert fold.validation_indices.tolist() == [6, 7, 8]
    assert fold.test_indices.tolist() == [10, 11]


def test_without_validation_there_are_no_validation_bars():
    (fold,) = WalkForward(10, 2).folds(np.zeros(12))
    assert fold.validation is None
    assert len(fold.validation_indices) == 0


@sixty_times
@given(any_walk)
def test_test_folds_are_all_bars_after_the_first_training_window(case):
    walk, bars = case
    tested = [fold.test_indices for fold in walk.folds(bars)]
    first = tested[0][0]
    if isinstance(walk.train, int):
        assert first == walk.train
    assert all(len(positions) for positions in tested)
    np.testing.assert_array_equal(np.concatenate(tested), np.arange(first, len(bars)))


@sixty_times
@given(any_walk)
def test_no_label_of_training_or_validation_reaches_into_what_comes_after(case):
    walk, bars = case
    for fold in walk.folds(bars):
        assert len(fold.train_indices)
        later = fold.test.start if fold.validation is None else fold.validation.start
        assert fold.train_indices[-1] + walk.horizon < later
        if fold.validation is not None:
            assert fold.validation_indices[-1] + walk.horizon < fold.test.start


@sixty_times
@given(any_walk)
def test_purge_leaves_out_no_more_than_it_says(case):
    walk, bars = case
    for fold in walk.folds(bars):
        assert (fold.validation or fold.test).start - fold.train.stop == walk.purge_bars
        assert fold.validation is None or fold.test.start - fold.validation.stop == walk.purge_bars


@sixty_times
@given(walks_in_bars())
def test_rolling_windows_are_all_of_one_size_and_expanding_ones_begin_at_the_first_bar(case):
    walk, n_bars = case
    folds = walk.folds(np.zeros(n_bars))
    if walk.expanding:
        assert {fold.train.start for fold in folds} == {0}
    else:
        assert {fold.test.start - fold.train.start for fold in folds} == {walk.train}
        assert len({len(fold.train_indices) for fold in folds}) == 1
    assert {len(fold.test_indices) for fold in folds[:-1]} <= {walk.test}


@sixty_times
@given(any_walk, st.integers(1, 60))
def test_bars_to_come_change_no_fold_but_the_last(case, n_cut):
    walk, bars = case
    every = walk.folds(bars)
    n_kept = max(len(bars) - n_cut, every[0].test.start + 1)
    fewer = walk.folds(bars[:n_kept])
    assert fewer[:-1] == every[: len(fewer) - 1]
    last, same = fewer[-1], every[len(fewer) - 1]
    assert (last.train, last.test.start) == (same.train, same.test.start)


@sixty_times
@given(walks_in_bars(), st.integers(1, 5))
def test_embargoed_bars_follow_earlier_tests_and_are_all_that_is_left_out(case, embargo):
    walk, n_bars = case
    plain = walk.folds(np.zeros(n_bars))
    roomy = WalkForward(
        walk.train, walk.test, expanding=True, horizon=walk.horizon, embargo=embargo
    )
    tests = [range(f.test.start, f.test.stop) for f in plain]
    for fold in roomy.folds(np.zeros(n_bars)):
        earlier = tests[: fold.number - 1]
        forbidden = {test.stop + ahead for test in earlier for ahead in range(embargo)}
        allowed = set(range(fold.test.start - walk.horizon)) - forbidden
        assert fold.train_indices.tolist() == sorted(allowed)


def test_an_embargo_worked_by_hand():
    walk = WalkForward(4, 3, expanding=True, embargo=2)
    folds = walk.folds(np.zeros(13))  # tests 4-6, 7-9, 10-12
    assert [fold.train_indices.tolist() for fold in folds] == [
        [0, 1, 2],
        [0, 1, 2, 3, 4, 5],
        [0, 1, 2, 3, 4, 5, 6],  # 7 and 8 follow the first test; 9 is purged
    ]
    assert folds[2].embargoed == (slice(7, 9),)


def test_a_fold_that_the_embargo_leaves_with_nothing_is_named():
    with pytest.raises(
        TrainingError, match=r"got 0 in fold 4, whose test begins at 10: .*embargo=2"
    ):
        WalkForward(4, 2, embargo=2).folds(np.zeros(20))


@pytest.mark.parametrize(
    ("index", "walk", "starts"),
    [
        pytest.param(
            pd.bdate_range("1999-01-04", "2003-06-30"),
            WalkForward("2 years", "1 year"),
            ["2001-01-04", "2002-01-04", "2003-01-06"],
            id="the same day of the next year, or the Monday after",
        ),
        pytest.param(
            pd.bdate_range("1999-03-01", "2003-06-30"),
            WalkForward("2 years", pd.offsets.YearBegin()),
            ["2001-03-01", "2002-01-01", "2003-01-01"],
            id="calendar years",
        ),
        pytest.param(
            pd.date_range("2024-01-31", "2024-06-10"),
            WalkForward("1 month", "1 month"),
            ["2024-02-29", "2024-03-29", "2024-04-29", "2024-05-29"],
            id="month ends are not overrun",
        ),
        pytest.param(
            pd.date_range("2024-01-01", "2024-03-01", freq="D").delete(range(30, 44)),
            WalkForward("2 weeks", "1 week"),
            ["2024-01-15", "2024-01-22", "2024-01-29", "2024-02-14", "2024-02-19", "2024-02-26"],
            id="weeks without bars are skipped",
        ),
        pytest.param(
            pd.date_range("2024-01-01", periods=20),
            WalkForward("1 week", "5 bars"),
            ["2024-01-08", "2024-01-13", "2024-01-18"],
            id="train in time, test in bars",
        ),
        pytest.param(
            pd.date_range("2024-01-01", periods=20),
            WalkForward("10 bars", pd.DateOffset(days=4)),
            ["2024-01-11", "2024-01-15", "2024-01-19"],
            id="train in bars, test in time",
        ),
        pytest.param(
            pd.date_range("2024-01-01", periods=20),
            WalkForward("7 Days", "9000 years"),
            ["2024-01-08"],
            id="a test without end",
        ),
    ],
)
def test_folds_begin_on_the_bar_at_or_after_the_date(index, walk, starts):
    folds = walk.folds(on(index))
    assert [str(fold.test_start.date()) for fold in folds] == starts
    assert folds[-1].test_end == index[-1]


def test_a_rolling_window_in_years_drops_as_many_as_it_adds():
    bars = on(pd.bdate_range("1999-01-04", "2003-06-30"))
    folds = WalkForward("2 years", "1 year").folds(bars)
    dates = [[str(d.date()) for d in (f.train_start, f.train_end, f.test_end)] for f in folds]
    assert dates == [
        ["1999-01-04", "2001-01-02", "2002-01-03"],
        ["2000-01-04", "2002-01-02", "2003-01-03"],
        ["2001-01-04", "2003-01-02", "2003-06-30"],
    ]


def test_months_of_hourly_bars_keep_the_hour_through_daylight_saving():
    folds = WalkForward("1 month", "1 month", horizon=24).folds(on(BERLIN_HOURS))
    starts = pd.DatetimeIndex([fold.test_start for fold in folds])
    assert set(starts.hour) == {9}
    assert starts.month.tolist() == [2, 3, 4, 5, 6]
    assert {str(fold.test_start.tz) for fold in folds} == {"Europe/Berlin"}
    assert folds[1].test_start - folds[1].train_end == pd.Timedelta(hours=25)


def test_a_fold_that_would_begin_in_the_hour_that_is_skipped_begins_right_after():
    index = pd.date_range("2020-03-25 02:30", periods=24 * 7, freq="h", tz="Europe/Berlin")
    folds = WalkForward("2 days", "1 day").folds(on(index))
    starts = [f"{fold.test_start:%d %H:%M}" for fold in folds]
    assert starts == ["27 02:30", "28 02:30", "29 03:30", "30 02:30", "31 02:30", "01 02:30"]
    windows = [f"{fold.train_start:%d %H:%M}" for fold in folds]
    assert windows == ["25 02:30", "26 02:30", "27 02:30", "28 02:30", "29 03:30", "30 02:30"]


def test_validation_may_be_given_in_time():
    bars = on(pd.date_range("2024-01-01", periods=60))
    fold = WalkForward("1 month", "1 month", validation="1 week", horizon=2).folds(bars)[0]
    index = bars.index
    assert fold.train_end == pd.Timestamp("2024-01-22")
    assert index[fold.validation_indices[[0, -1]]].day.tolist() == [25, 29]


def test_cross_val_score_of_scikit_learn_walks_forward():
    bars = random_walk(400)
    labels = Direction().labels(bars, horizon=1).iloc[:-1]
    bars = bars.iloc[:-1]
    walk = WalkForward("6 months", "1 month")
    scores = cross_val_score(DummyClassifier(strategy="most_frequent"), bars, labels, cv=walk)
    expected = [
        (labels.iloc[fold.test] == (labels.iloc[fold.train].mean() > 0.5)).mean()
        for fold in walk.folds(bars)
    ]
    assert len(scores) == walk.get_n_splits(bars) == 8
    np.testing.assert_allclose(scores, expected)


def test_grid_search_of_scikit_learn_walks_forward():
    rng = check_random_state(0)
    search = GridSearchCV(
        DummyClassifier(), {"strategy": ["prior", "stratified"]}, cv=WalkForward(50, 25)
    )
    search.fit(rng.normal(size=(150, 2)), rng.randint(0, 2, size=150))
    assert search.n_splits_ == 4


@sixty_times
@given(any_walk)
def test_split_and_describe_tell_of_the_same_folds(case):
    walk, bars = case
    folds, pairs = walk.folds(bars), list(walk.split(bars))
    assert walk.get_n_splits(bars) == len(pairs) == len(folds)
    for fold, (train, test) in zip(folds, pairs, strict=True):
        np.testing.assert_array_equal(train, fold.train_indices)
        np.testing.assert_array_equal(test, fold.test_indices)
    table = walk.describe(bars)
    assert table.index.tolist() == [fold.number for fold in folds]
    assert table["train_bars"].tolist() == [len(train) for train, _ in pairs]
    assert table["test_end"].tolist() == [fold.test_end for fold in folds]


def test_one_bar_more_than_the_window_is_enough():
    assert spans(WalkForward(250, 20).folds(np.zeros(251))) == [(0, 249, 250, 251)]


@pytest.mark.parametrize("bars", [np.zeros(250), np.zeros(0), []], ids=["250", "none", "list"])
def test_too_few_bars_are_counted(bars):
    message = f"at least 251 bars, 250 to train and 1 to test, got {len(bars)}. Load more"
    with pytest.raises(TrainingError, match=message):
        WalkForward(250, 20).folds(bars)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (
            pd.date_range("2024-01-01", "2024-02-01"),
            r'over more than train="10 years", got 32 from 2024-01-01 to 2024-02-01',
        ),
        ([], r'over more than train="10 years", got 0\. Load more'),
    ],
    ids=["a month", "none"],
)
def test_too_short_a_history_is_told_with_its_dates(index, message):
    with pytest.raises(TrainingError, match=message):
        WalkForward("10 years", "1 year").folds(on(index))


def test_a_window_that_lies_in_a_hole_of_the_bars_is_named():
    index = pd.date_range("2024-01-01", "2024-12-31").delete(range(30, 200))
    with pytest.raises(TrainingError, match="at least 1 bar to train on, got 0 in fold 2"):
        WalkForward("3 weeks", "2 weeks").folds(on(index))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"horizon": 5, "purge": 4},
            "purge must be at least the horizon of 5 bars, got 4: .* Raise purge or leave it out",
        ),
        ({"purge": -1}, "purge must be a whole number of bars, at least 0, got -1"),
        ({"horizon": 0}, "horizon must be a whole number of bars, at least 1, got 0"),
        ({"embargo": 1.5}, "embargo must be a whole number of bars, at least 0, got 1.5"),
        ({"train": "3YE"}, 'train must be a size above zero such as .* got "3YE"'),
        ({"train": 0}, "train must be a size above zero .* got 0"),
        ({"test": True}, "test must be a size above zero .* got True"),
        ({"test": "0 days"}, 'test must be a size above zero .* got "0 days"'),
        ({"test": pd.DateOffset(years=-1)}, "test must be a size above zero"),
        ({"validation": 0.2}, "validation must be a size above zero .* got 0.2"),
        ({"train": 5, "horizon": 5}, "train must be above the purge of 5 bars, got 5. Widen it"),
        (
            {"validation": 3, "horizon": 3},
            "validation must be above the purge of 3 bars, got 3. Widen it",
        ),
        (
            {"validation": 99},
            "train must be above the validation of 99 bars plus the purge of 1 bar, got 100",
        ),
    ],
    ids=lambda value: "refused" if isinstance(value, str) else ", ".join(value),
)
def test_settings_that_make_no_sense_are_refused_at_once(arguments, message):
    with pytest.raises(TrainingError, match=message):
        WalkForward(**{"train": 100, "test": 20, **arguments})


@pytest.mark.parametrize("name", ["train", "test", "validation"])
def test_times_need_bars_with_dates(name):
    walk = WalkForward(**{"train": 20, "test": 5, name: "1 year"})
    with pytest.raises(TrainingError, match=f'{name}="1 year" needs bars with a DatetimeIndex'):
        walk.folds(np.zeros((30, 2)))


@pytest.mark.parametrize("bars", [random_walk(30)[::-1], random_walk(30).iloc[[0, 0, 1]]])
def test_dates_that_do_not_rise_are_refused(bars):
    with pytest.raises(TrainingError, match="sorted by date, each date once"):
        WalkForward(2, 1).folds(bars)


def test_folds_cannot_be_counted_without_bars():
    with pytest.raises(TrainingError, match="Pass them as X"):
        WalkForward(2, 1).get_n_splits()


def test_a_walk_shows_itself_as_it_is_written():
    walk = WalkForward("10 years", 20, horizon=5)
    assert eval(repr(walk)) == walk


def test_what_a_fold_has_seen_ends_with_what_trains_or_validates():
    (plain,) = WalkForward(10, 2).folds(np.zeros(12))
    (validated,) = WalkForward(10, 2, validation=4).folds(np.zeros(12))
    assert (plain.seen, validated.seen) == (slice(0, 9), slice(0, 9))
    assert (plain.train, validated.train) == (slice(0, 9), slice(0, 5))


def test_a_fold_whose_validation_is_all_embargoed_is_named():
    # tests 10-13, 14-17 and 18-19; the third validates on 15 and 16, which follow the first test
    with pytest.raises(
        TrainingError, match=r"at least 1 bar to validate on, got 0 in fold 3, .* begins at 18"
    ):
        WalkForward(10, 4, validation=3, embargo=4).folds(np.zeros(20))


def test_edges_in_bars_are_as_many_sizes_later_as_asked():
    index = pd.RangeIndex(10)
    first = edge_at(index, 1)
    assert edge_after(index, first, 2, times=3) == edge_at(index, 7)
    assert edge_after(index, first, 3, times=3) is None
    assert position_before(index, edge_at(index, 7), 3) == 4
    assert position_before(index, first, 3) == 0


def test_a_window_from_before_the_calendar_begins_with_the_bars():
    index = pd.date_range("2024-01-01", periods=5)
    edge = edge_at(index, 3)
    assert position_before(index, edge, pd.DateOffset(years=9_000)) == 0
    assert position_before(index, edge, pd.DateOffset(days=2)) == 1
