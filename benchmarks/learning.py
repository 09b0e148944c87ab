"""How long it takes to learn the same: from a cold start of fit to one validation AUC.

The market is `remembered_news`, where there is something to remember. This package trains until
it stops by itself; its AUC on the last bars, which none of the networks learns from, is then what
the peers have to reach. They get the same features, labels and weights, the best of the learning
rates that were tried with torch, and the AUC after every epoch. A peer that doesn't get there is
stopped, and its ratio is a bound. Five features: from all 16 too little is learned to compare.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.figures import AtLeast, Figure, Measured, console, reason_without
from benchmarks.fresh import in_fresh_process
from benchmarks.peer import UNITS, torch_forecasts, torch_network, windowed_network, windows_of
from lstm_strategy import FeatureSet, LSTMForecaster, simulate_bars
from lstm_strategy.learning.training import TrainingSet, build_training_set

N_BARS = 20_000
SEED = 1
SETTINGS: dict[str, Any] = {"units": UNITS, "members": 1, "seed": 7, "learning_rate": 0.02}
PEERS_LEARNING_RATE = 1e-2
WINDOWS_A_STEP = 256
AIMS = {"torch": 4, "keras": 10}
_SPARE = 1.15  # a peer may take this much longer than the aim before it is stopped

FIGURES = {
    "learning_vs_torch": Figure("torch.nn.LSTM on windows, to the same AUC", AIMS["torch"]),
    "learning_vs_keras": Figure("Keras on windows, to the same AUC", AIMS["keras"]),
}


def measure() -> dict[str, Measured]:
    """Return how many times sooner this package has learned as much as each peer."""
    auc, seconds = in_fresh_process("learning.sequences_learn", backend="tensorflow")
    console.print(f"this package learned to an AUC of {auc:.3f} in {seconds:.1f} s")
    return {f"learning_vs_{peer}": _ratio(peer, auc, seconds) for peer in AIMS}


def _ratio(peer: str, auc: float, seconds: float) -> Measured:
    missing = reason_without(peer)
    if missing:
        return missing
    limit = AIMS[peer] * seconds * _SPARE
    best, took = in_fresh_process(f"learning.{peer}_learns", auc, limit, backend="tensorflow")
    console.print(f"{peer} on windows came to {best:.3f} in {took:.1f} s")
    return took / seconds if best >= auc else AtLeast(took / seconds)


def sequences_learn() -> tuple[float, float]:
    """The validation AUC that `LSTMForecaster.fit` ends with, and the seconds it took."""
    bars = simulate_bars("remembered_news", N_BARS, seed=SEED).bars
    started = time.perf_counter()
    trained = LSTMForecaster(**SETTINGS).fit(bars, progress=False)
    return trained.validation_scores["auc"], time.perf_counter() - started


def torch_learns(auc: float, limit: float) -> tuple[float, float]:
    """The best validation AUC of windowed torch, and the seconds until it reached `auc`."""
    return _learn_until(_torch_epochs, auc, limit)


def keras_learns(auc: float, limit: float) -> tuple[float, float]:
    """The best validation AUC of windowed Keras, and the seconds until it reached `auc`."""
    return _learn_until(_keras_epochs, auc, limit)


def _learn_until(
    epochs: Callable[[TrainingSet], Iterator[np.ndarray]], auc: float, limit: float
) -> tuple[float, float]:
    from sklearn.metrics import roc_auc_score

    bars = simulate_bars("remembered_news", N_BARS, seed=SEED).bars
    started, best = time.perf_counter(), 0.0
    settings = LSTMForecaster(**SETTINGS).settings
    rows, _ = build_training_set(bars, FeatureSet.preset("default"), settings)
    for forecasts in epochs(rows):
        best = max(best, roc_auc_score(rows.labels[rows.held_out[0], 0], forecasts))
        if best >= auc or time.perf_counter() - started > limit:
            break
    return best, time.perf_counter() - started


def _windows(rows: TrainingSet, *, scaled: bool) -> tuple[Any, ...]:
    """Training windows with labels and weights, and the windows to validate on."""
    held_out = rows.held_out[0]
    known = rows.features[: held_out.start]
    features = (rows.features - known.mean(0)) / known.std(0) if scaled else rows.features
    windows = windows_of(features.astype(np.float32))
    first = len(features) - len(windows)
    learned = slice(first, held_out.start - rows.purge)
    weights = (rows.weights[learned] / rows.weights[learned].mean()).astype(np.float32)
    labels = rows.labels[learned, 0]
    return windows[: len(labels)], labels, weights, windows[held_out.start - first :]


def _torch_epochs(rows: TrainingSet) -> Iterator[np.ndarray]:
    import torch

    windows, labels, weights, held_out = _windows(rows, scaled=True)
    data = [torch.from_numpy(part) for part in (windows, labels, weights)]
    torch.manual_seed(SEED)
    network = torch_network(windows.shape[-1])
    optimizer = torch.optim.AdamW(network.parameters(), PEERS_LEARNING_RATE)
    while True:
        network.train()
        for chosen in torch.randperm(len(windows)).split(WINDOWS_A_STEP):
            batch, label, weight = (part[chosen] for part in data)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                network(batch), label, weight
            )
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
        yield torch_forecasts(network, held_out, batch_size=1_024)


def _keras_epochs(rows: TrainingSet) -> Iterator[np.ndarray]:
    from lstm_strategy.learning.network import keras

    windows, labels, weights, held_out = _windows(rows, scaled=False)
    keras.utils.set_random_seed(SEED)
    network = windowed_network(rows.features, learning_rate=PEERS_LEARNING_RATE)
    while True:
        network.fit(windows, labels, sample_weight=weights, batch_size=WINDOWS_A_STEP, verbose=0)
        yield network.predict(held_out, batch_size=1_024, verbose=0)[:, 0]
