"""The loop: what it computes, writes, shows and refuses."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn, optim, train
from chainrule.errors import DivergenceError, SettingError, WeightsError

X = np.linspace(-1, 1, 10)[:, None]
Y = (X[:, 0] > 0.1).astype(int)


def loss(layers, x, y):
    return nn.cross_entropy(nn.mlp(layers, x), y)


def fit(epochs=3, **settings):
    rng = np.random.default_rng(0)
    layers = nn.init_mlp([1, 4, 2], rng=rng)
    return train.fit(
        loss, layers, optim.sgd(0.5), (X, Y), epochs=epochs, batch_size=4, rng=rng, **settings
    )


def test_one_full_batch_is_one_step_of_the_rule():
    layers = nn.init_mlp([1, 4, 2], rng=np.random.default_rng(0))
    rule = optim.sgd(0.5, momentum=0.9)
    fitted = train.fit(
        loss, layers, rule, (X, Y), epochs=1, batch_size=10, rng=np.random.default_rng(0)
    )
    value, gradients = cr.value_and_grad(loss)(layers, X, Y)
    expected, _ = rule.update(gradients, rule.init(layers), layers)
    for layer, other in zip(fitted.params, expected, strict=True):
        for name in layer:
            # The same mean over ten examples, in shuffled order.
            np.testing.assert_allclose(layer[name], other[name], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(fitted.history[0]["loss"], value, rtol=1e-12)


def test_training_learns():
    history = fit(epochs=60, predict=nn.mlp).history
    assert history[-1]["loss"] < 0.2 * history[0]["loss"]
    assert history[-1]["accuracy"] == 1


def test_loss_of_an_epoch_is_the_mean_over_examples_not_batches():
    # With a rate of 0 nothing moves, so the mean over batches of 4, 4 and 2 is that over all.
    layers = nn.init_mlp([1, 4, 2], rng=np.random.default_rng(0))
    fitted = train.fit(
        loss, layers, optim.sgd(0), (X, Y), epochs=1, batch_size=4, rng=np.random.default_rng(0)
    )
    np.testing.assert_allclose(fitted.history[0]["loss"], loss(layers, X, Y), rtol=1e-12)


def test_the_same_generator_gives_the_same_run(tmp_path):
    for name in ("a", "b"):
        fit(run_dir=tmp_path / name)
    first, second = ((tmp_path / name / "weights.npz").read_bytes() for name in ("a", "b"))
    assert first == second


def test_files_hold_the_parameters_and_a_record_for_each_epoch(tmp_path):
    fitted = fit(epochs=3, run_dir=tmp_path / "new" / "run", predict=nn.mlp)
    folder = tmp_path / "new" / "run"
    assert sorted(path.name for path in folder.iterdir()) == ["metrics.jsonl", "weights.npz"]
    layers = train.load_weights(folder / "weights.npz")
    np.testing.assert_array_equal(layers[0]["weight"], fitted.params[0]["weight"])
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == fitted.history
    assert train.read_metrics(folder / "metrics.jsonl") == fitted.history
    keys = ["epoch", "loss", "examples_per_second", "seconds", "accuracy"]
    assert [list(record) for record in fitted.history] == [keys] * 3
    assert [record["epoch"] for record in fitted.history] == [1, 2, 3]


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "accuracy" not in fit().history[0]
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_replaces_the_files_of_the_first_and_clears_its_leftovers(tmp_path):
    fit(epochs=3, run_dir=tmp_path)
    (tmp_path / ".weights.npz.0123abcd.partial").write_bytes(b"half")
    fit(epochs=2, run_dir=tmp_path)
    assert len(train.read_metrics(tmp_path / "metrics.jsonl")) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.jsonl", "weights.npz"]


def test_a_run_that_never_ends_its_first_epoch_keeps_the_files_of_the_last(tmp_path):
    fitted = fit(run_dir=tmp_path)

    def interrupted(layers, x, y):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train.fit(
            interrupted,
            fitted.params,
            optim.sgd(0.1),
            (X, Y),
            epochs=1,
            batch_size=4,
            rng=np.random.default_rng(0),
            run_dir=tmp_path,
        )
    assert train.read_metrics(tmp_path / "metrics.jsonl") == fitted.history
    layers = train.load_weights(tmp_path / "weights.npz")
    np.testing.assert_array_equal(layers[1]["bias"], fitted.params[1]["bias"])


def test_a_loss_that_is_not_finite_stops_with_the_last_whole_epoch_on_disk(tmp_path):
    def diverging(w, x):
        return np.exp(w) + 0 * np.sum(x)

    with (
        pytest.raises(DivergenceError, match=r"loss is inf in epoch \d+, batch 1. Lower the"),
        np.errstate(over="ignore", invalid="ignore"),
    ):
        train.fit(
            diverging,
            np.array(0.0),
            RisingRule(),
            (X,),
            epochs=9,
            batch_size=10,
            rng=np.random.default_rng(0),
            run_dir=tmp_path,
        )
    assert np.isfinite(train.load_weights(tmp_path / "weights.npz"))
    assert train.read_metrics(tmp_path / "metrics.jsonl")[-1]["epoch"] == 3


class RisingRule:
    """An update rule that runs away: 0, 300, 600, 900."""

    def init(self, params):
        return {}

    def update(self, gradients, state, params):
        return params + 300, state


@pytest.mark.parametrize(("epochs", "size"), [(0, 4), (3, 0)])
def test_a_training_without_epochs_or_batches_gets_a_sentence(epochs, size):
    with pytest.raises(SettingError, match=r"Give at least 1 of both"):
        train.fit(
            loss,
            [],
            optim.sgd(0.1),
            (X, Y),
            epochs=epochs,
            batch_size=size,
            rng=np.random.default_rng(0),
        )


def test_a_folder_that_cannot_be_made_gets_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsError, match=r"cannot be made: .*Choose another run folder"):
        fit(run_dir=tmp_path / "file" / "run")


def test_the_bar_shows_loss_accuracy_and_speed_when_asked(capsys):
    fit(epochs=2, predict=nn.mlp, progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    for words in ("epoch 2/2", "loss 0.", "accuracy ", "examples/s"):
        assert words in shown.err


@pytest.mark.parametrize("progress", [None, False])
def test_nothing_is_shown_without_a_terminal_or_when_told_so(progress, capsys):
    fit(progress=progress)
    assert capsys.readouterr() == ("", "")


TRAINS = """
import signal, sys
import numpy as np
from chainrule import nn, optim, train

signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell may have muted it
rng = np.random.default_rng(0)
layers = nn.init_mlp([20, 800, 2], rng=rng)
x, y = rng.standard_normal((8, 20)), rng.integers(0, 2, 8)
train.fit(lambda layers, x, y: nn.cross_entropy(nn.mlp(layers, x), y), layers, optim.sgd(1e-3),
          (x, y), epochs=1_000_000, batch_size=8, rng=rng, run_dir=sys.argv[1])
"""


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_training_stopped_at_any_moment_leaves_whole_files(stop, tmp_path, rng):
    weights, metrics = tmp_path / "weights.npz", tmp_path / "metrics.jsonl"
    with subprocess.Popen(
        [sys.executable, "-c", TRAINS, str(tmp_path)], stderr=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 60
        while not metrics.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.05))
        process.send_signal(stop)
    assert process.returncode == -stop
    layers = train.load_weights(weights)
    assert layers[0]["weight"].shape == (20, 800)
    epochs = [record["epoch"] for record in train.read_metrics(metrics)]
    assert epochs == list(range(1, len(epochs) + 1))
    assert len(epochs) >= 1
    if stop == signal.SIGINT:  # an exception has the time to clear up
        assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.jsonl", "weights.npz"]
