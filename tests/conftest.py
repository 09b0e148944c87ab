"""A small trained forecaster that many tests share."""

import os

import pytest
from hypothesis import settings
from made_up import SMALL, SMALL_FEATURES, random_walk

os.environ["LSTM_STRATEGY_CACHE"] = "off"  # each test computes its own forecasts
for edge in ("COLUMNS", "LINES"):
    os.environ.pop(edge, None)  # readline puts them there for processes of xdist
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


settings.register_profile("unhurried", deadline=None)  # shared machines pause now and then
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def trained():
    """An LSTMForecaster with a memory worth the name, trained on 400 bars in seconds.

    Nothing can be learned on a random walk, and nothing would be left of its signal: it keeps all.
    """
    from lstm_strategy import LSTMForecaster

    forecaster = LSTMForecaster(SMALL_FEATURES, **SMALL).fit(random_walk(400), progress=False)
    signal = forecaster.card.signal.model_copy(update={"confidence": 1.0})
    forecaster.card = forecaster.card.model_copy(update={"signal": signal})
    return forecaster


@pytest.fixture(scope="session")
def model_folder(trained, tmp_path_factory):
    return trained.save(tmp_path_factory.mktemp("models") / "small")


@pytest.fixture
def no_pictures(monkeypatch):
    """Leaves pictures out, which take most of the time, where only the words of a page matter."""
    drawn = "lstm_strategy.evaluation.report.page.pictures._data_uri"
    monkeypatch.setattr(drawn, lambda figure: "data:image/png;base64,")


@pytest.fixture
def no_home(monkeypatch):
    """A user whom no file names and who has no HOME, as containers and services have them."""

    def find_nobody(key):
        raise KeyError(key)

    for variable in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    for name in ("getpwuid", "getpwnam"):
        monkeypatch.setattr(f"pwd.{name}", find_nobody)
