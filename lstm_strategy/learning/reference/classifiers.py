"""The scikit-learn classifiers of the learning baselines, and how they are trained and asked.

scikit-learn is loaded when a classifier is first built, never with this module.
"""

from functools import cache
from typing import Any, Literal, Protocol

import numpy as np

from lstm_strategy.learning.reference.binned_trees import BinnedTrees

EstimatorName = Literal["logistic", "boosting"]

FEWEST_ROWS = 100  # a leaf of the trees takes half of them
_EXPECTED_VARIANCE = 0.1  # of the log-odds: what weak signals do to them, all columns together


class Classifier(Protocol):
    """What scikit-learn calls a classifier."""

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Train on rows of inputs, their labels, and their weights by the classifier's name."""
        ...

    def predict_proba(self, inputs: np.ndarray) -> np.ndarray:
        """How likely each label is for each row, shape (n_rows, n_labels)."""
        ...


def fit_classifier(
    estimator: EstimatorName,
    inputs: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    *,
    seed: int,
) -> Classifier:
    """Train a logistic regression or boosted trees on weighted rows.

    `inputs` has shape (n_rows, n_columns), `labels` (0 or 1) and `weights` (n_rows,).
    """
    is_logistic = estimator == "logistic"
    classifier = _build_logistic(inputs.shape[1]) if is_logistic else _build_boosting(seed)
    name = "logisticregression__sample_weight" if is_logistic else "sample_weight"
    with _thread_pools().limit(limits=1):
        classifier.fit(inputs, labels, **{name: weights})
    return classifier


def rise_probability(classifier: Classifier, inputs: np.ndarray) -> np.ndarray:
    """How likely the label 1 is for each row, shape (n_rows,), from 0 to 1."""
    with _thread_pools().limit(limits=1):
        return classifier.predict_proba(inputs)[:, 1]


@cache
def _thread_pools() -> Any:
    """What keeps scikit-learn to one thread.

    Sums are then made in one order, however many cores there are, and the forecast of a single
    bar doesn't wait for threads that have nothing to do.
    """
    from sklearn import ensemble, linear_model  # noqa: F401  what isn't loaded isn't found
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()


def _build_logistic(n_columns: int) -> Classifier:
    """Scaled features, and a ridge that expects as little of many columns as of few.

    `C` is the variance that each coefficient is expected to have; shared out like this, all
    columns together are expected to move the log-odds by about a third.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    ridge = LogisticRegression(C=_EXPECTED_VARIANCE / n_columns, max_iter=1000)
    pipeline: Classifier = make_pipeline(StandardScaler(), ridge)
    return pipeline


def _build_boosting(seed: int) -> Classifier:
    """Few small trees, each of which says little: made for odds that are nearly even.

    The settings were chosen on simulated rows with weak planted signals, never on market bars:
    there they forecast unseen rows better than a coin flip on average, where scikit-learn's own
    settings fit the noise and did far worse.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(
        learning_rate=0.02,
        max_iter=100,
        max_leaf_nodes=4,
        min_samples_leaf=FEWEST_ROWS // 2,
        l2_regularization=100.0,  # a leaf of 400 rows, whose curvature is 100, says half
        max_features=0.5,
        max_bins=32,  # no worse than 255 on those rows, and several times faster
        early_stopping=False,
        random_state=seed,
    )
    return BinnedTrees(trees)
