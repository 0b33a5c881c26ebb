"""`chainrule explain`: the steps of value and gradient of an expression."""

from typing import Annotated

import typer

from chainrule.cli.failures import sentences


def explain(
    expression: Annotated[
        str,
        typer.Argument(help='Such as "max(0, W*x + b)", or named steps: "u = x + 1; y = x*u".'),
    ],
    values: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME=VALUE...", help="A value for each name: x=17 W=[[1,2],[3,4]]."
        ),
    ] = None,
) -> None:
    """Show every step of a value and its gradient.

    The forward pass in order, then the backward pass in order with its accumulators.
    """
    # The parser and the room of explanations take time to import that `--help` does not have.
    from chainrule.cli.program import named_values, parse  # noqa: PLC0415
    from chainrule.explanation import explain_assigned  # noqa: PLC0415

    with sentences():
        program = parse(expression)
        inputs = named_values(values or [])
        program.check(inputs)
        explanation = explain_assigned(
            lambda *traced: program.run(dict(zip(inputs, traced, strict=True))),
            inputs,
            program.assigned,
        )
    typer.echo(explanation.table())
