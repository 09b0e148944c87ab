"""What a reader is to the harness."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lstm_strategy import sample_bars
from tools.fuzz.mutations import damage_bytes

Damage = Callable[[bytes, random.Random], bytes]
Write = Callable[[Path, random.Random], None]
BARS = sample_bars("sp500").iloc[:400]


@dataclass(frozen=True)
class Reader:
    """A reader of files.

    Attributes:
        write: Writes a damaged file, or a folder with one, to a new folder.
        read: Reads it.
        is_fast: Whether it takes a few milliseconds and needs no network.
    """

    write: Write
    read: Callable[[Path], object]
    is_fast: bool = True


def damaged_file(name: str, content: Callable[[], bytes], damage: Damage = damage_bytes) -> Write:
    """What writes one damaged file."""

    def write(folder: Path, chance: random.Random) -> None:
        (folder / name).write_bytes(damage(content(), chance))

    return write


def damaged_line(content: bytes, damage: Damage, chance: random.Random) -> bytes:
    """Lines of which one is damaged."""
    lines = content.splitlines()
    place = chance.randrange(len(lines))
    lines[place] = damage(lines[place], chance)
    return b"\n".join(lines) + b"\n"
