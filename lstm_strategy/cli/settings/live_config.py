"""The TOML file of a live run: what is traded, on which bars, and what no order may break."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lstm_strategy.cli.settings.config_file import Config, read_config
from lstm_strategy.errors import LSTMStrategyError, SettingsError
from lstm_strategy.support import describe_first_offence, name_options, suggest_names


class LiveTable(BaseModel):
    """The table `[live]`.

    Attributes:
        source: Where the bars come from: `play:FILE`, `ccxt:EXCHANGE:MARKET:SPACING`,
            `yahoo:SYMBOL` or another name of a source.
        model: The folder of a trained model, for the LSTM.
        strategy: Instead of the LSTM: a baseline such as "MACD", or a backtrader strategy as
            FILE.py:Class:name=value,...
        out: The folder that keeps the journal and the state, where `--out` gives none.
        history: How many bars warm the strategy up.
        on_gap: "report" says when bars are missing; "stop" ends the run there.
        engine: What computes the forecasts, as for `--engine`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Annotated[str, Field(min_length=1)]
    model: str | None = None
    strategy: str | None = None
    out: str = "live"
    history: Annotated[int, Field(ge=1)] = 2_000
    on_gap: Literal["report", "stop"] = "report"
    engine: Literal["auto", "onnx", "keras"] = "auto"


class LiveConfig(Config):
    """The tables of the file; those that it leaves out are empty.

    Attributes:
        live: What is traded, and on which bars.
        limits: Arguments of `TradingLimits`.
    """

    live: dict[str, Any] = Field(default_factory=dict)
    limits: dict[str, Any] = Field(default_factory=dict)


def load_live_config(path: Path) -> tuple[LiveConfig, LiveTable]:
    """The file of a live run, and its table `[live]`.

    Args:
        path: The file.

    Raises:
        SettingsError: If the file is missing, isn't TOML, or has a table or a key of `[live]` that
            isn't known.
        LSTMStrategyError: If a value in `[broker]` or `[limits]` is off.
    """
    from lstm_strategy.trading.live import TradingLimits

    config = read_config(path, LiveConfig, title=str(path))
    try:
        with name_options({}):
            TradingLimits(**config.limits)
    except LSTMStrategyError as error:
        raise type(error)(f"{path}, [limits]: {error}") from None
    try:
        return config, LiveTable.model_validate(config.live)
    except ValidationError as error:
        offence = describe_first_offence(error)
        if offence.is_unknown:
            remedy = suggest_names(offence.name, LiveTable.model_fields)
        elif offence.is_missing:
            remedy = 'Write one, such as source = "ccxt:binance:BTC/USDT:1h".'
        else:
            remedy = "Correct it."
        raise SettingsError(f"{path}, [live]: {offence}. {remedy}") from None
