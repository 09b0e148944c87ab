"""Bokeh and its documents within a page that loads nothing from elsewhere."""

import base64
import gzip
import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import bokeh
from bokeh.document import Document

_SCRIPT = "charts.js"


def data_script(document: Document, places: tuple[str, ...]) -> str:
    """Return what the charts show as an element that holds JSON and runs nothing.

    Args:
        document: The charts, one root each.
        places: The id of the element in which each is shown.
    """
    content: Any = document.to_json(deferred=False)
    names: dict[str, str] = {}
    content = _with_plain_ids(content, names)
    roots = [names[root.id] for root in document.roots]
    text = json.dumps(
        {"document": content, "roots": dict(zip(roots, places, strict=True))},
        separators=(",", ":"),
    )
    # nothing in it can end the element, whatever a strategy or a market is called
    text = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return f'<script type="application/json" id="chart-data">{text}</script>'


@cache
def library_script() -> str:
    """Return bokeh, compressed, as an element that runs nothing by itself."""
    packed = gzip.compress(_library_text().encode(), compresslevel=9, mtime=0)
    text = base64.b64encode(packed).decode()
    return f'<script type="text/plain" id="chart-library">{text}</script>'


@cache
def page_script() -> tuple[str, str]:
    """Return the script that starts the charts, and bokeh's own, which it unpacks and runs."""
    own = files(__package__).joinpath(_SCRIPT).read_text(encoding="utf-8")
    return own, _library_text()


@cache
def _library_text() -> str:
    path = Path(bokeh.__file__).parent / "server" / "static" / "js" / "bokeh.min.js"
    return path.read_text(encoding="utf-8")


def _with_plain_ids(node: Any, names: dict[str, str]) -> Any:
    """The document with ids that are counted from 1, so that the same charts give the same page."""
    if isinstance(node, list):
        return [_with_plain_ids(each, names) for each in node]
    if not isinstance(node, dict):
        return node
    renamed = {}
    for key, value in node.items():
        if key == "id" and isinstance(value, str):
            renamed[key] = names.setdefault(value, f"b{len(names) + 1}")
        else:
            renamed[key] = _with_plain_ids(value, names)
    return renamed
