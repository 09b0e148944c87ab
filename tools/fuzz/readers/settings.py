"""Files that users write: the configuration of a command, and the symbols of a universe."""

import random

from lstm_strategy.cli.reading import read_universe
from lstm_strategy.cli.settings import load_config
from tools.fuzz.mutations import damage_bytes
from tools.fuzz.readers.reader import Reader, damaged_file

TOML = b"""[forecaster]
units = [8]
lookback = 20
target = "direction"
seed = 7
[[forecaster.features]]
kind = "rsi"
length = 5
[broker]
cash = 500
[broker.instrument]
kind = "perpetual"
leverage = 3
[strategy]
long_only = true
[space]
units = [[8], [16]]
"""
UNIVERSE = "# large\nAAPL\nBRK.B # two\nBTC/USDT:USDT\n日経\n".encode()
NAMES = ("members", "memory", "epochs", "window", "commission_rate", "x")
WORDS = (
    *("1", "-1", "0", "1e308", "nan", "inf", "true", "[]", "{}", "[[1]]", "''", "'rsi'", "'x'"),
    *("9" * 5000, "[" * 3000, "1979-05-27", "{kind = 'x'}", "[1, 'a']", "'policy'", "2.5"),
)


def damage_toml(content: bytes, chance: random.Random) -> bytes:
    """TOML with another value, another name or other bytes."""
    if chance.random() < 0.3:
        return damage_bytes(content, chance)
    lines = content.decode().splitlines()
    for _ in range(chance.randint(1, 2)):
        place = chance.randrange(len(lines))
        name, sign, _ = lines[place].partition(" = ")
        chosen = chance.choice([name, name, chance.choice(NAMES)])
        written = f"{chosen} = {chance.choice(WORDS)}"
        if sign:
            lines[place] = written
        else:
            lines.insert(place + 1, written)
    return "\n".join(lines).encode()


SETTINGS_READERS = {
    "toml": Reader(
        damaged_file("config.toml", lambda: TOML, damage_toml),
        lambda folder: load_config(folder / "config.toml"),
    ),
    "universe": Reader(
        damaged_file("universe.txt", lambda: UNIVERSE),
        lambda folder: read_universe(folder / "universe.txt"),
    ),
}
