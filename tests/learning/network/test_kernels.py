import numpy as np
import pytest

from lstm_strategy.learning.network.cpu_kernel import FusedLoop, fastest_copy, fits_the_kernel
from lstm_strategy.learning.network.devices import copy_to_cpu
from lstm_strategy.learning.network.keras_import import keras
from lstm_strategy.learning.network.kernel_choice import cudnn_choice, fused_cpu_choice
from lstm_strategy.learning.network.lstm import build_lstm_member

USUAL = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "recurrent_dropout": 0.0,
    "unroll": False,
    "use_bias": True,
    "use_cudnn": "auto",
}


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_cudnn_computes_the_usual_layer_where_there_is_a_gpu(backend):
    assert cudnn_choice(backend, has_gpu=True, layer=USUAL).is_used


@pytest.mark.parametrize(
    "backend, has_gpu, changed, reason",
    [
        ("tensorflow", False, {}, "tensorflow sees no GPU"),
        ("numpy", True, {}, "Keras has no cuDNN kernel on the backend numpy"),
        (
            "jax",
            True,
            {"activation": "relu"},
            "it needs activation='tanh', the layer has 'relu'",
        ),
        (
            "torch",
            True,
            {"recurrent_dropout": 0.2},
            "it needs recurrent_dropout=0.0, the layer has 0.2",
        ),
        ("tensorflow", True, {"unroll": True}, "it needs unroll=False, the layer has True"),
        ("tensorflow", True, {"use_cudnn": False}, "the layer has use_cudnn=False"),
    ],
    ids=["no GPU", "backend", "activation", "recurrent dropout", "unrolled", "switched off"],
)
def test_what_keeps_cudnn_away_is_named(backend, has_gpu, changed, reason):
    choice = cudnn_choice(backend, has_gpu=has_gpu, layer=USUAL | changed)
    assert (choice.is_used, choice.reason) == (False, reason)


@pytest.mark.parametrize(
    "backend, has_gpu, fits, is_used",
    [
        ("tensorflow", False, True, True),
        ("tensorflow", True, True, False),
        ("tensorflow", False, False, False),
        ("jax", False, True, False),
    ],
)
def test_the_fused_cpu_kernel_is_for_plain_layers_on_tensorflow_without_a_gpu(
    backend, has_gpu, fits, is_used
):
    assert fused_cpu_choice(backend, has_gpu=has_gpu, fits=fits).is_used is is_used


def test_the_choice_of_the_fused_cpu_kernel_is_what_training_does():
    member = build_lstm_member(2, units=(3,), dropout=0.0, lookback=5, seed=0)
    choice = fused_cpu_choice(
        keras.backend.backend(), has_gpu=False, fits=fits_the_kernel(member.layers[1])
    )
    is_fused = isinstance(fastest_copy(member).layers[1].inner_loop, FusedLoop)
    assert choice.is_used is is_fused


def test_the_fused_loops_give_the_numbers_and_gradients_of_the_plain_ones():
    tf = pytest.importorskip("tensorflow")
    plain = build_lstm_member(3, units=(5, 4), dropout=0.0, lookback=20, seed=1)
    members = [plain, fastest_copy(plain)]
    loops = [getattr(layer, "inner_loop", None) for layer in members[1].layers]
    assert sum(isinstance(loop, FusedLoop) for loop in loops) == 2
    rows = np.random.default_rng(0).normal(size=(2, 30, 3)).astype(np.float32)
    answers, gradients = [], []
    for member in members:
        with tf.GradientTape() as tape:
            answer = member(rows)
            loss = tf.reduce_sum(answer**2)
        answers.append(answer)
        gradients.append(tape.gradient(loss, [v.value for v in member.trainable_variables]))
    np.testing.assert_allclose(*answers, atol=1e-6)
    assert len(gradients[0]) == 8
    for plain, fused in zip(*gradients, strict=True):
        np.testing.assert_allclose(plain, fused, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("has_gpu", [False, True])
def test_forecasts_run_on_a_copy_only_where_training_ran_on_a_gpu(monkeypatch, has_gpu):
    monkeypatch.setattr("lstm_strategy.learning.network.devices.has_gpu", lambda: has_gpu)
    trained = build_lstm_member(2, units=(3,), dropout=0.0, lookback=5, seed=0)
    on_cpu = copy_to_cpu(trained)
    assert (on_cpu is trained) is not has_gpu
    rows = np.random.default_rng(0).normal(size=(1, 9, 2))
    np.testing.assert_array_equal(on_cpu.predict_on_batch(rows), trained.predict_on_batch(rows))
