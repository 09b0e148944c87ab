import math

from lstm_strategy.learning.forecaster.model_card import ModelCard


def test_a_score_that_could_not_be_computed_survives_the_card(trained):
    scores = trained.card.validation_scores | {"auc": math.nan}
    card = trained.card.model_copy(update={"validation_scores": scores})
    again = ModelCard.model_validate_json(card.model_dump_json())
    assert math.isnan(again.validation_scores["auc"])
    assert again.validation_scores["log_loss"] == scores["log_loss"]
