"""Which setting to try next: Optuna's TPE, repeatable whenever the search was stopped."""

from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState


class OrdinalSampler(BaseSampler):  # type: ignore[misc]  # the types of Optuna aren't read
    """TPE whose random numbers depend on the seed and on how many trials came before.

    A search that was stopped and goes on in another process tries what it would have tried, and
    processes that share a study don't try the same. Trials that died don't count.

    Args:
        seed: Of the search.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._tpe = TPESampler(seed=seed, constant_liar=True)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Begin the trial's own sequence of random numbers."""
        others = study.get_trials(deepcopy=False)
        ordinal = sum(t.number < trial.number and t.state != TrialState.FAIL for t in others)
        seed = int(np.random.SeedSequence([self._seed, ordinal]).generate_state(1)[0])
        self._tpe = TPESampler(seed=seed, constant_liar=True)
        self._tpe.before_trial(study, trial)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Answer as TPE does."""
        space: dict[str, BaseDistribution] = self._tpe.infer_relative_search_space(study, trial)
        return space

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Answer as TPE does."""
        parameters: dict[str, Any] = self._tpe.sample_relative(study, trial, search_space)
        return parameters

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Answer as TPE does."""
        return self._tpe.sample_independent(study, trial, param_name, param_distribution)
