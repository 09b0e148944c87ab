"""A comparison is prepared once: what is made ready here isn't asked for again."""

import pandas as pd
import pytest
from made_up import ConstantForecaster, random_walk

from lstm_strategy.bars import validate_bars
from lstm_strategy.errors import BarsError, ModelError, TradingError
from lstm_strategy.evaluation.comparison.prepare import prepare_comparison
from lstm_strategy.evaluation.comparison.run import run_comparison
from lstm_strategy.trading.baselines import BASELINES, MACD
from lstm_strategy.trading.execution import TargetStrategy
from lstm_strategy.trading.lstm import LSTMStrategy

BARS = random_walk(120)


class TrainedForecaster(ConstantForecaster):
    def __init__(self, training_end):
        super().__init__(1.0)
        self.training_end = training_end


class OwnModel(TargetStrategy):
    params = (("model", None),)

    def target_exposure(self):
        return self.p.model


@pytest.fixture
def validated(monkeypatch):
    """The frames that were validated, one for each time."""
    frames = []

    def validate(bars, **settings):
        frames.append(bars)
        return validate_bars(bars, **settings)

    monkeypatch.setattr("lstm_strategy.bars.validation.frame.validate_bars", validate)
    return frames


def test_each_model_is_asked_once_and_the_bars_are_validated_once(validated):
    one, other = ConstantForecaster(0.5), ConstantForecaster(-0.5)
    strategies = {
        "One": (LSTMStrategy, {"model": one}),
        "One, long only": (LSTMStrategy, {"model": one, "long_only": True}),
        "Other": (LSTMStrategy, {"model": other}),
        **BASELINES,
    }
    prepared = prepare_comparison(strategies, BARS)
    comparison = run_comparison(prepared)
    comparison.try_robustness()
    comparison.assess()
    comparison.plot()
    # a model with one member is asked for it where robustness looks at members
    assert (one.n_batch_calls, other.n_batch_calls) == (2, 1)
    assert len(validated) == 1


def test_strategies_that_share_a_model_share_its_forecasts():
    model = ConstantForecaster(0.5)
    strategies = {name: (LSTMStrategy, {"model": model}) for name in ("a", "b")}
    prepared = prepare_comparison(strategies, BARS)
    assert prepared.job("a").forecasts is prepared.job("b").forecasts is not None
    assert prepared.models["a"] is prepared.models["b"]


def test_all_start_after_the_latest_training():
    models = [TrainedForecaster(BARS.index[number]) for number in (9, 19)]
    strategies = {f"LSTM {n}": (LSTMStrategy, {"model": model}) for n, model in enumerate(models)}
    prepared = prepare_comparison({**strategies, "MACD": MACD}, BARS)
    assert {job.start for job in prepared.jobs} == {BARS.index[20]}
    assert [job.trained_until for job in prepared.jobs] == [BARS.index[9], BARS.index[19], None]


def test_the_callers_bars_and_params_stay_as_they_were():
    model, before = ConstantForecaster(0.5), BARS.copy()
    params = {"model": model}
    prepare_comparison({"LSTM": (LSTMStrategy, params)}, BARS)
    assert params == {"model": model}
    pd.testing.assert_frame_equal(BARS, before)


def test_a_model_that_is_no_forecaster_is_left_to_its_strategy():
    prepared = prepare_comparison({"Own": (OwnModel, {"model": 0.5})}, BARS)
    assert prepared.models == {}
    assert run_comparison(prepared).find().exposure.iloc[-1] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("strategies", "bars", "error"),
    [
        ({"MACD": MACD}, BARS.drop(columns="close"), BarsError),
        ({"LSTM": (LSTMStrategy, {"model": "no/such/folder"})}, BARS, ModelError),
        (
            {"LSTM": (LSTMStrategy, {"model": TrainedForecaster(BARS.index[-1])})},
            BARS,
            TradingError,
        ),
    ],
    ids=["bad bars", "no model", "trained on all bars"],
)
def test_what_can_not_be_prepared_is_refused_before_anything_runs(strategies, bars, error):
    with pytest.raises(error):
        prepare_comparison(strategies, bars)


def test_a_name_that_tables_would_give_to_another_strategy_is_refused():
    both = {"MACD (IN-SAMPLE)": MACD, "MACD": MACD}
    with pytest.raises(TradingError, match=r"got 'MACD' and 'MACD \(IN-SAMPLE\)'.* Rename one"):
        prepare_comparison(both, BARS)


def test_a_strategy_that_was_not_prepared_is_refused_by_name():
    with pytest.raises(TradingError, match=r"'LTSM'\. Choose from MACD"):
        prepare_comparison({"MACD": MACD}, BARS).job("LTSM")
