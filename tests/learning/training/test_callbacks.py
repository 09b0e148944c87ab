"""`fit(callbacks=...)`: any Keras callback sees the training of every member."""

import numpy as np
import pytest
from made_up import SMALL, SMALL_FEATURES, random_walk

from lstm_strategy import LSTMForecaster, LSTMStrategyError
from lstm_strategy.learning.network import keras, members_of

BARS = random_walk(300)


class Diary(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.events, self.losses = [], []

    def on_train_begin(self, logs=None):
        self.events.append(("begin", self.params["epochs"]))

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(logs["loss"])

    def on_epoch_end(self, epoch, logs=None):
        self.events.append((epoch, sorted(logs)))


class StopsAtOnce(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = True


def trained(callbacks=()):
    forecaster = LSTMForecaster(SMALL_FEATURES, **SMALL)
    return forecaster.fit(BARS, progress=False, callbacks=callbacks)


def test_a_callback_sees_every_epoch_of_every_member_and_every_batch():
    diary = Diary()
    history = trained([diary]).history
    epochs = [(epoch, ["learning_rate", "loss", "val_loss"]) for epoch in range(3)]
    assert diary.events == [("begin", 3), *epochs, ("begin", 3), *epochs]
    assert len(diary.losses) >= 6
    assert diary.losses[-1] == pytest.approx(history["loss"].iloc[-1])


def test_a_callback_that_only_looks_changes_nothing():
    looked, alone = trained([Diary()]).forecast(BARS), trained().forecast(BARS)
    assert looked.equals(alone)


def test_a_callback_may_stop_the_training():
    assert trained([StopsAtOnce()]).history["epoch"].tolist() == [1, 1]


def test_keras_own_logger_writes_every_epoch(tmp_path):
    logged = trained([keras.callbacks.CSVLogger(tmp_path / "log.csv", append=True)]).history
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert lines[0] == "epoch,learning_rate,loss,val_loss"
    assert [line.split(",")[0] for line in lines[1:]] == ["0", "1", "2", "0", "1", "2"]
    assert float(lines[-1].split(",")[3]) == pytest.approx(logged["val_loss"].iloc[-1])


def test_keras_own_checkpoint_tensorboard_and_progress_bar_work(tmp_path):
    checkpoint = keras.callbacks.ModelCheckpoint(
        tmp_path / "best.weights.h5", save_best_only=True, save_weights_only=True
    )
    board = keras.callbacks.TensorBoard(tmp_path / "logs", write_graph=False)
    trained([checkpoint, board, keras.callbacks.ProgbarLogger()])
    assert (tmp_path / "best.weights.h5").is_file()
    assert list((tmp_path / "logs" / "validation").iterdir())


def test_keras_alone_loads_the_member_of_a_checkpoint(tmp_path):
    file = tmp_path / "best.keras"
    checkpoint = keras.callbacks.ModelCheckpoint(file, save_best_only=True)
    forecaster = LSTMForecaster(SMALL_FEATURES, **{**SMALL, "members": 1})
    network = forecaster.fit(BARS, progress=False, callbacks=[checkpoint]).keras_model
    loaded, (member,) = keras.models.load_model(file), members_of(network)
    kinds = {type(layer).__module__.split(".")[0] for layer in loaded.layers}
    assert kinds == {"keras"}
    rows = np.random.default_rng(0).normal(size=(2, 30, 3)).astype(np.float32)
    np.testing.assert_allclose(loaded(rows), member(rows), atol=1e-6)


def test_what_is_no_callback_is_refused():
    with pytest.raises(LSTMStrategyError, match=r"takes keras.callbacks.Callback objects, got 7"):
        trained([7])
