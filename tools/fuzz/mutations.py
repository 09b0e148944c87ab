"""Files damaged by chance: their bytes, the values of their JSON, the files of their archives."""

import copy
import io
import json
import random
import zipfile
from collections.abc import Callable
from typing import Any


def nest(depth: int) -> Any:
    """Lists within lists."""
    nested: Any = 0
    for _ in range(depth):
        nested = [nested]
    return nested


CODE = "__import__('os').getpid()"
"""Code that nothing may compile, in whatever file it stands."""
MODULES = ("antigravity", "this", "turtledemo")
"""Modules that nothing imports unless a file says so."""
_ZONE = "dateutil//etc/passwd"
PIECES = [
    *(b"\0", b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff" * 8 + b"\x7f"),
    *(b"\n", b"\r", b'"', b",", b"=", b"-", b"[" * 3000, b"{", b"]", b" "),
    *(b"[" * depth + b"]" * depth for depth in (400, 900, 990)),
    *(b"null", b"nan", b"1e999", b"9" * 5000, b"-1", b"../../etc/passwd", b"/dev/zero"),
    *(b"x" * 100_000, CODE.encode(), _ZONE.encode()),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\x1b[2J", b"\xe6\x97\xa5"),
]
VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 2**70, 10**400),
    *(0.0, -0.5, 1e308, 1e-320),
    *("", "x", "\0", "../..", "/etc/passwd", "9" * 400, "nan", "NaT", "2024-13-45"),
    *("日", "\ud800", "\x1b[2J"),
    *("é" * 50_000, CODE, *MODULES, _ZONE, f"datetime64[ns, {_ZONE}]"),
    *([], {}, [[]], [0] * 50, {"kind": "x"}, {"map": 1}, {"array": 0}, {"time": [0, "s", None]}),
    *("UTC", "Europe/Berlin", "file:///etc/passwd", nest(20), nest(200)),
]
MOVES = ("change", "cut", "insert", "replace", "double", "move", "end")


def damage_bytes(content: bytes, chance: random.Random) -> bytes:
    """The content with one to three pieces changed, cut out, put in, doubled or moved."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice([1, 1, 1, 2, 4, 8, 50]))
        piece = data[start:end]
        move = chance.choice(MOVES)
        if move == "change":
            data[start:end] = chance.randbytes(len(piece))
        elif move == "insert":
            data[start:start] = chance.choice(PIECES)
        elif move == "replace":
            data[start:end] = chance.choice(PIECES)
        elif move == "double":
            data[start:start] = piece * chance.choice([1, 2, 50])
        elif move == "end" and chance.random() < 0.3:
            del data[start:]
        else:
            del data[start:end]
            if move == "move":
                place = chance.randrange(len(data) + 1)
                data[place:place] = piece
    return bytes(data)


def damage_value(value: Any, chance: random.Random) -> Any:
    """A value of JSON in which one or two parts are others, gone, doubled or renamed."""
    for _ in range(chance.randint(1, 2)):
        places = list(_places(value))
        if not places:
            return _other_value(chance)
        parent, key = chance.choice(places)
        match chance.randrange(7):
            case 0 | 1:
                parent[key] = _other_value(chance)
            case 2 if isinstance(parent[key], int | float):
                number = parent[key]
                half = number // 2 if abs(number) > 2**60 else number / 2
                parent[key] = chance.choice([-number, number + 1, number * 10**6, half])
            case 3:
                del parent[key]
            case 4 if isinstance(parent, list):
                parent.insert(key, chance.choice([_other_value(chance), parent[key]]))
            case 4:
                parent[f"{key}{chance.choice(['x', '_', ''])}"] = _other_value(chance)
            case 5:
                other, place = chance.choice(places)
                if place in other if isinstance(other, dict) else place < len(other):
                    parent[key] = json.loads(json.dumps(other[place]))
            case 6:
                _swap(parent, key, *chance.choice(places))
    return value


def _swap(parent: Any, key: Any, other: Any, place: Any) -> None:
    """Swap two parts of a value, unless that would put one into itself."""
    one, two = copy.deepcopy((parent[key], other[place]))
    parent[key] = two
    if place in other if isinstance(other, dict) else place < len(other):
        other[place] = one


def _places(value: Any) -> Any:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in list(items):
            yield value, key
            yield from _places(part)


def damage_json(content: bytes, chance: random.Random) -> bytes:
    """JSON with other values, or with other bytes."""
    if chance.random() < 0.25:
        return damage_bytes(content, chance)
    return json.dumps(damage_value(json.loads(content), chance)).encode()


def damage_zip(
    content: bytes,
    chance: random.Random,
    damage: dict[str, Callable[[bytes, random.Random], bytes]],
) -> bytes:
    """An archive with one of its files damaged, in a way of its own."""
    if chance.random() < 0.1:
        return damage_bytes(content, chance)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    name = chance.choice(list(damage))
    files[name] = damage[name](files[name], chance)
    if chance.random() < 0.05:
        files[chance.choice(["../x", "/x", "x.py", name])] = files.pop(name)
    buffer = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if chance.random() < 0.1 else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for each, data in files.items():
            archive.writestr(each, data)
    return buffer.getvalue()


def _other_value(chance: random.Random) -> Any:
    return copy.deepcopy(chance.choice(VALUES))  # it may be damaged next
