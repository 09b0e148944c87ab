"""Words that messages share: the names that a mistyped one may have meant."""

import difflib
from collections.abc import Iterable


def suggest_names(name: object, known: Iterable[str]) -> str:
    """A sentence with the known names nearest to a mistyped one, or with all of them.

    >>> suggest_names("lenght", ["length", "width"])
    'Did you mean length?'
    >>> suggest_names("colour", [])
    'There are none.'
    """
    names = list(known)
    nearest = difflib.get_close_matches(str(name), names, n=3, cutoff=0.4)
    if nearest:
        return f"Did you mean {', '.join(nearest)}?"
    return f"Known: {', '.join(names)}." if names else "There are none."
