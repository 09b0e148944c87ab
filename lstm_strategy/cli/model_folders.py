"""The folders of models: which one --model means, and what may be saved to one."""

from pathlib import Path
from typing import TYPE_CHECKING

from lstm_strategy.cli.out_folder import refuse_to_replace
from lstm_strategy.cli.output import tell
from lstm_strategy.errors import ModelError, SettingsError
from lstm_strategy.evaluation.backtests import write_picture
from lstm_strategy.learning.forecaster import (
    CARD_FILE,
    WALK_FORWARD_FILE,
    Forecaster,
    LSTMForecaster,
    check_can_hold_model,
    load_card,
    read_folder,
    write_folder,
)
from lstm_strategy.learning.serving import open_forecaster
from lstm_strategy.support import temporary_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def open_model(folder: Path, *, engine: str) -> Forecaster:
    """The model of --model: in the folder itself, or the one that lies within.

    Args:
        folder: The folder of a model, or of what `compare` or `demo` wrote.
        engine: What computes its forecasts: "auto", "onnx" or "keras".

    Raises:
        SettingsError: If several models lie within, and no record of trials says which is meant.
        ModelError: If there is no model, or it can't be read.
    """
    inside = find_model(folder)
    if inside != folder:
        tell(f"--model {folder}: the model is {inside}.")
    return open_forecaster(inside, engine=engine)


def find_model(folder: Path) -> Path:
    """The folder of a model, which may be one of the folders in the given one.

    Raises:
        SettingsError: If it isn't clear which of several models within is meant.
    """
    if _is_model(folder) or not folder.is_dir():
        return folder
    inside = [entry for entry in sorted(folder.iterdir()) if _is_model(entry)]
    if len(inside) > 1:
        from lstm_strategy.evaluation.verdict import TrialRecord

        judged = {trial.model for trial in TrialRecord.from_folder(folder).trials}
        inside = [entry for entry in inside if entry.name in judged] or inside
    if len(inside) > 1:
        raise SettingsError(
            f"--model {folder} holds {len(inside)} models: "
            f"{', '.join(entry.name for entry in inside)}. Choose one: --model {inside[0]}."
        )
    return inside[0] if inside else folder


def _is_model(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (CARD_FILE, WALK_FORWARD_FILE))


def check_model_folder(folder: Path, *names: str) -> None:
    """Refuse before the training what `LSTMForecaster.save` would refuse after it.

    Args:
        folder: Where the model shall be.
        *names: The files that are saved there beside it.

    Raises:
        SettingsError: If no model can be saved to the folder.
    """
    try:
        check_can_hold_model(folder, names)
    except ModelError as error:
        raise SettingsError(f"--out {error}") from None


def check_earlier_model(folder: Path, forecaster: LSTMForecaster) -> None:
    """Refuse to replace a model of other settings. One of the same is replaced, on whatever bars.

    Raises:
        SettingsError: Naming the first setting that differs.
    """
    if not (folder / CARD_FILE).exists():
        return
    try:
        card = load_card(folder)
        own = {"features": forecaster.features.specs, **forecaster.settings.model_dump(mode="json")}
        earlier = {"features": card.features["specs"], **card.settings.model_dump(mode="json")}
        differing = [name for name in own if own[name] != earlier[name]]
    except (ModelError, KeyError, TypeError):
        differing = ["settings that can't be read"]
    if differing:
        raise refuse_to_replace(folder, f"a model with other {differing[0]}")


def save_with_picture(
    forecaster: LSTMForecaster, folder: Path, *, name: str, figure: "Figure"
) -> None:
    """Save a model and a picture of it to a folder, both or none of them.

    Raises:
        ModelError: If no model can be saved there.
    """
    with temporary_folder("model") as temporary:
        files = read_folder(forecaster.save(temporary / "model"))
        picture = write_picture(temporary / name, figure).read_bytes()
    write_folder(folder, {**files, name: picture})
