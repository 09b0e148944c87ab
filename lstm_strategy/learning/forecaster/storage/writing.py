"""A forecaster written as a folder of `model.json`, `network.keras` and a few others.

`network.keras` is what counts; `network.onnx` is the same network for ONNX Runtime, where it has
such a form; `check.json` has a few of its forecasts, by which both are known again; `novelty.json`
says which of its hidden states are usual, where that was measured. `model.json`
holds the digests of the others and its own. The folder is written whole or not at all; `reading`
reads it as a stranger's.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster.model_card import ModelCard
from lstm_strategy.learning.inference import StoredForecasts
from lstm_strategy.learning.novelty import Novelty
from lstm_strategy.support import parse_json, read_whole, replace_folder, seal, sha256_of

NETWORK_FILE = "network.keras"
ONNX_FILE = "network.onnx"
CARD_FILE = "model.json"
CHECK_FILE = "check.json"
HISTORY_FILE = "history.csv"
NOVELTY_FILE = "novelty.json"
WALK_FORWARD_FILE = "walkforward.json"
HISTORY_COLUMNS = ["member", "epoch", "loss", "val_loss"]
MODEL_FILES = (CARD_FILE, NETWORK_FILE, ONNX_FILE, CHECK_FILE, HISTORY_FILE, NOVELTY_FILE)

_LARGEST_NETWORK = 2**30  # of a user's own; what the package builds has a size that is known
_MEMBER_BESIDE_WEIGHTS = 2**20  # bytes, a hundred times what Keras and ONNX need to describe one
_BYTES_OF_A_WEIGHT = 8  # twice what it takes
LARGEST_FILE = 16 * 2**20  # of the others
SEAL = "sha256"
_DIGEST_FIELDS = {
    NETWORK_FILE: "network_sha256",
    ONNX_FILE: "onnx_sha256",
    CHECK_FILE: "check_sha256",
    HISTORY_FILE: "history_sha256",
    NOVELTY_FILE: "novelty_sha256",
}


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


def save_model(
    folder: Path,
    files: NetworkFiles,
    card: ModelCard,
    *,
    stored: StoredForecasts,
    history: pd.DataFrame,
    novelty: Novelty | None,
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
    if novelty is not None:
        content[NOVELTY_FILE] = json.dumps(novelty.to_dict()).encode()
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
    n_weights += (n_inputs + 1 + n_features) * card.settings.target.head.n_outputs
    member = _MEMBER_BESIDE_WEIGHTS + _BYTES_OF_A_WEIGHT * n_weights
    return min(member * card.settings.members, _LARGEST_NETWORK)


def digest_described(card: Mapping[str, Any]) -> str:
    """The digest of what a card says about the model, not about the other files."""
    others = (*_DIGEST_FIELDS.values(), SEAL)
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
        content = parse_json(read_whole(path, largest=LARGEST_FILE))
        return type(content["format"]) is int and "lstm-strategy" in content["versions"]
    except (OSError, ValueError, TypeError, KeyError):
        return False
