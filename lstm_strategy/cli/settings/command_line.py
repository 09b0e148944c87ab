"""The line of the terminal that repeats a result."""

import shlex
from collections.abc import Sequence

_WITH_VALUE = ("--config", "--out", "-o")
_FLAGS = ("--force", "--quiet", "-q", "--verbose", "-v", "--report", "--chart")


def repeatable_command(argv: Sequence[str]) -> str:
    """Return the line that was typed, without the file of settings and what it wrote where.

    The settings of that file are in the report, whose reader has another folder.

    Args:
        argv: The words of the line, the program first, as in `sys.argv`.

    Example:
        >>> repeatable_command(["/bin/lstm-strategy", "compare", "my bars.csv", "--out", "results"])
        "lstm-strategy compare 'my bars.csv'"
    """
    kept, skip = ["lstm-strategy"], False
    for word in argv[1:]:
        name, has_value, _ = word.partition("=")
        if not skip and word not in _FLAGS and name not in _WITH_VALUE:
            kept.append(word)
        skip = not skip and word in _WITH_VALUE and not has_value
    return shlex.join(kept)
