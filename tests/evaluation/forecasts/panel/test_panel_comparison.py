"""Comparisons of forecasts of many markets."""

import html
import json
import re

import numpy as np
import pandas as pd
import pytest
from made_up import ConstantForecaster, random_walk

from lstm_strategy import LSTMForecaster, compare_forecasts
from lstm_strategy.errors import ForecastError
from lstm_strategy.evaluation.forecasts import (
    hit_rates,
    information_coefficients,
    quantile_returns,
)

N_BARS = 200


@pytest.fixture(scope="module")
def panel():
    panel = {symbol: random_walk(N_BARS, seed=seed) for seed, symbol in enumerate("ABCDEF")}
    return panel | {"B": panel["B"].iloc[40:]}


def foresee(panel, share, *, seed=9):
    """Forecasts of which a share is what comes, by symbol."""
    rng = np.random.default_rng(seed)
    told = {}
    for symbol, bars in panel.items():
        came = bars["close"].pct_change().shift(-1).fillna(0.0)
        told[symbol] = share * came + (1 - share) * rng.normal(0, 0.01, len(bars))
    return told


class PanelForecaster(ConstantForecaster):
    """Has learned until a day, and says what it is given."""

    takes_panels = True
    horizon = 1

    def __init__(self, told, *, training_end=None):
        super().__init__(0.5)
        self.told, self.training_end = told, training_end

    def forecast(self, panel):
        told = {symbol: self.told[symbol].reindex(bars.index) for symbol, bars in panel.items()}
        return {symbol: pd.DataFrame({"forecast": column}) for symbol, column in told.items()}


class FarSighted(PanelForecaster):
    horizon = 5


@pytest.fixture(scope="module")
def comparison(panel):
    dull = pd.DataFrame(foresee(panel, 0.0, seed=1))  # a column a symbol
    models = {"clever": foresee(panel, 0.5), "dull": dull}
    return compare_forecasts(models, panel)


def test_the_table_has_what_each_measure_gives(comparison, panel):
    told = foresee(panel, 0.5)
    row = comparison.table.loc["clever"]
    information = information_coefficients(told, panel).table
    for name in ("ic", "ic_error", "icir", "rank_ic", "rank_ic_error", "rank_icir"):
        assert row[name] == pytest.approx(information.loc[1, name])
    np.testing.assert_allclose(comparison.decay["clever"], information["rank_ic"])
    hits = hit_rates(told, panel, horizons=1).table.loc[1]
    assert row["hit_rate"] == pytest.approx(hits["hit_rate"])
    assert row["always_up_error"] == pytest.approx(hits["always_up_error"])
    spreads = quantile_returns(told, panel).table
    assert row["spread"] == pytest.approx(spreads.loc["spread", "mean_return"])
    after = spreads.loc["spread after costs"]
    assert row["spread_after_costs"] == pytest.approx(after["mean_return"])
    assert row["spread_after_costs_error"] == pytest.approx(after["mean_return_error"])


def test_the_verdict_is_on_the_first_model_and_claims_what_the_test_shows(comparison, panel):
    assert comparison.best == "clever"
    assert comparison.verdict.startswith("clever's rank IC of 0.")
    assert comparison.verdict.endswith("luck explains such a difference with p < 0.001.")
    alike = {"one": foresee(panel, 0.0, seed=1), "other": foresee(panel, 0.0, seed=2)}
    assert compare_forecasts(alike, panel).verdict.startswith("No evidence that one ranks markets")
    same = {"one": alike["one"], "other": alike["one"]}
    assert compare_forecasts(same, panel).verdict == "one ranks the markets the same as other."


def test_the_best_of_many_is_ahead_by_luck_more_often_than_one_is(panel):
    models = {str(seed): foresee(panel, 0.0, seed=seed) for seed in range(4)}
    first = compare_forecasts(models, panel)
    worst = first.table["rank_ic"].idxmin()
    ordered = {worst: models[worst], **models}
    chosen, given = (
        compare_forecasts(ordered, panel, **options).verdict
        for options in ({}, {"against": first.best})
    )
    assert "the best of the 3 others" in chosen
    assert chosen.endswith("the choice among 3 allowed for.")
    p_values = [float(re.search(r"p = (\d\.\d+)", verdict)[1]) for verdict in (chosen, given)]
    assert p_values[0] == pytest.approx(min(1.0, 3 * p_values[1]), abs=0.002)


def test_it_is_shown_as_text_as_a_page_and_as_json(comparison, tmp_path):
    assert comparison.describe_terms().startswith(
        "2 forecasts of the returns of the next bar of 6 markets, 1,154 from each model, 2001-01-01"
    )
    assert "Rank IC" in repr(comparison)
    assert "<table" in comparison._repr_html_()
    page = comparison.to_html(tmp_path / "page.html").read_text("utf-8")
    assert "clever: forecasts of returns" in page
    assert html.escape(comparison.verdict) in page
    saved = json.loads(json.dumps(comparison.to_dict()))
    assert saved["table"]["clever"]["rank_ic"] == comparison.table.loc["clever", "rank_ic"]
    assert [ax.get_ylabel() for ax in comparison.plot().axes] == ["Rank IC"]


def test_bars_that_a_forecaster_has_seen_are_left_out(panel):
    end = panel["A"].index[120]
    models = {"model": PanelForecaster(foresee(panel, 0.5), training_end=end)}
    models["dull"] = foresee(panel, 0.0)
    result = compare_forecasts(models, panel)
    assert result.rank_ics.index[0] == panel["A"].index[121]
    note = "Bars before 2001-05-02 are left out, since model was trained on such."
    assert result.notes[0] == note
    with pytest.raises(ForecastError, match="those of model begin at 2001-05-02, after its train"):
        compare_forecasts(models, panel, start="2001-04")
    with pytest.raises(ForecastError, match="no bar comes later"):
        compare_forecasts(models, {symbol: bars[:end] for symbol, bars in panel.items()})


def test_markets_that_a_model_lacks_are_named(panel):
    told = foresee(panel, 0.5)
    few = {symbol: of for symbol, of in told.items() if symbol not in ("A", "C")}
    for models in ({"a": told, "b": few}, {"a": few, "b": told}):
        compared = compare_forecasts(models, panel)
        assert compared.n_markets == len(panel) - 2
        lacking = next(name for name, of in models.items() if of is few)
        assert f"{lacking} forecasts no bar of A, C." in compared.notes


def test_only_bars_that_all_models_forecast_between_start_and_end_are_compared(panel):
    told = foresee(panel, 0.5)
    fewer = {symbol: column for symbol, column in told.items() if symbol != "F"}
    result = compare_forecasts(
        {"all": told, "fewer": fewer}, panel, start="2001-03", end="2001-04-30", against="fewer"
    )
    assert (result.n_markets, result.reference, result.judged) == (5, "fewer", "all")
    assert result.n_forecasts == 61 * 5
    assert result.notes == (
        "fewer forecasts no bar of F.",
        "305 of 366 bars are compared, those that all models forecast.",
    )
    assert result.table.loc["all", "rank_ic"] == result.table.loc["fewer", "rank_ic"]


@pytest.mark.parametrize(
    ("models", "options", "message"),
    [
        (lambda t: {"a": t}, {}, "models must be at least two"),
        (lambda t: {"a": t, "b": t}, {"against": "c"}, "against must name one of the models"),
        (lambda t: {"a": t, "b": t}, {"loss": "mse"}, "estimator, realized and loss are for"),
        (lambda t: {"a": t, "b": t}, {"horizon": 0}, "horizon must be a whole number of bars"),
        (lambda t: {"a": t, "b": t["A"]}, {}, "b must be a forecaster, the folder of a saved one"),
        (lambda t: {"a": t, "b": ConstantForecaster(0.5)}, {}, "b was trained on one market"),
        (lambda t: {"a": t, "b": t | {"Z": t["A"]}}, {}, "b: there are forecasts of Z, and no"),
        (
            lambda t: {"a": t, "b": LSTMForecaster(target="volatility")},
            {},
            "b forecasts volatility. Compare forecasts of volatility one market at a time",
        ),
        (
            lambda t: {"a": {"A": t["A"]}, "b": {"B": t["B"]}},
            {},
            "there is no bar of a market that all models forecast: a forecasts no bar of B; b "
            "forecasts no bar of A. Pass forecasts of the same bars.",
        ),
        (
            lambda t: {"a": t, "b": {"A": t["A"], "B": t["B"]}},
            {},
            "it takes 3 markets with forecasts and returns that differ, and got 2. Pass",
        ),
        (
            lambda t: {"a": FarSighted(t), "b": t},
            {"horizon": 1},
            "all models must look equally far ahead, but a looks 5",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(panel, models, options, message):
    with pytest.raises(ForecastError) as refusal:
        compare_forecasts(models(foresee(panel, 0.5)), panel, **options)
    assert message in str(refusal.value)
