"""The table of a comparison of forecasts as text."""

import pandas as pd

from lstm_strategy.evaluation.forecasts.sentence import p_text

_LABELS = {"qlike": "QLIKE", "mse": "MSE"}
_NO_LOSSES = ("mz_intercept", "mz_slope", "mz_r2", "mz_p", "dm_t", "dm_p", "mcs_p")


def loss_label(loss: str) -> str:
    """The name of a loss for a reader.

    Example:
        >>> loss_label("qlike"), loss_label("my_loss")
        ('QLIKE', 'my_loss')
    """
    return _LABELS.get(loss, loss)


def readable_scores(table: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Return the table of scores as text for a reader.

    Args:
        table: See `ForecastComparison.table`.
        reference: The model that the others are tested against.

    Returns:
        One row a model.

    Example:
        >>> scores = dict.fromkeys(["qlike", *_NO_LOSSES], 0.5)
        >>> table = pd.DataFrame({"LSTM": scores | {"in_confidence_set": True}}).T
        >>> readable_scores(table, "EWMA").iloc[0].to_dict()["t against EWMA"]
        '+0.50'
    """
    losses = [name for name in table if name not in (*_NO_LOSSES, "in_confidence_set")]
    columns = {loss_label(str(name)): _texts(table[name], "{:.4g}") for name in losses}
    columns |= {
        "Intercept": _texts(table["mz_intercept"], "{:+.4f}"),
        "Slope": _texts(table["mz_slope"], "{:.2f}"),
        "R²": _texts(table["mz_r2"], "{:.1%}"),
        "p of (0, 1)": _p_values(table["mz_p"]),
        f"t against {reference}": _texts(table["dm_t"], "{:+.2f}", missing="reference"),
        "p": _p_values(table["dm_p"], missing=""),
        "May be the best": [
            f"{'yes' if kept else 'no'} ({p_text(p)})"
            for kept, p in zip(table["in_confidence_set"], table["mcs_p"], strict=True)
        ],
    }
    return pd.DataFrame(columns, index=table.index)


def _texts(values: pd.Series, form: str, *, missing: str = "n/a") -> list[str]:
    return [missing if pd.isna(value) else form.format(value) for value in values]


def _p_values(values: pd.Series, *, missing: str = "n/a") -> list[str]:
    return [missing if pd.isna(p) else p_text(p).removeprefix("p ").lstrip("= ") for p in values]
