"""A forecaster as a folder: `writing` writes it whole, `reading` reads it as a stranger's."""

from lstm_strategy.learning.forecaster.storage.reading import load_card, load_model
from lstm_strategy.learning.forecaster.storage.writing import (
    CARD_FILE,
    CHECK_FILE,
    HISTORY_COLUMNS,
    NETWORK_FILE,
    WALK_FORWARD_FILE,
    NetworkFiles,
    builder_name,
    check_can_hold_model,
    digest_described,
    read_folder,
    save_model,
    write_folder,
)

__all__ = [
    "CARD_FILE",
    "CHECK_FILE",
    "HISTORY_COLUMNS",
    "NETWORK_FILE",
    "NetworkFiles",
    "WALK_FORWARD_FILE",
    "builder_name",
    "check_can_hold_model",
    "digest_described",
    "load_card",
    "load_model",
    "read_folder",
    "save_model",
    "write_folder",
]
