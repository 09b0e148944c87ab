"""ccxt, its exchanges, and what their failures mean."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from lstm_strategy.bars.sources.download import UnreachableError
from lstm_strategy.errors import BarsError
from lstm_strategy.support import suggest_names

_T = TypeVar("_T")


def load_ccxt() -> Any:
    """The package ccxt.

    Raises:
        BarsError: If it isn't installed.
    """
    try:
        import ccxt
    except ImportError as error:
        raise BarsError(
            "markets of exchanges come by ccxt, which isn't installed. "
            'Run pip install "lstm-strategy[ccxt]".'
        ) from error
    return ccxt


def make_exchange(exchange: str) -> Any:
    """An exchange by its name in ccxt, whose half answers count as failures.

    Raises:
        BarsError: If ccxt doesn't know it, or it has no candles.
    """
    ccxt = load_ccxt()
    if exchange not in ccxt.exchanges:
        nearest = _shorten(suggest_names(exchange, ccxt.exchanges))
        raise BarsError(f"ccxt knows no exchange {exchange}. {nearest}")
    made = getattr(ccxt, exchange)({"enableRateLimit": True})
    if not made.has.get("fetchOHLCV") or made.has["fetchOHLCV"] == "emulated":
        raise BarsError(f"{exchange} offers no candles. Choose another exchange.")
    made.handle_errors = partial(_refuse_what_is_no_json, made, made.handle_errors)
    return made


def _refuse_what_is_no_json(
    exchange: Any, handle_errors: Callable[..., Any], code: int, *answer: Any
) -> Any:
    """What ccxt does with an answer; half of one would count as empty there."""
    response = answer[5]
    if code < 400 and response is None:
        raise UnreachableError(f"the answer of {exchange.id} can't be read")
    return handle_errors(code, *answer)


def _shorten(known: str) -> str:
    return known if len(known) < 200 else "They are listed at https://docs.ccxt.com."


def make_pushing(exchange: str) -> Any:
    """The same exchange as `ccxt.pro` has it, which pushes candles over a websocket.

    Raises:
        BarsError: If it pushes none.
    """
    load_ccxt()
    from ccxt import pro

    made = getattr(pro, exchange)() if exchange in pro.exchanges else None
    if made is None or made.has.get("watchOHLCV") is not True:
        raise BarsError(f"{exchange} pushes no candles. Leave out push.")
    return made


def check_timeframe(exchange: Any, timeframe: str, text: str) -> None:
    """Raise a BarsError unless an exchange has candles of a length."""
    known = [name for name in exchange.timeframes or {} if not name.endswith(("M", "y"))]
    if timeframe not in known:
        raise BarsError(
            f"{text}: {exchange.id} has no timeframe {timeframe!r}. Known: {', '.join(known)}."
        )


def ask_exchange(exchange: Any, name: str, request: Callable[[], _T]) -> _T:
    """What the exchange answers; each kind of failure as an error of ours.

    Raises:
        UnreachableError: If another try may help.
        BarsError: If none will.
    """
    ccxt = load_ccxt()
    try:
        return request()
    except ccxt.OperationFailed as error:
        raise UnreachableError(_describe(exchange, error), _retry_after(exchange, error)) from error
    except ccxt.BaseError as error:
        raise BarsError(f"{name}: {_describe(exchange, error)}. Check the market.") from error
    except (TypeError, KeyError, IndexError, ValueError, AttributeError) as error:
        raise UnreachableError(f"the answer of {exchange.id} can't be read") from error


def _describe(exchange: Any, error: Exception) -> str:
    kinds = {
        "RateLimitExceeded": "answers that there are too many requests",
        "DDoSProtection": "answers that there are too many requests",
        "RequestTimeout": "doesn't answer in time",
        "NetworkError": "can't be reached",
    }
    kind = type(error).__name__
    text = " ".join(str(error).split())[:150].removeprefix(exchange.id).strip()
    said = kinds.get(kind, f"refuses ({kind})")
    return f"{exchange.id} {said}: {text}".rstrip(".")


def _retry_after(exchange: Any, error: Exception) -> float:
    """Seconds that an answer of too many requests asks to wait."""
    if type(error).__name__ not in ("RateLimitExceeded", "DDoSProtection"):
        return 0.0
    asked = (exchange.last_response_headers or {}).get("Retry-After", "")
    return float(asked) if re.fullmatch(r"\d{1,6}", str(asked)) else 0.0
