"""`chainrule list`: the operations that have a derivative, from the registry."""

from typing import Annotated

import typer


def list_operations(
    numpy: Annotated[
        bool, typer.Option("--numpy", help="What becomes of every function of NumPy, in Markdown.")
    ] = False,
) -> None:
    """List the operations and their derivatives.

    Each with its form, the function of NumPy or SciPy that it stands for, its formula, and the
    derivative, or why it has none. In an operation entry by entry the derivative is the partial
    for each input; in the others it is what reaches each input from the gradient g.
    """
    # rich and the room of explanations take time to import that `--help` does not have.
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from chainrule.explanation import derivative_text, table  # noqa: PLC0415
    from chainrule.graph import Primitive, registry  # noqa: PLC0415
    from chainrule.scipy.special.verdicts import Refusal  # noqa: PLC0415

    if numpy:
        typer.echo(table(), nl=False)
        return
    rows = Table(box=SIMPLE_HEAD)
    for title in ("name", "form", "function", "formula", "derivative"):
        rows.add_column(title, overflow="fold")
    operations = [operation for operation in registry.complete() if operation.form != "leaf"]
    for operation in operations:
        called = "" if operation.numpy is None else operation.numpy.__name__
        derivative = derivative_text(operation)
        texts = (operation.name, operation.form, called, _formula(operation.latex), derivative)
        rows.add_row(*(Text(text) for text in texts))
    # Piped into a file or a filter, a row stays on one line.
    console = Console() if Console().is_terminal else Console(width=10_000)
    console.print(rows)
    refused = [meaning.name for meaning in registry.meanings.values() if type(meaning) is Refusal]
    typer.echo(f"Functions of SciPy without a derivative here: {', '.join(sorted(refused))}")
    others = (Primitive, Refusal)
    composed = [f for f, meaning in registry.meanings.items() if not isinstance(meaning, others)]
    names = ", ".join(sorted({f.__name__ for f in composed}))
    typer.echo(f"Functions of NumPy and SciPy made of these: {names}")


class _Itself(dict[str, str]):
    """Fills every place of a formula with its own name."""

    def __missing__(self, key: str) -> str:
        return key


def _formula(latex: str) -> str:
    return latex.format_map(_Itself())
