"""A comparison of forecasts in words: a sentence that claims no more than the test; a table."""

import pandas as pd

from lstm_strategy.evaluation.statistics import diebold_mariano
from lstm_strategy.support import number_text

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
        One sentence. Whatever isn't significant at 5% is no evidence. Where the judged one is
        behind a reference that was chosen, the p-value is multiplied by the number of others
        (Bonferroni); where it is ahead, the choice was of the hardest, and no correction is due.

    Example:
        >>> losses = pd.DataFrame({"LSTM": [0.4, 0.6] * 50, "EWMA": [0.5, 0.7] * 50})
        >>> options = {"label": "QLIKE", "horizon": 1, "is_best": False}
        >>> describe_lead(losses, "LSTM", "EWMA", **options)
        "LSTM's QLIKE is 16.7% below EWMA's; luck explains such a difference with p < 0.001."
    """
    test = diebold_mariano(losses[judged], losses[reference], horizon=horizon)
    n_others = losses.shape[1] - 1
    chosen = f", the best of the {n_others} others" if is_best and n_others > 1 else ""
    if test.statistic == 0 and test.p_value == 1:
        return f"{judged} forecasts the same as {reference}{chosen}."
    is_behind = test.difference > 0
    size = f"{_size_of(losses[judged], losses[reference])} {'above' if is_behind else 'below'}"
    p_value, choice = test.p_value, ""
    if chosen and is_behind:  # the best of many is ahead by luck more often than one is
        p_value, choice = min(1.0, n_others * p_value), f", the choice among {n_others} allowed for"
    luck = f"luck explains such a difference with {p_text(p_value)}{choice}"
    if p_value <= _SIGNIFICANT:
        return f"{judged}'s {label} is {size} {reference}'s{chosen}; {luck}."
    return (
        f"No evidence that {judged} forecasts better than {reference}{chosen}: its {label} is "
        f"{size}, and {luck}."
    )


def _size_of(losses: pd.Series, reference: pd.Series) -> str:
    """How far apart two mean losses are: a share of the second, where both are above zero."""
    mean, other = float(losses.mean()), float(reference.mean())
    return f"{abs(mean / other - 1):.1%}" if min(mean, other) > 0 else f"{abs(mean - other):.4g}"


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
        '0.50'
    """
    losses = [name for name in table if name not in (*_NO_LOSSES, "in_confidence_set")]
    columns = {loss_label(str(name)): _texts(table[name], "{:.4g}") for name in losses}
    columns |= {
        "Intercept": _texts(table["mz_intercept"], "{:.4f}"),
        "Slope": _texts(table["mz_slope"], "{:.2f}"),
        "R²": _texts(table["mz_r2"], "{:.1%}"),
        "p of (0, 1)": _p_values(table["mz_p"]),
        f"t against {reference}": _texts(table["dm_t"], "{:.2f}", missing="reference"),
        "p": _p_values(table["dm_p"], missing=""),
        "May be the best": [
            f"{'yes' if kept else 'no'} ({p_text(p)})"
            for kept, p in zip(table["in_confidence_set"], table["mcs_p"], strict=True)
        ],
    }
    return pd.DataFrame(columns, index=table.index)


def _texts(values: pd.Series, form: str, *, missing: str = "n/a") -> list[str]:
    return [missing if pd.isna(value) else number_text(value, form) for value in values]


def _p_values(values: pd.Series, *, missing: str = "n/a") -> list[str]:
    return [missing if pd.isna(p) else p_text(p).removeprefix("p ").lstrip("= ") for p in values]
