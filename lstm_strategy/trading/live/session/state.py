"""What a session knows at a bar: for a page, for `state.json`, and for the next start."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import pandas as pd

from lstm_strategy.errors import JournalError
from lstm_strategy.support import parse_json, read_whole, write_whole

STATE_FILE = "state.json"
_LARGEST_STATE = 1_000_000
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Account:
    """Money and position at the close of a bar.

    Attributes:
        cash: Money that isn't tied up.
        equity: Cash and position.
        position: Signed units.
    """

    cash: float
    equity: float
    position: float

    def find_difference(self, other: Self) -> str:
        """Say in what another account differs by more than rounding; "" where in nothing.

        Args:
            other: The account that was expected.

        Example:
            >>> Account(0.0, 100.0, 2.0).find_difference(Account(0.0, 100.0, 1.0))
            'position is 2 instead of 1'
        """
        scale = max(1.0, abs(other.equity), abs(other.cash))
        for name, most in (("position", max(1.0, abs(other.position))), ("cash", scale)):
            now, before = getattr(self, name), getattr(other, name)
            if not math.isclose(now, before, rel_tol=0.0, abs_tol=_ROUNDING * most):
                return f"{name} is {now:.10g} instead of {before:.10g}"
        if not math.isclose(self.equity, other.equity, rel_tol=0.0, abs_tol=_ROUNDING * scale):
            return f"equity is {self.equity:.10g} instead of {other.equity:.10g}"
        return ""


@dataclass(frozen=True)
class LiveState:
    """What a session knows at a bar.

    Attributes:
        market: What is traded.
        status: "starting", "warming up", "waiting for live bars", "live" or "stopped".
        reason: Why it stopped; "" while it goes on.
        time: The date of the last bar; None before the first.
        n_bars: How many bars have come since the run was begun, its history not counted.
        n_missing: How many more the strategy needs for its first decision; 0 once it is warm.
        spacing: From bar to bar.
        close: Of the last bar.
        account: Money and position; None before the first bar.
        begun_with: The equity at the first live bar.
        first_close: The close of the first live bar, from which holding counts.
        forecast: What the model says, by line; empty without a model.
        open_orders: The orders that wait, as size and limit price.
        n_orders: How many orders have left.
        n_refused: How many a limit refused.
        counts: How often each kind of bad bar came.
        limits: What no order may break, where it is set.
        notes: The last things that happened.
    """

    market: str
    status: str = "starting"
    reason: str = ""
    time: pd.Timestamp | None = None
    n_bars: int = 0
    n_missing: int = 0
    spacing: pd.Timedelta | None = None
    close: float = math.nan
    account: Account | None = None
    begun_with: float = math.nan
    first_close: float = math.nan
    forecast: Mapping[str, float] = field(default_factory=dict)
    open_orders: tuple[tuple[float, float | None], ...] = ()
    n_orders: int = 0
    n_refused: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether the run has ended."""
        return self.status == "stopped"

    @property
    def next_due(self) -> pd.Timestamp | None:
        """When the bar closes that comes next; bars are dated when they open."""
        if self.time is None or self.spacing is None:
            return None
        return self.time + 2 * self.spacing

    @property
    def gained(self) -> float:
        """What the equity has gained since the first live bar, a fraction; NaN before it."""
        return math.nan if self.account is None else self.account.equity / self.begun_with - 1.0

    @property
    def holding_gained(self) -> float:
        """What holding the market would have gained since then, costs left out, a fraction."""
        return self.close / self.first_close - 1.0

    def updated(self, **changes: Any) -> "LiveState":
        """Return the state with some changes."""
        return replace(self, **changes)


def write_state(folder: Path, state: LiveState) -> None:
    """Write `state.json` whole.

    Args:
        folder: The folder of the run.
        state: What is known.

    Raises:
        OSError: If it can't be written.
    """
    content = asdict(state) | {"time": None if state.time is None else state.time.isoformat()}
    content["spacing"] = None if state.spacing is None else str(state.spacing)
    text = json.dumps(_without_nan(content), indent=2, default=str, ensure_ascii=False)
    write_whole(folder / STATE_FILE, f"{text}\n")


def mark_status(folder: Path, status: str, reason: str = "") -> None:
    """Change what `state.json` says of the run, and leave the rest as it is.

    Where there is no such file, or one that can't be read, nothing is written.

    Args:
        folder: The folder of the run.
        status: As in `LiveState`.
        reason: As in `LiveState`.

    Raises:
        OSError: If it can't be written.
    """
    path = folder / STATE_FILE
    try:
        content = parse_json(read_whole(path, largest=_LARGEST_STATE))
    except (OSError, ValueError):
        return
    if isinstance(content, dict):
        content |= {"status": status, "reason": reason}
        write_whole(path, f"{json.dumps(content, indent=2, ensure_ascii=False)}\n")


def read_account(folder: Path) -> tuple[int, Account] | None:
    """Return the account in `state.json` and how many bars had come; None where there is none.

    Args:
        folder: The folder of the run.

    Raises:
        JournalError: If the file is damaged.
    """
    path = folder / STATE_FILE
    if not path.exists():
        return None
    try:
        content = parse_json(read_whole(path, largest=_LARGEST_STATE))
        account = content["account"]
        if account is None:
            return None
        return int(content["n_bars"]), Account(*(float(account[k]) for k in _ACCOUNT_FIELDS))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise JournalError(
            f"{path} can't be read: {error}. It only repeats what the journal says: delete it."
        ) from None


_ACCOUNT_FIELDS = ("cash", "equity", "position")


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
