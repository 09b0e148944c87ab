import json
import math

import numpy as np
import pandas as pd
import pytest

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import BacktestResult
from lstm_strategy.evaluation.comparison import Board
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
SEED_ALARM = Alarm("lucky seed", "2 of 3 seeds lost money.", "Average more seeds.")
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


def judged(returns, **settings):
    return verdict_on_returns(returns, "LSTM", **({"bars_per_year": YEAR, "reps": REPS} | settings))


def board_of(returns, *, in_sample=False):
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
            in_sample=in_sample and name == "LSTM",
        )
    return Board(results=results, broker=BrokerSettings())


def n_claims(n_boards, **settings):
    boards = (frame_of_returns(seed, **settings) for seed in range(n_boards))
    return sum(judged(board, seed=seed).claims_skill for seed, board in enumerate(boards))


def test_a_planted_skill_is_claimed():
    outcome = judged(frame_of_returns(n_bars=5000, sharpe_per_bar=0.15))
    assert outcome.claims_skill
    assert outcome.sentence.startswith(
        "Evidence of skill in LSTM: over 5,000 bars it beat each of 9 baselines at equal risk"
    )
    assert outcome.sentence.endswith("not a promise about the next ones.")
    assert len(outcome.reasons) == 4


def test_noise_isnt_claimed():
    outcome = judged(frame_of_returns())
    assert not outcome.claims_skill
    assert outcome.sentence.startswith("No evidence of skill in LSTM: ")
    assert str(outcome) == outcome.sentence


def test_the_numbers_are_those_of_the_significance_functions():
    returns = skilled(n_bars=500)
    outcome = judged(returns, n_trials=7, alpha=0.1, seed=3)
    p_values = superior_predictive_ability(returns, "LSTM", reps=REPS, seed=3).p_values
    interval = sharpe_interval(returns["LSTM"], YEAR, level=0.9, reps=REPS, seed=3)
    assert outcome.p_values == p_values.to_dict()
    assert outcome.p_value == p_values.max()
    assert outcome.sharpe == interval.estimate
    assert outcome.sharpe_interval == (interval.low, interval.high)
    assert outcome.deflated_sharpe == deflated_sharpe(returns["LSTM"], 7)
    assert (outcome.n_bars, outcome.n_trials, outcome.alpha) == (500, 7, 0.1)


def test_an_in_sample_result_is_no_evidence_however_good():
    outcome = judged(skilled(), in_sample=True)
    assert not outcome.claims_skill
    assert outcome.sentence == (
        "No evidence of skill in LSTM: the model was trained on bars that it trades here, so this "
        "result is in-sample."
    )


def test_one_baseline_that_is_as_good_is_enough_to_claim_nothing():
    returns = skilled()
    returns["Baseline 2"] = returns["LSTM"] * 0.5
    outcome = judged(returns)
    ratio = outcome.sharpe
    assert outcome.reasons == [
        f"at equal risk it did no better than Baseline 2 (Sharpe ratio {ratio:.2f} against "
        f"{ratio:.2f})"
    ]


def test_a_lead_within_luck_is_told_with_its_p_value():
    returns = skilled()
    returns["Baseline 2"] = returns["LSTM"] + frame_of_returns(9, n_bars=5000)["LSTM"] * 0.3
    own, rival = (returns[name].mean() / returns[name].std() for name in ("LSTM", "Baseline 2"))
    outcome = judged(returns)
    assert own > rival
    assert 0.05 < outcome.p_value < 0.5
    assert outcome.reasons == [
        f"its lead over Baseline 2 (Sharpe ratio {own * math.sqrt(YEAR):.2f} against "
        f"{rival * math.sqrt(YEAR):.2f}) may be luck: the p-value is {outcome.p_value:.3f}, "
        "and must be 0.05 or less"
    ]


def test_beating_losers_is_no_skill():
    outcome = judged(frame_of_returns(1, drag=0.5))
    assert outcome.p_value < 0.05
    assert not outcome.claims_skill
    low, high = outcome.sharpe_interval
    assert outcome.reasons[0] == (
        f"its Sharpe ratio of {outcome.sharpe:.2f} may truly be anything from {low:.2f} to "
        f"{high:.2f} (95% interval), which doesn't rule out zero"
    )


def test_many_trials_take_a_claim_back():
    returns = skilled(n_bars=1000, drag=0.3, sharpe_per_bar=0.06)
    assert judged(returns).claims_skill
    outcome = judged(returns, n_trials=1000)
    assert outcome.reasons == [
        "the confidence that its Sharpe ratio is above the luckiest of 1,000 trials is "
        f"{outcome.deflated_sharpe:.1%}, and must be 95% or more"
    ]


def test_further_hurdles_are_counted_in_the_sentence():
    outcome = judged(frame_of_returns(), in_sample=True)
    n_more = len(outcome.reasons) - 1
    assert n_more >= 2
    assert outcome.sentence.endswith(f"is in-sample ({n_more} more hurdles failed).")


def test_alarms_qualify_a_claim_and_undo_none():
    one = judged(skilled(), alarms=[LAG_ALARM])
    two = judged(skilled(), alarms=[LAG_ALARM, SEED_ALARM])
    assert one.claims_skill
    assert two.claims_skill
    assert "skill in LSTM, if the alarm lagged close can be explained: over" in one.sentence
    assert "if the alarms lagged close, lucky seed can be explained: over" in two.sentence
    assert two.alarms == (LAG_ALARM, SEED_ALARM)


def test_cash_is_a_baseline_like_any_other():
    returns = skilled(n_baselines=1).assign(Cash=0.0)
    assert judged(returns).claims_skill
    only_cash = judged(returns[["LSTM", "Cash"]])
    assert "it beat its only baseline at equal risk (the hardest was Cash" in only_cash.sentence
    assert "closest was Cash (Sharpe ratio" in only_cash.reasons[1]
    assert "against 0.00), with" in only_cash.reasons[1]


def test_a_flat_strategy_has_nothing_to_judge():
    outcome = judged(frame_of_returns(drag=0.5).assign(LSTM=0.0))
    assert outcome.sentence == (
        "No evidence of skill in LSTM: its equity never varied, so there is nothing to judge."
    )
    assert outcome.p_values == {}
    assert math.isnan(outcome.p_value)


def test_few_bars_are_no_evidence_rather_than_an_error():
    outcome = judged(skilled().head(29))
    assert outcome.reasons == ["29 bars are too few to tell skill from luck"]


def test_a_verdict_is_the_same_with_the_same_seed():
    assert judged(frame_of_returns(2)) == judged(frame_of_returns(2))


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
        judged(returns, **settings)


def test_a_board_is_judged_by_the_returns_of_its_curves():
    returns = skilled(n_bars=500)
    board = board_of(returns)
    outcome = verdict(board, n_trials=2, reps=REPS)
    expected = judged(returns, n_trials=2)
    assert outcome.p_values == expected.p_values
    assert outcome.sentence == expected.sentence
    assert outcome.sharpe == pytest.approx(sharpe(board.results["LSTM"].equity, YEAR))


def test_a_board_knows_what_is_in_sample():
    outcome = verdict(board_of(skilled(), in_sample=True), reps=REPS)
    assert outcome.in_sample
    assert not outcome.claims_skill


def test_a_ruined_baseline_is_beaten_and_a_ruined_strategy_has_no_skill():
    returns = skilled()
    returns.loc[returns.index[100], "Baseline 1"] = -1.5
    outcome = verdict(board_of(returns), reps=REPS)
    assert outcome.claims_skill
    assert not verdict(board_of(returns), "Baseline 1", reps=REPS).claims_skill


def test_another_strategy_of_the_board_can_be_judged():
    outcome = verdict(board_of(skilled()), "Baseline 1", reps=REPS)
    assert (outcome.name, outcome.claims_skill) == ("Baseline 1", False)
    assert "it did no better than LSTM" in outcome.sentence


def test_a_verdict_becomes_json_and_nothing_is_lost():
    outcome = judged(frame_of_returns().assign(LSTM=0.0), alarms=[LAG_ALARM])
    again = json.loads(json.dumps(outcome.to_dict(), allow_nan=False))
    assert again == {
        "name": "LSTM",
        "claims_skill": False,
        "sentence": outcome.sentence,
        "reasons": outcome.reasons,
        "n_bars": 1000,
        "n_trials": 1,
        "alpha": 0.05,
        "p_values": {},
        "p_value": None,
        "sharpe": None,
        "sharpe_interval": [None, None],
        "deflated_sharpe": None,
        "in_sample": False,
        "alarms": [
            {"name": "lagged close", "message": "It explains 99%.", "remedy": "Trade the rule."}
        ],
    }
    json.dumps(judged(skilled()).to_dict(), allow_nan=False)


def test_noise_beside_losers_is_seldom_claimed():
    # The hardest case for the verdict: every baseline is beaten, so all hangs on the Sharpe ratio.
    assert n_claims(40, n_bars=250, n_baselines=2, drag=0.5) <= 3


@pytest.mark.slow
@pytest.mark.parametrize("drag", [0.0, 0.5], ids=["equal baselines", "losing baselines"])
def test_noise_is_claimed_in_clearly_fewer_than_five_of_a_hundred_boards(drag):
    assert n_claims(200, drag=drag) < 0.05 * 200


@pytest.mark.slow
def test_a_planted_skill_is_claimed_whatever_the_draw():
    assert n_claims(20, n_bars=5000, sharpe_per_bar=0.15) == 20
