"""What holds for each target that can be asked for by name."""

import pickle

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from made_up import SMALL_FEATURES, random_walk

from lstm_strategy import (
    BarsFeed,
    BrokerSettings,
    LSTMForecaster,
    LSTMIndicator,
    LSTMStrategy,
    LSTMStrategyError,
    WalkForward,
    audit,
    run_backtest,
    tune,
    walk_forward,
)
from lstm_strategy.learning.forecaster import FORECAST_COLUMNS
from lstm_strategy.learning.inspection import feature_importance
from lstm_strategy.learning.targets import (
    TARGETS,
    AnsweredRows,
    BinaryTarget,
    Volatility,
    choose_target,
    describe_target,
)

BARS = random_walk(420, seed=3)
TINY = {"units": (3,), "lookback": 10, "epochs": 2, "members": 2, "seed": 5}

# a year of bars for the usual variance would leave too few here
EVERY = {name: choose_target(name) for name in TARGETS} | {"volatility": Volatility(slow=60)}
every_target = pytest.mark.parametrize("target", EVERY.values(), ids=EVERY)


@pytest.fixture(scope="module", params=EVERY.values(), ids=EVERY)
def trained(request):
    forecaster = LSTMForecaster(SMALL_FEATURES, target=request.param, horizon=2, **TINY)
    return forecaster.fit(BARS.iloc[:300], progress=False)


def make_up_rows(target, n_rows=60):
    """Real labels, and answers and context that somebody might have given to them."""
    rng = np.random.default_rng(0)
    labels = pd.DataFrame(target.labels(BARS, 2)).dropna().to_numpy()[:n_rows]
    answers = rng.normal(size=(n_rows, target.head.n_outputs))
    if target.head.activation == "sigmoid":
        answers = 1 / (1 + np.exp(-answers))
    context = rng.uniform(0.005, 0.02, size=(n_rows, len(target.context)))
    return AnsweredRows(labels, answers, rng.uniform(0.1, 1, n_rows), context)


@every_target
def test_a_target_is_told_by_json(target):
    assert choose_target(describe_target(target)) == target


@every_target
@pytest.mark.parametrize("horizon", [1, 5])
def test_labels_and_weights_are_known_at_the_horizon_and_look_no_further(target, horizon):
    labels, weights = (pd.DataFrame(ask(BARS, horizon)) for ask in (target.labels, target.weights))
    assert labels.iloc[-horizon:].isna().all(axis=None)
    assert not weights.loc[labels.notna().all(axis=1)].isna().any(axis=None)
    for cut in (130, 300):
        stretched = BARS.copy()
        stretched.iloc[cut:, :4] *= np.linspace(1.0, 3.0, len(BARS) - cut)[:, None]
        for changed in (stretched, BARS.iloc[:cut]):
            certain = slice(0, cut - horizon)
            for before, ask in ((labels, target.labels), (weights, target.weights)):
                after = pd.DataFrame(ask(changed, horizon))
                pd.testing.assert_frame_equal(before.iloc[certain], after.iloc[certain])


@every_target
def test_the_columns_of_a_row_depend_on_its_answers_alone(target):
    rows = make_up_rows(target)
    scale = target.fit_scale(rows, rows, horizon=2)
    members = np.stack([rows.answers, rows.answers[::-1]], axis=1)
    members[3, 1] = np.nan
    columns = target.build_columns(members, scale, rows.context)
    assert len(columns) == len(target.forecast_columns)
    assert list(target.forecast_columns[:3]) == FORECAST_COLUMNS
    for number in range(len(rows)):
        row = slice(number, number + 1)
        alone = target.build_columns(members[row], scale, rows.context[row])
        np.testing.assert_allclose([c[0] for c in alone], [c[number] for c in columns])
    assert all(np.flatnonzero(np.isnan(column)).tolist() == [3] for column in columns)
    assert np.nanmax(np.abs(columns[0])) <= 1
    assert np.nanmin(columns[2]) >= 0


@every_target
def test_the_loss_that_is_trained_is_the_loss_of_rows(target):
    import keras

    rows, loss = make_up_rows(target), target.build_loss()
    if target.judges_batches:
        pytest.skip("its loss isn't one of rows")
    steps = [array.astype("float32")[None] for array in (rows.labels, rows.answers)]
    trained_on = keras.ops.convert_to_numpy(keras.losses.get(loss)(*steps))
    np.testing.assert_allclose(trained_on[0], target.row_losses(rows.labels, rows.answers), 1e-4)


@every_target
def test_scores_are_numbers_and_name_those_that_are_without_skill(target):
    scores = target.score(make_up_rows(target))
    assert np.isfinite([*scores.values()]).all()
    assert list(scores)[-1] == "n_rows"
    assert target.no_skill.keys() <= scores.keys()


@every_target
def test_bars_of_which_every_label_is_the_same_are_refused(target):
    steady = 100 * 1.01 ** np.arange(len(BARS))
    bars = BARS.assign(**dict.fromkeys(["open", "high", "low", "close"], steady))
    features = [{"kind": "relative_volume", "length": 5}]
    with pytest.raises(LSTMStrategyError, match=r"Every label is|same share each time") as error:
        LSTMForecaster(features, target=target, **TINY).fit(bars, progress=False)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("memory", ["carry", "window"])
def test_a_stream_gives_the_columns_of_the_batch(trained, memory):
    forecaster = trained.with_memory(memory)
    frame, stream = forecaster.forecast(BARS), forecaster.stream(BARS.iloc[:410])
    assert list(frame.columns) == [*forecaster.target.forecast_columns, "novelty"]
    assert frame.iloc[forecaster.warm_up :].notna().all(axis=None)
    streamed = [vars(stream.update({"datetime": at, **bar})) for at, bar in BARS[410:].iterrows()]
    np.testing.assert_allclose(pd.DataFrame(streamed), frame.iloc[410:], atol=1e-5)


def test_the_mean_of_the_members_is_the_ensemble(trained):
    signals = trained.member_signals(BARS)
    assert signals.shape == (len(BARS), 2)
    assert signals.abs().max(axis=None) <= 1
    known = trained.forecast(BARS)["signal"].notna()
    pd.testing.assert_series_equal(signals.notna().all(axis=1), known, check_names=False)


@pytest.mark.parametrize("engine", ["onnx", pytest.param("keras", marks=pytest.mark.slow)])
def test_a_saved_or_pickled_model_gives_the_same_numbers(trained, engine, tmp_path):
    folder = trained.save(tmp_path / "model")
    loaded = LSTMForecaster.load(folder, engine=engine)
    assert loaded.target == trained.target
    for other in (loaded, pickle.loads(pickle.dumps(loaded))):
        np.testing.assert_allclose(other.forecast(BARS), trained.forecast(BARS), atol=1e-5)


def test_importance_is_the_rise_of_its_own_loss(trained):
    table = feature_importance(trained, BARS, start=BARS.index[100], n_repeats=1)
    assert table.columns[0] == f"{trained.target.loss_name}_rise"
    assert table.iloc[:, :2].notna().all(axis=None)


class Recorder(bt.Strategy):
    params = (("model", None),)

    def __init__(self):
        self.lstm, self.rows = LSTMIndicator(self.data, model=self.p.model), []

    def next(self):
        self.rows.append([line[0] for line in self.lstm.lines])


@pytest.mark.parametrize("mode", [{}, {"runonce": False, "preload": False, "exactbars": 1}])
def test_backtrader_sees_the_numbers_of_the_batch(trained, mode):
    cerebro = bt.Cerebro(stdstats=False, **mode)
    cerebro.adddata(BarsFeed(BARS.iloc[:120]))
    cerebro.addstrategy(Recorder, model=trained)
    (strategy,) = cerebro.run()
    known = trained.forecast(BARS.iloc[:120])[[*FORECAST_COLUMNS, "novelty"]].dropna()
    np.testing.assert_allclose(strategy.rows, known, atol=1e-5)


def test_the_strategy_trades_it(trained):
    result = run_backtest(LSTMStrategy, BARS, start=BARS.index[310], model=trained)
    assert result.equity.notna().all()


@pytest.mark.slow
def test_an_audit_finds_nothing(trained):
    report = audit(BARS, model=trained)
    assert report.is_clean, str(report)


@pytest.mark.slow
@every_target
def test_it_is_walked_forward_and_tuned(target, tmp_path):
    forecaster = LSTMForecaster(SMALL_FEATURES, target=target, horizon=2, **TINY)
    walked = walk_forward(BARS, forecaster, WalkForward(300, 60, horizon=2), progress=False)
    frame = walked.forecast(BARS)
    assert list(frame.columns) == [*target.forecast_columns, "novelty"]
    assert frame.iloc[300:].notna().all(axis=None)
    stream = walked.stream(BARS.iloc[:298])
    streamed = [
        vars(stream.update({"datetime": at, **bar})) for at, bar in BARS[298:302].iterrows()
    ]
    pd.testing.assert_frame_equal(
        pd.DataFrame(streamed, BARS.index[298:302]), frame.iloc[298:302], atol=1e-5
    )
    with pytest.raises(LSTMStrategyError, match="at least the forecaster's horizon, 2 bars"):
        walk_forward(BARS, forecaster, WalkForward(300, 60), progress=False)
    space = {"epochs": [1, 2]}
    tuned = tune(BARS, space, 1, forecaster=forecaster, n_folds=2, progress=False)
    assert tuned.forecaster.target == target.with_costs(BrokerSettings().cost_rate)
    if not isinstance(target, BinaryTarget):
        with pytest.raises(LSTMStrategyError, match='Choose objective="sharpe"'):
            tune(BARS, space, 1, forecaster=forecaster, objective="auc", progress=False)
