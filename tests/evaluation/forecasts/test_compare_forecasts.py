"""Forecasts of volatility compared: scores by hand, the bars they are on, what is refused."""

import json
import math
import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from made_up import ConstantForecaster, random_walk

from lstm_strategy import LSTMForecaster, compare_forecasts, simulate_bars
from lstm_strategy.errors import BarsError, ForecastError, ModelError
from lstm_strategy.learning.forecaster import Forecast, ForecasterKind
from lstm_strategy.learning.reference import learning_baselines
from lstm_strategy.learning.walk_forward import Refit, WalkForwardForecaster

N_BARS = 120
BARS = random_walk(N_BARS, freq="B")
YEAR = math.sqrt(252)
# a variance of 1 and of 4 bars in turn, in units of (1 %)²
VARIANCE = pd.Series(np.tile([1e-4, 4e-4], N_BARS // 2), BARS.index)
TRUE = pd.Series(np.tile([0.02, 0.01], N_BARS // 2), BARS.index) * YEAR  # what comes next
FLAT = pd.Series(0.02 * YEAR, BARS.index)
NOISE = pd.Series(np.exp(np.random.default_rng(1).normal(0, 0.2, N_BARS)), BARS.index)


class VolatilityForecaster(ConstantForecaster):
    """Forecasts the same volatility at every bar."""

    def __init__(self, volatility, *, training_end=None, horizon=1, kind=ForecasterKind.LSTM):
        super().__init__(0.5)
        self.volatility, self.training_end = volatility, training_end
        self._horizon, self._kind = horizon, kind

    horizon = property(lambda self: self._horizon)
    kind = property(lambda self: self._kind)

    def step(self, state, bar):
        return state, Forecast(0.5, self.volatility, 0.0)


def compare(models=None, bars=BARS, **options):
    models = {"noisy": TRUE * NOISE, "flat": FLAT} if models is None else models
    return compare_forecasts(models, bars, **{"realized": VARIANCE, **options})


def test_the_losses_are_those_of_the_variance_of_the_next_bar():
    comparison = compare({"true": TRUE, "flat": FLAT})
    flat = comparison.losses["flat"]
    assert flat.iloc[:3].tolist() == pytest.approx([0.0, 0.25 - math.log(0.25) - 1, 0.0])
    assert comparison.losses["true"].max() == pytest.approx(0.0, abs=1e-12)
    assert len(flat) == N_BARS - 1  # what comes after the last bar isn't known
    annual = 252e-4
    # of the 119 bars, those in even places are followed by a variance of 4: 60 of them
    assert comparison.table.loc["flat", "mse"] == pytest.approx(59 / 119 * (3 * annual) ** 2)
    assert comparison.realized.iloc[:2].tolist() == pytest.approx([0.02 * YEAR, 0.01 * YEAR])


def test_over_several_bars_the_truth_is_their_mean_variance():
    variance = VARIANCE.copy()
    variance.iloc[3] = 9e-4
    comparison = compare({"a": FLAT, "b": FLAT * 1.1}, realized=variance, horizon=2)
    came = (comparison.realized**2 / 252 * 1e4).round(9).tolist()
    assert came[:4] == [2.5, 5.0, 5.0, 2.5]  # 4 and 1, 1 and 9, 9 and 1, 1 and 4
    assert len(came) == N_BARS - 2


def test_a_column_of_the_bars_is_the_truth_where_no_series_is_given():
    bars = BARS.assign(realized_variance=VARIANCE)
    by_column = compare(bars=bars, realized=None)
    pd.testing.assert_frame_equal(by_column.table, compare().table)
    assert by_column.truth == "the column realized_variance"


@pytest.mark.parametrize("horizon", [1, 3])
def test_an_estimator_measures_the_bars_that_come(horizon):
    models = {"noisy": TRUE * NOISE, "flat": FLAT}
    comparison = compare(models, realized=None, estimator="parkinson", horizon=horizon)
    of_bars = (np.log(BARS["high"] / BARS["low"]) ** 2 / (4 * math.log(2))).to_numpy()
    came = [of_bars[i + 1 : i + 1 + horizon].mean() for i in range(N_BARS - horizon)]
    np.testing.assert_allclose(comparison.realized, np.sqrt(252 * np.array(came)))
    assert comparison.truth == "parkinson"


@pytest.mark.parametrize("estimator", [None, "close_to_close", "parkinson"])
def test_on_a_simulated_market_the_true_variance_is_the_best_forecast(estimator):
    market = simulate_bars("garch", 3000, seed=2)
    returns = np.log(market.bars["close"]).diff()
    variances = {
        "true": market.variance,
        "month": (returns**2).rolling(22).mean(),
        "constant": market.variance * 0 + 1e-4,
    }
    models = {name: np.sqrt(252 * variance) for name, variance in variances.items()}
    comparison = compare_forecasts(models, market.bars, estimator=estimator)
    assert comparison.best == "true"
    assert "below" in comparison.verdict
    assert comparison.table["in_confidence_set"].to_dict() == {
        "true": True,
        "month": False,
        "constant": False,
    }
    slope, p_value = comparison.table.loc["true", ["mz_slope", "mz_p"]]
    assert slope == pytest.approx(1.0, abs=0.2)
    assert p_value > 0.01


def test_without_a_column_the_whole_day_is_the_truth():
    comparison = compare(realized=None)
    assert comparison.truth == "rogers_satchell_overnight"
    column = BARS.assign(realized_variance=VARIANCE)
    assert compare(bars=column, realized=None, estimator="parkinson").truth == "parkinson"


def asked_for(estimator, column=None):
    """A forecaster that was trained to forecast what an estimator or a column says."""
    model = VolatilityForecaster(0.3)
    model.settings = SimpleNamespace(estimator=estimator, column=column)
    return model


def test_by_default_the_truth_is_what_the_forecasters_were_trained_to_forecast():
    bars = BARS.assign(five_minutes=VARIANCE, realized_variance=VARIANCE)
    models = {"LSTM": asked_for("parkinson"), "flat": FLAT}
    assert compare(models, bars, realized=None).truth == "parkinson"
    models = {"LSTM": asked_for(None, "five_minutes"), "flat": FLAT}
    assert compare(models, bars, realized=None).truth == "the column five_minutes"
    models = {"LSTM": asked_for(None), "flat": FLAT}
    assert compare(models, bars, realized=None).truth == "rogers_satchell_overnight"
    with pytest.raises(ForecastError, match="the models forecast the variance in the column rv, "):
        compare({"LSTM": asked_for(None, "rv"), "flat": FLAT}, realized=None)


def test_forecasters_of_different_measures_need_a_choice_and_are_noted():
    models = {"LSTM": asked_for("parkinson"), "EWMA": asked_for("close_to_close")}
    with pytest.raises(ForecastError, match=r"LSTM forecasts .* by parkinson, and EWMA by close"):
        compare(models, realized=None)
    notes = compare(models, realized=None, estimator="parkinson").notes
    assert notes == (
        "EWMA was trained to forecast the variance by close_to_close, not by parkinson.",
    )
    assert len(compare(models).notes) == 2
    assert compare({"LSTM": asked_for(None, "five_minutes"), "flat": FLAT}).notes == ()


def test_bars_over_which_nothing_moves_are_left_out_and_counted():
    bars = BARS.copy()
    bars.loc[bars.index[[40, 41]], ["open", "high", "low", "close"]] = bars["close"].iloc[39]
    comparison = compare(bars=bars, realized=None)
    assert comparison.notes == (
        "117 of 119 bars are compared, on which all is known: nothing moved over the next bar at "
        "2, where QLIKE has no value.",
    )


def test_an_estimator_that_does_not_exist_or_needs_more_bars_is_refused():
    with pytest.raises(BarsError, match="no variance estimator 'parkinsons'"):
        compare(realized=None, estimator="parkinsons")
    with pytest.raises(BarsError, match=r"yang_zhang .* at least 2 bars, got 1"):
        compare(realized=None, estimator="yang_zhang")


def test_the_table_holds_calibration_tests_and_the_set():
    comparison = compare({"noisy": TRUE * NOISE, "flat": FLAT, "double": 2 * TRUE * NOISE})
    table = comparison.table
    assert list(table.index) == ["noisy", "flat", "double"]
    assert list(table) == [
        "qlike",
        "mse",
        "mz_intercept",
        "mz_slope",
        "mz_r2",
        "mz_p",
        "dm_t",
        "dm_p",
        "mcs_p",
        "in_confidence_set",
    ]
    assert table.loc["double", "mz_slope"] == pytest.approx(table.loc["noisy", "mz_slope"] / 4)
    assert math.isnan(table.loc["flat", "mz_slope"])
    assert table["in_confidence_set"].to_dict() == {"noisy": True, "flat": False, "double": False}
    assert comparison.reference == "flat"  # the best of the others
    assert table["dm_t"].isna().to_dict() == {"noisy": False, "flat": True, "double": False}
    assert table.loc["noisy", "dm_t"] < -3 < 3 < table.loc["double", "dm_t"]


def test_the_verdict_claims_what_the_test_shows_and_no_more():
    won = compare()
    assert won.verdict.startswith("noisy's QLIKE is ")
    assert won.verdict.endswith("% below flat's; luck explains such a difference with p < 0.001.")
    lost = compare({"flat": FLAT, "noisy": TRUE * NOISE, "other": 3 * FLAT})
    assert "% above noisy's, the best of the 2 others; luck" in lost.verdict
    assert lost.verdict.endswith("with p < 0.001, the choice among 2 allowed for.")
    tied = compare({"one": TRUE * NOISE, "two": TRUE * NOISE.to_numpy()[::-1]})
    assert tied.verdict.startswith("No evidence that one forecasts better than two: its QLIKE is ")
    assert compare({"one": FLAT, "two": FLAT}).verdict == "one forecasts the same as two."


def test_the_best_of_many_is_not_held_against_the_judged_model_by_luck():
    rng = np.random.default_rng(3)
    noise = np.exp(rng.normal(0, 0.4, (12, N_BARS)))
    models = {f"m{i}": TRUE * row for i, row in enumerate(noise)}
    comparison = compare(models)
    p_value = comparison.table.loc["m0", "dm_p"]
    assert comparison.table["qlike"].idxmin() == comparison.reference != "m0"
    expected = min(1.0, 11 * p_value)
    assert f"with p = {expected:.3f}, the choice among 11 allowed for." in comparison.verdict


def test_a_loss_below_zero_is_told_in_its_own_unit():
    def log_score(realized, forecast):
        return np.log(forecast) + realized / forecast

    verdict = compare(loss=log_score).verdict
    assert verdict.startswith("noisy's log_score is 0.")
    assert "%" not in verdict


def test_the_set_is_named_in_a_sentence():
    assert compare().describe_set() == "With 90% confidence, noisy is the best."
    both = compare({"one": FLAT, "two": FLAT})
    assert both.describe_set() == "With 90% confidence, one of one and two is the best."


def test_against_names_the_reference():
    models = {"noisy": TRUE * NOISE, "flat": FLAT, "double": 2 * TRUE * NOISE}
    comparison = compare(models, against="double")
    assert (comparison.judged, comparison.reference) == ("noisy", "double")
    assert "below double's; luck" in comparison.verdict
    assert compare(models, against="noisy").judged == "flat"


def test_the_judged_model_is_the_first_forecaster_that_is_no_reference_model():
    models = {
        "elsewhere": FLAT,
        "learner": VolatilityForecaster(0.3, kind=ForecasterKind.LEARNER),
        "LSTM": VolatilityForecaster(0.31),
    }
    comparison = compare(models)
    assert comparison.judged == "LSTM"
    assert comparison.forecasts["LSTM"].eq(0.31).all()


def test_another_loss_can_decide():
    assert compare(loss="mse").loss == "mse"

    def log_error(realized, forecast):
        return np.abs(np.log(realized / forecast))

    comparison = compare(loss=log_error)
    assert comparison.table.loc["flat", "log_error"] == pytest.approx(59 / 119 * math.log(4))
    assert "noisy's log_error is " in comparison.verdict
    with pytest.raises(ForecastError, match="loss must be qlike or mse, or a function"):
        compare(loss="qlik")
    with pytest.raises(ForecastError, match="loss=total must give one finite number for each of"):
        compare(loss=lambda_named("total"))


def lambda_named(name):
    def total(realized, forecast):
        return float("nan")

    total.__name__ = name
    return total


def test_forecasts_are_compared_after_the_latest_training():
    end = BARS.index[39]
    models = {"LSTM": VolatilityForecaster(0.3, training_end=end), "flat": FLAT}
    comparison = compare(models)
    assert comparison.losses.index[0] == BARS.index[40]
    (note,) = comparison.notes
    assert note == "Bars before 2001-02-26 are left out, since LSTM was trained on such."
    assert comparison.provenance["LSTM"] == "VolatilityForecaster, trained until 2001-02-23"
    assert compare(models, start=BARS.index[50]).losses.index[0] == BARS.index[50]
    with pytest.raises(ForecastError, match="2001-02-23 and those of LSTM begin at 2001-02-26"):
        compare(models, start=end)
    late = VolatilityForecaster(0.3, training_end=BARS.index[-1])
    with pytest.raises(ForecastError, match="Fit it on fewer bars, or load later ones"):
        compare({"LSTM": late, "flat": FLAT})


def test_all_models_are_scored_on_the_bars_that_all_forecast_and_gaps_are_counted():
    gappy, late = FLAT.copy(), (TRUE * NOISE).iloc[10:]
    gappy.iloc[[20, 21, 30]] = np.nan
    variance = VARIANCE.copy()
    variance.iloc[60] = np.nan
    comparison = compare({"gappy": gappy, "late": late}, realized=variance)
    assert len(comparison.losses) == N_BARS - 1 - 10 - 3 - 1
    assert comparison.notes == (
        "105 of 119 bars are compared, on which all is known: 3 have no forecast by gappy; 10 have "
        "no forecast by late; the realised variance of the next bar isn't known at 1.",
    )


def test_start_and_end_choose_the_bars_at_whose_close_is_forecast():
    comparison = compare(start=BARS.index[10], end=BARS.index[59])
    assert comparison.losses.index.equals(BARS.index[10:60])
    whole = compare().losses
    pd.testing.assert_frame_equal(comparison.losses, whole.iloc[10:60])


def test_bars_that_come_later_change_no_loss():
    short = compare(bars=BARS.iloc[:80])
    pd.testing.assert_frame_equal(short.losses, compare().losses.iloc[:79])


def test_forecasts_in_another_timezone_find_their_bars():
    bars = BARS.set_axis(BARS.index.tz_localize("UTC").tz_convert("Asia/Tokyo"))
    comparison = compare(bars=bars)
    assert len(comparison.losses) == N_BARS - 1
    assert str(comparison.losses.index.tz) == "Asia/Tokyo"


def test_a_frame_of_forecasts_is_read_by_its_column_forecast():
    frame = pd.DataFrame({"signal": 1.0, "forecast": TRUE * NOISE})
    pd.testing.assert_frame_equal(compare({"noisy": frame, "flat": FLAT}).table, compare().table)


def test_the_horizon_is_that_of_the_forecasters():
    models = {"LSTM": VolatilityForecaster(0.3, horizon=5), "flat": FLAT}
    comparison = compare(models)
    assert comparison.horizon == 5
    assert comparison.bandwidth_bars >= 4
    with pytest.raises(ForecastError, match="LSTM looks 5 bars and the comparison 1"):
        compare(models, horizon=1)


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(LSTMForecaster(), id="LSTM"),
        pytest.param(
            WalkForwardForecaster([Refit(LSTMForecaster(), BARS.index[9])], pd.DataFrame()),
            id="walked forward",
        ),
        pytest.param(learning_baselines()["Logistic, last bar"], id="learner"),
    ],
)
def test_a_forecaster_of_something_else_is_refused(model):
    with pytest.raises(ForecastError, match="of volatility, but X forecasts direction"):
        compare({"X": model, "flat": FLAT})


def test_results_survive_pickle_and_json():
    comparison = compare()
    again = pickle.loads(pickle.dumps(comparison))
    assert repr(again) == repr(comparison)
    saved = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
    assert saved["verdict"] == comparison.verdict
    assert saved["table"]["flat"]["dm_p"] is None
    assert saved["table"]["noisy"]["in_confidence_set"] is True
    assert (saved["n_bars"], saved["first_bar"]) == (119, "2001-01-01")


def test_the_text_and_the_page_hold_the_verdict_and_escape_names(tmp_path):
    comparison = compare({"<b>noisy": TRUE * NOISE, "flat": FLAT})
    assert comparison.verdict in repr(comparison)
    assert "<b>noisy" not in comparison._repr_html_()
    page = comparison.to_html(tmp_path / "forecasts.html").read_text()
    assert "&lt;b&gt;noisy&#x27;s QLIKE is" in page
    assert "<b>noisy" not in page
    assert "over 14 bars" in page
    assert "made elsewhere, taken as out of sample" in page


def test_the_figure_shows_what_came_every_forecast_and_the_lead():
    comparison = compare({"noisy": TRUE * NOISE, "flat": FLAT, "double": 2 * TRUE})
    above, below = comparison.plot().axes
    assert above.get_legend_handles_labels()[1] == ["Realised", "noisy", "flat", "double"]
    assert below.get_ylabel() == "QLIKE saved on flat"
    saved = {line.get_color(): line.get_ydata()[-1] for line in below.get_lines()}
    lead = comparison.losses["flat"].sum() - comparison.losses["noisy"].sum()
    assert saved["#d1242f"] == pytest.approx(lead)
    assert saved["black"] == 0


BAD_VARIANCE = VARIANCE.copy()
BAD_VARIANCE.iloc[[7, 9]] = [0.0, -1e-4]
BAD_FORECAST = FLAT.copy()
BAD_FORECAST.iloc[3] = -0.1


@pytest.mark.parametrize(
    "models, options, message",
    [
        pytest.param({"a": FLAT}, {}, "models must be at least two, got a", id="one model"),
        pytest.param({}, {}, "models must be at least two, got none", id="none"),
        pytest.param({1: FLAT, "1": TRUE}, {}, "differ by their names as text", id="one name"),
        pytest.param([FLAT, TRUE], {}, "models must be a mapping .* got list", id="a list"),
        pytest.param(
            None,
            {"realized": BAD_VARIANCE},
            r"realized must hold variances above 0, got 0 at 2001-01-10 \(2 bars in all\)",
            id="a variance of zero",
        ),
        pytest.param(
            None,
            {"estimator": "parkinson"},
            "realized and estimator='parkinson' both say what came",
            id="two truths",
        ),
        pytest.param(
            None, {"realized": VARIANCE.to_numpy()}, "must be a Series .* got ndarray", id="array"
        ),
        pytest.param(
            None,
            {"realized": VARIANCE.shift(9000, freq="D")},
            "realized must be known on bars .* none of its 120 dates",
            id="a truth of other years",
        ),
        pytest.param(
            {"a": FLAT, "b": FLAT.shift(9000, freq="D")},
            {},
            "b has no forecast for any of the bars, which run from 2001-01-01",
            id="no overlap",
        ),
        pytest.param(
            {"a": FLAT.iloc[:50], "b": FLAT.iloc[50:]},
            {},
            "no bar that all models forecast .* 0 of 119 bars",
            id="no common bar",
        ),
        pytest.param(
            {"a": FLAT, "b": BAD_FORECAST},
            {},
            r"forecasts of b must be volatilities above 0, got -0.1 at 2001-01-04 \(1 bars",
            id="negative",
        ),
        pytest.param(
            {"a": FLAT, "b": FLAT.reset_index(drop=True)},
            {},
            "forecasts of b must have dates as its index, got RangeIndex",
            id="no dates",
        ),
        pytest.param(
            {"a": FLAT, "b": pd.concat([FLAT, FLAT[:1]])}, {}, "2001-01-01 comes twice", id="twice"
        ),
        pytest.param({"a": FLAT, "b": FLAT.astype(str) + "%"}, {}, "must hold numbers", id="words"),
        pytest.param(
            {"a": FLAT, "b": FLAT.to_frame("vol")},
            {},
            "forecasts of b must be in a column forecast, got vol",
            id="no column",
        ),
        pytest.param(
            {"a": FLAT, "b": 100 * FLAT}, {}, "seem to be percent: divide them by 100", id="percent"
        ),
        pytest.param(
            {"a": FLAT, "b": FLAT / YEAR}, {}, "per bar: multiply them by 15.9", id="per bar"
        ),
        pytest.param(
            {"a": FLAT, "b": 100 * FLAT / YEAR}, {}, "percent per bar", id="percent per bar"
        ),
        pytest.param(
            {"a": FLAT / 2, "b": FLAT**2 / 4},
            {"realized": VARIANCE / 4},
            "variances: take the square root",
            id="variances",
        ),
        pytest.param(
            None,
            {"realized": VARIANCE * 1e4},
            "every model forecasts 0.01.* one of the two is in another unit",
            id="percent squared",
        ),
        pytest.param(
            None, {"realized": VARIANCE**0.5}, "every model forecasts 0.1", id="no variance"
        ),
        pytest.param(
            {"a": FLAT, "b": 5000 * FLAT},
            {},
            "have a median of 1.59e[+]03 where",
            id="far too large",
        ),
        pytest.param({"a": FLAT, "b": None}, {}, "b must be a forecaster, .* NoneType", id="None"),
        pytest.param(None, {"against": "flta"}, "against must name .* Did you mean flat", id="who"),
        pytest.param(None, {"horizon": 0}, "horizon must be a whole number", id="no horizon"),
        pytest.param(None, {"horizon": 120}, "horizon must be below .* 120", id="too far"),
        pytest.param(None, {"confidence": 90}, "confidence must lie between 0 and 1", id="90"),
        pytest.param(None, {"start": BARS.index[95]}, "at least 30 bars, got 24", id="few bars"),
        pytest.param(None, {"bars": {"A": BARS}}, "are held against returns", id="panel"),
    ],
)
def test_bad_input_is_refused_in_one_line_that_names_it(models, options, message):
    with pytest.raises(ForecastError, match=message) as refused:
        compare(models, **options)
    assert "\n" not in str(refused.value)


def test_bad_bars_and_missing_models_are_refused_as_everywhere():
    with pytest.raises(BarsError):
        compare(bars=BARS.drop(columns="close"))
    with pytest.raises(ModelError):
        compare({"a": FLAT, "b": "no/such/folder"})


def test_forecasts_of_a_doubtful_size_are_noted(caplog):
    comparison = compare({"a": FLAT, "huge": 9 * FLAT})
    (note,) = comparison.notes
    assert note.startswith("The forecasts of huge have a median of ")
    assert note in caplog.text
