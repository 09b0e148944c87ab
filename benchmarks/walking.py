"""The same walk forward through PyBroker 2: ten refits of a network of the same size.

Both get the same features and labels, train on as many bars for as many epochs, forecast the bars
between the refits and trade them. PyBroker's network is the windowed Keras LSTM that its lags are
made for. Each runs in a process of its own, imports not counted.
"""

import time
import warnings
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.feed import random_bars
from benchmarks.figures import Figure, Measured, console, reason_without
from benchmarks.fresh import in_fresh_process
from benchmarks.peer import FEATURES, SETTINGS, forecaster, windowed_network
from lstm_strategy import BrokerSettings, LSTMStrategy, WalkForward, run_backtest, walk_forward

N_REFITS = 10
TRAINING_BARS, TEST_BARS = 1_000, 100
EPOCHS = 3
WINDOWS_A_STEP = 256

FIGURES = {"walk_vs_pybroker": Figure(f"PyBroker 2, windowed Keras, {N_REFITS} refits", 3)}


def bars_to_walk() -> pd.DataFrame:
    """Bars for all folds, after those that only warm features and windows up."""
    warm_up = FEATURES.warm_up + SETTINGS.lookback
    return random_bars(warm_up + TRAINING_BARS + N_REFITS * TEST_BARS)


def our_seconds() -> tuple[float, int]:
    """Seconds of the walk forward with its backtest, and the refits it had."""
    from lstm_strategy.learning.training import fit_network  # noqa: F401  (imports aren't timed)

    bars = bars_to_walk()
    n_training = len(bars) - N_REFITS * TEST_BARS
    started = time.perf_counter()
    walked = walk_forward(
        bars,
        forecaster(epochs=EPOCHS, patience=EPOCHS),
        WalkForward(n_training, TEST_BARS),
        progress=False,
    )
    start = walked.refits[0].test_start
    run_backtest(LSTMStrategy, bars, start=start, model=walked, broker=BrokerSettings())
    return time.perf_counter() - started, len(walked.refits)


def pybroker_seconds() -> tuple[float, int]:
    """Seconds of PyBroker's walk forward with its backtest, and the refits it had."""
    import pybroker

    from lstm_strategy.learning.training import fit_network  # noqa: F401  (imports aren't timed)

    warnings.simplefilter("ignore")
    pybroker.disable_logging()
    pybroker.disable_progress_bar()
    refits: list[int] = []

    def train(
        symbol: str,
        train_data: pd.DataFrame,
        test_data: pd.DataFrame,
        *,
        lag_train: np.ndarray,
        lag_test: np.ndarray,
    ) -> Any:
        windows = _windows_of_lags(lag_train)
        labels = train_data["label"].to_numpy(np.float32)
        network = windowed_network(train_data[FEATURES.names].to_numpy(np.float32))
        network.fit(
            windows,
            labels,
            validation_split=SETTINGS.validation,
            batch_size=WINDOWS_A_STEP,
            epochs=EPOCHS,
            verbose=0,
        )
        refits.append(len(windows))
        return network, FEATURES.names

    def trade(context: Any) -> None:
        forecast = context.preds("lstm")[-1]
        if forecast > 0.5 and not context.long_pos():
            context.buy_shares = context.calc_target_shares(0.95)
        elif forecast < 0.5 and context.long_pos():
            context.sell_all_shares()

    frame = _pybroker_frame(bars_to_walk())
    started = time.perf_counter()
    pybroker.register_columns([*FEATURES.names, "label"])
    model = pybroker.model(
        "lstm",
        train,
        lags=SETTINGS.lookback - 1,
        lag_cols=FEATURES.names,
        predict_fn=lambda network, lags: network.predict(
            _windows_of_lags(lags), batch_size=WINDOWS_A_STEP, verbose=0
        )[:, 0],
    )
    strategy = pybroker.Strategy(frame, frame["date"].iloc[0], frame["date"].iloc[-1])
    strategy.add_execution(trade, ["BARS"], models=model)
    share = TRAINING_BARS / (TRAINING_BARS + TEST_BARS)
    strategy.walkforward(windows=N_REFITS, train_size=share, calc_bootstrap=False)
    return time.perf_counter() - started, len(refits)


def _windows_of_lags(lags: np.ndarray) -> np.ndarray:
    """PyBroker's blocks of a column's lags, newest first → (n_rows, lookback, n_features)."""
    blocks = lags.reshape(len(lags), -1, SETTINGS.lookback)[:, :, ::-1]
    return np.ascontiguousarray(np.nan_to_num(blocks).swapaxes(1, 2), np.float32)


def _pybroker_frame(bars: pd.DataFrame) -> pd.DataFrame:
    features = FEATURES.frame(bars)
    label = (bars["close"].shift(-1) > bars["close"]).astype(float).rename("label")
    frame = pd.concat([bars, features, label], axis=1).dropna()
    return frame.rename_axis("date").reset_index().assign(symbol="BARS")


def measure() -> dict[str, Measured]:
    """Return how many times as fast as PyBroker's the walk forward of this package is."""
    missing = reason_without("pybroker")
    if missing:
        return {"walk_vs_pybroker": missing}
    seconds = {}
    for name in ("our", "pybroker"):
        seconds[name], n_refits = in_fresh_process(f"walking.{name}_seconds")
        if n_refits != N_REFITS:
            raise RuntimeError(f"{name} walk forward had {n_refits} refits, not {N_REFITS}")
    console.print(
        f"walk forward of {N_REFITS} refits: {seconds['our']:.1f} s, "
        f"through PyBroker {seconds['pybroker']:.1f} s"
    )
    return {"walk_vs_pybroker": seconds["pybroker"] / seconds["our"]}
