"""The folder of a walk forward: an index, a ledger, and a model a fold that says whose it is."""

import io
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lstm_strategy.errors import ModelError, TrainingError
from lstm_strategy.learning.forecaster import CARD_FILE, WALK_FORWARD_FILE, write_folder
from lstm_strategy.support import (
    is_part_of,
    parse_json,
    read_inside,
    read_whole,
    seal,
    sha256_of,
    write_new,
    write_whole,
)

LEDGER_FILE = "ledger.csv"
FOLDS_FOLDER = "folds"
FOLD_FILE = "fold.json"

_LARGEST_FILE = 4 * 2**20  # bytes of an index or a card
_LARGEST_LEDGER = 2**28
_LONGEST_LINE = 1_000  # bytes of a row of the ledger; dates of a million digits never end


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run.

    Attributes:
        path: The folder.
        key: A digest of all that decides the models of the run.

    Example:
        >>> RunFolder(Path("run"), "").fold_folder(7).name
        '007'
    """

    path: Path
    key: str

    def fold_folder(self, number: int) -> Path:
        """Where the model of a fold lies."""
        return self.path / FOLDS_FOLDER / f"{number:03d}"

    def claim(self) -> None:
        """Take a folder that is new, empty or of this very run.

        Raises:
            TrainingError: If it holds another run or something else; it is left as it is.
        """
        if not self._index.exists() or self._is_cut_off():
            if self._holds_something_else():
                raise TrainingError(
                    f"{self.path} holds something else, so nothing is written there. Choose "
                    "another folder."
                )
            write_claim = write_whole if self._index.exists() else write_new
            with suppress(FileExistsError):  # another process came first, perhaps of the same run
                write_claim(self._index, _format_json({"key": self.key}))
        if read_index(self.path).get("key") != self.key:
            raise TrainingError(
                f"{self.path} holds a run with other bars, settings or folds. Choose another "
                "folder, or remove that one yourself."
            )

    def is_finished(self, number: int) -> bool:
        """Whether a fold was trained in this run.

        Raises:
            TrainingError: If there is something else in its place.
        """
        folder = self.fold_folder(number)
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return False
        if not self.owns(number):
            raise TrainingError(
                f"{folder} isn't a fold of this run. Choose another folder for the run, or remove "
                "that fold yourself."
            )
        return True

    def owns(self, number: int) -> bool:
        """Whether the model in the place of a fold is the one that this run trained for it."""
        folder = self.fold_folder(number)
        try:
            card = read_inside(folder, CARD_FILE, largest=_LARGEST_FILE)
            mark = parse_json(read_inside(folder, FOLD_FILE, largest=_LARGEST_FILE))
        except (OSError, ValueError):
            return False
        return bool(mark == self._build_mark(number, card))

    def keep_fold(self, number: int, files: Mapping[str, bytes]) -> None:
        """Write the model of a fold, whole or not at all.

        Raises:
            ModelError: If there is something else in its place.
        """
        mark = _format_json(self._build_mark(number, files[CARD_FILE]))
        write_folder(self.fold_folder(number), {**files, FOLD_FILE: mark.encode()})

    def mark_fold(self, number: int) -> None:
        """Say in the model of a fold whose it is."""
        folder = self.fold_folder(number)
        card = (folder / CARD_FILE).read_bytes()
        write_whole(folder / FOLD_FILE, _format_json(self._build_mark(number, card)))

    def finish(self, ledger: pd.DataFrame, test_starts: list[pd.Timestamp]) -> None:
        """Write the ledger, and the index that makes the run a finished one."""
        rows = ledger.to_csv()
        write_whole(self.path / LEDGER_FILE, rows)
        content = {
            "key": self.key,
            "test_starts": [start.isoformat() for start in test_starts],
            "ledger_sha256": sha256_of(rows.encode()),
        }
        write_whole(self._index, _format_json(seal(content)))

    def read_ledger(self, sha256: str) -> pd.DataFrame:
        """Read the ledger that `finish` wrote.

        Raises:
            ModelError: If it is missing, or isn't the one that was written.
        """
        file = self.path / LEDGER_FILE
        try:
            content = read_inside(self.path, LEDGER_FILE, largest=_LARGEST_LEDGER)
        except OSError:
            content = b""
        if sha256_of(content) != sha256:
            raise ModelError(
                f"{file} isn't the ledger that was written (it is missing, or its sha256 differs "
                f"from {WALK_FORWARD_FILE}). Call walk_forward with folder=... again, or run the "
                "same command; finished folds are not trained twice."
            )
        try:
            if max(map(len, content.splitlines()), default=0) > _LONGEST_LINE:
                raise ValueError(f"a row is longer than {_LONGEST_LINE:,} bytes")
            return pd.read_csv(io.BytesIO(content), index_col="datetime", parse_dates=True)
        except ValueError as error:
            raise ModelError(
                f"{file} isn't a ledger: {error}. Run the walk forward again."
            ) from None

    @property
    def _index(self) -> Path:
        return self.path / WALK_FORWARD_FILE

    def _build_mark(self, number: int, card: bytes) -> dict[str, Any]:
        return {"run": self.key, "fold": number, "model_sha256": sha256_of(card)}

    def _is_cut_off(self) -> bool:
        """Whether the index is the beginning of one of this run, as a full disk may leave it."""
        try:
            content = read_whole(self._index, largest=_LARGEST_FILE)
        except OSError:
            return False
        text = "".join(content.rstrip(b"\0").decode(errors="replace").split())
        head = f'{{"key":"{self.key}"'
        return not read_index(self.path) and (head.startswith(text) or text.startswith(head))

    def _holds_something_else(self) -> bool:
        if not self.path.is_dir():
            return self.path.exists()
        return not all(map(self._is_own, self.path.iterdir()))

    def _is_own(self, path: Path) -> bool:
        """Whether this run, or one that came to nothing, wrote something in the folder."""
        if path.name == FOLDS_FOLDER and path.is_dir():
            names = [fold.name for fold in path.iterdir() if not fold.name.startswith(".")]
            return all(name.isdecimal() and self.owns(int(name)) for name in names)
        own_files = (WALK_FORWARD_FILE, LEDGER_FILE)
        return path.name in own_files or any(is_part_of(path.name, name) for name in own_files)


def read_index(folder: Path) -> dict[str, Any]:
    """Read the index of a run; empty where there is none that can be read."""
    try:
        content = parse_json(read_inside(folder, WALK_FORWARD_FILE, largest=_LARGEST_FILE))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _format_json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2) + "\n"
