"""A model folder read as a stranger's.

Loading never unpickles, never runs code from it, and gives up before a file that would take more
memory than it should.
"""

import io
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster.model_card import FORMAT, FORMATS, ModelCard
from lstm_strategy.learning.forecaster.storage.writing import (
    CARD_FILE,
    CHECK_FILE,
    HISTORY_COLUMNS,
    HISTORY_FILE,
    LARGEST_FILE,
    NETWORK_FILE,
    NOVELTY_FILE,
    ONNX_FILE,
    SEAL,
    NetworkFiles,
    digest_described,
    largest_network,
)
from lstm_strategy.learning.inference import StoredForecasts, choose_engine
from lstm_strategy.learning.novelty import LARGEST_BYTES, Novelty
from lstm_strategy.support import (
    describe_first_offence,
    parse_json,
    read_inside,
    seal,
    sha256_of,
    spell,
)

_MOST_READINGS = 100
_SECONDS_BETWEEN_READINGS = 0.02


@dataclass(frozen=True, eq=False)
class StoredModel:
    """What a model folder holds, checked as far as it can be without running the network.

    Attributes:
        card: Where the model came from.
        files: The network.
        engine: What shall run it: "onnx" or "keras".
        stored: Some forecasts of the network.
        history: One row per epoch: member, epoch, loss, val_loss; empty where it was lost.
        novelty: What tells usual hidden states from strange ones; None where it isn't known.
    """

    card: ModelCard
    files: NetworkFiles
    engine: str
    stored: StoredForecasts
    history: pd.DataFrame
    novelty: Novelty | None


def load_model(folder: Path, *, engine: str) -> StoredModel:
    """Read a model folder as one version, while another process may save a newer one there.

    Args:
        folder: Where the model was saved.
        engine: "auto", "onnx" or "keras". With "keras" an ONNX model that is missing or damaged
            makes no difference.

    Raises:
        ModelError: If the folder is missing, incomplete, of another version or changed.
    """
    for reading in range(1, _MOST_READINGS + 1):
        version = _version_of(folder)
        try:
            return _read_model(folder, engine)
        except ModelError:
            time.sleep(_SECONDS_BETWEEN_READINGS)
            if reading == _MOST_READINGS or _version_of(folder) == version:
                raise
    raise AssertionError  # the last reading returned or raised


def _version_of(folder: Path) -> tuple[int, ...] | None:
    """What changes when another folder takes the place of this one."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns


def _read_model(folder: Path, engine: str) -> StoredModel:
    content = _read_card(folder)
    card = _build_card(folder / CARD_FILE, content)
    engine = choose_engine(engine, has_onnx=bool(card.onnx_sha256))
    if engine == "onnx" and not card.onnx_sha256:
        raise ModelError(
            f"The model at {folder} has no ONNX model, since ONNX lacks a layer of its network. "
            f"Load it with {spell('engine', 'keras')}."
        )
    stored = _read_check(folder / CHECK_FILE, card, described=digest_described(content))
    most = largest_network(card, n_features=stored.rows.shape[1])
    files = NetworkFiles(
        _read_file(folder / NETWORK_FILE, card.network_sha256, largest=most),
        _read_onnx(folder / ONNX_FILE, card, is_needed=engine == "onnx", largest=most),
    )
    novelty = _read_novelty(folder / NOVELTY_FILE, card)
    return StoredModel(card, files, engine, stored, _read_history(folder, card), novelty)


def load_card(folder: Path) -> ModelCard:
    """Read the checked `model.json` of a model folder.

    Args:
        folder: Where the model was saved.

    Raises:
        ModelError: If the folder is missing, incomplete, of another version or changed.

    Example:
        >>> try:
        ...     load_card(Path("nowhere"))
        ... except ModelError as error:
        ...     print(str(error).partition(".")[0])
        No model at nowhere
    """
    return _build_card(folder / CARD_FILE, _read_card(folder))


def _read_card(folder: Path) -> dict[str, Any]:
    """What is written in `model.json`, if it is of this format and as it was saved."""
    if not folder.is_dir():
        raise ModelError(
            f"No model at {folder}. Train one with `lstm-strategy train BARS --out {folder}` or "
            "save one with forecaster.save(folder)."
        )
    if not any((folder / name).exists() for name in (CARD_FILE, NETWORK_FILE)):
        raise ModelError(
            f"There is no model in {folder}: it holds neither {CARD_FILE} nor {NETWORK_FILE}. Give "
            "the folder that `lstm-strategy train` or forecaster.save(folder) wrote."
        )
    for name in (CARD_FILE, NETWORK_FILE):
        if not (folder / name).exists():
            raise ModelError(
                f"The model at {folder} is incomplete: {name} is missing. Save or train it again."
            )
    path = folder / CARD_FILE
    content = _parse_card(path)
    _check_format(folder, content)
    if content != seal(content):
        raise ModelError(
            f"{path} isn't the card that was saved (its sha256 differs). Restore it, or train "
            "the model again."
        )
    return content


def _build_card(path: Path, content: Mapping[str, Any]) -> ModelCard:
    try:
        unsealed = {name: value for name, value in content.items() if name != SEAL}
        return ModelCard.model_validate_json(json.dumps(unsealed), strict=True)
    except ValidationError as error:
        raise ModelError(
            f"{path} is damaged: {describe_first_offence(error)}. Save or train the model again."
        ) from None


def _parse_card(path: Path) -> dict[str, Any]:
    try:
        content = parse_json(_read_bytes(path, largest=LARGEST_FILE))
        if not isinstance(content, dict):
            raise ValueError("it holds no names")
    except ValueError as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"{path} isn't readable JSON: {error}. Save or train the model again."
        ) from None
    return content


def _check_format(folder: Path, content: Mapping[str, Any]) -> None:
    found = content.get("format")
    if type(found) is int and found in FORMATS:
        return
    versions = content.get("versions")
    writer = str(versions.get("lstm-strategy")) if isinstance(versions, dict) else ""
    if not re.fullmatch(r"\d[\w.+]*", writer):  # it goes into a command that people copy
        writer = "unknown"
    raise ModelError(
        f"The model at {folder} was saved by lstm-strategy {writer} in format "
        f"{found!r:.20}, and this version reads format {FORMAT}. Train it again, or install the "
        f"version that saved it: pip install lstm-strategy=={writer}"
    )


def _read_file(path: Path, digest: str, *, largest: int) -> bytes:
    """A file of a model, if it is the one that was saved."""
    is_there = path.exists()
    content = _read_bytes(path, largest=largest) if is_there else b""
    if not is_there or sha256_of(content) != digest:
        keras = f", load the model with {spell('engine', 'keras')},"
        other = keras if path.name == ONNX_FILE else ""
        raise ModelError(
            f"{path} isn't the {_NAMES[path.name]} that was saved (it is missing, or its sha256 "
            f"differs from {CARD_FILE}). Restore it{other} or train the model again."
        )
    return content


_NAMES = {
    NETWORK_FILE: "network",
    ONNX_FILE: "ONNX model",
    CHECK_FILE: "list of forecasts",
    NOVELTY_FILE: "list of usual hidden states",
}


def _read_onnx(path: Path, card: ModelCard, *, is_needed: bool, largest: int) -> bytes | None:
    if not card.onnx_sha256:
        return None
    try:
        return _read_file(path, card.onnx_sha256, largest=largest)
    except ModelError:
        if is_needed:
            raise
        return None


def _read_bytes(path: Path, *, largest: int) -> bytes:
    try:
        return read_inside(path.parent, path.name, largest=largest)
    except OSError as error:
        raise ModelError(
            f"{path} can't be read: {error.strerror}. Restore it, or train the model again."
        ) from None


def _read_check(path: Path, card: ModelCard, *, described: str) -> StoredForecasts:
    content = _read_file(path, card.check_sha256, largest=LARGEST_FILE)
    try:
        saved = parse_json(content)
        stored = StoredForecasts.from_dict(saved)
    except (ValueError, TypeError) as error:
        raise ModelError(f"{path} is damaged: {error}. Save or train the model again.") from None
    n_answers = card.settings.members * card.settings.target.head.n_outputs
    if stored.forecasts.shape[1] != n_answers:
        raise ModelError(
            f"{path} has {stored.forecasts.shape[1]} answers a row, and {CARD_FILE} says "
            f"{n_answers}: members={card.settings.members}. Restore the folder, or train the model "
            "again."
        )
    if saved.get("card") != described:
        raise ModelError(
            f"{path} belongs to a model with another {CARD_FILE} than the one beside it. Restore "
            "the folder, or train the model again."
        )
    return stored


def _read_novelty(path: Path, card: ModelCard) -> Novelty | None:
    if not card.novelty_sha256:
        return None
    content = _read_file(path, card.novelty_sha256, largest=LARGEST_BYTES)
    try:
        novelty = Novelty.from_dict(parse_json(content))
        if len(novelty.centers) != card.settings.members:
            raise ValueError(f"it has {len(novelty.centers)} members")
    except (ValueError, TypeError) as error:
        raise ModelError(f"{path} is damaged: {error}. Save or train the model again.") from None
    return novelty


def _read_history(folder: Path, card: ModelCard) -> pd.DataFrame:
    """The training history; empty where it wasn't kept or isn't the one that was saved."""
    try:
        content = read_inside(folder, HISTORY_FILE, largest=LARGEST_FILE)
        if sha256_of(content) == card.history_sha256:
            history = pd.read_csv(io.BytesIO(content))[HISTORY_COLUMNS].astype({"loss": float})
            first = 1 if (history["epoch"] == 0).any() else 0  # so earlier versions counted
            return history.assign(epoch=history["epoch"] + first)
    except (OSError, KeyError, ValueError):
        pass
    return pd.DataFrame(columns=HISTORY_COLUMNS)
