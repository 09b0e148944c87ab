"""Tables of settings as TOML, which Python reads and doesn't write."""

import json
import re
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

_NOT_AS_IT_IS = "[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"


def toml_text(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Return tables of plain values as TOML.

    Args:
        tables: Each table by its name, such as "broker"; empty ones are left out, and so is None,
            since TOML has no word for it. What is a mapping in them stands within a line.

    Raises:
        TypeError: For a value that TOML can't hold.

    Example:
        >>> print(toml_text({"broker": {"cash": 1000.0, "band": None, "execution": "twap"}}))
        [broker]
        cash = 1000.0
        execution = "twap"
    """
    return "\n\n".join(
        "\n".join([f"[{_key(name)}]", *_pairs(table)]) for name, table in tables.items() if table
    )


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_value(each)}" for key, each in table.items() if each is not None]


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _text(value: str) -> str:
    text = json.dumps(value, ensure_ascii=False)
    # what TOML forbids; and what a page would show in other letters than these, or not at all
    return re.sub(_NOT_AS_IT_IS, lambda found: f"\\u{ord(found[0]):04x}", text)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return repr(float(value))
    if isinstance(value, Mapping):
        return f"{{{', '.join(_pairs(value))}}}"
    if isinstance(value, (list, tuple)):
        parts = [_value(each) for each in value]
        if any(isinstance(each, Mapping) for each in value):
            return "".join(["[\n", *(f"    {part},\n" for part in parts), "]"])
        return f"[{', '.join(parts)}]"
    raise TypeError(f"TOML can't hold {value!r}.")
