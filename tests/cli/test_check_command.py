"""`chainrule check`: the derivatives of a function in a file, right, wrong or not to be had."""

import sys
import textwrap

import pytest
from typer.testing import CliRunner

from chainrule.cli import main

FILE = """
    from __future__ import annotations

    import numpy as np
    from numpy.typing import NDArray

    import chainrule as cr


    def right(x: float, w: NDArray[np.float64], scale=0.5, power: int = 3, verbose=False):
        return scale * np.sum(np.tanh(w) * x**power)


    def annotated(x: np.ndarray):
        return x * x


    def wrong(x: float = 1.5):
        return cr.stop_gradient(x) * x


    def bare(x):
        return x


    def fails(x: float):
        return x @ x


    def missing(x: float):
        return x + not_there


    def whole(n: int = 3):
        return n


    def writes(x: float):
        y = np.zeros(1)
        y[0] = x
        return y[0]


    number = 3
"""


@pytest.fixture
def check(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))  # the command puts the file's folder there
    (tmp_path / "mine.py").write_text(textwrap.dedent(FILE))
    return lambda *arguments: CliRunner().invoke(main, ["check", *arguments])


def test_right_derivatives(check):
    result = check("mine.py:right", "--arg", "w=[1,-2]")
    assert result.exit_code == 0
    assert "w = [1, -2]" in result.output
    assert "scale = 0.5" in result.output
    assert "power" not in result.output
    assert result.output.endswith("the derivatives of mine.py:right are right\n")


def test_arguments_without_a_value_take_an_example(check):
    result = check("mine.py:annotated", "--order", "1")
    assert result.exit_code == 0
    assert result.output.startswith("x = [")


def test_the_example_is_the_same_on_every_run(check):
    assert check("mine.py:right").output == check("mine.py:right").output


def test_an_argument_that_is_a_whole_number_stays_one(check):
    result = check("mine.py:right", "--arg", "power=2", "--arg", "w=[0.5]")
    assert result.exit_code == 0


def test_a_wrong_derivative_is_reported_with_exit_code_1(check):
    """d(stop(x)·x)/dx is x to the engine and 2x in truth."""
    result = check("mine.py:wrong")
    assert result.exit_code == 1
    assert "a derivative of wrong is wrong" in result.stderr
    assert "expected 3" in result.stderr
    assert "got 1.5" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mine.py"], "'mine.py' names no function: write file.py:function"),
        (["other.py:f"], "there is no Python file other.py"),
        (["mine.py:rihgt"], "mine.py has no function 'rihgt'; it has right"),
        (["mine.py:number"], "mine.py has no function 'number'"),
        (["mine.py:bare"], "the argument x has no value: give --arg x=1.5"),
        (["mine.py:right", "--arg", "z=1"], "right has no argument 'z'; it has x, w, scale"),
        (["mine.py:right", "--arg", "x=open(1)"], "'open' is not a function that is allowed"),
        (["mine.py:whole"], "whole has no floating point argument"),
        (["mine.py:missing"], "missing fails: NameError at mine.py:"),
        (["mine.py:fails"], "mine.py:"),
        (["mine.py:writes"], "a traced value is written into a plain array at mine.py:"),
        (["broken.py:f"], "broken.py cannot be loaded: invalid syntax in line 1"),
        (["raising.py:f"], "raising.py cannot be loaded: ZeroDivisionError at raising.py:2"),
    ],
)
def test_what_cannot_be_checked_is_told_with_exit_code_2(check, tmp_path, arguments, message):
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / "raising.py").write_text("x = 1\nx / 0\n")
    result = check(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output
