"""What a report doesn't know."""

from collections.abc import Iterable

import pandas as pd

from lstm_strategy.bars import Panel
from lstm_strategy.evaluation.backtests import Role
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import escape
from lstm_strategy.trading.cerebro import BrokerSettings
from lstm_strategy.trading.instruments import Spot

_OF_MODELS = (Role.LSTM, Role.LEARNER)


def left_out_section(content: ReportContent) -> str:
    """Return what the report doesn't know, so that nobody reads it as more than it is."""
    missing = [f"{name} didn't run. {reason}" for name, reason in content.results.left_out.items()]
    missing += [each.early_end for each in content.results.results.values() if each.early_end]
    missing += content.results.market_notes
    robust, has_model = content.assessment.robustness, content.result.role in _OF_MODELS
    if content.assessment.verdict is None:
        missing.append("No verdict: a single strategy has nothing to be compared with.")
    elif content.assessment.verdict.n_trials == 1:
        missing.append(
            "Only one trial is counted. If other settings or seeds were tried before, tell compare "
            "how many (n_trials, or --trials); otherwise the confidence is too high."
        )
    if robust is None:
        untried = "costs, late orders and single members" if has_model else "costs and late orders"
        missing.append(f"Other {untried} weren't tried.")
    elif robust.equity_by_member is None:
        missing.append("Single members weren't tried, as the model has only one.")
    if has_model and content.assessment.permutation_test is None:
        missing.append(
            "No permutation test was run, which trains and trades again on shuffled bars."
        )
    if has_model and content.ledger is None:
        missing.append("The model was trained only once, or its folds aren't known.")
    missing.append(_describe_uncharged(content.results.broker, _symbols_of(content.bars)))
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in missing)}</ul>"


def _symbols_of(bars: pd.DataFrame | Panel) -> Iterable[str]:
    return bars.symbols if isinstance(bars, Panel) else ("",)


def _describe_uncharged(broker: BrokerSettings, symbols: Iterable[str]) -> str:
    """The costs that aren't charged, as far as what is traded could have them."""
    instruments = [broker.instrument_of(symbol) for symbol in symbols]
    has_spot = any(each is None or isinstance(each, Spot) for each in instruments)
    charged = broker.costs_beside_fee
    uncharged = ["taxes"]
    if has_spot and "borrowing" not in charged:
        uncharged.append("borrowing fees")
    if not broker.has_derivatives:
        uncharged.append("the funding of perpetual futures")
    if "impact" not in charged:
        uncharged.append("the market impact of orders")
    if has_spot:
        uncharged.append("dividends that the prices don't contain")
    *others, last = uncharged
    listed = last if not others else f"{', '.join(others)}{',' * (len(others) > 1)} and {last}"
    return f"Not included: {listed}."
