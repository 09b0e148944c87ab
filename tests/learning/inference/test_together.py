"""Sequences that are forecast together get the forecasts that each of them gets alone."""

import numpy as np
import pytest
from test_engines import NETWORKS, lstm_of, network_of, rows_of
from test_threads import engine_with

from lstm_strategy.learning.inference.keras_engine import KerasEngine
from lstm_strategy.learning.inference.onnx_export import export_onnx
from lstm_strategy.learning.inference.threads import share_out

LENGTHS = (300, 1, 700, 64, 65, 130, 300)


def sequences():
    rows = rows_of(len(LENGTHS), max(LENGTHS))
    return [own[:length] for own, length in zip(rows, LENGTHS, strict=True)]


def each_alone(engine):
    return [engine.scan(rows[None], engine.initial_state(1))[0][0] for rows in sequences()]


@pytest.mark.parametrize("build", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("n_threads", [1, 2, 9])
def test_sequences_of_any_length_get_the_forecasts_of_each_alone(build, n_threads, monkeypatch):
    engine = engine_with(export_onnx(build()), n_threads, monkeypatch)
    found = engine.scan_together(sequences())
    for together, alone in zip(found, each_alone(engine), strict=True):
        assert together.shape == alone.shape
        np.testing.assert_allclose(together, alone, atol=1e-6, rtol=0)


def test_keras_takes_them_one_after_the_other():
    engine = KerasEngine(network_of(lstm_of(4)))
    for together, alone in zip(engine.scan_together(sequences()), each_alone(engine), strict=True):
        np.testing.assert_array_equal(together, alone)


def test_many_sequences_take_a_step_at_once(monkeypatch):
    engine = engine_with(export_onnx(network_of(lstm_of(4))), 1, monkeypatch)
    shapes = []
    run = engine._run
    monkeypatch.setattr(engine, "_run", lambda r, s: (shapes.append(r.shape[:2]), run(r, s))[1])
    engine.scan_together(sequences())
    assert [n_sequences for n_sequences, _ in shapes] == [7, 4, 3, 3, 3] + [1] * 5
    assert sum(n_rows for _, n_rows in shapes) == max(LENGTHS)


def test_no_sequences_give_no_forecasts(monkeypatch):
    engine = engine_with(export_onnx(network_of(lstm_of(4))), 2, monkeypatch)
    assert engine.scan_together([]) == []


def test_what_one_share_raises_is_raised():
    def divide(share):
        return [1 // item for item in share]

    with pytest.raises(ZeroDivisionError):
        share_out(divide, [1, 2, 0, 3], n_threads=2)
