"""Text as a page prints it."""

from collections.abc import Mapping

from lstm_strategy.support import escape_html


def settings_text(values: Mapping[str, object]) -> str:
    """Return names and values on one line, "none" without any.

    Example:
        >>> settings_text({"units": 32, "seed": 7})
        'units 32, seed 7'
    """
    return ", ".join(f"{key} {value}" for key, value in values.items()) or "none"


def capitalise(text: str) -> str:
    """Return the text with its first letter in upper case and the rest as it is."""
    return text[:1].upper() + text[1:]


def escape(value: object) -> str:
    """Return a value as text that HTML shows and never obeys."""
    return escape_html(value)
