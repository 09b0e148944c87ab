"""A universe: the symbols of the markets to work on, from options or a file."""

from pathlib import Path

from lstm_strategy.errors import SettingsError
from lstm_strategy.support import read_whole

_LARGEST = 10_000_000  # bytes; the symbols of all markets of the world


def split_symbols(symbols: str) -> list[str]:
    """The symbols of --symbols, which commas join.

    Raises:
        SettingsError: If there is none.
    """
    names = [name.strip() for name in symbols.split(",") if name.strip()]
    if not names:
        raise SettingsError(
            f"--symbols takes symbols joined by commas, got {symbols!r}. Write for instance "
            "SPY,QQQ."
        )
    return names


def read_universe(path: Path) -> list[str]:
    """The symbols of a file, one on each line; what follows # is a comment.

    Raises:
        SettingsError: If it can't be read, holds no symbol or one twice, or a line holds several.
    """
    lines_of: dict[str, int] = {}
    for number, line in enumerate(_read_text(path).splitlines(), start=1):
        symbol = line.partition("#")[0].strip()
        if not symbol:
            continue
        if len(symbol.split()) > 1 or "," in symbol or ";" in symbol:
            raise SettingsError(
                f"--universe {path}, line {number}: a line must hold one symbol, got "
                f"{symbol[:60]!r}. Write each on a line of its own."
            )
        if symbol in lines_of:
            raise SettingsError(
                f"--universe {path}, line {number}: {symbol} stands on line {lines_of[symbol]} "
                "already. Drop one of them."
            )
        lines_of[symbol] = number
    if not lines_of:
        raise SettingsError(f"--universe {path} holds no symbol. Write one on each line.")
    return list(lines_of)


def _read_text(path: Path) -> str:
    try:
        return read_whole(path, largest=_LARGEST).decode("utf-8-sig")
    except FileNotFoundError:
        raise SettingsError(f"--universe {path}: there is no such file. Check the path.") from None
    except OSError as error:
        raise SettingsError(
            f"--universe {path} can't be read: {error.strerror or error}. Check the path."
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"--universe {path} isn't text in UTF-8. Save it as such.") from None
