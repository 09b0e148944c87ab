import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import BacktestResult, ResultSet, Role
from lstm_strategy.evaluation.metrics import sharpe
from lstm_strategy.evaluation.statistics import (
    deflated_sharpe,
    sharpe_interval,
    superior_predictive_ability,
)
from lstm_strategy.evaluation.verdict.alarms import Alarm
from lstm_strategy.evaluation.verdict.judge import verdict, verdict_on_returns
from lstm_strategy.trading.cerebro import BrokerSettings

YEAR = 252.0
REPS = 100
MEMBER_ALARM = Alarm("lucky member", "2 of 3 members lost money.", "Average more members.")
LAG_ALARM = Alarm("lagged close", "It explains 99%.", "Trade the rule.")


def frame_of_returns(seed=0, *, n_bars=1000, sharpe_per_bar=0.0, n_baselines=9, drag=0.0):
    """The LSTM with a planted Sharpe ratio per bar; baselines that lose `drag` of their risk."""
    rng = np.random.default_rng([seed, 11])
    returns = rng.normal(0.0, 0.01, (n_bars, 1 + n_baselines))
    returns[:, 0] += 0.01 * sharpe_per_bar
    returns[:, 1:] -= 0.01 * drag
    columns = ["LSTM", *(f"Baseline {i}" for i in range(1, 1 + n_baselines))]
    return pd.DataFrame(returns, columns=columns, index=pd.date_range("2000-01-01", periods=n_bars))


def skilled(**changes):
    settings = {"n_bars": 5000, "sharpe_per_bar": 0.15, "n_baselines": 3} | changes
    return frame_of_returns(4, **settings)


def judge(returns, **settings):
    return verdict_on_returns(returns, "LSTM", **({"bars_per_year": YEAR, "reps": REPS} | settings))


def results_of(returns, *, in_sample=False):
    start = pd.Series(1.0, index=returns.index[:1] - pd.Timedelta(days=1))
    empty = pd.DataFrame()
    results = {}
    for name in returns:
        equity = 1e5 * pd.concat([start, (1.0 + returns[name]).cumprod()])
        results[name] = BacktestResult(
            name=name,
            equity=equity,
            exposure=equity * 0.0,
            fills=empty,
            trades=empty,
            costs=0.0,
            order_counts={},
            first_tradable=equity.index[0],
            bars_per_year=YEAR,
            params={},
            role=Role.LSTM if name == "LSTM" else Role.RULE,
            in_sample=in_sample and name == "LSTM",
        )
    return ResultSet(results, BrokerSettings())


def n_claims(n_comparisons, **settings):
    frames = (frame_of_returns(seed, **settings) for seed in range(n_comparisons))
    return sum(judge(returns, seed=seed).claims_skill for seed, returns in enumerate(frames))


def test_a_planted_skill_is_claimed():
    outcome = judge(frame_of_returns(n_bars=5000, sharpe_per_bar=0.15))
    assert outcome.claims_skill
    assert outcome.sentence.startswith(
        "Evidence of skill in LSTM: over 5,000 bars it beat each of 9 baselines at equal risk"
    )
    assert outcome.sentence.endswith("not a promise about the next ones.")
    assert len(outcome.reasons) == 4


def test_noise_isnt_claimed():
    outcome = judge(frame_of_returns())
    assert not outcome.claims_skill
    assert outcome.sentence.startswith("No evidence of skill in LSTM: ")
    assert str(outcome) == outcome.sentence


def test_the_numbers_are_those_of_the_significance_functions():
    returns = skilled(n_bars=500)
    outcome = judge(returns, n_trials=7, alpha=0.1, seed=3)
    p_values = superior_predictive_ability(returns, "LSTM", reps=REPS, seed=3).p_values
    interval = sharpe_interval(returns["LSTM"], YEAR, level=0.9, reps=REPS, seed=3)
    assert outcome.p_values == p_values.to_dict()
    assert outcome.p_value == p_values.max()
    assert outcome.sharpe == interval.estimate
    assert outcome.sharpe_interval == (interval.low, interval.high)
    assert outcome.deflated_sharpe == deflated_sharpe(returns["LSTM"], 7)
    assert (outcome.n_bars, outcome.n_trials, outcome.alpha) == (500, 7, 0.1)


def test_an_in_sample_result_is_no_evidence_however_good():
    outcome = judge(skilled(), in_sample=True)
    assert not outcome.claims_skill
    assert outcome.sentence.endswith("so this result is in-sample.")
    assert len(outcome.reasons) == 1


def test_one_baseline_that_is_as_good_is_enough_to_claim_nothing():
    returns = skilled()
    returns["Baseline 2"] = returns["LSTM"] * 0.5
    outcome = judge(returns)
    ratio = outcome.sharpe
    assert outcome.reasons == [
        f"at equal risk it did no better than Baseline 2 (Sharpe ratio {ratio:.2f} against "
        f"{ratio:.2f})"
    ]


def test_a_lead_within_luck_is_shown_with_its_p_value():
    returns = skilled()
    returns["Baseline 2"] = returns["LSTM"] + frame_of_returns(9, n_bars=5000)["LSTM"] * 0.3
    own, rival = (returns[name].mean() / returns[name].std() for name in ("LSTM", "Baseline 2"))
    outcome = judge(returns)
    assert own > rival
    assert 0.05 < outcome.p_value < 0.5
    (reason,) = outcome.reasons
    assert reason.startswith(
        f"its lead over Baseline 2 (Sharpe ratio {own * math.sqrt(YEAR):.2f} against "
        f"{rival * math.sqrt(YEAR):.2f}) may be luck: the p-value is {outcome.p_value:.3f}"
    )


def test_beating_losers_is_no_skill():
    outcome = judge(frame_of_returns(1, drag=0.5))
    assert outcome.p_value < 0.05
    assert not outcome.claims_skill
    low, high = outcome.sharpe_interval
    assert f"from {low:.2f} to {high:.2f} (95% interval)" in outcome.reasons[0]
    assert outcome.reasons[0].endswith("doesn't rule out zero")


def test_many_trials_take_a_claim_back():
    returns = skilled(n_bars=1000, drag=0.3, sharpe_per_bar=0.06)
    assert judge(returns).claims_skill
    outcome = judge(returns, n_trials=1000)
    (reason,) = outcome.reasons
    assert "the luckiest of 1,000 trials" in reason
    assert f"{outcome.deflated_sharpe:.1%}" in reason


def test_further_hurdles_are_counted_in_the_sentence():
    outcome = judge(frame_of_returns(), in_sample=True)
    n_more = len(outcome.reasons) - 1
    assert n_more >= 2
    assert outcome.sentence.endswith(f"is in-sample; {n_more} more hurdles failed.")


def test_alarms_qualify_a_claim_and_undo_none():
    one = judge(skilled(), alarms=[LAG_ALARM])
    two = judge(skilled(), alarms=[LAG_ALARM, MEMBER_ALARM])
    assert one.claims_skill
    assert two.claims_skill
    assert "skill in LSTM, if the alarm lagged close can be explained: over" in one.sentence
    assert "if the alarms lagged close, lucky member can be explained: over" in two.sentence
    assert two.alarms == (LAG_ALARM, MEMBER_ALARM)


def test_cash_is_a_baseline_like_any_other():
    returns = skilled(n_baselines=1).assign(Cash=0.0)
    assert judge(returns).claims_skill
    only_cash = judge(returns[["LSTM", "Cash"]])
    assert "it beat its only baseline at equal risk (the hardest was Cash" in only_cash.sentence
    assert "closest was Cash (Sharpe ratio" in only_cash.reasons[1]
    assert "against 0.00), with" in only_cash.reasons[1]


def test_a_flat_strategy_has_nothing_to_judge():
    outcome = judge(frame_of_returns(drag=0.5).assign(LSTM=0.0))
    assert outcome.sentence.endswith("its equity never varied, so there is nothing to judge.")
    assert outcome.p_values == {}
    assert math.isnan(outcome.p_value)


def test_few_bars_are_no_evidence_rather_than_an_error():
    outcome = judge(skilled().head(29))
    assert outcome.reasons == ["29 bars are too few to tell skill from luck"]


def test_a_verdict_is_the_same_with_the_same_seed():
    assert judge(frame_of_returns(2)) == judge(frame_of_returns(2))


@pytest.mark.parametrize(
    "returns, settings, message",
    [
        (frame_of_returns().drop(columns="LSTM"), {}, "need a column 'LSTM', got Baseline 1, "),
        (frame_of_returns()[["LSTM"]], {}, "needs a baseline to compare it with"),
        (frame_of_returns(), {"alpha": 0.0}, "alpha must lie between 0 and 1, got 0.0"),
        (frame_of_returns(), {"n_trials": 0}, "at least 1, got 0"),
    ],
    ids=["no such column", "alone", "alpha", "trials"],
)
def test_what_cant_be_judged_is_refused(returns, settings, message):
    with pytest.raises(TradingError, match=message):
        judge(returns, **settings)


def test_a_comparison_is_judged_by_the_returns_of_its_curves():
    returns = skilled(n_bars=500)
    results = results_of(returns)
    outcome = verdict(results, n_trials=2, reps=REPS)
    expected = judge(returns, n_trials=2)
    assert outcome.p_values == expected.p_values
    assert outcome.sentence == expected.sentence
    assert outcome.sharpe == pytest.approx(sharpe(results.results["LSTM"].equity, YEAR))


def test_a_comparison_knows_what_is_in_sample():
    outcome = verdict(results_of(skilled(), in_sample=True), reps=REPS)
    assert outcome.in_sample
    assert not outcome.claims_skill


def test_a_ruined_baseline_is_beaten_and_a_ruined_strategy_has_no_skill():
    returns = skilled()
    returns.loc[returns.index[100], "Baseline 1"] = -1.5
    results = results_of(returns)
    assert verdict(results, reps=REPS).claims_skill
    assert not verdict(results, "Baseline 1", reps=REPS).claims_skill


def test_a_ruined_account_is_named_first_among_the_reasons():
    # gains on nearly every one of 5,000 bars, as of one who sells volatility, and one loss
    returns = skilled(sharpe_per_bar=3.0)
    fallen, ruined = returns.copy(), returns.copy()
    fallen.iloc[4000, 0], ruined.iloc[4000, 0] = -0.999, -1.0
    reason = "its account was ruined after 4,001 of 5,000 bars, when its equity fell to zero or"
    first, *_ = verdict(results_of(ruined), reps=REPS).reasons
    assert first == f"{reason} below"
    assert not any("ruined" in each for each in verdict(results_of(fallen), reps=REPS).reasons)


def test_the_sharpe_ratio_of_a_ruined_account_is_that_of_its_metrics():
    returns = skilled(n_bars=500)
    returns.loc[returns.index[100], "LSTM"] = -1.5
    results = results_of(returns)
    outcome = verdict(results, reps=REPS)
    assert outcome.sharpe == pytest.approx(sharpe(results.results["LSTM"].equity, YEAR))


def test_another_strategy_of_the_comparison_can_be_judged():
    outcome = verdict(results_of(skilled()), "Baseline 1", reps=REPS)
    assert (outcome.name, outcome.claims_skill) == ("Baseline 1", False)
    assert "it did no better than LSTM" in outcome.sentence


def test_a_name_that_is_not_compared_is_refused():
    with pytest.raises(TradingError, match=r"no strategy 'LTSM'\. Choose from LSTM, Baseline 1"):
        verdict(results_of(skilled()), "LTSM")


def test_a_verdict_becomes_json_and_nothing_is_lost():
    outcome = judge(frame_of_returns().assign(LSTM=0.0), alarms=[LAG_ALARM])
    again = json.loads(json.dumps(outcome.to_dict(), allow_nan=False))
    fields = [field.name for field in dataclasses.fields(outcome)]
    assert list(again) == fields
    assert (again["name"], again["reasons"], again["n_bars"]) == ("LSTM", outcome.reasons, 1000)
    assert (again["p_value"], again["sharpe_interval"]) == (None, [None, None])
    assert again["alarms"] == [dataclasses.asdict(LAG_ALARM)]
    json.dumps(judge(skilled()).to_dict(), allow_nan=False)


def test_noise_beside_losers_is_seldom_claimed():
    # The hardest case for the verdict: every baseline is beaten, so all hangs on the Sharpe ratio.
    assert n_claims(40, n_bars=250, n_baselines=2, drag=0.5) <= 3


@pytest.mark.slow
@pytest.mark.parametrize("drag", [0.0, 0.5], ids=["equal baselines", "losing baselines"])
def test_noise_is_claimed_in_clearly_fewer_than_five_of_a_hundred_comparisons(drag):
    assert n_claims(200, drag=drag) < 0.05 * 200


@pytest.mark.slow
def test_a_planted_skill_is_claimed_whatever_the_draw():
    assert n_claims(20, n_bars=5000, sharpe_per_bar=0.15) == 20
