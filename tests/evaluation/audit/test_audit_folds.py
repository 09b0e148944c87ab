"""Folds and scalers that let training see the test are found."""

import pytest
from made_up import random_walk
from sklearn.model_selection import KFold, TimeSeriesSplit
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from lstm_strategy import FeatureSet, LSTMStrategyError, WalkForward, audit
from lstm_strategy.evaluation.audit.findings import FindingKind

BARS = random_walk(400)
FEATURES = [{"kind": "rsi", "length": 5}]


LEAKY_SPLITTERS = {
    "shuffled": (KFold(5, shuffle=True, random_state=0), FindingKind.SHUFFLED),
    "not in time": (KFold(5), FindingKind.TRAINS_AFTER_TEST),
    "labels overlap": (TimeSeriesSplit(4, gap=4), FindingKind.LABELS_OVERLAP),
    "shared bars": ([(range(200), range(190, 250))], FindingKind.SHARED_BARS),
}


@pytest.mark.parametrize("kind", LEAKY_SPLITTERS)
def test_folds_that_leak_are_found(kind):
    splitter, expected = LEAKY_SPLITTERS[kind]
    finding = audit(BARS, splitter=splitter, horizon=5).findings[0]
    assert finding.layer == "folds"
    assert finding.kind is expected


@pytest.mark.parametrize(
    "splitter",
    [
        pytest.param(WalkForward(200, 50, horizon=5), id="walk forward"),
        pytest.param(TimeSeriesSplit(4, gap=5), id="with a gap"),
        pytest.param([(range(195), range(200, 250))], id="pairs"),
        pytest.param(lambda bars: [(slice(0, 95), slice(100, len(bars)))], id="a function"),
    ],
)
def test_purged_folds_are_clean(splitter):
    assert audit(BARS, splitter=splitter, horizon=5).is_clean


def test_a_leak_of_many_folds_is_one_finding_with_their_number():
    first, last = audit(BARS, splitter=KFold(5)).findings
    assert (first.culprit, first.kind) == ("fold 1", FindingKind.TRAINS_AFTER_TEST)
    assert first.what.endswith("This is so in 4 of 5 folds.")
    assert (last.culprit, last.kind) == ("fold 5", FindingKind.LABELS_OVERLAP)


def test_the_overlapping_rows_are_counted_and_the_first_is_named():
    # the labels of rows 97, 98 and 99 end at rows 100, 101 and 102, of which all are tested
    finding = audit(BARS, splitter=[(range(100), range(100, 110))], horizon=3).findings[0]
    assert finding.what == "labels that look 3 bars ahead reach into the test: 3 training rows."
    assert finding.time == BARS.index[97]


FOLDS = WalkForward(200, 50, horizon=1)
TRAINED_ROWS = FOLDS.folds(BARS)[0].train_indices


def whole(features, train):
    return (features - features.mean()) / features.std()


def of_the_training(features, train):
    rows = features.iloc[train]
    return (features - rows.mean()) / rows.std()


@pytest.mark.parametrize(
    ("scaler", "what"),
    [
        pytest.param(StandardScaler().fit(BARS), "on all the bars", id="fitted on all"),
        pytest.param(MinMaxScaler().fit(BARS[300:]), "on other rows", id="fitted elsewhere"),
        pytest.param(whole, "outside", id="a function of all rows"),
        pytest.param(lambda rows: rows / rows.max(), "later bars", id="no training rows"),
    ],
)
def test_scaling_fitted_outside_the_training_rows_is_found(scaler, what):
    finding = audit(BARS, splitter=FOLDS, scaler=scaler).findings[0]
    assert finding.layer == "scaler"
    assert what in finding.what


@pytest.mark.parametrize(
    "scaler",
    [
        pytest.param(StandardScaler().fit(BARS.iloc[TRAINED_ROWS]), id="fitted on a fold"),
        pytest.param(of_the_training, id="a function of the training rows"),
        pytest.param(lambda rows: rows / rows.expanding().max(), id="expanding"),
    ],
)
def test_scaling_fitted_on_training_rows_is_clean(scaler):
    assert audit(BARS, splitter=FOLDS, scaler=scaler).is_clean


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        pytest.param(([0.5, 1.5], [3]), "must be positions of bars, got float64", id="fractions"),
        pytest.param((range(300), [400]), "positions from 0 to 399, got up to 400", id="too far"),
    ],
)
def test_rows_that_are_no_positions_of_bars_are_refused(fold, message):
    with pytest.raises(LSTMStrategyError, match=message):
        audit(BARS, splitter=[fold])


def test_a_fold_without_training_or_test_leaks_nothing():
    assert audit(BARS, splitter=[([], range(50)), (range(50), [])]).is_clean


def test_what_is_no_scaler_is_refused_with_what_to_write():
    with pytest.raises(LSTMStrategyError, match=r"scaler must be a fitted transformer or a func"):
        audit(BARS, features=FeatureSet(FEATURES), splitter=WalkForward(200, 50), scaler="standard")


def test_specs_alone_are_no_features_to_audit():
    with pytest.raises(LSTMStrategyError, match=r"got list. Specs become one by FeatureSet\(specs"):
        audit(BARS, features=FEATURES)
