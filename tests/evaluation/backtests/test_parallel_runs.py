"""Which strategies other processes can run."""

import importlib.util
import sys

from lstm_strategy import BASELINES
from lstm_strategy.evaluation.backtests import parallel_runs

SOURCE = """
import backtrader as bt


class Mine(bt.Strategy):
    pass
"""


def test_a_class_that_was_read_from_a_file_stays_in_this_process(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("read_from_mine", tmp_path / "mine.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "read_from_mine", module)
    spec.loader.exec_module(module)
    assert not parallel_runs._is_importable(module.Mine)
    assert all(map(parallel_runs._is_importable, BASELINES.values()))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(module.Mine, "__module__", "mine")
    monkeypatch.setitem(sys.modules, "mine", module)
    assert parallel_runs._is_importable(module.Mine)
