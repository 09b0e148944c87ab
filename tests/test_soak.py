"""A stream takes as much memory and time after many bars as after few."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the memory is read from /proc")
@pytest.mark.parametrize(("way", "n_bars"), [("stream", 50_000), ("indicator", 20_000)])
def test_memory_and_time_stay_as_they_are(monkeypatch, tmp_path, way, n_bars):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import soak
    from benchmarks.fresh import in_fresh_process

    model = soak.save_forecaster(str(tmp_path), None)
    notes = in_fresh_process("soak.soak", model, n_bars, way)
    assert [n_bars for n_bars, _, _ in notes][-1] == n_bars
    settled = [in_use for bars, in_use, _ in notes if bars >= soak.N_SETTLED]
    assert max(settled) < 1.05 * settled[0]
    seconds = [of for _, _, of in notes]
    assert min(seconds[-3:]) < 1.5 * min(seconds[:3])  # what grows would have doubled
