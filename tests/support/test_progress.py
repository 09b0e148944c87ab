"""Progress in a notebook, where one output is written over, and in a terminal."""

import re

import IPython.display
import pytest

from lstm_strategy.support import progress
from lstm_strategy.support.progress import (
    choose_progress,
    steps_progress,
    training_progress,
    words_progress,
)


class Outputs:
    """What a cell shows: the states of its outputs, in the order in which they came."""

    def __init__(self):
        self.n_outputs, self.states = 0, []

    def display(self, bundle, *, raw, display_id):
        assert raw and display_id
        self.n_outputs += 1
        self.states.append(bundle)
        return self

    def update(self, bundle, *, raw):
        assert raw
        self.states.append(bundle)


@pytest.fixture
def cell(monkeypatch):
    outputs = Outputs()
    monkeypatch.setattr(progress, "_is_notebook", lambda: True)
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_UPDATES", -1.0)
    monkeypatch.setattr(IPython.display, "display", outputs.display)
    return outputs


def test_steps_fill_one_bar_and_leave_one_line_behind(cell):
    with steps_progress(None, "folds") as on_step:
        on_step(1, 2)
        on_step(2, 2)
    assert cell.n_outputs == 1
    assert [state["text/plain"] for state in cell.states] == [
        "folds",
        "folds: 1 of 2",
        "folds: 2 of 2",
        "folds: 2 of 2, took 0 s",
    ]
    assert ['value="0.500"' in state.get("text/html", "") for state in cell.states] == [
        *(False, True, False, False)
    ]
    assert list(cell.states[-1]) == ["text/plain"]


def test_training_counts_the_epochs_of_all_members(cell):
    with training_progress(None, members=2, epochs=4) as on_epoch:
        on_epoch(1, 2, 0.5)
    assert 'value="0.750"' in cell.states[1]["text/html"]
    assert cell.states[1]["text/plain"] == "training: member 2/2, epoch 2/4, validation loss 0.5000"


def test_words_are_shown_as_text_whatever_is_in_them(cell):
    with words_progress(None, "Auditing") as on_words:
        on_words("<b>rsi</b>")
    assert "&lt;b&gt;rsi" in cell.states[1]["text/html"]
    assert "value=" not in cell.states[1]["text/html"]


def test_what_was_stopped_says_so(cell):
    with pytest.raises(KeyboardInterrupt), steps_progress(None, "folds") as on_step:
        on_step(1, 2)
        raise KeyboardInterrupt
    assert cell.states[-1] == {"text/plain": "folds: 1 of 2, stopped after 0 s"}


def test_updates_that_come_too_fast_for_a_browser_are_left_out(cell, monkeypatch):
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_UPDATES", 1e6)
    with steps_progress(None, "folds") as on_step:
        for done in range(99):
            on_step(done + 1, 99)
    assert [state["text/plain"] for state in cell.states] == ["folds", "folds: 99 of 99, took 0 s"]


def test_nothing_is_shown_where_it_is_not_wanted_or_the_caller_counts(cell):
    with steps_progress(False, "folds") as on_step:
        assert on_step is None
    with steps_progress(print, "folds") as on_step:
        assert on_step is print
    assert cell.states == []


@pytest.fixture
def terminal(monkeypatch, capsys):
    """A function that gives what was drawn in a terminal."""
    monkeypatch.setenv("COLUMNS", "120")
    return lambda: capsys.readouterr().err


def test_a_terminal_shows_the_last_count_and_how_long_it_took(terminal):
    with steps_progress(True, "folds [1]") as on_step:
        on_step(1, 2)
        on_step(2, 2)
    assert re.search(r"folds \[1\]: 2 of 2 ━+ 00:00", terminal())


def test_a_terminal_keeps_no_line_of_words(terminal):
    with words_progress(True, "auditing") as on_words:
        on_words("rsi")
    assert "auditing" not in terminal()


def test_lines_are_written_for_a_log_where_they_are_chosen(monkeypatch, capsys):
    now = iter([0.0, 1.0, 1.0, 6.0, 12.0, 12.0, 13.0])  # the second step comes too soon for a line
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    with choose_progress("lines"), steps_progress(None, "folds") as on_step:
        for done in (1, 2, 3):
            on_step(done, 3)
    assert capsys.readouterr().err == "folds: 1 of 3\nfolds: 3 of 3\nfolds: 3 of 3, took 13 s\n"


def test_nothing_is_written_where_that_is_chosen(capsys):
    with choose_progress("none"), steps_progress(None, "folds") as on_step:
        assert on_step is None
    assert capsys.readouterr().err == ""
