"""Features that look ahead or never forget are found, and warm-ups are measured."""

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import FeatureSet, audit
from lstm_strategy.evaluation.audit.findings import FindingKind
from lstm_strategy.learning.features import PRESETS, complete_bars

BARS = random_walk(400)


def culprits(report):
    return [finding.culprit for finding in report.findings]


def smuggled(honest, **changes):
    """A FeatureSet as a saved model may hold it: its arguments were changed after the probe."""
    saved = FeatureSet([honest]).to_dict()
    saved["specs"][0] |= changes
    return FeatureSet.from_dict(saved)


def whole_file_regression():
    saved = FeatureSet([{"kind": "sma", "length": 5}]).to_dict()
    saved["specs"] = [{"kind": "tos_stdevall"}]
    saved["columns"][0][0] |= {"name": "TOS_STDEVALL_LR"}
    return FeatureSet.from_dict(saved)


def made_by(function):
    return lambda: function


LEAKY_FEATURES = {
    "dpo": (lambda: smuggled({"kind": "dpo", "centered": False}, centered=True), "centered=False"),
    "ichimoku": (
        lambda: smuggled({"kind": "ichimoku", "include_chikou": False}, offset=-3),
        "offset below 0",
    ),
    "tos_stdevall": (whole_file_regression, "another kind"),
    "centred window": (
        made_by(lambda bars: bars[["close"]].rolling(5, center=True).mean()),
        "center=True",
    ),
    "negative shift": (made_by(lambda bars: bars[["close"]].shift(-1)), "negative shift"),
    "filled backwards": (
        made_by(lambda bars: bars[["close"]].where(bars["volume"] > 3000).bfill()),
        "ffill",
    ),
    "z-score of the whole file": (
        made_by(lambda bars: (bars - bars.mean()) / bars.std()),
        "expanding",
    ),
}


@pytest.mark.parametrize("kind", LEAKY_FEATURES)
def test_a_feature_that_looks_ahead_is_found_with_its_remedy(kind):
    make, remedy = LEAKY_FEATURES[kind]
    report = audit(BARS, features=make())
    assert not report.is_clean
    assert {finding.layer for finding in report.findings} == {"features"}
    assert {finding.kind for finding in report.findings} == {FindingKind.LATER_BARS}
    assert remedy in report.findings[0].remedy


TOLD = {
    "tomorrow's close": lambda bars: bars["close"].shift(-1),
    "the mean of five bars to come": lambda bars: bars["close"].rolling(5).mean().shift(-5),
    "the sign of tomorrow's move": lambda bars: np.sign(bars["close"].diff().shift(-1)),
    "how far it will move": lambda bars: bars["close"].pct_change().shift(-1).abs(),
}


@pytest.mark.parametrize("column", TOLD)
def test_a_finished_column_that_tells_the_moves_to_come_is_found(column):
    columns = pd.DataFrame({"mine": TOLD[column](BARS)})
    finding = audit(BARS, features=columns).findings[0]
    assert finding.culprit == "column mine"
    assert finding.kind is FindingKind.FORETELLS


def test_honest_columns_of_the_user_are_not_accused():
    rng = np.random.default_rng(1)
    columns = pd.DataFrame(
        {
            "mark": BARS["close"] * (1 + rng.normal(0, 1e-4, len(BARS))),
            "funding": np.where(np.arange(len(BARS)) % 8 == 0, rng.normal(0, 1e-4, 400), np.nan),
            "past": BARS["close"].pct_change(20),
            "constant": 1.0,
        },
        index=BARS.index,
    )
    assert audit(BARS, features=columns).is_clean


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_clean_and_forgets(preset):
    bars = complete_bars(PRESETS[preset], random_walk(1_500))
    report = audit(bars, features=FeatureSet.preset(preset))
    assert report.is_clean
    assert [warm_up.name for warm_up in report.warm_ups] == FeatureSet.preset(preset).names
    assert all(warm_up.bars is not None for warm_up in report.warm_ups)


def test_warm_ups_are_the_bars_after_which_a_later_start_agrees():
    features = [{"kind": "sma", "length": 10}, {"kind": "ema", "length": 10}, {"kind": "obv"}]
    warm_ups = {w.name: w.bars for w in audit(BARS, features=FeatureSet(features)).warm_ups}
    assert warm_ups["SMA_10"] == 10
    assert warm_ups["OBV"] == 20  # the change over the mean volume of 20 bars
    # an EMA forgets by 9/11 a bar: ln(1e-6) / ln(9/11) = 69, and its first value needs 10 bars
    assert 50 < warm_ups["EMA_10"] < 100


def test_a_feature_that_never_forgets_is_found():
    saved = FeatureSet([{"kind": "obv"}]).to_dict()
    saved["columns"][0][0] |= {"is_cumulative": False, "volume_degree": 0}
    report = audit(BARS, features=FeatureSet.from_dict(saved))
    assert culprits(report) == ["column OBV"]
    assert report.findings[0].kind is FindingKind.NEVER_FORGETS
    assert "Difference it" in report.findings[0].remedy
