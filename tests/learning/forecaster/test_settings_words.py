"""What a model is and how it was trained, in words for whoever reads a report."""

from lstm_strategy import LSTMForecaster, Quantiles, Volatility
from lstm_strategy.learning.forecaster.settings_words import model_words, network_words

FEATURES = [{"kind": "rsi", "length": 14}]


def words_of(forecaster, **options):
    return model_words(forecaster.settings, forecaster.features.to_dict(), **options)


def test_an_lstm_of_one_market_is_told_in_words():
    told = words_of(LSTMForecaster(FEATURES, units=(8,), lookback=20, memory="window", seed=7))
    assert told["What it predicts"] == "whether the close will be higher over the next bar"
    assert told["Inputs"] == "1 feature: RSI (length 14)"
    assert told["Memory"] == "a window of 20 bars"
    assert told["Seed"] == "7"
    assert "features scaled" not in told["Training"]
    assert "Target settings" not in told


def test_the_settings_of_a_target_are_told_without_its_name():
    told = words_of(LSTMForecaster(FEATURES, target=Volatility(slow=60)))
    assert told["What it predicts"] == "the volatility over the next bar"
    assert "slow 60" in told["Target settings"]
    assert "name" not in told["Target settings"]
    told = words_of(LSTMForecaster(FEATURES, target=Quantiles(levels=(0.1, 0.5, 0.9))))
    assert "levels 0.1, 0.5, 0.9" in told["Target settings"]


def test_a_panel_is_told_how_it_is_scaled_and_what_is_learned_of_each_market():
    shared = LSTMForecaster(FEATURES, scaling="market")
    assert ", features scaled by market" in words_of(shared, is_panel=True)["Training"]
    apart = LSTMForecaster(FEATURES, market_embedding=3)
    training = words_of(apart, is_panel=True)["Training"]
    assert training.endswith(", 3 numbers learned of each market")


def test_a_network_of_the_user_is_told_by_its_name():
    settings = LSTMForecaster(FEATURES, members=2).settings
    assert network_words(settings, "mine.build") == "2 networks, built by mine.build"
