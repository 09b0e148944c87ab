"""The gallery: a card for each notebook, with the first picture that it shows."""

import base64
import io
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

THUMBNAIL_SIZE = (640, 400)  # pixels; shown at half of that
INTRODUCTION = """---
hide: [toc]
---

# Notebooks

Each notebook answers one question with code that runs as it is, and shows what came out. The files
are in the folder `notebooks/` of a clone. To open them: `pip install '.[notebook]'`, then
`jupyter lab notebooks`.
"""


def gallery_text(notebooks: Sequence[Path]) -> str:
    """Return the page as Markdown; the thumbnails are expected beside the notebooks."""
    cards = []
    for file in notebooks:
        title, question = read_opening(file)
        link = f"[![]({file.stem}.png){{ loading=lazy }}**{title}**]({file.name})"
        cards.append(f"-   {link}\n\n    {question}\n")
    grid = "\n".join(cards)
    return f'{INTRODUCTION}\n<div class="grid cards gallery" markdown>\n\n{grid}\n</div>\n'


def read_opening(notebook: Path) -> tuple[str, str]:
    """Return the title of a notebook, and the question that its first paragraph begins with.

    Raises:
        LookupError: If it begins in another way.
    """
    text = "".join(_cells(notebook)[0]["source"])
    found = re.match(r"# ([^\n]+)\n\n([^?]+\?)", text)
    if not found:
        raise LookupError(f"{notebook.name} must begin with a title and a question.")
    return found[1], found[2].replace("\n", " ")


def make_thumbnail(notebook: Path) -> bytes:
    """Return the first picture of a notebook as a small PNG on a white ground.

    A tall picture is cut off below, so that its upper part can be read.

    Raises:
        LookupError: If it shows none.
    """
    encoded = next(_pictures(notebook), None)
    if encoded is None:
        raise LookupError(f"{notebook.name} must show a picture.")
    picture = Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGBA")
    ground = Image.new("RGBA", THUMBNAIL_SIZE, "white")
    height = round(picture.height * ground.width / picture.width)
    small_picture = picture.resize((ground.width, height), Image.Resampling.LANCZOS)
    ground.paste(small_picture, (0, max(0, (ground.height - height) // 2)), small_picture)
    small = io.BytesIO()
    ground.convert("RGB").quantize(64).save(small, format="PNG", optimize=True)
    return small.getvalue()


def _pictures(notebook: Path) -> Iterator[str]:
    for cell in _cells(notebook):
        for output in cell.get("outputs", []):
            if picture := output.get("data", {}).get("image/png"):
                yield picture


def _cells(notebook: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return cells
