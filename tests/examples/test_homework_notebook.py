"""The homework as a notebook runs from top to bottom and prints what the homework prints."""

import functools
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "examples" / "homework.ipynb"

PRINTED = {
    "cosh_x = Mean": """\
Mean result=1.25 gradient=None
  Exp result=2.0 gradient=None
    Leaf x result=0.6931471805599453 gradient=None
  Exp result=0.5 gradient=None
    Negate result=-0.6931471805599453 gradient=None
      Leaf x @[3]
1.25
""",
    "print(backward_algorithm(cosh_x))": """\
Mean result=1.25 gradient=1.0
  Exp result=2.0 gradient=0.5
    Leaf x result=0.6931471805599453 gradient=0.75
  Exp result=0.5 gradient=0.5
    Negate result=-0.6931471805599453 gradient=0.25
      Leaf x @[3]
0.75
""",
    "tanh_x = ": """\
Mul result=0.6000000000000001 gradient=1.0
  Add result=1.5 gradient=0.4
    Exp result=2.0 gradient=0.16000000000000003
      Leaf x result=0.6931471805599453 gradient=0.6400000000000001
    Negate result=-0.5 gradient=0.4
      Exp result=0.5 gradient=-0.64
        Negate result=-0.6931471805599453 gradient=-0.32
          Leaf x @[4]
  IntPow result=0.4 gradient=1.5
    Add result=2.5 gradient=-0.24
      Exp @[3]
      Exp @[6]
0.6400000000000001
""",
    "despace": """\
pytorch says: dloss/dA = tensor([[10.,8.],[-10.,-6.]])
our code says dloss/dA = tensor([[10.,8.],[-10.,-6.]])
difference: 0.0
pytorch says: dloss/dB = tensor([[-4.,6.,2.],[-6.,4.,-2.]])
our code says dloss/dB = tensor([[-4.,6.,2.],[-6.,4.,-2.]])
difference: 0.0
pytorch says: dloss/dC = tensor([[4.,-6.,-2.],[2.,2.,4.]])
our code says dloss/dC = tensor([[4.,-6.,-2.],[2.,2.,4.]])
difference: 0.0
""",
}


@functools.cache
def execute():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    return NotebookClient(notebook, timeout=300, kernel_name="python3").execute()


@pytest.fixture
def executed(peer):
    peer("torch")
    peer("matplotlib")
    return execute()


def cells_with(notebook, text):
    return [cell for cell in notebook.cells if cell.cell_type == "code" and text in cell.source]


def printed(cell):
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


@pytest.mark.parametrize("start", PRINTED)
def test_printed_lines(executed, start):
    (cell,) = cells_with(executed, start)
    assert printed(cell) == PRINTED[start]


def test_two_plots_and_no_complaints(executed):
    drawn = cells_with(executed, "plt.show()")
    assert len(drawn) == 2
    for cell in drawn:
        (picture,) = [output for output in cell.outputs if output.output_type == "display_data"]
        assert picture.data["image/png"]
    for cell in cells_with(executed, ""):
        assert not [output for output in cell.outputs if output.get("name") == "stderr"]


def test_no_results_are_committed():
    for cell in cells_with(nbformat.read(NOTEBOOK, as_version=4), ""):
        assert cell.outputs == []
        assert cell.execution_count is None
