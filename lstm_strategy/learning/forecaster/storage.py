"""A forecaster as a folder of `model.json`, `network.keras` and a few others.

`network.keras` is what counts; `network.onnx` is the same network for ONNX Runtime, where it has
such a form; `check.json` has a few of its forecasts, by which both are known again. `model.json`
holds the digests of the others and its own. The folder is written whole or not at all, and read as
a stranger's: loading never unpickles, never runs code from it, and gives up before a file that
would take more memory than it should.
"""

import io
import json
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster.model_card import FORMAT, ModelCard
from lstm_strategy.learning.inference import StoredForecasts, choose_engine
from lstm_strategy.support import (
    describe_first_offence,
    parse_json,
    read_whole,
    replace_folder,
    seal,
    sha256_of,
)

NETWORK_FILE, ONNX_FILE = "network.keras", "network.onnx"
CARD_FILE = "model.json"
CHECK_FILE = "check.json"
HISTORY_FILE = "history.csv"
WALK_FORWARD_FILE = "walkforward.json"
HISTORY_COLUMNS = ["member", "epoch", "loss", "val_loss"]
MODEL_FILES = (CARD_FILE, NETWORK_FILE, ONNX_FILE, CHECK_FILE, HISTORY_FILE)

_LARGEST_NETWORK = 2**30  # of a user's own; what the package builds has a size that is known
_MEMBER_BESIDE_WEIGHTS = 2**20  # bytes, a hundred times what Keras and ONNX need to describe one
_BYTES_OF_A_WEIGHT = 8  # twice what it takes
_LARGEST_FILE = 16 * 2**20  # of the others
_SEAL = "sha256"
_DIGEST_FIELDS = {
    NETWORK_FILE: "network_sha256",
    ONNX_FILE: "onnx_sha256",
    CHECK_FILE: "check_sha256",
    HISTORY_FILE: "history_sha256",
}
_MOST_READINGS = 100
_SECONDS_BETWEEN_READINGS = 0.02


@dataclass(frozen=True)
class NetworkFiles:
    """A network as the bytes of its files.

    Attributes:
        keras: The content of `network.keras`.
        onnx: The content of `network.onnx`; None where the network has no such form.
    """

    keras: bytes
    onnx: bytes | None


@dataclass(frozen=True, eq=False)
class StoredModel:
    """What a model folder holds, checked as far as it can be without running the network.

    Attributes:
        card: Where the model came from.
        files: The network.
        engine: What shall run it: "onnx" or "keras".
        stored: Some forecasts of the network.
        history: One row per epoch: member, epoch, loss, val_loss; empty where it was lost.
    """

    card: ModelCard
    files: NetworkFiles
    engine: str
    stored: StoredForecasts
    history: pd.DataFrame


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


def save_model(
    folder: Path,
    files: NetworkFiles,
    card: ModelCard,
    *,
    stored: StoredForecasts,
    history: pd.DataFrame,
) -> None:
    """Write a model folder, replacing an earlier model of the same name in one step.

    Raises:
        ModelError: If the folder isn't a model's, or the network is too large to be loaded again.
    """
    most = largest_network(card, n_features=stored.rows.shape[1])
    if max(len(files.keras), len(files.onnx or b"")) > most:
        raise ModelError(
            f"A saved network of this kind may have {most:,} bytes, and this one has more. Train "
            "fewer units or members."
        )
    described = json.loads(card.model_dump_json())
    check = {"card": digest_described(described), **stored.to_dict()}
    content = {
        NETWORK_FILE: files.keras,
        CHECK_FILE: json.dumps(check).encode(),
        HISTORY_FILE: history.to_csv(index=False).encode(),
    }
    if files.onnx is not None:
        content[ONNX_FILE] = files.onnx
    digests = {
        field: sha256_of(content[name]) if name in content else ""
        for name, field in _DIGEST_FIELDS.items()
    }
    sealed = seal({**described, **digests})
    content[CARD_FILE] = (json.dumps(sealed, indent=2) + "\n").encode()
    write_folder(folder, content)


def largest_network(card: ModelCard, *, n_features: int) -> int:
    """The most bytes that a file of the network may have.

    Args:
        card: Says how wide the network is, and whether the user built it.
        n_features: The columns of its rows.
    """
    if card.network:
        return _LARGEST_NETWORK
    n_weights, n_inputs = 0, n_features
    for n_units in card.settings.units:
        n_weights += 4 * n_units * (n_inputs + n_units + 1)
        n_inputs = n_units
    n_weights += (n_inputs + 1) * card.settings.target.head.n_outputs
    member = _MEMBER_BESIDE_WEIGHTS + _BYTES_OF_A_WEIGHT * n_weights
    return min(member * card.settings.members, _LARGEST_NETWORK)


def digest_described(card: Mapping[str, Any]) -> str:
    """The digest of what a card says about the model, not about the other files."""
    others = (*_DIGEST_FIELDS.values(), _SEAL)
    described = {name: value for name, value in card.items() if name not in others}
    return sha256_of(json.dumps(described, sort_keys=True))


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

    Files that aren't part of a model stay where they are.

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
    check_can_hold_model(folder, content)
    with replace_folder(folder, own={*MODEL_FILES, *content}) as unfinished:
        for name, data in content.items():
            (unfinished / name).write_bytes(data)


def check_can_hold_model(folder: Path, names: Collection[str] = ()) -> None:
    """Make sure that a model may be saved to a folder: it is new, empty, or a model's already.

    Args:
        folder: Where the model shall be.
        names: The files that are saved there beside those of every model.

    Raises:
        ModelError: If the folder holds something else, is the one that the user is in, or has a
            folder in it where a file must be.

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
        for name in (*MODEL_FILES, *names):
            if (folder / name).is_dir():
                raise ModelError(
                    f"{folder} has a folder {name}, and a model needs that name for a file. Move "
                    "it away, or choose another folder."
                )
        return
    if folder.exists() or folder.is_symlink():
        raise ModelError(
            f"{folder} exists and isn't a saved model, so it isn't overwritten. "
            "Choose another folder, or remove it yourself."
        )


def _is_a_card(path: Path) -> bool:
    """Whether a file is the card of a model that this package saved, in whatever format."""
    try:
        content = parse_json(read_whole(path, largest=_LARGEST_FILE))
        return type(content["format"]) is int and "lstm-strategy" in content["versions"]
    except (OSError, ValueError, TypeError, KeyError):
        return False


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
            'Load it with engine="keras".'
        )
    stored = _read_check(folder / CHECK_FILE, card, described=digest_described(content))
    most = largest_network(card, n_features=stored.rows.shape[1])
    files = NetworkFiles(
        _read_file(folder / NETWORK_FILE, card.network_sha256, largest=most),
        _read_onnx(folder / ONNX_FILE, card, is_needed=engine == "onnx", largest=most),
    )
    return StoredModel(card, files, engine, stored, _read_history(folder, card))


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
        unsealed = {name: value for name, value in content.items() if name != _SEAL}
        return ModelCard.model_validate_json(json.dumps(unsealed), strict=True)
    except ValidationError as error:
        raise ModelError(
            f"{path} is damaged: {describe_first_offence(error)}. Save or train the model again."
        ) from None


def _parse_card(path: Path) -> dict[str, Any]:
    try:
        content = parse_json(_read_bytes(path, largest=_LARGEST_FILE))
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
    if found == FORMAT:
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
        other = ', load the model with engine="keras",' if path.name == ONNX_FILE else ""
        raise ModelError(
            f"{path} isn't the {_NAMES[path.name]} that was saved (it is missing, or its sha256 "
            f"differs from {CARD_FILE}). Restore it{other} or train the model again."
        )
    return content


_NAMES = {NETWORK_FILE: "network", ONNX_FILE: "ONNX model", CHECK_FILE: "list of forecasts"}


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
        return read_whole(path, largest=largest)
    except OSError as error:
        raise ModelError(
            f"{path} can't be read: {error.strerror}. Restore it, or train the model again."
        ) from None


def _read_check(path: Path, card: ModelCard, *, described: str) -> StoredForecasts:
    content = _read_file(path, card.check_sha256, largest=_LARGEST_FILE)
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


def _read_history(folder: Path, card: ModelCard) -> pd.DataFrame:
    """The training history; empty where it wasn't kept or isn't the one that was saved."""
    try:
        content = read_whole(folder / HISTORY_FILE, largest=_LARGEST_FILE)
        if sha256_of(content) == card.history_sha256:
            return pd.read_csv(io.BytesIO(content))[HISTORY_COLUMNS].astype({"loss": float})
    except (OSError, KeyError, ValueError):
        pass
    return pd.DataFrame(columns=HISTORY_COLUMNS)
