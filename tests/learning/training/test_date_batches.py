"""Batches of the same dates of all markets."""

from itertools import pairwise

import numpy as np
import pytest

from lstm_strategy.learning.training.date_batches import DateBatches
from lstm_strategy.learning.training.held_out import PanelRows
from lstm_strategy.learning.training.training_set import MirrorImage, TrainingSet

LENGTH, WARM_UP = 8, 2  # a window is six dates


def panel_rows(*calendars):
    """Rows whose feature is their date, and whose label is their number."""
    dates = np.concatenate(calendars)
    edges = np.cumsum([0, *map(len, calendars)])
    numbers = np.arange(float(len(dates)))
    return TrainingSet(
        features=dates[:, None].astype(np.float32),
        labels=numbers[:, None].astype(np.float32),
        weights=np.ones(len(dates)),
        context=np.empty((len(dates), 0)),
        held_out=(),
        purge=1,
        mirrored=MirrorImage(-dates[:, None].astype(np.float32), numbers[:, None]),
        panel=PanelRows(
            symbols=tuple(f"M{n}" for n in range(len(calendars))),
            markets=tuple(slice(a, b) for a, b in pairwise(edges.tolist())),
            dates=dates,
            label_ends=dates,
        ),
    )


DAYS = np.arange(60)
ROWS = panel_rows(DAYS, DAYS[20:], np.delete(DAYS, [30, 31, 45]))  # one begins late, one pauses


def batches_of(rows, **settings):
    usual = {"length": LENGTH, "warm_up": WARM_UP, "batch_size": 6}
    return DateBatches(rows, rows.markets, **usual | settings)


def scored(batches):
    """The place, the date and the number of each step that counts, batch by batch."""
    for number in range(len(batches)):
        features, labels = batches[number]
        counts = labels[..., -1] > 0
        yield labels[..., 1][counts], np.abs(features[..., 0][counts]), labels[..., 0][counts]


def test_fixed_windows_score_each_row_behind_the_warm_up_once():
    numbers = np.concatenate([rows for _, _, rows in scored(batches_of(ROWS))])
    assert len(numbers) == len(set(numbers))
    starts = [market.start for market in ROWS.markets]
    unsettled = {start + step for start in starts for step in range(LENGTH)}
    assert set(range(len(ROWS.labels))) - set(numbers.astype(int)) <= unsettled


def test_fixed_windows_end_with_the_last_date():
    placed = {}
    for places, dates, _ in scored(batches_of(ROWS)):
        placed |= dict(zip(dates.astype(int), places.astype(int) % LENGTH, strict=True))
    assert [placed[date] for date in range(52, 60)] == [4, 5, 0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(("batch_size", "n_windows"), [(9, 3), (4, 1), (1, 1), (5, 2)])
def test_a_batch_is_the_windows_nearest_to_what_was_asked_for(batch_size, n_windows):
    features, _ = batches_of(ROWS, batch_size=batch_size)[0]
    assert len(features) == 3 * n_windows


@pytest.mark.parametrize("seed", range(3))
def test_steps_of_one_place_are_of_one_date_and_dates_are_whole(seed):
    batches = batches_of(ROWS, offsets=np.random.default_rng(seed))
    for _ in range(4):
        for places, dates, numbers in scored(batches):
            assert len(numbers) == len(set(numbers))
            by_place = {place: set(dates[places == place]) for place in set(places)}
            assert all(len(of) == 1 for of in by_place.values())
            assert len({min(of) for of in by_place.values()}) == len(by_place)
            assert max(places) < 2 * LENGTH  # two windows a batch
            for date in set(dates):
                later = [m for m in ROWS.markets if date in ROWS.panel.dates[m][LENGTH:]]
                assert (dates == date).sum() >= len(later)
        batches.start_epoch()


def test_all_batches_are_of_one_size_and_windows_are_mirrored_as_a_whole():
    batches = batches_of(ROWS, offsets=np.random.default_rng(0))
    signs = set()
    for _ in range(5):
        for number in range(len(batches)):
            features, labels = batches[number]
            assert features.shape == (6, LENGTH, 1)
            counts = labels[..., -1] > 0
            for window in (slice(0, 3), slice(3, 6)):
                of = np.sign(features[window][counts[window]][:, 0])
                assert len(set(of) - {0.0}) <= 1
                signs |= set(of)
        batches.start_epoch()
    assert {-1.0, 1.0} <= signs
