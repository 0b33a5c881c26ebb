"""`chainrule explain`: the lecture's exercises, arrays, and sentences for what is not allowed."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from chainrule.cli import main
from chainrule.cli.language import FUNCTIONS
from chainrule.cli.program import parse

RELU_LAYER = """\
given
  W = 2
  x = 3
  b = 1
forward
  dy/dW ← 0
  dy/dx ← 0
  dy/db ← 0
  u1 = W · x = 2 · 3 = 6
  dy/du1 ← 0
  u2 = u1 + b = 6 + 1 = 7
  dy/du2 ← 0
  y = max(0, u2) = max(0, 7) = 7
  dy/dy ← 0
backward
  dy/dy ← 1
  dy/du2 ← dy/du2 + dy/dy · [u2 > 0] = 0 + 1 · 1 = 1  max gate: router
  dy/du1 ← dy/du1 + dy/du2 · 1 = 0 + 1 · 1 = 1        add gate: distributor
  dy/db ← dy/db + dy/du2 · 1 = 0 + 1 · 1 = 1          add gate: distributor
  dy/dW ← dy/dW + dy/du1 · x = 0 + 1 · 3 = 3          multiply gate: swap multiplier
  dy/dx ← dy/dx + dy/du1 · W = 0 + 1 · 2 = 2          multiply gate: swap multiplier
gradients
  dy/dW = 3
  dy/dx = 2
  dy/db = 1
"""
NON_TREE = """\
given
  x = 17
forward
  dy/dx ← 0
  u = x + 1 = 17 + 1 = 18
  dy/du ← 0
  y = x · u = 17 · 18 = 306
  dy/dy ← 0
backward
  dy/dy ← 1
  dy/dx ← dy/dx + dy/dy · u = 0 + 1 · 18 = 18   multiply gate: swap multiplier
  dy/du ← dy/du + dy/dy · x = 0 + 1 · 17 = 17   multiply gate: swap multiplier
  dy/dx ← dy/dx + dy/du · 1 = 18 + 17 · 1 = 35  add gate: distributor, copy gate: adder
gradients
  dy/dx = 35
"""


def explain(*arguments):
    return CliRunner().invoke(main, ["explain", *arguments])


def test_exercise_backprop():
    result = explain("max(0, W*x + b)", "W=2", "x=3", "b=1")
    assert (result.output, result.exit_code) == (RELU_LAYER, 0)


def test_exercise_2_with_named_steps():
    result = explain("u = x + 1; y = x*u", "x=17")
    assert (result.output, result.exit_code) == (NON_TREE, 0)


def test_the_installed_command_prints_the_same():
    command = Path(sys.executable).with_name("chainrule")
    arguments = [command, "explain", "u = x + 1; y = x*u", "x=17"]
    result = subprocess.run(
        arguments, capture_output=True, text=True, check=True, env={"PYTHONUTF8": "1"}
    )
    assert result.stdout == NON_TREE


def test_the_installed_command_fails_with_a_sentence_and_code_2():
    command = Path(sys.executable).with_name("chainrule")
    result = subprocess.run([command, "explain", "open(x)", "x=1"], capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("'open' is not a function that is allowed here. Allowed are")
    assert "Traceback" not in result.stderr


def test_arrays():
    result = explain("H = max(0, W @ x + b)", "W=[[1,2],[3,4]]", "x=[1,2]", "b=[0,-20]")
    assert result.exit_code == 0
    lines = [line.strip() for line in result.output.splitlines()]
    assert "u1 = W @ x = [[1, 2], [3, 4]] @ [1, 2] = [5, 11]" in lines
    assert "H = max(0, u2) = max(0, [5, -9]) = [5, 0]" in lines
    assert "dH/dH ← [1, 1]" in lines
    assert lines[-4:] == [
        "dH/dW = [[1, 2], [0, 0]]",
        "dH/dx = [1, 2]",
        "dH/db = [1, 0]",
        "H has shape (2,): these are the gradients of the sum of H",
    ]


def test_three_inputs_and_the_text_of_the_course():
    """(x + y) z at (-2, 5, -4): f = -12 with gradients -4, -4 and 3."""
    result = explain("q = x + y; f = q*z", "x=-2", "y=5", "z=-4")
    assert result.output.splitlines()[-3:] == ["  df/dx = -4", "  df/dy = -4", "  df/dz = 3"]


def test_the_sigmoid_circuit_of_the_course():
    values = ["w0=2", "x0=-1", "w1=-3", "x1=-2", "w2=-3"]
    result = explain("sigmoid(w0*x0 + w1*x1 + w2)", *values)
    gradients = dict(line.split(" = ") for line in result.output.splitlines()[-5:])
    expected = {"w0": -0.196612, "x0": 0.393224, "w1": -0.393224, "x1": -0.589836, "w2": 0.196612}
    assert {key.strip(): float(v) for key, v in gradients.items()} == {
        f"dy/d{name}": pytest.approx(value, abs=1e-6) for name, value in expected.items()
    }


def test_an_expression_and_a_value_may_begin_with_a_minus_sign():
    assert "dy/dx = -2\n" in explain("-x*2", "x=-3").output


@pytest.mark.parametrize(
    "expression",
    [
        *(f"{name}(x)" for name, f in FUNCTIONS.items() if f.fewest == 1),
        "dot([x, 2], [x, x])",
        "where(x > 1, x*x, -x)",
        "max(x, x*x) + min(x, x*x)",
        "s = [x, [x, 2][1], 2*x]; mean(s * s) + s[2] + sum([s, s], axis=0)[0]",
        "m = [[x, 1], [2, x]]; sum(m.T @ m @ [1, x]) / x",
        "x ** 3 - x ** -1 + 2 ** x + x ** 2.5",
        "-x + +x - x * pi",
    ],
)
def test_every_piece_of_the_language_is_differentiated(expression):
    """The gradient that is printed against a central difference of the interpreted expression."""
    result = explain(f"sum({expression})" if ";" not in expression else expression, "x=1.3")
    assert result.exit_code == 0
    line = next(line for line in reversed(result.output.splitlines()) if "/dx = " in line)
    program, h = parse(expression), 1e-6
    above, below = (program.run({"x": np.float64(1.3 + sign * h)})[-1] for sign in (1, -1))
    # six significant digits are printed; the difference is good to 1e-9
    assert float(line.split(" = ")[1]) == pytest.approx(float(above - below) / (2 * h), rel=6e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["f(x)", "x=1"], "'f' is not a function that is allowed here. Allowed are numbers"),
        (["x^2 + 1", "x=1"], "^ is no power in Python: write **, such as x**2"),
        (["x + foo", "x=1"], "'foo' has no value: give it one, such as foo=1.5. Allowed are"),
        (["x", "x=1", "z=2"], "'z' has a value that the expression does not use; it uses x"),
        (["1 + 2"], "the expression has no names, so nothing can be differentiated"),
        (["x", "x"], "'x' is no value of a name: write name=value"),
        (["x", "x=1", "x=2"], "'x' has two values: give it once"),
        (["x", "x=z"], "the value of x uses 'z': a value is a number"),
        (["x", "x=__import__('os')"], "'__import__' is not a function that is allowed here"),
        (["x", "max=1"], "'max' has a meaning here already: choose another name"),
        (["x", "1a=1"], "'1a' is no name"),
        (["x @ w", "x=[1,2]", "w=[1,2,3]"], "'x @ w' does not fit operands of shape (2,), (3,)"),
        (["x[5]", "x=[1,2]"], "'x[5]' does not fit operands of shape (2,)"),
    ],
)
def test_refusals(arguments, message):
    result = explain(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in result.stderr
    assert "Traceback" not in result.stderr
