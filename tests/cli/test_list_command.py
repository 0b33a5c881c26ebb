"""`chainrule list`: the registry as a table."""

from typer.testing import CliRunner

from chainrule.cli import main
from chainrule.graph import registry


def test_every_operation_has_a_row():
    result = CliRunner().invoke(main, ["list"])
    assert result.exit_code == 0
    rows = {line.split()[0]: line for line in result.output.splitlines() if line.strip()}
    for operation in registry:
        if operation.form != "leaf":
            assert operation.form in rows[operation.name].split()


def test_rows_tell_formula_and_derivative():
    rows = [
        " ".join(line.split()) for line in CliRunner().invoke(main, ["list"]).output.splitlines()
    ]
    assert r"multiply elementwise multiply x1 \cdot x2 x2; x1" in rows
    assert r"tanh elementwise tanh \tanh x 1 - y · y" in rows
    assert r"floor flat floor \operatorname{floor}(x) none: piecewise constant" in rows


def test_composed_functions_are_named():
    last = CliRunner().invoke(main, ["list"]).output.splitlines()[-1]
    assert last.startswith("Functions of NumPy and SciPy made of these: ")
    assert {"dot", "outer", "clip", "var"} <= set(last.partition(": ")[2].split(", "))
