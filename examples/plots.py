"""The two plots of the homework, as SVG files that come out the same on every run.

python examples/plots.py writes them into docs/images/, where the README shows them.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from chainrule.classroom import Leaf, backward_algorithm, build_graph, forward_algorithm

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
# Ids from a fixed salt, text as text: small files without chance in them.
SETTINGS = {"svg.hashsalt": "chainrule", "svg.fonttype": "none"}


def polynomial(x):
    return x**4 - 2 * x**3 + 3 * x**2 - 4 * x + 5


def first_derivative():
    """Step 4: the polynomial at 25 points and its derivative, which the backward pass leaves."""
    xx = Leaf(np.linspace(-2.0, 3.0, 25), "x")
    yy = polynomial(xx)
    backward_algorithm(forward_algorithm(yy.sum()))
    return xx.value, {"y": yy.result, "dy/dx": xx.gradient}


def higher_derivatives(order=3):
    """Step 5: the same, and each derivative is a graph that is differentiated again."""
    xx = Leaf(np.linspace(-2.0, 3.0, 25), "x")
    yy = polynomial(xx)
    curves = {}
    for label in ("y", "dydx", "d2yd2x", "d3yd3x")[: order + 1]:
        total = forward_algorithm(yy.sum())
        curves[label] = yy.result
        with build_graph():
            backward_algorithm(total, one=Leaf(1.0))
        yy = xx.gradient
    return xx.value, curves


def draw(path, x, curves):
    """Write one plot with a line for each curve."""
    with rc_context(SETTINGS):
        figure = Figure(figsize=(6, 4), layout="constrained")
        axes = figure.add_subplot()
        for label, y in curves.items():
            axes.plot(x, y, label=label)
        axes.set_xlabel("x")
        axes.legend()
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def write_plots(folder):
    """Write both plots into the folder and give their paths."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    plots = {
        "homework_polynomial.svg": first_derivative(),
        "homework_derivatives.svg": higher_derivatives(),
    }
    for name, (x, curves) in plots.items():
        draw(folder / name, x, curves)
    return [folder / name for name in plots]


if __name__ == "__main__":
    for path in write_plots(sys.argv[1] if len(sys.argv) > 1 else IMAGES):
        print(path)
