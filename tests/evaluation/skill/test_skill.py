"""How good forecasts of returns are: correlations, quantiles and signs."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lstm_strategy.errors import ForecastError
from lstm_strategy.evaluation.forecasts import (
    hit_rates,
    information_coefficients,
    quantile_returns,
)
from lstm_strategy.evaluation.skill.alignment import align_calls
from lstm_strategy.evaluation.skill.hits import count_hits

DAYS = pd.date_range("2024-01-01", periods=7)


def market(returns, days=DAYS):
    """Bars whose return over the next bar, seen from each row, is the given one."""
    close = 100.0 * np.cumprod([1.0, *(1.0 + np.array(returns))])
    frame = pd.DataFrame(dict.fromkeys(["open", "high", "low", "close"], close), days)
    return frame.assign(volume=1.0)


@pytest.fixture(scope="module")
def panel():
    """Three markets over six moves."""
    return {
        "A": market([0.01, 0.02, -0.01, 0.00, 0.03, -0.02]),
        "B": market([0.00, 0.01, 0.01, 0.02, -0.01, 0.01]),
        "C": market([-0.01, 0.03, 0.02, 0.01, 0.01, 0.02]),
    }


@pytest.fixture(scope="module")
def told():
    """C has no forecast on the second day."""
    values = {
        "A": [3.0, 1.0, 1.0, 2.0, 3.0, 1.0, 9.0],
        "B": [2.0, 2.0, 2.0, 3.0, 1.0, 2.0, 9.0],
        "C": [1.0, np.nan, 3.0, 1.0, 2.0, 3.0, 9.0],
    }
    return {symbol: pd.Series(column, DAYS) for symbol, column in values.items()}


@pytest.fixture(scope="module")
def random_calls():
    """Forecasts and bars of six markets with holes; a third of what is told is what comes."""
    rng = np.random.default_rng(3)
    days = pd.date_range("2020-01-01", periods=121)
    panel, told = {}, {}
    for symbol in "ABCDEF":
        returns = rng.normal(0, 0.01, 120)
        bars = market(returns, days)
        has_bar = rng.random(121) > 0.1
        panel[symbol] = bars[has_bar]
        signal = pd.Series(np.append(returns / 3, 0.0) + rng.normal(0, 0.01, 121), days)
        told[symbol] = signal[rng.random(121) > 0.1]
    return told, panel


def pairs_by_day(told, panel, horizon):
    """Forecast and return of each market with both, by day: the obvious loop."""
    by_day = {}
    for symbol, bars in panel.items():
        closes = bars["close"]
        for place, day in enumerate(closes.index):
            if place + horizon < len(closes) and day in told[symbol].index:
                came = closes.iloc[place + horizon] / closes.iloc[place] - 1
                if not math.isnan(told[symbol][day]):
                    by_day.setdefault(day, {})[symbol] = (told[symbol][day], came)
    return dict(sorted(by_day.items()))


def test_information_coefficients_of_three_markets(told, panel):
    result = information_coefficients(told, panel, horizons=1)
    # forecasts and returns rank alike on the first, third and last day; on the fourth the ranks
    # 2 3 1 meet 1 3 2, on the fifth 3 1 2 meet 3 1 2; the second day has two markets only
    assert result.ranks_by_day[1].round(12).tolist() == [1.0, 1.0, 0.5, 1.0, 1.0]
    third = stats.pearsonr([1.0, 2.0, 3.0], [-0.01, 0.01, 0.02])[0]
    last = stats.pearsonr([1.0, 2.0, 3.0], [-0.02, 0.01, 0.02])[0]
    fifth = stats.pearsonr([3.0, 1.0, 2.0], [0.03, -0.01, 0.01])[0]
    np.testing.assert_allclose(result.by_day[1], [1.0, third, 0.5, fifth, last])
    row = result.table.loc[1]
    assert row["rank_ic"] == pytest.approx(0.9)
    # five days, deviation √0.05 = 0.2236: an error of 0.1, and a ratio of 0.9 to the deviation
    assert row["rank_ic_error"] == pytest.approx(0.1)
    assert row["rank_ic_t"] == pytest.approx(9.0)
    assert row["rank_icir"] == pytest.approx(0.9 / math.sqrt(0.05))
    assert (row["n_days"], row["n_forecasts"]) == (5, 17)


@pytest.mark.parametrize("horizon", [1, 3])
def test_information_coefficients_are_those_of_the_obvious_loop(random_calls, horizon):
    told, panel = random_calls
    values, ranks = {}, {}
    for day, pairs in pairs_by_day(told, panel, horizon).items():
        if len(pairs) >= 3:
            x, y = zip(*pairs.values(), strict=True)
            values[day], ranks[day] = stats.pearsonr(x, y)[0], stats.spearmanr(x, y)[0]
    result = information_coefficients(told, panel, horizons=[horizon])
    np.testing.assert_allclose(result.by_day[horizon].dropna(), list(values.values()))
    np.testing.assert_allclose(result.ranks_by_day[horizon].dropna(), list(ranks.values()))
    assert result.table.loc[horizon, "ic"] == pytest.approx(np.mean(list(values.values())))
    assert result.table.loc[horizon, "n_days"] == len(values)


def test_information_coefficients_decay_with_the_horizon(random_calls):
    told, panel = random_calls
    result = information_coefficients(told, panel)
    assert result.table.index.tolist() == [1, 5, 21]
    assert result.table["ic"].is_monotonic_decreasing
    assert result.table.loc[1, "ic_t"] > 4
    figure = result.plot()
    assert figure.axes[0].get_ylabel() == "Correlation"


def test_the_coefficient_of_one_market_is_the_correlation_along_its_days(told, panel):
    result = information_coefficients(told["A"], panel["A"], horizons=1)
    x, y = told["A"].to_numpy()[:-1], panel["A"]["close"].pct_change().to_numpy()[1:]
    row = result.table.loc[1]
    assert row["ic"] == pytest.approx(stats.pearsonr(x, y)[0])
    assert row["rank_ic"] == pytest.approx(stats.spearmanr(x, y)[0])
    assert math.isnan(row["icir"])
    assert not result.is_panel


def test_the_error_of_a_correlation_along_days_is_the_textbook_one_without_skill():
    rng = np.random.default_rng(0)
    days = pd.date_range("2000-01-01", periods=2001)
    bars = market(rng.normal(0, 0.01, 2000), days)
    result = information_coefficients(pd.Series(rng.normal(size=2001), days), bars, horizons=1)
    assert result.table.loc[1, "ic_error"] == pytest.approx(1 / math.sqrt(2000), rel=0.1)


def test_forecasts_that_are_all_the_same_have_no_coefficient(panel):
    same = {symbol: pd.Series(1.0, DAYS) for symbol in panel}
    with pytest.raises(ForecastError, match="there is no day to correlate over 1 bar:"):
        information_coefficients(same, panel, horizons=1)
    with pytest.raises(ForecastError, match="there is no day to correlate over 1 bar:"):
        information_coefficients(same["A"], panel["A"], horizons=1)


def test_hit_rates_beside_always_up(told, panel):
    result = hit_rates(told, panel, horizons=1, neutral=1.5)
    # by day, hits of calls: A up, B none (no move), C down | A, B | A, B, C | B, C | A, B, C | ...
    hits = [[1, None, 1], [0, 1, None], [1, 1, 1], [None, 1, 0], [1, 1, 1], [1, 1, 1]]
    ups = [[1, None, 0], [1, 1, None], [0, 1, 1], [None, 1, 1], [1, 0, 1], [0, 1, 1]]
    hit, up = (np.array(table, dtype=float) for table in (hits, ups))
    row = result.table.loc[1]
    assert row["hit_rate"] == pytest.approx(np.nanmean(hit))
    assert row["always_up"] == pytest.approx(np.nanmean(up))
    assert row["lead"] == pytest.approx(np.nanmean(hit) - np.nanmean(up))
    sums = np.nansum(hit - np.nanmean(hit), axis=1)
    assert row["hit_rate_error"] == pytest.approx(math.sqrt(6 / 5 * sum(sums**2)) / 15)
    assert (row["n_days"], row["n_forecasts"]) == (6, 15)
    assert result.notes == (
        "Over 1 bar, 2 forecasts aren't counted: they were 1.5, or the close didn't change.",
    )
    assert result.plot().axes[0].get_ylabel() == "Share that was right"


def test_always_up_leads_itself_by_nothing(panel):
    up = {symbol: pd.Series(0.7, DAYS) for symbol in panel}
    result = hit_rates(up, panel, horizons=(1, 2))
    assert (result.table["lead"] == 0).all()
    assert (result.table["hit_rate"] == result.table["always_up"]).all()
    assert result.notes[0] == "No forecast calls a fall: none lies below 0."
    assert result.notes[-1] == "If the forecasts are probabilities of a rise, pass neutral=0.5."


def test_what_cannot_be_a_probability_gets_no_advice_about_them(panel):
    for value in (-0.01, 1.5):
        told = {symbol: pd.Series(value, DAYS) for symbol in panel}
        assert not any("probabilities" in note for note in hit_rates(told, panel, horizons=1).notes)
    up = {symbol: pd.Series(0.7, DAYS) for symbol in panel}
    calls = align_calls(up, panel, column="forecast")
    # a model says what it forecasts, so no doubt about its unit is uttered
    assert not any("probabilities" in note for note in count_hits(calls, [1], neutral=0.0).notes)


def test_hit_rates_of_one_market_are_those_of_a_panel_of_it(told, panel):
    alone = hit_rates(told["A"], panel["A"], neutral=1.5, horizons=1)
    of_panel = hit_rates({"A": told["A"]}, {"A": panel["A"]}, neutral=1.5, horizons=1)
    pd.testing.assert_frame_equal(alone.table, of_panel.table)


def test_quantile_returns_of_three_markets_after_costs(told, panel):
    result = quantile_returns(told, panel, n_quantiles=3, cost_rate=0.001)
    days = DAYS[[0, 2, 3, 4, 5]]  # the second has two markets only
    assert result.n_days_left_out == 1
    lowest = pd.Series([-0.01, -0.01, 0.01, -0.01, -0.02], days)
    highest = pd.Series([0.01, 0.02, 0.02, 0.03, 0.02], days)
    np.testing.assert_allclose(result.by_day[1], lowest, atol=1e-12)
    np.testing.assert_allclose(result.by_day[3], highest, atol=1e-12)
    # long A short C; long C short A; long B short C; long A short B; long C short A
    turnover = [2.0, 4.0, 4.0, 4.0, 4.0]
    np.testing.assert_allclose(result.turnover, turnover)
    spread = (highest - lowest).to_numpy()
    net = spread - 0.001 * np.array(turnover)
    np.testing.assert_allclose(result.by_day["spread after costs"], net, atol=1e-12)
    row = result.table.loc["spread after costs"]
    assert row["mean_return"] == pytest.approx(net.mean())
    assert row["mean_return_error"] == pytest.approx(net.std(ddof=1) / math.sqrt(5))
    assert result.table["n_forecasts"].tolist() == [5, 5, 5, 10, 10]
    assert [ax.get_ylabel() for ax in result.plot().axes] == ["Mean return a bar", "Sum of returns"]


def test_quantile_returns_over_several_bars_are_those_of_the_obvious_loop(random_calls):
    told, panel = random_calls
    horizon, rows, weights = 3, [], []
    for pairs in pairs_by_day(told, panel, horizon).values():
        if len(pairs) < 2:
            continue
        ranked = sorted(pairs, key=lambda symbol: pairs[symbol][0])
        n_low = math.ceil(len(ranked) / 2 - 0.5)  # the middle one of an odd number is above
        low, high = ranked[:n_low], ranked[n_low:]
        rows.append(
            np.mean([pairs[s][1] for s in high]) / 3 - np.mean([pairs[s][1] for s in low]) / 3
        )
        weights.append({s: 1 / len(high) for s in high} | {s: -1 / len(low) for s in low})
    result = quantile_returns(told, panel, n_quantiles=2, horizon=horizon, cost_rate=0.002)
    np.testing.assert_allclose(result.by_day["spread"], rows)
    for place, weight in enumerate(weights):
        before = weights[place - horizon] if place >= horizon else {}
        traded = sum(abs(weight.get(s, 0) - before.get(s, 0)) for s in panel)
        assert result.turnover.iloc[place] == pytest.approx(traded / horizon)


def test_ties_share_a_quantile(panel):
    same = {symbol: pd.Series(1.0, DAYS) for symbol in panel}
    result = quantile_returns(same, panel, n_quantiles=3)
    assert result.table.loc[[1, 3], "n_forecasts"].tolist() == [0, 0]
    assert result.by_day["spread"].isna().all()
    assert math.isnan(result.table.loc["spread", "mean_return"])


def test_forecasts_are_read_from_frames_and_across_timezones(told, panel):
    frames = {
        symbol: pd.DataFrame({"signal": column}).tz_localize("UTC").tz_convert("Asia/Tokyo")
        for symbol, column in told.items()
    }
    expected = information_coefficients(told, panel, horizons=1)
    result = information_coefficients(frames, panel, horizons=1, column="signal")
    pd.testing.assert_frame_equal(result.table, expected.table)
    with pytest.raises(ForecastError, match="market A: the forecasts must have a column forecast"):
        information_coefficients(frames, panel)


@pytest.mark.parametrize("measure", [information_coefficients, hit_rates])
def test_a_frame_with_a_column_a_symbol_is_one_of_forecasts_by_symbol(measure, told, panel):
    expected = measure(told, panel, horizons=1)
    result = measure(pd.DataFrame(told), panel, horizons=1)
    pd.testing.assert_frame_equal(result.table, expected.table)
    with pytest.raises(ForecastError, match="there are forecasts of Z, and no bars"):
        measure(pd.DataFrame(told).rename(columns={"B": "Z"}), panel, horizons=1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda told, panel: (told["A"], panel), "the bars are given by symbol and the forecasts"),
        (lambda told, panel: (told, panel["A"]), "the forecasts are given by symbol and the bars"),
        (lambda told, panel: (told | {"D": told["A"]}, panel), "there are forecasts of D, and no"),
        (lambda told, panel: ({}, panel), "there are no forecasts"),
        (lambda told, panel: (told | {"B": told["B"] * np.inf}, panel), "market B: forecasts must"),
        (lambda told, panel: (told | {"B": [1.0]}, panel), "market B: forecasts must be a Series"),
    ],
)
@pytest.mark.parametrize("measure", [information_coefficients, hit_rates, quantile_returns])
def test_forecasts_that_do_not_go_with_the_bars_are_refused(measure, told, panel, change, message):
    with pytest.raises(ForecastError) as refusal:
        measure(*change(told, panel))
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t, p: hit_rates(t, p, horizons=0), "whole number of bars, at least 1, got 0"),
        (lambda t, p: hit_rates(t, p, horizons=[]), "horizons must be at least one"),
        (lambda t, p: hit_rates(t, p, neutral=np.nan), "neutral must be a finite number, got nan"),
        (lambda t, p: hit_rates(t, p, horizons=7), "has a move over 7 bars beside it"),
        (lambda t, p: quantile_returns(t, p), "5 quantiles need a day with so many markets, got"),
        (lambda t, p: quantile_returns(t, p, n_quantiles=1), "a whole number from 2 on, got 1"),
        (lambda t, p: quantile_returns(t, p, cost_rate=-1), "a fraction from 0 to below 1, got -1"),
        (lambda t, p: quantile_returns(t["A"], p["A"]), "got forecasts of one market"),
    ],
)
def test_terms_that_make_no_sense_are_refused(told, panel, call, message):
    with pytest.raises(ForecastError) as refusal:
        call(told, panel)
    assert message in str(refusal.value)
