from dataclasses import replace

import numpy as np
import pytest

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.network import memory_biases
from lstm_strategy.learning.settings import ForecasterSettings
from lstm_strategy.learning.training import Chunks, TrainingRows, trained_network

ROWS = np.arange(100, dtype=np.float32)
ONES = np.ones(100, dtype=np.float32)


def scored_rows(chunks):
    return sorted(
        int(row)
        for batch in range(len(chunks))
        for features, _, weights in [chunks[batch]]
        for row in features[..., 0][weights > 0]
    )


def test_the_last_training_label_ends_before_the_first_validation_row():
    rows = TrainingRows.split(ROWS[:, None], ROWS, ONES, share=0.2, purge=5)
    assert (rows.train_end, rows.validation_start) == (75, 80)
    last_training_label_known_at = rows.train_end - 1 + 5
    assert last_training_label_known_at < rows.validation_start


@pytest.mark.parametrize("n_rows", [40, 41, 55, 70, 100])
def test_fixed_chunks_score_every_row_behind_the_warm_up_once(n_rows):
    chunks = Chunks(
        ROWS[:n_rows, None], ROWS[:n_rows], ONES[:n_rows], length=20, warm_up=5, batch_size=2
    )
    assert scored_rows(chunks) == list(range(5, n_rows))


def test_random_chunks_never_leave_the_training_rows_and_differ_between_epochs():
    chunks = Chunks(
        ROWS[:, None],
        ROWS,
        ONES,
        length=20,
        warm_up=5,
        batch_size=2,
        offsets=np.random.default_rng(0),
    )
    epochs = []
    for _ in range(20):
        epochs.append(scored_rows(chunks))
        assert all(chunks[batch][0].shape == (2, 20, 1) for batch in range(len(chunks)))
        chunks.on_epoch_end()
    assert len({tuple(rows) for rows in epochs}) > 5
    assert set().union(*epochs) == set(range(5, 100))


def test_the_labels_of_a_chunk_belong_to_its_rows():
    chunks = Chunks(ROWS[:, None], ROWS * 10, ONES, length=20, warm_up=5, batch_size=3)
    features, labels, _ = chunks[0]
    np.testing.assert_array_equal(labels, features * 10)


def test_weights_make_the_loss_a_mean_over_scored_steps():
    chunks = Chunks(ROWS[:50, None], ROWS[:50], ONES[:50], length=20, warm_up=5, batch_size=100)
    _, _, weights = chunks[0]
    assert weights.mean() == pytest.approx(1)


def planted_rows(n_rows=1200):
    """The label repeats the sign of the feature five rows back: only a memory can know it."""
    sign = np.random.default_rng(0).choice([-1.0, 1.0], n_rows)
    return TrainingRows.split(
        sign[:, None],
        (np.roll(sign, 5) > 0).astype(np.float32),
        np.ones(n_rows),
        share=0.2,
        purge=1,
    )


def test_the_network_learns_what_only_a_memory_can_know():
    settings = ForecasterSettings(
        units=(16,), lookback=20, epochs=60, patience=60, learning_rate=0.02, seeds=1, dropout=0.0
    )
    trained = trained_network(planted_rows(), settings)
    assert trained.history["val_loss"].min() < 0.1  # a coin: 0.693


def test_training_stops_early_and_keeps_the_best_weights():
    settings = ForecasterSettings(
        units=(4,), lookback=10, epochs=40, patience=2, learning_rate=0.05, seeds=2, seed=3
    )
    rows = planted_rows(300)
    coins = np.random.default_rng(5).choice([0.0, 1.0], 300).astype(np.float32)
    noise = replace(rows, labels=coins)
    trained = trained_network(noise, settings)
    for seed, history in trained.history.groupby("seed"):
        best = history["val_loss"].argmin()
        assert len(history) == best + 1 + 2 < 40, seed


def test_scaling_comes_from_training_rows_only():
    rows = planted_rows(300)
    shifted = rows.features.copy()
    shifted[rows.train_end :] += 1000.0
    settings = ForecasterSettings(units=(4,), lookback=10, epochs=1, seeds=1)
    trained = trained_network(replace(rows, features=shifted), settings)
    layer = trained.network.get_layer("normalization")
    training = rows.features[: rows.train_end]
    np.testing.assert_allclose(np.array(layer.mean).ravel(), training.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(np.array(layer.variance).ravel(), training.var(axis=0), rtol=1e-4)


def test_a_feature_that_never_changes_does_no_harm():
    rows = planted_rows(300)
    features = np.column_stack([rows.features, np.full(300, 7.0)])
    settings = ForecasterSettings(units=(4,), lookback=10, epochs=1, seeds=1)
    trained = trained_network(replace(rows, features=features), settings)
    assert np.isfinite(trained.history["val_loss"]).all()


def test_a_loss_that_becomes_nan_is_an_error_that_names_the_learning_rate():
    rows = planted_rows(300)
    labels = rows.labels.copy()
    labels[50] = np.nan
    broken = replace(rows, labels=labels)
    settings = ForecasterSettings(units=(4,), lookback=10, epochs=3, seeds=1)
    with pytest.raises(TrainingError, match=r"became NaN in epoch 1.*Lower the learning_rate"):
        trained_network(broken, settings)


@pytest.mark.parametrize("units", [(4,), (4, 3), (4, 3, 2)], ids=str)
def test_layers_keep_what_the_fused_kernel_needs(units):
    from lstm_strategy.learning.network import keras, lstm_member

    member = lstm_member(3, units=units, dropout=0.1, lookback=30, seed=0)
    lstms = [layer for layer in member.layers if isinstance(layer, keras.layers.LSTM)]
    assert [layer.units for layer in lstms] == list(units)
    for layer in lstms:
        config = layer.get_config()
        assert (config["activation"], config["recurrent_activation"]) == ("tanh", "sigmoid")
        assert config["recurrent_dropout"] == 0
        assert config["use_bias"]
        assert not config["unroll"]


def test_cells_begin_with_memories_of_one_to_lookback_bars():
    biases = memory_biases(500, lookback=60, seed=0)
    into, forget, *rest = np.split(biases, 4)
    pace = 1 - 1 / (1 + np.exp(-forget))  # what a forget gate at rest loses a bar
    assert 1 / 60 < pace.min() < 1 / 55
    assert 0.4 < pace.max() <= 0.5
    np.testing.assert_array_equal(into, -forget)
    np.testing.assert_array_equal(rest, 0)


def test_weights_decide_which_labels_count():
    rows = planted_rows(300)
    contradicted = 1 - rows.labels
    weights = np.where(np.arange(300) % 2, 1.0, 0.0)
    labels = np.where(weights, rows.labels, contradicted).astype(np.float32)
    settings = ForecasterSettings(units=(4,), lookback=10, epochs=2, seeds=1)
    ignored = trained_network(replace(rows, weights=weights), settings)
    mixed = trained_network(replace(rows, labels=labels, weights=weights), settings)
    np.testing.assert_allclose(ignored.history["loss"], mixed.history["loss"], rtol=1e-5)
