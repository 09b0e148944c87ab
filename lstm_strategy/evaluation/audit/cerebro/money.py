"""The money of a run: what its fills were worth, what was charged, and whose code decides that."""

from types import FunctionType, MethodType
from typing import Any

import backtrader as bt

FILLS = "the price of fills"
CHARGES = "what is charged"
EQUITY = "equity"


class MoneyCounter:
    """Adds up what the fills of a strategy were worth and what was charged.

    Args:
        broker: The broker of the run.
    """

    def __init__(self, broker: Any) -> None:
        self._broker = broker
        self._by_order: dict[int, tuple[float, float]] = {}
        self._value = self._fees = 0.0

    def note(self, order: Any) -> None:
        """Take down what an order has come to.

        Args:
            order: The order, as a strategy is notified of it.
        """
        done = order.executed
        value, fees = abs(done.size * done.price), done.comm
        earlier_value, earlier_fees = self._by_order.get(order.ref, (0.0, 0.0))
        self._value += value - earlier_value
        self._fees += fees - earlier_fees
        self._by_order[order.ref] = value, fees

    def count(self) -> tuple[float, float]:
        """Return the value of all fills so far, and all commission, interest and funding."""
        # what interest takes moves into the commission of the fill that closes the position
        interest = sum(getattr(self._broker, "d_credit", {}).values())
        return self._value, self._fees + interest


def find_money_code(broker: Any) -> tuple[Any, ...]:
    """Return the classes and functions that decide what trading costs and when orders fill.

    Args:
        broker: The broker of a Cerebro that is ready to run.

    Returns:
        Commission schemes, their instruments, the class of the broker and its filler, without
        those of backtrader.
    """
    schemes = list(getattr(broker, "comminfo", {}).values())
    instruments = [getattr(scheme, "instrument", None) for scheme in schemes]
    filler = getattr(getattr(broker, "p", None), "filler", None)
    things = [thing for thing in (*schemes, *instruments, broker, filler) if thing is not None]
    code = dict.fromkeys(map(_code_of, things))
    return tuple(each for each in code if not each.__module__.startswith("backtrader."))


def _code_of(thing: Any) -> Any:
    """A function itself, and the class of anything else."""
    return thing if isinstance(thing, FunctionType | MethodType) else type(thing)


def is_raised_by_broker(error: Exception) -> bool:
    """Whether an exception came out of the broker, where it fills and charges."""
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code is bt.Cerebro._brokernotify.__code__:
            return True
        traceback = traceback.tb_next
    return False
