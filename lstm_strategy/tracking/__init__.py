"""Trainings and results logged elsewhere: as runs of MLflow and as curves of TensorBoard."""

from typing import TYPE_CHECKING

from lstm_strategy.support.lazy import import_on_first_use

if TYPE_CHECKING:
    from lstm_strategy.tracking.mlflow_runs import (
        log_comparison,
        log_forecaster,
        log_tuning,
        open_experiment,
    )
    from lstm_strategy.tracking.tensorboard_logs import (
        FoldTensorBoardLogs,
        TensorBoardLogs,
        check_tensorboard,
    )

__all__ = [
    "FoldTensorBoardLogs",
    "TensorBoardLogs",
    "check_tensorboard",
    "log_comparison",
    "log_forecaster",
    "log_tuning",
    "open_experiment",
]

__getattr__ = import_on_first_use(
    __name__,
    {
        "log_comparison": ".mlflow_runs",
        "log_forecaster": ".mlflow_runs",
        "log_tuning": ".mlflow_runs",
        "open_experiment": ".mlflow_runs",
        "FoldTensorBoardLogs": ".tensorboard_logs",
        "TensorBoardLogs": ".tensorboard_logs",
        "check_tensorboard": ".tensorboard_logs",
    },
)
