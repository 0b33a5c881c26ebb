"""`make demo` runs to its end, shows what it promises, and draws the plots of the README."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
IMAGES = ("homework_polynomial.svg", "homework_derivatives.svg")
SVG = "{http://www.w3.org/2000/svg}"


def run(script, *arguments, folder):
    command = [sys.executable, str(ROOT / "examples" / script), *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True, env={"PYTHONUTF8": "1"}
    ).stdout


@pytest.mark.deep
def test_the_demo_shows_tree_steps_accuracy_and_plots(tmp_path):
    output = run("demo.py", folder=tmp_path)
    assert "    Leaf x result=0.6931471805599453 gradient=0.75\n" in output
    assert "  dy/dx = 0.64\n" in output
    accuracy = re.search(r"^test accuracy (0\.\d{4})$", output, re.MULTILINE)
    assert accuracy is not None
    assert float(accuracy[1]) >= 0.97
    for name in IMAGES:
        assert f"runs/demo/{name}\n" in output
        assert (tmp_path / "runs" / "demo" / name).stat().st_size > 1000


def curves(path):
    """The points of every curve of a plot, in the coordinates of the drawing."""
    lines = []
    for path_node in ElementTree.parse(path).getroot().iter(f"{SVG}path"):
        numbers = re.findall(r"[ML] (\S+) (\S+)", path_node.get("d", ""))
        if len(numbers) == 25:
            lines.append(np.array(numbers, dtype=float))
    return lines


def polynomial_and_derivatives(x):
    return (
        x**4 - 2 * x**3 + 3 * x**2 - 4 * x + 5,
        4 * x**3 - 6 * x**2 + 6 * x - 4,
        12 * x**2 - 12 * x + 6,
        24 * x - 12,
    )


@pytest.mark.deep
@pytest.mark.parametrize(("name", "count"), [(IMAGES[0], 2), (IMAGES[1], 4)])
def test_the_plots_of_the_readme_show_the_derivatives(name, count):
    """A drawing is an affine map of the data: one map must fit all curves."""
    expected = polynomial_and_derivatives(np.linspace(-2, 3, 25))[:count]
    drawn = curves(ROOT / "docs" / "images" / name)
    assert len(drawn) == count
    data = np.concatenate(expected)
    heights = np.concatenate([line[:, 1] for line in drawn])
    slope, intercept = np.polyfit(data, heights, 1)
    # coordinates are written with six decimals
    np.testing.assert_allclose(slope * data + intercept, heights, atol=1e-4)
    assert slope < 0


@pytest.mark.deep
def test_the_plots_come_out_the_same_on_every_run(tmp_path):
    for folder in ("one", "two"):
        run("plots.py", tmp_path / folder, folder=tmp_path)
    for name in IMAGES:
        first, second = ((tmp_path / folder / name).read_bytes() for folder in ("one", "two"))
        assert first == second
        assert len(first) < 20_000
        assert b"<dc:date>" not in first
