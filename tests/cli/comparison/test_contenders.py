"""Several LSTMs in one comparison of the command line."""

from made_up import SMALL, SMALL_FEATURES, random_walk

from lstm_strategy import BrokerSettings, LSTMForecaster, Policy
from lstm_strategy.cli.comparison import ComparisonSetup
from lstm_strategy.cli.comparison.models import train_contenders


def test_further_lstms_train_on_the_same_bars_and_lie_beside_the_judged_one(tmp_path):
    judged, further = (
        LSTMForecaster(SMALL_FEATURES, target=target, **SMALL) for target in ("policy", "direction")
    )
    bars = random_walk(300)
    setup = ComparisonSetup(
        *("bars", bars, judged, BrokerSettings()),
        contenders={"LSTM direction": further},
    )
    (model,) = train_contenders(setup, tmp_path / "model").values()
    assert isinstance(model, LSTMForecaster)
    assert (model.target, model.training_end) == (further.target, bars.index[209])
    assert [path.name for path in tmp_path.iterdir()] == ["model-direction"]
    assert setup.asked_as_learners is further
    costly = ComparisonSetup("bars", bars, judged, BrokerSettings(commission_rate=0.01))
    assert costly.untrained.target == Policy(cost_rate=0.0105)
    alone = ComparisonSetup("bars", setup.bars, judged, BrokerSettings())
    assert alone.asked_as_learners is alone.untrained
    assert alone.describe_training() != setup.describe_training()  # two trials in a folder
