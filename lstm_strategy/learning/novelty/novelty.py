"""The distance of a hidden state from those of the training, as a multiple of what is usual."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from lstm_strategy.support import sha256_of

LARGEST_BYTES = 64 * 2**20
"""Of what is kept; where it would take more, nothing is measured."""

_NUMBER = np.dtype("<f4")


@dataclass(frozen=True, eq=False)
class Novelty:
    """What tells usual hidden states of the members of an ensemble from strange ones.

    The distance of a member's state from those of its training is that of Mahalanobis, so that a
    move which the training never showed together with others counts as much as a large one. The
    novelty is the mean distance of the members, divided by the one within which almost all rows
    were that a member held out: above 1 the state is a strange one.

    Attributes:
        centers: The mean state of each member, shape (n_members, n_units).
        roots: The root of each member's inverse covariance, shape (n_members, n_units, n_units): a
            state less its mean, times the root, is as long as its distance.
        limit: The distance beyond which a state is strange.

    Source: Mahalanobis (1936), "On the generalised distance in statistics".

    Example:
        >>> root = np.array([[0.5, 0.0], [0.0, 1.0]])  # twice as wide along the first axis
        >>> novelty = Novelty(np.zeros((1, 2)), root[None], limit=1.0)
        >>> novelty.measure([np.array([[4.0, 0.0], [0.0, 4.0], [6.0, 4.0]])])[:, 0].tolist()
        [2.0, 4.0, 5.0]
    """

    centers: np.ndarray
    roots: np.ndarray
    limit: float

    def measure(self, hidden: Sequence[np.ndarray]) -> np.ndarray:
        """Compare hidden states with those of the training.

        Args:
            hidden: The states of each member, of shape (..., n_units) each.

        Returns:
            Shape (..., 1): above 1 where the state is a strange one; NaN where it isn't known.
        """
        n_units = self.centers.shape[1]
        total: np.ndarray = np.zeros(1)
        for states, center, root in zip(hidden, self.centers, self.roots, strict=True):
            moved = (states.reshape(-1, n_units) - center) @ root
            total = total + np.sqrt(np.einsum("ru,ru->r", moved, moved))
        measured: np.ndarray = total / (len(self.centers) * self.limit)
        return measured.reshape(*hidden[0].shape[:-1], 1)

    @cached_property
    def digest(self) -> str:
        """The SHA-256 digest of all its numbers."""
        return sha256_of(json.dumps(self.to_dict()))

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """What `to_dict` described; raises ValueError where it didn't."""
        try:
            limit, shape = float(saved["limit"]), [int(size) for size in saved["shape"]]
            centers, roots = (
                np.frombuffer(base64.b64decode(saved[name], validate=True), _NUMBER).copy()
                for name in ("centers", "roots")
            )
        except (KeyError, TypeError, OverflowError) as error:
            raise ValueError(str(error)) from None
        n_members, n_units = shape
        if min(shape) < 1 or len(centers) != n_members * n_units:
            raise ValueError(f"it has {len(centers)} numbers for the shape {shape}")
        if len(roots) != n_members * n_units**2:
            raise ValueError(f"it has {len(roots)} numbers for the shape {[*shape, n_units]}")
        if not (np.isfinite(centers).all() and np.isfinite(roots).all() and 0 < limit < np.inf):
            raise ValueError("its numbers must be finite and its limit above 0")
        return cls(centers.reshape(shape), roots.reshape(*shape, n_units), limit)

    def to_dict(self) -> dict[str, Any]:
        """The numbers as JSON can hold them: the many in Base64, four bytes each."""
        in_text = {
            name: base64.b64encode(np.ascontiguousarray(part, _NUMBER).tobytes()).decode()
            for name, part in (("centers", self.centers), ("roots", self.roots))
        }
        return {"limit": self.limit, "shape": list(self.centers.shape), **in_text}
