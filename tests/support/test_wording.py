"""What pydantic refuses, in our words."""

from typing import Literal

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator

from lstm_strategy.support.wording import (
    describe_first_offence,
    name_options,
    rate_text,
    spell,
)


class Settings(BaseModel, extra="forbid"):
    rate: float = Field(default=0.1, gt=0)
    units: tuple[int, ...] = Field(default=(8,), min_length=1)
    memory: Literal["carry", "window"] = "carry"
    target: str

    @field_validator("target")
    @classmethod
    def _check_target(cls, target):
        if target == "luck":
            raise ValueError("can't be luck")
        return target


SENTENCES = {
    "range": ({"rate": 0}, "rate must be greater than 0, got 0"),
    "choice": ({"memory": "none"}, "memory must be 'carry' or 'window', got 'none'"),
    "inner": ({"units": (8, "x")}, "units.1 must be a whole number, got 'x'"),
    "length": ({"units": ()}, "units must have at least 1 item, not 0, got ()"),
    "own": ({"target": "luck"}, "target can't be luck, got 'luck'"),
    "unknown": ({"speed": 1}, "speed isn't known, got 1"),
}


@pytest.mark.parametrize("case", SENTENCES)
def test_the_first_offence_reads_as_a_sentence(case):
    values, sentence = SENTENCES[case]
    with pytest.raises(ValidationError) as raised:
        Settings(**{"target": "direction"} | values)
    offence = describe_first_offence(raised.value)
    assert str(offence).startswith(sentence)
    assert offence.is_unknown == (case == "unknown")
    assert offence.field in values


def test_a_missing_value_and_a_damaged_file_are_called_that():
    with pytest.raises(ValidationError) as missing:
        Settings.model_validate({})
    assert str(describe_first_offence(missing.value)) == "target is missing"
    with pytest.raises(ValidationError) as damaged:
        Settings.model_validate_json("{")
    assert str(describe_first_offence(damaged.value)).startswith("the content isn't valid JSON: ")


def test_messages_name_options_where_they_were_typed():
    columns = {"open": "first", "close": "last"}
    assert spell("columns", columns) == 'columns={"open": "first", "close": "last"}'
    with name_options({"columns": "--columns", "train": "--train-window"}):
        assert spell("columns", columns) == "--columns open=first,close=last"
        assert spell("columns", {"open": "Open (bid)"}) == "--columns 'open=Open (bid)'"
        assert (spell("train"), spell("test")) == ("--train-window", "test")
    assert spell("train") == "train"


@pytest.mark.parametrize(
    "rate, text",
    [
        (0.0, "0.00%"),
        (0.001, "0.10%"),
        (0.000125, "0.0125%"),
        (1.2e-6, "0.00012%"),
        (1e-9, "0.0000001%"),
        (float("nan"), "n/a"),
    ],
)
def test_a_rate_has_the_decimals_that_it_needs(rate, text):
    assert rate_text(rate) == text
