"""Docstrings as the site shows them: an `Example:` is drawn like griffe's `Examples:`."""

import re
from typing import Any

import griffe


class Examples(griffe.Extension):
    """Take the singular heading, which Google's convention knows too, for the plural one."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rename the section heading of one docstring."""
        if obj.docstring:
            value = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE)
            obj.docstring.value = value
