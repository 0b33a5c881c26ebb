"""Weights files: equal after reading back, atomic, and never read when damaged."""

import os
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from chainrule import train
from chainrule.errors import ChainruleError, WeightsError


def assert_equal_trees(first, second):
    assert type(first) is type(second)
    if isinstance(first, dict):
        assert list(first) == list(second)
        for key in first:
            assert_equal_trees(first[key], second[key])
    elif isinstance(first, list | tuple):
        for one, other in zip(first, second, strict=True):
            assert_equal_trees(one, other)
    elif first is not None:
        assert first.dtype == second.dtype
        np.testing.assert_array_equal(first, second)


TREES = {
    "layers": [
        {"weight": np.eye(3, dtype=np.float32), "bias": np.zeros(3)},
        {"weight": np.ones(2)},
    ],
    "awkward names": {"file": np.ones(1), "allow_pickle": np.ones(2), "a b/c": np.ones(3)},
    "nested": ({"a": [np.arange(3), (np.array(2.5),)]}, None, [], {}),
    "a bare array": np.linspace(0, 1, 5),
    "special numbers": [np.array([np.nan, np.inf, -0.0]), np.array([1 + 2j]), np.array([True])],
    "odd layouts": [np.asfortranarray(np.ones((2, 3))), np.arange(10)[::3], np.zeros((0, 4))],
    "nothing": None,
}


@pytest.mark.parametrize("tree", TREES.values(), ids=TREES.keys())
def test_a_tree_comes_back_equal(tree, tmp_path):
    train.save_weights(tmp_path / "weights.npz", tree)
    assert_equal_trees(train.load_weights(tmp_path / "weights.npz"), tree)
    assert os.listdir(tmp_path) == ["weights.npz"]


def test_numbers_come_back_as_arrays(tmp_path):
    train.save_weights(tmp_path / "weights.npz", {"step": 3, "rate": np.float32(0.5)})
    expected = {"step": np.array(3), "rate": np.array(0.5, np.float32)}
    assert_equal_trees(train.load_weights(tmp_path / "weights.npz"), expected)


def test_equal_trees_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        train.save_weights(tmp_path / name, TREES["layers"])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with zipfile.ZipFile(tmp_path / "a") as archive:  # on another day, too
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_numpy_reads_the_file_too(tmp_path):
    train.save_weights(tmp_path / "weights.npz", TREES["layers"])
    with np.load(tmp_path / "weights.npz", allow_pickle=False) as archive:
        names = ["chainrule-tree", "0/weight", "0/bias", "1/weight"]
        assert archive.files == names
        np.testing.assert_array_equal(archive["0/weight"], np.eye(3))
    with zipfile.ZipFile(tmp_path / "weights.npz") as archive:
        assert archive.testzip() is None


@pytest.mark.parametrize("position", np.linspace(0, 1, 50))
def test_one_changed_bit_is_noticed(position, tmp_path):
    path = tmp_path / "weights.npz"
    train.save_weights(path, TREES["layers"])
    content = bytearray(path.read_bytes())
    content[round(position * (len(content) - 1))] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"weights.npz \([\d,]+ bytes\) is damaged, or was not"):
        train.load_weights(path)


@pytest.mark.parametrize("keep", [0, 1, 63, 64, 65, 500, -1])
def test_a_truncated_file_is_noticed(keep, tmp_path):
    path = tmp_path / "weights.npz"
    train.save_weights(path, TREES["layers"])
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(WeightsError, match=r"Restore it from a copy, or train again"):
        train.load_weights(path)


def test_another_kind_of_file_is_noticed(tmp_path):
    np.savez(tmp_path / "other.npz", weight=np.ones(3))
    with pytest.raises(WeightsError, match="was not written by save_weights"):
        train.load_weights(tmp_path / "other.npz")


def test_a_missing_file_gets_a_sentence(tmp_path):
    with pytest.raises(WeightsError, match=r"no weights file .*none.npz. Check the path, or train"):
        train.load_weights(tmp_path / "none.npz")


def test_a_folder_gets_a_sentence(tmp_path):
    with pytest.raises(WeightsError, match=r"cannot be read: .*Give the path of a file"):
        train.load_weights(tmp_path)
    with pytest.raises(WeightsError, match=r"cannot be written: .*Choose a place that exists"):
        train.save_weights(tmp_path / "none" / "weights.npz", np.ones(1))


def test_errors_are_both_ours_and_the_fitting_builtin(tmp_path):
    for kind in (ChainruleError, OSError):
        with pytest.raises(kind):
            train.load_weights(tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({"layers": [{"name": "relu"}]}, r"entry at layers/0/name is a str"),
        ([np.array([object()])], r"entry at 0 is a ndarray"),
        ([{1: np.ones(1)}], r"dict at 0 has the keys \[1\].*use text as keys"),
        ({1, 2}, r"entry at the top is a set"),
        ({"a/b": np.ones(1), "a": {"b": np.ones(1)}}, r"both be called 'a/b'"),
        ({"chainrule-tree": np.ones(1)}, r"'chainrule-tree' is taken"),
    ],
)
def test_a_tree_that_no_file_can_hold_gets_a_sentence(tree, sentence, tmp_path):
    with pytest.raises(WeightsError, match=sentence):
        train.save_weights(tmp_path / "weights.npz", tree)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_an_exception_while_writing_leaves_the_old_file_and_nothing_else(
    moment, tmp_path, monkeypatch
):
    def interrupted(*args):
        raise KeyboardInterrupt

    path = tmp_path / "weights.npz"
    train.save_weights(path, np.ones(3))
    monkeypatch.setattr(os, moment, interrupted)
    with pytest.raises(KeyboardInterrupt):
        train.save_weights(path, np.zeros(3))
    np.testing.assert_array_equal(train.load_weights(path), np.ones(3))
    assert os.listdir(tmp_path) == ["weights.npz"]


KILLED_AT = """
import os, signal, sys
import numpy as np
from chainrule import train

path, moment = sys.argv[1:]
train.save_weights(path, np.ones(100_000))
setattr(os, moment, lambda *args: os.kill(os.getpid(), signal.SIGKILL))
train.save_weights(path, np.zeros(100_000))
"""


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_kill_while_writing_leaves_the_old_file(moment, tmp_path):
    path = tmp_path / "weights.npz"
    done = subprocess.run([sys.executable, "-c", KILLED_AT, str(path), moment], check=False)
    assert done.returncode == -signal.SIGKILL
    np.testing.assert_array_equal(train.load_weights(path), np.ones(100_000))
    leftovers = sorted(tmp_path.glob(".weights.npz.*.partial"))
    assert sorted(tmp_path.iterdir()) == sorted([*leftovers, path])
