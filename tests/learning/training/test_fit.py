from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.targets import Policy
from lstm_strategy.learning.training.compiled_member import compile_member
from lstm_strategy.learning.training.fair_answers import answer_fairly
from lstm_strategy.learning.training.fit import fit_network
from lstm_strategy.learning.training.settings import ForecasterSettings
from lstm_strategy.learning.training.training_set import TrainingSet


def planted_rows(n_rows=1200):
    """The label repeats the sign of the feature five rows back: only a memory can know it."""
    sign = np.random.default_rng(0).choice([-1.0, 1.0], n_rows)
    return TrainingSet(
        features=sign[:, None],
        labels=(np.roll(sign, 5) > 0).astype(np.float32)[:, None],
        weights=np.ones(n_rows),
        context=np.empty((n_rows, 0)),
        held_out=(slice(n_rows * 4 // 5, n_rows),) * 2,
        purge=1,
    )


def test_the_network_learns_what_only_a_memory_can_know():
    settings = ForecasterSettings(
        units=(16,), lookback=20, epochs=60, patience=60, learning_rate=0.06, members=1, dropout=0.0
    )
    trained = fit_network(planted_rows(), settings)
    assert trained.history["val_loss"].min() < 0.1  # a coin: 0.693


def test_training_stops_early_and_keeps_the_best_weights():
    settings = ForecasterSettings(
        units=(4,), lookback=10, epochs=40, patience=2, learning_rate=0.05, members=2, seed=3
    )
    rows = planted_rows(300)
    coins = np.random.default_rng(5).choice([0.0, 1.0], 300).astype(np.float32)
    noise = replace(rows, labels=coins[:, None])
    trained = fit_network(noise, settings)
    for seed, history in trained.history.groupby("member"):
        best = history["val_loss"].argmin()
        assert len(history) == best + 1 + 2 < 40, seed


def test_scaling_comes_from_training_rows_only():
    rows = planted_rows(300)
    shifted = rows.features.copy()
    shifted[rows.learned_by(0)[0].stop :] += 1000.0
    settings = ForecasterSettings(units=(4,), lookback=10, epochs=1, members=1)
    trained = fit_network(replace(rows, features=shifted), settings)
    layer = trained.network.get_layer("normalization")
    (learned,) = rows.learned_by(0)
    training = rows.features[learned]
    np.testing.assert_allclose(np.array(layer.mean).ravel(), training.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(np.array(layer.variance).ravel(), training.var(axis=0), rtol=1e-4)


def test_a_feature_that_never_changes_does_no_harm():
    rows = planted_rows(300)
    features = np.column_stack([rows.features, np.full(300, 7.0)])
    settings = ForecasterSettings(units=(4,), lookback=10, epochs=1, members=1)
    trained = fit_network(replace(rows, features=features), settings)
    assert np.isfinite(trained.history["val_loss"]).all()


def test_the_validation_loss_is_that_of_all_held_out_rows_in_however_many_batches():
    settings = ForecasterSettings(units=(3,), lookback=5, epochs=1, members=1)
    rows = planted_rows(4000)  # 800 are held out: three batches of 256 and one of 32
    trained = fit_network(rows, settings)
    answers, labels = trained.held_out[0][3200:], rows.labels[3200:]
    of_each_row = -np.log(np.where(labels == 1, answers, 1 - answers))
    assert trained.history["val_loss"].item() == pytest.approx(np.nanmean(of_each_row), abs=0.002)


def test_a_loss_that_becomes_nan_is_an_error_that_names_the_learning_rate():
    rows = planted_rows(300)
    labels = rows.labels.copy()
    labels[40:120] = np.nan
    broken = replace(rows, labels=labels)
    settings = ForecasterSettings(units=(4,), lookback=10, epochs=3, members=1)
    with pytest.raises(
        TrainingError, match=r"stopped being a finite number in epoch 1.*Lower the learning_rate"
    ):
        fit_network(broken, settings)


def test_weights_decide_which_labels_count():
    rows = planted_rows(300)
    contradicted = 1 - rows.labels
    weights = np.where(np.arange(300) % 2, 1.0, 0.0)
    labels = np.where(weights[:, None], rows.labels, contradicted).astype(np.float32)
    settings = ForecasterSettings(units=(4,), lookback=10, epochs=2, members=1)
    ignored = fit_network(replace(rows, weights=weights), settings)
    mixed = fit_network(replace(rows, labels=labels, weights=weights), settings)
    np.testing.assert_allclose(ignored.history["loss"], mixed.history["loss"], rtol=1e-5)


def test_a_trained_network_depends_on_plain_layers_only():
    settings = ForecasterSettings(units=(4,), lookback=10, epochs=1, members=2)
    trained = fit_network(planted_rows(300), settings)
    members = [layer for layer in trained.network.layers if hasattr(layer, "layers")]
    kinds = {type(layer).__module__.split(".")[0] for m in members for layer in m.layers}
    assert len(members) == 2
    assert kinds == {"keras"}


def test_the_step_size_falls_from_epoch_to_epoch():
    from lstm_strategy.learning.training.fit import _cosine_share

    shares = [_cosine_share(epoch / 10) for epoch in range(11)]
    assert shares[0] == 1
    assert shares[5] == pytest.approx(0.51)
    assert shares[10] == pytest.approx(0.02)
    assert shares == sorted(shares, reverse=True)


def test_trainings_that_differ_in_the_learning_rate_share_a_network_and_leave_no_trace_in_it():
    rows = planted_rows(300)
    settings = ForecasterSettings(units=(4,), lookback=10, epochs=2, members=1, learning_rate=0.05)
    compile_member.cache_clear()
    first = fit_network(rows, settings)
    slower = fit_network(rows, settings.model_copy(update={"learning_rate": 0.001}))
    again = fit_network(rows, settings)
    assert compile_member.cache_info().misses == 1
    pd.testing.assert_frame_equal(again.history, first.history)
    assert slower.history["loss"].iloc[-1] > first.history["loss"].iloc[-1]


def test_each_half_of_the_held_out_rows_is_answered_by_the_epoch_that_is_best_on_the_other():
    labels = np.ones((12, 1))
    rows = replace(
        planted_rows(12), labels=labels, weights=np.ones(12), held_out=(slice(2, 12),), purge=2
    )
    first, second = np.full((2, 12, 1), 0.5)
    first[2:7] = 0.9  # the first epoch is right on the first half, the second one on the second
    second[7:] = 0.8
    fair = answer_fairly([first, second], rows, 0, ForecasterSettings(horizon=2))[:, 0]
    # the first half gets the second epoch's answers, less the rows whose labels reach further
    np.testing.assert_array_equal(fair, [*[np.nan] * 2, 0.5, 0.5, 0.5, *[np.nan] * 2, *[0.5] * 5])


def test_answers_to_chunks_come_back_in_the_order_of_the_rows():
    settings = ForecasterSettings(units=(2,), lookback=10, epochs=2, members=2, seed=1)
    rows = planted_rows(300)
    trained = fit_network(rows, settings)
    for held_out, span in zip(trained.held_out, rows.held_out, strict=True):
        known = np.flatnonzero(~np.isnan(held_out[:, 0]))
        middle = (span.start + span.stop) // 2
        expected = [*range(span.start, middle - 1), *range(middle, span.stop)]
        np.testing.assert_array_equal(known, expected)


def test_a_policy_that_only_loses_by_learning_stays_its_prior():
    falls, rises = np.full(240, -0.01), np.full(60, 0.01)  # what is learned from, and held out
    noise = np.random.default_rng(4).normal(scale=0.002, size=300)
    rows = TrainingSet(
        features=np.random.default_rng(3).normal(size=(300, 1)),
        labels=np.column_stack([np.r_[falls, rises] + noise, np.ones(300)]).astype(np.float32),
        weights=np.ones(300),
        context=np.full((300, 1), 0.01),
        held_out=(slice(240, 300),),
        purge=1,
    )
    settings = ForecasterSettings(
        target=Policy(pull=0.0), units=(2,), lookback=10, epochs=8, patience=8, members=1
    )
    trained = fit_network(rows, settings)
    positions = np.asarray(trained.network(rows.features[None].astype("float32")))
    np.testing.assert_allclose(positions, 0.9, atol=1e-6)
    # it did learn to be short meanwhile, which cost it on the held-out rows
    assert trained.history["loss"].iloc[-1] < trained.history["loss"].iloc[0]
    assert trained.history["val_loss"].iloc[-1] > trained.history["val_loss"].iloc[0]
