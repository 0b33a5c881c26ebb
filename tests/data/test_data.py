"""The digits, their split and minibatches."""

from importlib.resources import files

import numpy as np
import pytest

from chainrule import data
from chainrule.errors import SettingError


def test_digits_have_the_shape_range_and_classes_of_their_source():
    features, labels = data.digits()
    assert (features.shape, features.dtype) == ((1797, 64), np.float32)
    assert (labels.shape, labels.dtype) == ((1797,), np.int64)
    assert (features.min(), features.max()) == (0, 1)
    # The counts that the source prints for its test file, and the first image, row by row.
    counts = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    np.testing.assert_array_equal(np.bincount(labels), counts)
    top = [[0, 0, 5, 13, 9, 1, 0, 0], [0, 0, 13, 15, 10, 15, 5, 0]]
    np.testing.assert_array_equal(16 * features[0].reshape(8, 8)[:2], top)


def test_digits_are_fresh_each_time():
    features, labels = data.digits()
    features[:], labels[:] = 7, 7
    again, classes = data.digits()
    assert again.max() == 1
    assert classes[0] == 0


def test_digits_come_with_their_licence():
    text = files("chainrule.data").joinpath("digits-licence.txt").read_text()
    for words in ("Alpaydin", "CC BY 4.0", "BSD 3-Clause License", "scikit-learn developers"):
        assert words in text


def rows(features):
    """Give the examples as a sorted list, to compare sets that may hold one twice."""
    return sorted(map(bytes, np.ascontiguousarray(features)))


@pytest.mark.parametrize("seed", [0, 1])
def test_split_shares_out_every_example_once_and_every_class_alike(seed):
    features, labels = data.digits()
    (x, y), (x_test, y_test) = data.split(features, labels, test_fraction=0.2, seed=seed)
    assert rows(np.concatenate([x, x_test])) == rows(features)
    expected = [round(0.2 * count) for count in np.bincount(labels)]
    np.testing.assert_array_equal(np.bincount(y_test), expected)
    # Features and labels stay together: every image is found with its own label.
    known = {bytes(image): label for image, label in zip(features, labels, strict=True)}
    for image, label in zip((*x, *x_test), (*y, *y_test), strict=True):
        assert known[bytes(image)] == label


def test_split_is_decided_by_its_seed():
    features, labels = data.digits()
    first, again, other = (data.split(features, labels, seed=seed)[1][0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert rows(first) != rows(other)


def test_split_parts_are_in_random_order():
    _, (_, labels) = data.split(*data.digits())
    assert np.any(np.diff(labels) < 0)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.2, 1.5, float("nan")])
def test_split_by_no_fraction_gets_a_sentence(fraction):
    with pytest.raises(SettingError, match=r"give a number between 0 and 1"):
        data.split(np.zeros((10, 2)), np.arange(10) % 2, test_fraction=fraction)


@pytest.mark.parametrize(("fraction", "counts"), [(0.01, "10 of 10.*0"), (0.99, "0 of 10.*10")])
def test_split_with_an_empty_part_gets_a_sentence(fraction, counts):
    with pytest.raises(SettingError, match=counts + ".*Give one that leaves some for both"):
        data.split(np.zeros((10, 2)), np.arange(10) % 2, test_fraction=fraction)


def test_split_of_arrays_that_do_not_fit_gets_a_sentence():
    with pytest.raises(SettingError, match=r"3 rows of features and 4 labels"):
        data.split(np.zeros((3, 2)), np.zeros(4, int))


def test_minibatches_visit_every_example_once_with_its_label(rng):
    x, y = np.arange(10), 10 * np.arange(10)
    batches = list(data.minibatches(x, y, size=4, rng=rng))
    assert [len(a) for a, _ in batches] == [4, 4, 2]
    seen = np.concatenate([a for a, _ in batches])
    assert sorted(seen) == list(x)
    assert list(seen) != list(x)
    for a, b in batches:
        np.testing.assert_array_equal(b, 10 * a)


def test_minibatches_are_decided_by_their_generator():
    x = np.arange(50)
    first, again = (
        np.concatenate([a for (a,) in data.minibatches(x, size=7, rng=np.random.default_rng(5))])
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    generator = np.random.default_rng(5)
    epochs = [next(data.minibatches(x, size=50, rng=generator))[0] for _ in range(2)]
    assert not np.array_equal(*epochs)


@pytest.mark.parametrize(
    ("arrays", "size"), [((np.zeros(3),), 0), ((np.zeros(3), np.zeros(4)), 2), ((), 2)]
)
def test_minibatches_that_cannot_be_made_get_a_sentence_at_once(arrays, size, rng):
    with pytest.raises(SettingError, match=r"Give a size of 1 or more and arrays of one length"):
        data.minibatches(*arrays, size=size, rng=rng)
