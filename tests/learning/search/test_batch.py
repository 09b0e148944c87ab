import optuna
import pytest
from optuna.study import StudyDirection
from optuna.trial import TrialState

from lstm_strategy.learning.search.batch import PastScores, record_outcome
from lstm_strategy.learning.search.trial import TrialOutcome, build_pruner

SCORES = tuple({1: score, 2: score} for score in (0.1, 0.2, 0.3, 0.4, 0.5))


@pytest.fixture(autouse=True)
def quiet():
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    yield
    optuna.logging.set_verbosity(optuna.logging.INFO)


@pytest.mark.parametrize(
    ("direction", "score", "n_past", "prunes", "expected"),
    [
        pytest.param(StudyDirection.MAXIMIZE, 0.2, 5, True, True, id="worse than half"),
        pytest.param(StudyDirection.MAXIMIZE, 0.4, 5, True, False, id="better than half"),
        pytest.param(StudyDirection.MINIMIZE, 0.4, 5, True, True, id="worse where less is better"),
        pytest.param(StudyDirection.MAXIMIZE, 0.2, 4, True, False, id="too few before"),
        pytest.param(StudyDirection.MAXIMIZE, 0.2, 5, False, False, id="never pruned"),
    ],
)
def test_a_worker_prunes_as_the_study_would(direction, score, n_past, prunes, expected):
    trial = PastScores(direction, prunes, SCORES[:n_past]).begin_trial()
    trial.report(score, step=1)
    assert trial.should_prune() == expected


def test_what_a_worker_found_is_recorded_in_the_study():
    study = optuna.create_study(direction="maximize", pruner=build_pruner(True))
    trials = [study.ask() for _ in range(3)]
    record_outcome(study, trials[0], TrialOutcome((0.1, 0.4), True, "", 2.0))
    record_outcome(study, trials[1], TrialOutcome((0.1,), False, "", 1.0))
    record_outcome(study, trials[2], TrialOutcome((), False, "too few bars", 0.0))
    complete, pruned, broken = study.trials
    assert (complete.state, complete.value) == (TrialState.COMPLETE, 0.4)
    assert complete.intermediate_values == {1: 0.1, 2: 0.4}
    assert complete.user_attrs == {"folds": 2, "seconds": 2.0}
    assert (pruned.state, pruned.value) == (TrialState.PRUNED, 0.1)
    assert broken.user_attrs["error"] == "too few bars"
