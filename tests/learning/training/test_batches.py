from dataclasses import replace

import numpy as np
import pytest

from lstm_strategy.learning.training.batches import ChunkBatches
from lstm_strategy.learning.training.training_set import MirrorImage, TrainingSet

ROWS = np.arange(100, dtype=np.float32)


def numbered_rows(n_rows=100, *, labels=None, mirrored=None):
    """Rows whose only feature is their number."""
    rows = ROWS[:n_rows]
    return TrainingSet(
        features=rows[:, None],
        labels=(rows if labels is None else labels)[:, None],
        weights=np.ones(n_rows, np.float32),
        context=np.empty((n_rows, 0)),
        held_out=(slice(n_rows, n_rows),),
        purge=1,
        mirrored=mirrored,
    )


def chunks_of(rows, *spans, **settings):
    spans = spans or (slice(0, len(rows.features)),)
    return ChunkBatches(rows, spans, **{"length": 20, "warm_up": 5, "batch_size": 2, **settings})


def scored_rows(chunks):
    return sorted(
        int(row)
        for batch in range(len(chunks))
        for features, _, weights in [chunks[batch]]
        for row in features[..., 0][weights > 0]
    )


@pytest.mark.parametrize("n_rows", [40, 41, 55, 70, 100])
def test_fixed_chunks_score_every_row_after_the_warm_up_once(n_rows):
    assert scored_rows(chunks_of(numbered_rows(n_rows))) == list(range(5, n_rows))


@pytest.mark.parametrize(("n_rows", "sizes"), [(40, [8]), (100, [8]), (170, [16]), (600, [32, 32])])
def test_few_fixed_chunks_make_a_small_batch(n_rows, sizes):
    rows = np.arange(n_rows, dtype=np.float32)
    chunks = chunks_of(
        replace(
            numbered_rows(),
            features=rows[:, None],
            labels=rows[:, None],
            weights=np.ones(n_rows, np.float32),
        ),
        batch_size=32,
    )
    assert [len(chunks[batch][0]) for batch in range(len(chunks))] == sizes
    assert scored_rows(chunks) == list(range(5, n_rows))


def test_random_chunks_never_leave_their_spans_and_differ_between_epochs():
    spans = slice(0, 50), slice(60, 100)
    chunks = chunks_of(numbered_rows(), *spans, offsets=np.random.default_rng(0))
    epochs = []
    for _ in range(60):
        epochs.append(scored_rows(chunks))
        assert all(chunks[batch][0].shape == (2, 20, 1) for batch in range(len(chunks)))
        chunks.start_epoch()
    assert len({tuple(rows) for rows in epochs}) > 5
    assert set().union(*epochs) == {*range(5, 50), *range(65, 100)}


@pytest.mark.parametrize(("n_rows", "n_chunks"), [(48, 1), (49, 2), (63, 2), (64, 3)])
def test_so_many_random_chunks_are_taken_as_fit_behind_the_largest_offset(n_rows, n_chunks):
    # a chunk of 20 begins every 15 rows, the first one up to 14 rows later
    chunks = chunks_of(numbered_rows(n_rows), offsets=np.random.default_rng(0), batch_size=1)
    assert len(chunks) == n_chunks


def test_a_span_shorter_than_a_chunk_is_left_out():
    chunks = chunks_of(numbered_rows(), slice(0, 19), slice(50, 100))
    assert scored_rows(chunks) == list(range(55, 100))


def test_the_labels_of_a_chunk_belong_to_its_rows():
    features, labels, _ = chunks_of(numbered_rows(labels=ROWS * 10))[0]
    np.testing.assert_array_equal(labels, features * 10)


def test_a_mirrored_chunk_has_the_mirrored_features_and_the_opposite_labels():
    labels = (ROWS % 2).astype(np.float32)
    rows = numbered_rows(labels=labels, mirrored=MirrorImage(-ROWS[:, None], 1 - labels[:, None]))
    chunks = chunks_of(rows, offsets=np.random.default_rng(0), batch_size=1)
    seen = set()
    for _ in range(10):
        for batch in range(len(chunks)):
            features, answers, _ = chunks[batch]
            number = features[0, :, 0]
            is_mirrored = bool((number <= 0).all())
            seen.add(is_mirrored)
            right = np.abs(number) % 2
            np.testing.assert_array_equal(answers[0, :, 0], 1 - right if is_mirrored else right)
        chunks.start_epoch()
    assert seen == {False, True}


def test_fixed_chunks_are_never_mirrored():
    chunks = chunks_of(numbered_rows(mirrored=MirrorImage(-ROWS[:, None], ROWS[:, None])))
    assert all((chunks[batch][0] >= 0).all() for batch in range(len(chunks)))


def test_weights_make_the_loss_a_mean_over_scored_steps():
    _, _, weights = chunks_of(numbered_rows(50), batch_size=100)[0]
    assert weights.mean() == pytest.approx(1)


def test_a_loss_of_whole_batches_gets_the_weights_as_the_last_labels():
    usual, whole = (chunks_of(numbered_rows(), judges_batches=judges) for judges in (False, True))
    _, labels, weights = usual[0]
    _, both = whole[0]
    np.testing.assert_array_equal(both[..., :-1], labels)
    # each of the four batches stands for all
    assert len(whole) == 4
    assert both[..., -1].sum() == 4 * (weights > 0).sum()
    assert not both[:, :5, -1].any()  # the warm-up
    weighed = replace(numbered_rows(), weights=np.repeat([1.0, 3.0], 50))
    _, both = chunks_of(weighed, judges_batches=True)[0]
    np.testing.assert_array_equal(both[0, 5:, -1], 4 * np.full(15, 0.5))  # of a mean weight of 2
