"""A forecaster as a folder: ``network.keras``, ``network.onnx``, ``model.json``, ``history.csv``.

``network.keras`` is the truth; ``network.onnx`` is its twin for ONNX Runtime, where it has one. The
folder is written whole or not at all. Loading never unpickles and never runs code from it.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster.model_card import FORMAT, ModelCard
from lstm_strategy.support import sha256_of

NETWORK_FILE, CARD_FILE, HISTORY_FILE = "network.keras", "model.json", "history.csv"
TWIN_FILE = "network.onnx"
WALK_FORWARD_FILE = "walkforward.json"


def builder_name(build: Any) -> str:
    """The name of a user's own network builder; "" without one."""
    if build is None:
        return ""
    return f"{build.__module__}.{getattr(build, '__qualname__', type(build).__qualname__)}"


@dataclass(frozen=True)
class NetworkFiles:
    """A network as the bytes of its files: ``network.keras``, and ``network.onnx`` or None."""

    keras: bytes
    twin: bytes | None


def serialize_network(network: Any) -> bytes:
    """What Keras writes for a network."""
    with tempfile.TemporaryDirectory(prefix="network-") as folder:
        network.save(Path(folder) / NETWORK_FILE)
        return (Path(folder) / NETWORK_FILE).read_bytes()


def save_model(folder: Path, files: NetworkFiles, card: ModelCard, history: pd.DataFrame) -> None:
    """Write a model folder, replacing an earlier model of the same name in one step.

    Raises:
        ModelError: if something that isn't a model is in the way; it is left as it is.
    """
    with _put_whole(folder) as temporary:
        (temporary / NETWORK_FILE).write_bytes(files.keras)
        if files.twin is not None:
            (temporary / TWIN_FILE).write_bytes(files.twin)
        card = card.model_copy(
            update={
                "network_sha256": sha256_of(files.keras),
                "twin_sha256": "" if files.twin is None else sha256_of(files.twin),
            }
        )
        (temporary / CARD_FILE).write_text(card.model_dump_json(indent=2) + "\n")
        history.to_csv(temporary / HISTORY_FILE, index=False)


def read_folder(folder: Path) -> dict[str, bytes]:
    """The files of a model folder by name."""
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def write_folder(folder: Path, content: Mapping[str, bytes]) -> None:
    """Write the content of a model folder, whole or not at all; an earlier model is replaced."""
    with _put_whole(folder) as temporary:
        for name, data in content.items():
            (temporary / name).write_bytes(data)


@contextmanager
def _put_whole(folder: Path) -> Iterator[Path]:
    """A folder to write to, which then takes the place of `folder` in one step.

    Raises:
        ModelError: if something that isn't a model is in the way; it is left as it is.
    """
    if folder.exists() and not is_replaceable(folder):
        raise ModelError(
            f"{folder} exists and isn't a saved model, so it isn't overwritten. "
            "Choose another folder, or remove it yourself."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        _put_in_place(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def is_replaceable(folder: Path) -> bool:
    """Whether a folder holds nothing but an earlier model, if anything."""
    return folder.is_dir() and ((folder / CARD_FILE).exists() or not any(folder.iterdir()))


def _put_in_place(temporary: Path, folder: Path) -> None:
    if not folder.exists():
        temporary.rename(folder)
        return
    # a folder can't replace a folder in one call, so the old one steps aside first
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    folder.replace(aside / "model")
    try:
        temporary.rename(folder)
    except OSError:
        (aside / "model").replace(folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def load_card(folder: Path) -> ModelCard:
    """The checked ``model.json`` of a model folder.

    Raises:
        ModelError: if the folder is missing, incomplete, or of another version.
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
    try:
        content = json.loads((folder / CARD_FILE).read_text())
        saved_format = content.get("format")
    except (ValueError, AttributeError):
        raise ModelError(
            f"{folder / CARD_FILE} isn't readable JSON. Save or train the model again."
        ) from None
    if saved_format != FORMAT:
        raise ModelError(
            f"The model at {folder} has format {saved_format}, this version reads format "
            f"{FORMAT}. Train it again, or install the version that saved it: "
            f"{content.get('versions', {}).get('lstm-strategy', 'unknown')}."
        )
    try:
        return ModelCard.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise ModelError(
            f"{folder / CARD_FILE} is damaged: {'.'.join(map(str, first['loc']))}: "
            f"{first['msg']}. Save or train the model again."
        ) from None


def load_files(folder: Path, card: ModelCard, *, engine: str) -> NetworkFiles:
    """The files of a network, after checking that they are the ones that were saved.

    With ``engine="keras"`` a twin that is missing or damaged makes no difference.

    Raises:
        ModelError: if ``network.keras`` or ``network.onnx`` was changed, or there is no twin and
            ``engine="onnx"`` asks for it.
    """
    content = (folder / NETWORK_FILE).read_bytes()
    if sha256_of(content) != card.network_sha256:
        raise ModelError(
            f"{folder / NETWORK_FILE} isn't the network that was saved (its sha256 differs from "
            "model.json). Restore it, or train the model again."
        )
    if engine == "onnx" and not card.twin_sha256:
        raise ModelError(
            f"The model at {folder} has no ONNX twin: its network has layers that have none, or an "
            'earlier version saved it. Load it with engine="keras", or train it again.'
        )
    twin = _twin_bytes(folder / TWIN_FILE, card) if card.twin_sha256 else None
    if twin is None and card.twin_sha256 and engine != "keras":
        raise ModelError(
            f"{folder / TWIN_FILE} isn't the twin that was saved (it is missing, or its sha256 "
            'differs from model.json). Restore it, load the model with engine="keras", or train '
            "it again."
        )
    return NetworkFiles(content, twin)


def _twin_bytes(path: Path, card: ModelCard) -> bytes | None:
    """The twin; None where it is missing or isn't the one that was saved."""
    if not path.is_file():
        return None
    content = path.read_bytes()
    return content if sha256_of(content) == card.twin_sha256 else None


def load_keras_network(content: bytes, versions: dict[str, str]) -> Any:
    """The Keras network in the bytes of ``network.keras``, saved with these versions.

    Raises:
        ModelError: if Keras can't read it.
    """
    from lstm_strategy.learning.network import keras

    try:
        with tempfile.TemporaryDirectory(prefix="network-") as folder:
            (Path(folder) / NETWORK_FILE).write_bytes(content)
            return keras.saving.load_model(
                Path(folder) / NETWORK_FILE, compile=False, safe_mode=True
            )
    except Exception as error:
        raise ModelError(
            f"{NETWORK_FILE} can't be read by Keras {keras.__version__}: "
            f"{str(error).splitlines()[0]}. It was saved with Keras "
            f"{versions.get('keras', 'unknown')}; train the model again."
        ) from error


def load_history(folder: Path) -> pd.DataFrame:
    """The training history of a model folder; empty where it wasn't kept or can't be read."""
    path = folder / HISTORY_FILE
    columns = ["member", "epoch", "loss", "val_loss"]
    try:
        return pd.read_csv(path)[columns]
    except (OSError, KeyError, pd.errors.EmptyDataError, pd.errors.ParserError):
        return pd.DataFrame(columns=columns)


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)
