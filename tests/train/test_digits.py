"""The whole job: a perceptron learns the digits, and the command tells about it."""

import re

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from chainrule import data, nn, train
from chainrule.cli.train import train as command


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.deep) for seed in (1, 2, 3, 4))]
)
def test_digits_are_told_apart_with_an_accuracy_of_at_least_0_97(seed, tmp_path):
    run = train.train_digits(tmp_path, seed=seed)
    assert run.test_accuracy >= 0.97
    # The weights in the file score the same on the part of the data that was held out.
    _, (features, labels) = data.split(*data.digits(), seed=seed)
    layers = train.load_weights(run.weights)
    assert [layer["weight"].shape for layer in layers] == [(64, 256), (256, 10)]
    assert {array.dtype for layer in layers for array in layer.values()} == {np.dtype("f4")}
    assert np.mean(nn.mlp(layers, features).argmax(axis=1) == labels) == run.test_accuracy
    assert train.read_metrics(run.metrics)[-1] == {"epoch": 40, "test_accuracy": run.test_accuracy}


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    app.command("train")(command)
    return lambda *arguments: CliRunner().invoke(app, arguments)


def test_the_command_prints_its_files_and_last_the_accuracy(invoke, tmp_path):
    result = invoke("digits", "--epochs", "2", "--seed", "3")
    assert result.exit_code == 0
    weights, metrics, accuracy = result.output.splitlines()
    assert weights == "weights in runs/digits-seed3/weights.npz"
    assert metrics == "metrics in runs/digits-seed3/metrics.jsonl"
    assert re.fullmatch(r"test accuracy 0\.9\d\d\d", accuracy)
    assert len(train.read_metrics(tmp_path / "runs/digits-seed3/metrics.jsonl")) == 3
    assert train.load_weights(tmp_path / "runs/digits-seed3/weights.npz")


def test_the_command_writes_where_it_is_told(invoke, tmp_path):
    assert invoke("digits", "--epochs", "1", "--run-dir", "here").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == [
        "metrics.jsonl",
        "weights.npz",
    ]


def test_the_command_refuses_what_it_cannot_do(invoke, tmp_path):
    assert "mnist" in invoke("mnist").output
    assert invoke("digits", "--epochs", "0").exit_code == 2
    (tmp_path / "file").write_text("")
    result = invoke("digits", "--epochs", "1", "--run-dir", "file")
    assert result.exit_code == 2
    assert "The folder file cannot be made" in result.output


def test_the_command_says_what_is_left_when_it_is_interrupted(invoke, monkeypatch):
    def interrupted(*args, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "train_digits", interrupted)
    result = invoke("digits")
    assert result.exit_code == 130
    assert "Stopped. runs/digits-seed0 holds the last epoch" in result.output
