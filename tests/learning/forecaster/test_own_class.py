"""A target class of the user's own: two outputs, a context, a loss of whole batches."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from made_up import SMALL_FEATURES, random_walk

from lstm_strategy import LSTMForecaster
from lstm_strategy.learning.targets import Head, SignalScale, Target, forward_return

BARS = random_walk(420, seed=3)


@dataclass(frozen=True)
class RangedReturn(Target):
    """The return ahead and its size, in units of `scale`; the signal is divided by the range."""

    scale: float = 0.01
    judges_batches = True

    name = "ranged_return"
    head = Head(n_outputs=2, starts_flat=True)
    context = ({"kind": "natr", "length": 14},)
    forecast_columns = ("signal", "forecast", "uncertainty", "size")

    def labels(self, bars, horizon):
        moves = forward_return(bars["close"], horizon=horizon) / self.scale
        return moves.to_frame("move").assign(size=moves.abs())

    def check_labels(self, labels, horizon):
        assert labels.shape[1] == 2

    def mirror_labels(self, labels):
        return labels * [-1, 1]

    def build_loss(self):
        from keras import ops

        def squares(labels: Any, answers: Any) -> Any:
            weights = labels[..., -1:]
            errors = weights * ops.square(labels[..., :-1] - answers)
            return ops.sum(errors) / ops.sum(weights)

        return squares

    def fit_scale(self, trained, held_out, *, horizon):
        assert trained.context.shape == (len(trained), 1)
        assert held_out.answers.shape[1] == 2
        return SignalScale(threshold=0.0, width=1.0)

    def build_columns(self, answers, scale, context):
        move, size = answers.astype(float).mean(axis=1).T
        signal = np.clip(move / context[:, 0], -1, 1)
        return signal, move * self.scale, answers[..., 0].astype(float).std(axis=1), size

    def row_losses(self, labels, answers):
        return ((labels - answers) ** 2).sum(axis=1)

    def score(self, rows):
        return {"loss": float(self.row_losses(rows.labels, rows.answers).mean())}


@pytest.fixture(scope="module")
def trained():
    forecaster = LSTMForecaster(
        SMALL_FEATURES, target=RangedReturn(), units=(3,), lookback=10, epochs=2, members=2
    )
    return forecaster.fit(BARS.iloc[:380], progress=False)


def test_it_gives_its_own_columns_of_all_members(trained):
    frame = trained.forecast(BARS)
    assert list(frame.columns) == ["signal", "forecast", "uncertainty", "size", "novelty"]
    assert frame.iloc[trained.warm_up :].notna().all(axis=None)
    assert trained.member_signals(BARS).shape == (420, 2)


def test_a_stream_gives_the_numbers_of_the_batch(trained):
    frame, stream = trained.forecast(BARS), trained.stream(BARS.iloc[:400])
    for time, bar in BARS.iloc[400:].iterrows():
        forecast = stream.update({"datetime": time, **bar})
        assert list(vars(forecast)) == list(frame.columns)
        np.testing.assert_allclose([*vars(forecast).values()], frame.loc[time], atol=1e-6)
        assert forecast.others == {"size": forecast.size}


def test_a_saved_model_is_loaded_by_the_name_of_the_class(trained, tmp_path):
    loaded = LSTMForecaster.load(trained.save(tmp_path / "model"))
    assert loaded.target == trained.target
    np.testing.assert_allclose(loaded.forecast(BARS), trained.forecast(BARS), atol=1e-6)
    assert loaded.fingerprint == trained.fingerprint
