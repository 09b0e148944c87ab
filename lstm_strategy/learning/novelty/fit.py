"""From the hidden states of the training to what tells usual ones from strange ones."""

from collections.abc import Sequence

import numpy as np

from lstm_strategy.learning.novelty.novelty import LARGEST_BYTES, Novelty

_USUAL_SHARE = 0.99  # of the held-out states of all members, which are within the limit
_MOST_TIMES_USUAL = 1.75  # the limit, in distances within which 95% of them are
_FEWEST_HELD_OUT = 20  # of all members
_FLOOR = 1e-4  # of a variance, as a share of the mean one: single precision has to resolve it


def fit_novelty(
    hidden: np.ndarray, learned: Sequence[np.ndarray], held_out: Sequence[np.ndarray]
) -> Novelty | None:
    """Measure what is usual for the members of an ensemble.

    Mean and covariance of a member's states are those of the rows that it learned from. The limit
    comes from the rows that each held out: a network is at home in the rows that it was fitted to,
    so that a limit from those would call new rows of the same market strange.

    Args:
        hidden: The states of each member at every row, shape (n_rows, n_members, n_units).
        learned: Whether each row is one that the member learned from, shape (n_rows,), by member.
        held_out: The same of those that it held out.

    Returns:
        What is usual; None where too few rows were held out, where a member has states that never
        change, or where it would take too much memory.

    Source: Ledoit and Wolf (2004), "A well-conditioned estimator for large-dimensional covariance
    matrices", for the shrinkage.

    Example:
        >>> states = np.random.default_rng(0).normal(size=(2_000, 1, 3))
        >>> is_late = np.arange(2_000) >= 1_000
        >>> novelty = fit_novelty(states, [~is_late], [is_late])
        >>> bool(novelty.measure([np.full((1, 3), 10.0)])[0, 0] > 1)
        True
    """
    _, n_members, n_units = hidden.shape
    n_numbers = n_members * n_units * (n_units + 1)
    if not n_units or 6 * n_numbers > LARGEST_BYTES:  # four bytes, in Base64
        return None
    centers, roots, distances = [], [], []
    for member in range(n_members):
        states = hidden[:, member].astype(np.float64)
        known, unseen = states[learned[member]], states[held_out[member]]
        if len(known) < 2 or not known.std(axis=0).any():
            return None
        center, root = _find_root(known)
        centers.append(center)
        roots.append(root)
        distances.append(np.linalg.norm((unseen - center) @ root, axis=1))
    of_all = np.concatenate(distances)
    if len(of_all) < _FEWEST_HELD_OUT:
        return None
    far, usual = np.quantile(of_all, [_USUAL_SHARE, 0.95])
    limit = float(min(far, _MOST_TIMES_USUAL * usual))  # a crash that was held out mustn't set it
    if not limit > 0:
        return None
    # as they are saved, so that a model gives the same numbers before and after
    return Novelty(np.array(centers, np.float32), np.array(roots, np.float32), limit)


def _find_root(states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of states, and the root of their inverse covariance."""
    from sklearn.covariance import ledoit_wolf
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # sums are made in one order, however many cores there are: a worker process has one thread
    with threadpool_limits(1):
        center = states.mean(axis=0)
        covariance, _ = ledoit_wolf(states - center, assume_centered=True)
        variances, axes = np.linalg.eigh(covariance)
    return center, axes / np.sqrt(np.maximum(variances, _FLOOR * variances.mean()))
