"""Answers that are kept for whoever asks the same of the same features and bars again."""

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import wraps
from threading import Lock
from typing import Concatenate, ParamSpec, TypeVar

import pandas as pd

from lstm_strategy.bars import bars_fingerprint
from lstm_strategy.errors import BarsError
from lstm_strategy.learning.features.feature_set import FeatureSet

_MOST_KEPT = 64  # of each question: the folds of a walk forward and some more

Bars = pd.DataFrame | Mapping[str, pd.DataFrame]
Words = ParamSpec("Words")
Answer = TypeVar("Answer")


def once_for_bars(
    ask: Callable[Concatenate[FeatureSet, Bars, Words], Answer],
) -> Callable[Concatenate[FeatureSet, Bars, Words], Answer]:
    """Let a question about features on bars be worked out once, however often it comes.

    Several models that are trained on the same folds ask the same of them, and so do the trials of
    a search: what features remember there takes as long as some epochs of a small network.

    Args:
        ask: Takes features, bars and what else is asked by name. What it returns is copied, so
            that whoever changes it changes nobody else's; what it raises isn't kept.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> asked = []
        >>> @once_for_bars
        ... def count_rows(features, bars):
        ...     asked.append(features.names)
        ...     return len(features.frame(bars).dropna())
        >>> bars, features = sample_bars("sp500"), FeatureSet([{"kind": "roc", "length": 31}])
        >>> count_rows(features, bars), count_rows(features, bars.copy()), len(asked)
        (5000, 5000, 1)
    """
    kept: OrderedDict[str, Answer] = OrderedDict()
    lock = Lock()

    @wraps(ask)
    def answer(
        features: FeatureSet, bars: Bars, /, *words: Words.args, **by_name: Words.kwargs
    ) -> Answer:
        if type(features) is not FeatureSet:  # somebody's own may compute anything
            return ask(features, bars, *words, **by_name)
        try:
            question = json.dumps([features.to_dict(), _name_bars(bars), words, by_name])
        except (BarsError, TypeError, ValueError):  # it has no name that tells it from others
            return ask(features, bars, *words, **by_name)
        with lock:
            if question in kept:
                kept.move_to_end(question)
                return deepcopy(kept[question])
        new = ask(features, bars, *words, **by_name)
        with lock:
            kept[question] = deepcopy(new)
            while len(kept) > _MOST_KEPT:
                kept.popitem(last=False)
        return new

    return answer


def _name_bars(bars: Bars) -> list[tuple[str, str, str]]:
    """What tells bars from all others: of each market its name, its zone and its numbers."""
    markets = {"": bars} if isinstance(bars, pd.DataFrame) else bars
    return [
        (symbol, str(pd.DatetimeIndex(of_market.index).tz), bars_fingerprint(of_market))
        for symbol, of_market in markets.items()
    ]
