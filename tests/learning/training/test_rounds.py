"""Rounds in one compiled function of TensorFlow and rounds batch by batch are the same training."""

import numpy as np
import pytest

from lstm_strategy.learning.network import has_gpu, keras
from lstm_strategy.learning.targets import Direction, Policy, Volatility
from lstm_strategy.learning.training.batches import ChunkBatches
from lstm_strategy.learning.training.compiled_member import CompiledMember, MemberRecipe
from lstm_strategy.learning.training.epochs import CompiledRounds, Rounds, build_rounds
from lstm_strategy.learning.training.training_set import TrainingSet

compiles_rounds = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow" or has_gpu(), reason="TensorFlow on the CPU alone"
)


def rows_for(labels):
    random = np.random.default_rng(2)
    return TrainingSet(
        features=random.normal(size=(400, 3)).astype(np.float32),
        labels=labels(random).astype(np.float32),
        weights=random.uniform(0.5, 1.5, 400),
        context=np.empty((400, 0)),
        held_out=(slice(300, 400),),
        purge=1,
    )


TARGETS = {
    "direction": (Direction(), lambda random: random.integers(2, size=(400, 1))),
    "policy": (Policy(), lambda random: np.c_[random.normal(0, 0.01, 400), np.ones(400)]),
    "volatility": (Volatility(), lambda random: random.lognormal(-9, 1, size=(400, 1))),
}


def train(target, rows, *, in_one_function, batch_size=3):
    recipe = MemberRecipe(3, (4, 3), 0.3, 10, 0.01, target, None)
    member = CompiledMember(recipe)
    member.reinitialise(7, learning_rate=0.05)
    judge = member.rounds._judge
    rounds = (
        build_rounds(member.network, judge) if in_one_function else Rounds(member.network, judge)
    )
    assert isinstance(rounds, CompiledRounds) == in_one_function
    size = {"length": 20, "warm_up": 5, "judges_batches": target.judges_batches}
    learned, kept = slice(0, 299), slice(280, 400)
    offsets = np.random.default_rng(7)
    training = ChunkBatches(rows, [learned], batch_size=batch_size, offsets=offsets, **size)
    held_out = ChunkBatches(rows, [kept], batch_size=3, **size)
    losses, answers = [], []
    for _ in range(4):
        loss = rounds.learn(training)
        val_loss, answered = rounds.judge(held_out)
        training.start_epoch()
        losses.append([loss, val_loss])
        answers.append(answered)
    return losses, answers, member.network.get_weights()


@compiles_rounds
@pytest.mark.parametrize("name", TARGETS)
def test_both_ways_give_the_same_losses_answers_and_weights_to_the_last_digit(name):
    target, labels = TARGETS[name]
    rows = rows_for(labels)
    compiled = train(target, rows, in_one_function=True)
    usual = train(target, rows, in_one_function=False)
    assert compiled[0] == usual[0]
    np.testing.assert_array_equal(compiled[1], usual[1])
    for one, other in zip(compiled[2], usual[2], strict=True):
        np.testing.assert_array_equal(one, other)


@compiles_rounds
def test_batches_that_do_not_fit_one_call_change_nothing(monkeypatch):
    target, labels = TARGETS["direction"]
    rows = rows_for(labels)
    at_once = train(target, rows, in_one_function=True)
    # of 5 that are learned from
    monkeypatch.setattr("lstm_strategy.learning.training.epochs.rounds._BATCHES_A_CALL", 2)
    in_parts = train(target, rows, in_one_function=True)
    assert in_parts[0] == at_once[0]
    np.testing.assert_array_equal(in_parts[1], at_once[1])


@compiles_rounds
def test_a_listener_is_told_of_each_batch():
    target, labels = TARGETS["direction"]
    heard = []
    tell = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: heard.append(batch)
    )
    member = CompiledMember(MemberRecipe(3, (2,), 0.0, 10, 0.01, target, None))
    batches = ChunkBatches(
        rows_for(labels),
        [slice(0, 400)],
        length=20,
        warm_up=5,
        batch_size=8,
        offsets=np.random.default_rng(0),
    )
    member.rounds.learn(batches, keras.callbacks.CallbackList([tell], model=member.network))
    assert heard == [0, 1, 2]
