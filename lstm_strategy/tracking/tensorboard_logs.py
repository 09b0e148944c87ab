"""The course of training as scalars for TensorBoard, whatever Keras runs on."""

from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

from lstm_strategy.errors import SettingsError
from lstm_strategy.learning.network import keras
from lstm_strategy.learning.walk_forward import Fold


class TensorBoardLogs(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Writes learning_rate, loss and val_loss after every epoch, one run folder a member.

    Keras's own TensorBoard callback would write all members of an ensemble into one curve. The
    folders are `member_1`, `member_2` and so on; the steps are epochs, counted from 1. An object
    serves one `fit`.

    Args:
        folder: Where the run folders go.

    Raises:
        SettingsError: If tensorboard isn't installed, or the folder holds runs already.

    Example:
        >>> forecaster.fit(bars, callbacks=[TensorBoardLogs("logs")])  # doctest: +SKIP
    """

    def __init__(self, folder: str | Path) -> None:
        super().__init__()
        check_tensorboard()
        self._folder, self._members = Path(folder), 0
        self._writer: Any = None
        if any(self._folder.glob("member_*/*tfevents*")):
            raise SettingsError(
                f"{folder} holds TensorBoard runs already, which would be mixed with new ones. "
                "Choose another folder, or remove them."
            )

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Open the run of the next member."""
        from tensorboard.summary import Writer

        self._members += 1
        self._writer = Writer(str(self._folder / f"member_{self._members}"))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write what this epoch gave, so that it can be watched at once."""
        for name, value in (logs or {}).items():
            self._writer.add_scalar(name, float(value), epoch + 1)
        self._writer.flush()

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Close the run."""
        self._writer.close()


@dataclass(frozen=True)
class FoldTensorBoardLogs:
    """`TensorBoardLogs` for each fold of a walk forward: `fold_01/member_1` and so on.

    A fold that is trained again, after a kill or because its machine died, is logged beside what
    was logged before: `fold_01_again_1`.

    Attributes:
        folder: Where the folders of the folds go.

    Example:
        >>> logs = FoldTensorBoardLogs("logs")
        >>> walk_forward(bars, forecaster, splits, callbacks=logs)  # doctest: +SKIP
    """

    folder: str | Path

    def __call__(self, fold: Fold) -> list[TensorBoardLogs]:
        """Return the callbacks for the training of one fold."""
        first = Path(self.folder) / f"fold_{fold.number:02d}"
        others = (first.with_name(f"{first.name}_again_{number}") for number in count(1))
        return [TensorBoardLogs(next(f for f in chain([first], others) if not f.exists()))]


def check_tensorboard() -> None:
    """Make sure that tensorboard is installed.

    Raises:
        SettingsError: If it isn't.

    Example:
        >>> check_tensorboard()
    """
    try:
        import tensorboard.summary  # noqa: F401
    except ImportError as error:
        raise SettingsError(
            "TensorBoard logs need tensorboard, which isn't installed. "
            "Run pip install 'lstm-strategy[tensorboard]'."
        ) from error
