"""What a live run shows: a page on a terminal, a line a bar elsewhere."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pandas as pd
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from lstm_strategy.cli.output import is_quiet, out, tell, tell_note
from lstm_strategy.errors import escape_controls
from lstm_strategy.support import count_of, format_time, number_text
from lstm_strategy.trading.live import LiveState

_N_NOTES = 5
_LIMITS = {
    "max_order_value": "order {:,.6g}",
    "max_position_value": "position {:,.6g}",
    "max_daily_loss": "loss of a day {:.1%}",
    "max_orders_per_minute": "{} orders a minute",
    "kill_switch": "kill switch {}",
}


def build_page(state: LiveState, now: pd.Timestamp | None = None) -> RenderableType:
    """The page of a run.

    Args:
        state: What the run knows.
        now: The time, for how long the next bar is still away; None where bars are played back.

    Returns:
        What rich can print, as wide as the terminal.
    """
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in describe_state(state, now):
        table.add_row(name, Text(escape_controls(text)))
    notes = [Text(escape_controls(f"• {note}")) for note in state.notes[-_N_NOTES:]]
    if not state.is_over:
        notes.append(Text("Ctrl+C ends it; the same command goes on.", style="dim"))
    return Group(table, *notes)


def describe_state(state: LiveState, now: pd.Timestamp | None = None) -> list[tuple[str, str]]:
    """What a page says, line by line, each with its name.

    Args:
        state: What the run knows.
        now: The time; None where bars are played back.

    Example:
        >>> describe_state(LiveState("play:prices.csv"))[:2]
        [('market', 'play:prices.csv'), ('status', 'starting')]
    """
    lines = [("market", state.market), ("status", _status(state))]
    if state.time is None or state.account is None:
        return lines
    account = state.account
    lines.append(("last bar", f"{format_time(state.time)}, close {state.close:,.6g}"))
    if not state.is_over:
        lines.append(("next bar due", _due(state, now)))
    if state.forecast:
        lines.append(("forecast", _forecast(state)))
    lines += [
        ("position", f"{account.position:,.6g}"),
        ("equity", f"{account.equity:,.2f} ({_gains(state)})"),
        ("open orders", _open_orders(state)),
        ("orders", f"{state.n_orders} sent, {state.n_refused} refused"),
        ("limits", _limits(state)),
        ("bad bars", _counts(state)),
    ]
    return lines


def describe_bar(state: LiveState) -> str:
    """What is said of a bar in one line.

    Args:
        state: What the run knows at the bar.
    """
    parts = [f"{format_time(state.time)}  close {state.close:,.6g}"]
    if state.forecast:
        parts.append(_forecast(state))
    if state.account is not None:
        parts += [f"position {state.account.position:,.6g}"]
        parts += [f"equity {state.account.equity:,.2f} ({_gains(state)})"]
    if state.status != "live":
        parts.append(_status(state))
    return "  ".join(parts)


@contextmanager
def show_run(is_played: bool) -> Iterator[Callable[[LiveState], None]]:
    """Show a run on stdout where that is a terminal, and in lines on stderr elsewhere.

    Args:
        is_played: Whether bars are played back, so that none is due at any time.

    Yields:
        What is to be called with the state whenever something has happened.
    """
    if is_quiet():
        yield lambda state: None
    elif out.is_terminal:
        last = LiveState("")

        def render() -> RenderableType:
            return build_page(last, None if is_played else pd.Timestamp.now(tz="UTC"))

        def show(state: LiveState) -> None:
            nonlocal last
            last = state

        with Live(get_renderable=render, console=out, refresh_per_second=4):
            yield show
    else:
        yield _LineTeller().tell


class _LineTeller:
    """Tells what is new since the last call."""

    def __init__(self) -> None:
        self._n_bars, self._notes = 0, tuple[str, ...]()

    def tell(self, state: LiveState) -> None:
        """Tell of new notes, and of a new bar."""
        if state.notes != self._notes:
            self._notes = state.notes
            tell_note(state.notes[-1])
        elif state.n_bars > self._n_bars and not state.is_over:
            self._n_bars = state.n_bars
            tell(describe_bar(state))


def _status(state: LiveState) -> str:
    if state.n_missing and not state.is_over:
        return f"{state.status}: {count_of(state.n_missing, 'more bar')} until its first decision"
    return f"{state.status}: {state.reason}" if state.reason else state.status


def _due(state: LiveState, now: pd.Timestamp | None) -> str:
    due = state.next_due
    if due is None or now is None:
        return "as it is played"
    utc = due.tz_localize("UTC") if due.tz is None else due.tz_convert("UTC")
    left = (utc - now).floor("s")
    span = str(abs(left)).removeprefix("0 days ")
    when = f"{utc:%Y-%m-%d %H:%M} UTC"
    # between sessions and over a weekend no bar comes
    late = f"{when}, late by {span} if the market is open"
    return late if left < pd.Timedelta(0) else f"{when}, in {span}"


def _forecast(state: LiveState) -> str:
    words = [f"{name} {number_text(each, '{:.4f}')}" for name, each in state.forecast.items()]
    return "  ".join(words)


def _gains(state: LiveState) -> str:
    if math.isnan(state.gained):
        return "no live bar yet"
    return f"{state.gained:+.2%}; holding {state.holding_gained:+.2%}"


def _open_orders(state: LiveState) -> str:
    words = [
        f"{size:+,.6g}" + ("" if price is None else f" at {price:,.6g}")
        for size, price in state.open_orders
    ]
    return ", ".join(words) or "none"


def _limits(state: LiveState) -> str:
    words = (_LIMITS.get(name, f"{name} {{}}") for name in state.limits)
    return ", ".join(map(str.format, words, state.limits.values()))


def _counts(state: LiveState) -> str:
    words = [f"{number} {kind}" for kind, number in state.counts.items() if number]
    return ", ".join(words) or "none"


def describe_end(state: LiveState) -> str:
    """What is said when a run ends.

    Args:
        state: The last one.

    Example:
        >>> describe_end(LiveState("play:prices.csv", reason="the end"))
        'Stopped after 0 bars: the end. No bar came.'
    """
    front = f"Stopped after {count_of(state.n_bars, 'bar')}: {state.reason}."
    if state.account is None or state.time is None:
        return f"{front} No bar came."
    return (
        f"{front} At {format_time(state.time)} the account has {state.account.equity:,.2f} "
        f"({_gains(state)}), {state.account.position:,.6g} units held, "
        f"{count_of(len(state.open_orders), 'order')} waiting."
    )
