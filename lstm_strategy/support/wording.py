"""Parts of messages that every room words the same way: near names, and what pydantic refused."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError


def suggest_names(name: object, known: Iterable[str]) -> str:
    """A sentence with the known names nearest to a mistyped one, or with all of them.

    Args:
        name: What was given.
        known: The names that may be given.

    Example:
        >>> suggest_names("lenght", ["length", "width"])
        'Did you mean length?'
        >>> suggest_names("colour", ["length", "width"])
        'Known: length, width.'
        >>> suggest_names("colour", [])
        'There are none.'
    """
    names = list(known)
    nearest = difflib.get_close_matches(str(name), names, n=3, cutoff=0.4)
    if nearest:
        return f"Did you mean {', '.join(nearest)}?"
    return f"Known: {', '.join(names)}." if names else "There are none."


@dataclass(frozen=True)
class Offence:
    """One value that a pydantic model refused; as text it is a sentence without its full stop.

    Attributes:
        name: The name of the value, `units.0` for one inside another; "" for the whole input.
        rule: What holds for the value, worded to follow the name: "must be greater than 0".
        value: What was given; None if nothing was.
        is_missing: Whether a value that must be given wasn't.
        is_unknown: Whether the model has no value of this name.
    """

    name: str
    rule: str
    value: Any
    is_missing: bool = False
    is_unknown: bool = False

    @property
    def field(self) -> str:
        """The name of the model's field, which the value is or lies in."""
        return self.name.partition(".")[0]

    def __str__(self) -> str:
        sentence = f"{self.name or 'the content'} {self.rule}"
        return f"{sentence}, got {self.value!r}" if self.name and not self.is_missing else sentence


def describe_first_offence(error: "ValidationError") -> Offence:
    """What a pydantic model refused first, ready for a message of ours.

    Args:
        error: What pydantic raised.

    Returns:
        The name, the rule and the value. `str()` of it joins them to a sentence.

    Example:
        >>> from pydantic import BaseModel, Field, ValidationError
        >>> class Settings(BaseModel, extra="forbid"):
        ...     rate: float = Field(gt=0)
        >>> def offence(**values):
        ...     try:
        ...         Settings(**values)
        ...     except ValidationError as error:
        ...         return describe_first_offence(error)
        >>> str(offence(rate=-1))
        'rate must be greater than 0, got -1'
        >>> str(offence())
        'rate is missing'
        >>> offence(rate=1, speed=2).is_unknown
        True
    """
    first = error.errors()[0]
    kind = first["type"]
    is_missing = kind == "missing"
    return Offence(
        name=".".join(map(str, first["loc"])),
        rule=_follow_name(kind, first["msg"]),
        value=None if is_missing else first["input"],
        is_missing=is_missing,
        is_unknown=kind == "extra_forbidden",
    )


def _follow_name(kind: str, message: str) -> str:
    """Pydantic's message as the rest of a sentence that begins with a name."""
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "isn't known"
    if kind == "json_invalid":
        return message.replace("Invalid JSON", "isn't valid JSON", 1)
    if kind in ("value_error", "assertion_error"):
        return message.partition(", ")[2]
    return re.sub(r"^\w+ should ", "must ", message)
