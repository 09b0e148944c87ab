"""A comparison of forecasts in words: a sentence that claims no more than the test; a table."""

import math

import pandas as pd

from lstm_strategy.evaluation.statistics import diebold_mariano

_SIGNIFICANT = 0.05
_LABELS = {"qlike": "QLIKE", "mse": "MSE"}
_NO_LOSSES = ("mz_intercept", "mz_slope", "mz_r2", "mz_p", "dm_t", "dm_p", "mcs_p")


def describe_lead(
    losses: pd.DataFrame, judged: str, reference: str, *, label: str, horizon: int, is_best: bool
) -> str:
    """Say whether one model forecasts better than another, and how likely luck is.

    Args:
        losses: The loss of each model at each bar.
        judged: The model that the sentence is about.
        reference: The one it is held against.
        label: The loss in words.
        horizon: Bars ahead.
        is_best: Whether the reference was chosen as the best of all others.

    Returns:
        One sentence. Whatever isn't significant at 5% is no evidence.

    Example:
        >>> losses = pd.DataFrame({"LSTM": [0.4, 0.6] * 50, "EWMA": [0.5, 0.7] * 50})
        >>> options = {"label": "QLIKE", "horizon": 1, "is_best": False}
        >>> describe_lead(losses, "LSTM", "EWMA", **options)
        "LSTM's QLIKE is 16.7% below EWMA's; luck explains such a difference with p < 0.001."
    """
    test = diebold_mariano(losses[judged], losses[reference], horizon=horizon)
    others = losses.shape[1] - 1
    who = reference + (f", the best of the {others} others" if is_best and others > 1 else "")
    if test.statistic == 0 and test.p_value == 1:
        return f"{judged} forecasts the same as {who}."
    ratio = float(losses[judged].mean() / losses[reference].mean())
    side = "below" if ratio < 1 else "above"
    size = f"{abs(ratio - 1):.1%} {side}" if math.isfinite(ratio) else side
    luck = f"luck explains such a difference with {p_text(test.p_value)}"
    owner = f"{reference}'s" + (f", {who.partition(', ')[2]}" if who != reference else "")
    if test.p_value <= _SIGNIFICANT:
        return f"{judged}'s {label} is {size} {owner}; {luck}."
    return (
        f"No evidence that {judged} forecasts better than {who}: its {label} is {size}, and {luck}."
    )


def p_text(p_value: float) -> str:
    """A p-value with three digits, and no zero that it isn't.

    Example:
        >>> p_text(0.0312), p_text(1e-9)
        ('p = 0.031', 'p < 0.001')
    """
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


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
