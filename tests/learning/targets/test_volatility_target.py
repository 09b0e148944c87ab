import numpy as np
import pandas as pd
import pytest

from lstm_strategy import FeatureSet, LSTMForecaster, LSTMStrategyError, Volatility, simulate_bars
from lstm_strategy.learning.targets import AnsweredRows, SignalScale
from lstm_strategy.learning.targets.volatility import fit_log_ratio
from lstm_strategy.learning.variance import measure_variance, qlike_losses

DATES = pd.date_range("2024-01-01", periods=6, name="datetime")
BARS = pd.DataFrame(
    {
        "close": [100.0, 102.0, 100.0, 102.0, 100.0, 102.0],
        "rv": np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) * 1e-4,
    },
    index=DATES,
)
RATIOS = [{"kind": "log_variance_ratio", "length": length, "slow": 60} for length in (1, 5, 22)]
TINY = {"units": (3,), "lookback": 10, "epochs": 2, "members": 2, "seed": 5}


def closes_alone(log_moves):
    close = 100 * np.exp(np.cumsum(log_moves))
    return pd.DataFrame(dict.fromkeys(["open", "high", "low", "close"], close), index=DATES)


def answered(labels, answers):
    came, answer = (np.array(values, float)[:, None] for values in (labels, answers))
    return AnsweredRows(came, answer, np.ones(len(came)), np.full_like(came, 0.01))


@pytest.mark.parametrize(
    ("horizon", "ratios"),
    [
        (1, [3 / 1.5, 4 / 2.5, 5 / 3.5, 6 / 4.5]),
        (2, [3.5 / 1.5, 4.5 / 2.5, 5.5 / 3.5]),
    ],
)
def test_a_label_is_the_log_of_the_variance_ahead_over_that_of_the_last_bars(horizon, ratios):
    labels = Volatility(column="rv", slow=2).labels(BARS, horizon)
    assert np.flatnonzero(labels.notna()).tolist() == list(range(1, 1 + len(ratios)))
    assert np.exp(labels.dropna()).tolist() == pytest.approx(ratios)


def test_without_a_column_an_estimator_measures_the_variance():
    bars = closes_alone([0.0, 0.01, 0.03, 0.01, 0.0, 0.02])
    of_returns = Volatility(slow=2).labels(bars, horizon=1)
    # the variances are 1, 9, 1, 0 and 4 from the second bar on; a hundredth is the least
    assert np.exp(of_returns[2:5]).tolist() == pytest.approx([1 / 5, 0.01, 4 / 0.5])
    assert Volatility("parkinson", slow=2).labels(bars, horizon=1).dropna().tolist() == [0.0] * 4


def test_a_bar_that_nobody_measured_is_no_label():
    bars = BARS.assign(rv=BARS["rv"].where(DATES[3] != DATES))
    labels = Volatility(column="rv", slow=2).labels(bars, horizon=1)
    assert np.flatnonzero(labels.notna()).tolist() == [1, 3, 4]
    assert np.flatnonzero(Volatility(column="rv", slow=2).labels(bars, 2).notna()).tolist() == [3]


def test_answers_become_annual_volatilities_and_exposures_at_the_target():
    scale = SignalScale(threshold=0.0, width=1.0, horizon=5, bars_per_year=400.0)
    answers = np.log([[[4.0], [1.0]], [[0.25], [0.25]], [[1.0], [1.0]]])
    context = np.array([[0.01], [0.01], [0.0]])
    target = Volatility(target_volatility=0.15, max_exposure=0.9)
    signal, forecast, uncertainty = target.build_columns(answers, scale, context)
    # a bar of 1% is a year of 20%; the members say 40% and 20%
    assert forecast[:2].tolist() == pytest.approx([0.2 * 2**0.5, 0.1])
    assert uncertainty[:2].tolist() == pytest.approx([0.1, 0.0])
    assert signal.tolist() == pytest.approx([0.15 / (0.2 * 2**0.5), 0.9, 0.9])
    assert 0 < forecast[2] < 1e-6


def test_the_loss_is_qlike_of_the_variances():
    came, forecast = np.array([1.0, 2.0, 0.3]), np.array([1.0, 1.0, 0.5])
    losses = Volatility().row_losses(np.log(came)[:, None], np.log(forecast)[:, None])
    assert losses.tolist() == pytest.approx(qlike_losses(came, forecast).tolist())


def test_scores_hold_the_loss_against_that_of_the_usual_variance():
    scores = Volatility().score(answered(np.log([1.0, 3.0]), np.log([1.0, 3.0])))
    # the best constant is the mean, 2
    constant = qlike_losses(np.array([1.0, 3.0]), np.array([2.0, 2.0])).mean()
    assert scores == pytest.approx({"qlike": 0, "slow_qlike": constant, "r2_log": 1, "n_rows": 2})
    assert np.isnan(Volatility().score(answered([0.5, 0.5], [0.1, 0.2]))["r2_log"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"estimator": "parkinsons"}, "no variance estimator 'parkinsons'.*parkinson"),
        ({"estimator": "parkinson", "column": "rv"}, "Leave one of them out"),
        ({"target_volatility": 0.0}, "target_volatility must be a number above 0, got 0.0"),
        ({"max_exposure": 1.5}, "max_exposure must be a number above 0 and at most 1, got 1.5"),
        ({"slow": 1}, "slow must be a whole number of bars, at least 2, got 1"),
    ],
)
def test_a_setting_that_is_off_is_named(settings, message):
    with pytest.raises(LSTMStrategyError, match=message):
        Volatility(**settings)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([1e-4, 2e-4, 0.0, 1e-4, 1e-4, 1e-4], "rv must be a variance.*got 0 at 2024-01-03"),
        ([1e-4, 2e-4, 1e-4, -1e-4, 1e-4, -1], "got -0.0001 at 2024-01-04 .2 bars in all"),
        ([1.0, 2.0, 1.0, 3.0, 1.0, 2.0], "Divide percent squared by 10,000"),
    ],
)
def test_a_column_that_holds_no_variances_is_refused(column, message):
    with pytest.raises(LSTMStrategyError, match=message):
        Volatility(column="rv", slow=2).labels(BARS.assign(rv=column), horizon=1)


def test_what_bars_lack_is_named():
    with pytest.raises(LSTMStrategyError, match="no column 'realized'"):
        Volatility(column="realized").labels(BARS, horizon=1)
    with pytest.raises(LSTMStrategyError, match=r"yang_zhang.*horizon must be at least 2, got 1"):
        Volatility("yang_zhang", slow=2).labels(closes_alone(np.ones(6) * 0.01), horizon=1)


def test_the_network_sees_the_preset_of_volatility_unless_the_user_says():
    features = LSTMForecaster(target=Volatility(column="rv")).features
    ratios = [spec for spec in features.specs if spec["kind"] == "log_variance_ratio"]
    assert [spec["length"] for spec in ratios] == [1, 2, 5, 10, 22, 66]
    assert {spec["column"] for spec in ratios} == {"rv"}
    preset = FeatureSet.preset("volatility").specs
    assert LSTMForecaster(target="volatility").features.specs == preset
    assert LSTMForecaster(target=Volatility("yang_zhang"), horizon=5).features.specs == preset
    assert LSTMForecaster(RATIOS, target="volatility").features.specs == FeatureSet(RATIOS).specs
    assert LSTMForecaster().features.specs == FeatureSet.preset("default").specs


def test_the_regression_is_the_line_of_the_lowest_loss():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, 2))
    came = features @ [0.5, -0.2] + np.log(rng.chisquare(3, size=400))
    slopes, intercept = fit_log_ratio(features, came, np.ones(400))
    assert slopes[:, 0].tolist() == pytest.approx([0.5, -0.2], abs=0.1)
    missed = came - features @ slopes[:, 0] - intercept
    assert np.exp(missed).mean() == pytest.approx(1, abs=1e-6)  # right on average
    assert np.abs(features.T @ (np.exp(missed) - 1)).max() / 400 < 0.002  # given each feature


def test_the_network_begins_as_the_regression():
    bars = simulate_bars("garch", 500, seed=3).bars
    target = Volatility(slow=60)
    forecaster = LSTMForecaster(
        RATIOS, target=target, **{**TINY, "members": 1, "learning_rate": 1e-12}
    ).fit(bars, progress=False)
    features = forecaster.features.frame(bars)
    known = features.notna().all(axis=1) & target.labels(bars, 1).notna()
    learned = known & (known.cumsum() <= known.sum() - round(known.sum() * 0.2) - 1)
    mean, deviation = features[learned].mean(), features[learned].std(ddof=0)
    scaled = ((features - mean) / deviation).to_numpy()
    labels = target.labels(bars, 1).to_numpy()
    slopes, intercept = fit_log_ratio(scaled[learned], labels[learned], np.ones(learned.sum()))
    usual = measure_variance(bars, 60).to_numpy() * forecaster.card.signal.bars_per_year
    expected = np.sqrt(np.exp(scaled @ slopes[:, 0] + intercept) * usual)
    forecast = forecaster.forecast(bars)["forecast"].dropna()
    np.testing.assert_allclose(forecast, expected[-len(forecast) :], rtol=1e-4)


def test_a_little_training_beats_the_usual_variance():
    market = simulate_bars("garch", 1200, seed=11)
    forecaster = LSTMForecaster(RATIOS, target=Volatility(slow=60), **TINY)
    forecaster.fit(market.bars[:900], progress=False)
    scores = forecaster.validation_scores
    assert scores["qlike"] < scores["slow_qlike"]
    assert scores["r2_log"] > 0.05
    year = forecaster.card.signal.bars_per_year
    forecast = forecaster.forecast(market.bars)["forecast"][900:] ** 2 / year
    usual = measure_variance(market.bars, 60)[900:]
    truth = market.variance[900:]
    assert qlike_losses(truth, forecast).mean() < 0.7 * qlike_losses(truth, usual).mean()
