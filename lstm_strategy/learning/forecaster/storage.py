"""A forecaster as a folder: `network.keras`, `network.onnx`, `model.json`, `history.csv`.

`network.keras` is what counts; `network.onnx` is the same network for ONNX Runtime, where it has
such a form. The folder is written whole or not at all. Loading never unpickles and never runs code
from it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster.model_card import FORMAT, ModelCard
from lstm_strategy.support import (
    describe_first_offence,
    parse_json,
    read_whole,
    replace_folder,
    sha256_of,
)

NETWORK_FILE, ONNX_FILE = "network.keras", "network.onnx"
CARD_FILE = "model.json"
HISTORY_FILE = "history.csv"
WALK_FORWARD_FILE = "walkforward.json"
HISTORY_COLUMNS = ["member", "epoch", "loss", "val_loss"]
MODEL_FILES = (CARD_FILE, NETWORK_FILE, ONNX_FILE, HISTORY_FILE)
_LARGEST_CARD = 4 * 2**20


@dataclass(frozen=True)
class NetworkFiles:
    """A network as the bytes of its files.

    Attributes:
        keras: The content of `network.keras`.
        onnx: The content of `network.onnx`; None where the network has no such form.
    """

    keras: bytes
    onnx: bytes | None


def builder_name(build: Any) -> str:
    """Name a user's own network builder.

    Args:
        build: The function or object that builds a network, or None.

    Returns:
        Its name with its module; "" without one.

    Example:
        >>> builder_name(None), builder_name(json.dumps)
        ('', 'json.dumps')
    """
    if build is None:
        return ""
    return f"{build.__module__}.{getattr(build, '__qualname__', type(build).__qualname__)}"


def save_model(folder: Path, files: NetworkFiles, card: ModelCard, history: pd.DataFrame) -> None:
    """Write a model folder, replacing an earlier model of the same name in one step.

    Raises:
        ModelError: If the folder exists and isn't a model; it is left as it is.
    """
    card = card.model_copy(
        update={
            "network_sha256": sha256_of(files.keras),
            "onnx_sha256": "" if files.onnx is None else sha256_of(files.onnx),
        }
    )
    content = {
        NETWORK_FILE: files.keras,
        CARD_FILE: (card.model_dump_json(indent=2) + "\n").encode(),
        HISTORY_FILE: history.to_csv(index=False).encode(),
    }
    if files.onnx is not None:
        content[ONNX_FILE] = files.onnx
    write_folder(folder, content)


def read_folder(folder: Path) -> dict[str, bytes]:
    """Read the files of a model folder.

    Args:
        folder: What `write_folder` or `save` of a forecaster wrote.

    Returns:
        The content of each file by its name.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp()) / "model"
        >>> write_folder(folder, {"model.json": b"{}"})
        >>> read_folder(folder)
        {'model.json': b'{}'}
    """
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def write_folder(folder: Path, content: Mapping[str, bytes]) -> None:
    """Write the files of a model folder, whole or not at all; an earlier model is replaced.

    Files that are no part of a model stay where they are.

    Args:
        folder: Where the model shall be.
        content: The content of each file by its name.

    Raises:
        ModelError: If the folder isn't a model's; it is left as it is.
        OSError: If it can't be written; an earlier model is left as it was.

    Example:
        >>> import tempfile
        >>> write_folder(Path(tempfile.mkdtemp()) / "model", {"model.json": b"{}"})
    """
    check_can_hold_model(folder)
    with replace_folder(folder, own={*MODEL_FILES, *content}) as unfinished:
        for name, data in content.items():
            (unfinished / name).write_bytes(data)


def check_can_hold_model(folder: Path) -> None:
    """Make sure that a model may be saved to a folder: it is new, empty, or a model's already.

    Args:
        folder: Where the model shall be.

    Raises:
        ModelError: If the folder holds something else, or is the one that the user is in.

    Example:
        >>> import tempfile
        >>> check_can_hold_model(Path(tempfile.mkdtemp()) / "model")
    """
    if folder.resolve() == Path.cwd():
        raise ModelError(
            f"{folder} is the folder that you are in, which saving a model would replace. Choose "
            f"another, such as {folder / 'model'}."
        )
    if folder.is_dir() and (not any(folder.iterdir()) or _is_a_card(folder / CARD_FILE)):
        return
    if folder.exists() or folder.is_symlink():
        raise ModelError(
            f"{folder} exists and isn't a saved model, so it isn't overwritten. "
            "Choose another folder, or remove it yourself."
        )


def _is_a_card(path: Path) -> bool:
    """Whether a file is the card of a model that this package saved, in whatever format."""
    try:
        content = parse_json(read_whole(path, largest=_LARGEST_CARD))
        return type(content["format"]) is int and "lstm-strategy" in content["versions"]
    except (OSError, ValueError, TypeError, KeyError):
        return False


def load_card(folder: Path) -> ModelCard:
    """Read the checked `model.json` of a model folder.

    Raises:
        ModelError: If the folder is missing, incomplete, or of another version.
    """
    if not folder.is_dir():
        raise ModelError(
            f"No model at {folder}. Train one with `lstm-strategy train BARS --out {folder}` or "
            "save one with forecaster.save(folder)."
        )
    for name in (CARD_FILE, NETWORK_FILE):
        if not (folder / name).is_file():
            raise ModelError(
                f"The model at {folder} is incomplete: {name} is missing. Save or train it again."
            )
    content = _read_json(folder / CARD_FILE)
    if content.get("format") != FORMAT:
        writer = content.get("versions", {}).get("lstm-strategy", "unknown")
        raise ModelError(
            f"The model at {folder} was saved by lstm-strategy {writer} in format "
            f"{content.get('format')}, and this version reads format {FORMAT}. Train it again, or "
            f"install the version that saved it: pip install lstm-strategy=={writer}"
        )
    try:
        return ModelCard.model_validate(content)
    except ValidationError as error:
        raise ModelError(
            f"{folder / CARD_FILE} is damaged: {describe_first_offence(error)}. Save or train the "
            "model again."
        ) from None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ModelError(f"{path} isn't readable JSON. Save or train the model again.")
    return content


def load_files(folder: Path, card: ModelCard, *, engine: str) -> NetworkFiles:
    """Read the files of a network, after checking that they are the ones that were saved.

    With `engine="keras"` an ONNX model that is missing or damaged makes no difference.

    Raises:
        ModelError: If `network.keras` or `network.onnx` was changed, or there is no ONNX model
            and `engine="onnx"` asks for it.
    """
    content = (folder / NETWORK_FILE).read_bytes()
    if sha256_of(content) != card.network_sha256:
        raise ModelError(
            f"{folder / NETWORK_FILE} isn't the network that was saved (its sha256 differs from "
            "model.json). Restore it, or train the model again."
        )
    if engine == "onnx" and not card.onnx_sha256:
        raise ModelError(
            f"The model at {folder} has no ONNX model, since ONNX lacks a layer of its network. "
            'Load it with engine="keras".'
        )
    onnx = _read_onnx(folder / ONNX_FILE, card) if card.onnx_sha256 else None
    if onnx is None and card.onnx_sha256 and engine != "keras":
        raise ModelError(
            f"{folder / ONNX_FILE} isn't the ONNX model that was saved (it is missing, or its "
            'sha256 differs from model.json). Restore it, load the model with engine="keras", or '
            "train it again."
        )
    return NetworkFiles(content, onnx)


def _read_onnx(path: Path, card: ModelCard) -> bytes | None:
    """The ONNX model; None where it is missing or isn't the one that was saved."""
    if not path.is_file():
        return None
    content = path.read_bytes()
    return content if sha256_of(content) == card.onnx_sha256 else None


def load_history(folder: Path) -> pd.DataFrame:
    """Read the training history of a model; empty where it wasn't kept or can't be read."""
    try:
        return pd.read_csv(folder / HISTORY_FILE)[HISTORY_COLUMNS]
    except (OSError, KeyError, pd.errors.EmptyDataError, pd.errors.ParserError):
        return pd.DataFrame(columns=HISTORY_COLUMNS)
