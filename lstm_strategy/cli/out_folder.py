"""The folder of `--out`: tried before the work, and nothing of others in it is overwritten."""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lstm_strategy.errors import SettingsError
from lstm_strategy.support import read_whole, temporary_folder, write_together

_TRIED_BYTES = 100_000  # as much as a small result
_LARGEST_RESULT = 2**30
_ENDINGS_OF_FILES = (".csv", ".html", ".json", ".md", ".parquet", ".png", ".toml")
_MOMENT_FIELDS = ("created", "seconds")  # what differs whenever the same work is done again


def check_folder(folder: Path, *, option: str = "--out") -> Path:
    """Refuse before the work a folder that nothing can be written to.

    Args:
        folder: The folder; it need not exist.
        option: What the user gave it with.

    Returns:
        The folder, with ~ as the user's own, which a shell leaves alone in `--out=~/results`.

    Raises:
        SettingsError: If it is a file or looks like one, or can't be written to.
    """
    if str(folder).startswith("~/"):
        try:
            folder = folder.expanduser()
        except RuntimeError:
            raise SettingsError(
                f"{option} {folder}: this user has no home folder. Write the folder out, or set "
                "the variable HOME."
            ) from None
    path = folder.absolute()
    existing = next(place for place in (path, *path.parents) if place.exists())
    dangling = next((place for place in (path, *path.parents) if _is_dangling(place)), None)
    if dangling is not None:
        raise SettingsError(
            f"{option} {folder}: {dangling} is a link to nothing. Choose another folder, or mend "
            "the link."
        )
    if not existing.is_dir():
        raise SettingsError(
            f"{option} {folder}: {existing} is a file, not a folder. Choose another folder."
        )
    if existing != path and path.suffix.lower() in _ENDINGS_OF_FILES:
        raise SettingsError(
            f"{option} {folder} has the name of a file, and it takes a folder. Leave "
            f"{path.suffix} out."
        )
    if not os.access(existing, os.W_OK | os.X_OK):
        raise SettingsError(
            f"{option} {folder}: nothing may be written to {existing}. Choose another folder, or "
            "change its permissions."
        )
    try:
        _try_to_write(path)
    except OSError as error:
        raise SettingsError(
            f"{option} {folder}: nothing can be written there: {error.strerror or error}. Choose "
            "another folder, or make room."
        ) from None
    return folder


def _is_dangling(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


def _try_to_write(folder: Path) -> None:
    """Write something to a folder that may not exist yet, and leave no trace of it."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_TRIED_BYTES))
    finally:
        for place in missing:
            with suppress(OSError):
                place.rmdir()


def check_names(folder: Path | None, names: Iterable[str]) -> None:
    """Refuse before the work a folder in which a result can't have its name.

    Args:
        folder: The folder of the results; None for no results.
        names: The names of their files.

    Raises:
        SettingsError: Naming the first that a folder, a link to nothing or a device has.
    """
    for path in [] if folder is None else [folder / name for name in names]:
        if os.path.lexists(path) and not path.is_file():
            what = "a folder" if path.is_dir() else "no regular file"
            raise SettingsError(
                f"--out {folder}: {path.name} is {what} there, so no result can have that name. "
                "Choose a fresh folder name, or move it away."
            )


def refuse_to_replace(folder: Path, what: str) -> SettingsError:
    """The error for something in a folder that isn't overwritten unasked.

    Args:
        folder: The folder of `--out`.
        what: What it holds, such as "a model with other units".
    """
    return SettingsError(
        f"--out {folder} holds {what}, which stays. Choose a fresh folder name, or replace it "
        "with --force."
    )


@contextmanager
def keep_results(folder: Path, *, is_forced: bool) -> Iterator[Path]:
    """Give a temporary folder for results, which then go to their own, all of them or none.

    A file that is there stays, unless the new one repeats it: it is the same, or has the same rows
    and more. With force it is replaced.

    Args:
        folder: Where the results shall be.
        is_forced: Whether they replace what is there.

    Yields:
        The temporary folder.

    Raises:
        SettingsError: Naming the first file that stays; nothing is written then.
    """
    with temporary_folder("results") as temporary:
        yield temporary
        fresh = {file.name: file.read_bytes() for file in sorted(temporary.iterdir())}
    check_names(folder, fresh)
    for name, content in fresh.items():
        if not is_forced and (folder / name).exists() and not _repeats(content, folder / name):
            raise refuse_to_replace(folder, f"another {name}")
    write_together(folder, fresh)


def _repeats(content: bytes, file: Path) -> bool:
    """Whether nothing of a file is lost when this content takes its place."""
    earlier = read_whole(file, largest=_LARGEST_RESULT)
    if file.suffix == ".json":
        return _without_moments(content) == _without_moments(earlier)
    return content.startswith(earlier)


def _without_moments(content: bytes) -> object:
    with suppress(ValueError, RecursionError):
        values = json.loads(content)
        if isinstance(values, dict):
            return {name: value for name, value in values.items() if name not in _MOMENT_FIELDS}
    return content
