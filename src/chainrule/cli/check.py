"""`chainrule check`: the derivatives of a function in the user's file, against differences."""

import contextlib
import io
from typing import Annotated

import typer

from chainrule.cli.failures import sentences
from chainrule.errors import ToleranceError

WRONG = 1


def check(
    function: Annotated[str, typer.Argument(metavar="FILE.PY:FUNCTION", help="What to check.")],
    arg: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A value for an argument: x=1.5, w=[1,2]."),
    ] = None,
    order: Annotated[int, typer.Option(min=1, max=4, help="Up to which derivative.")] = 2,
) -> None:
    """Check the derivatives of your function.

    Forward and reverse mode are compared with differences. Arguments without --arg take their
    default, or an example where they are annotated as float or as a NumPy array. The exit code is 1
    where a derivative is wrong.
    """
    # The checks and the user's own imports take time that `--help` does not have.
    from chainrule.checks import check_grads  # noqa: PLC0415
    from chainrule.cli.loading import example_arguments, load  # noqa: PLC0415
    from chainrule.cli.program import named_values  # noqa: PLC0415
    from chainrule.explanation import brief  # noqa: PLC0415

    report = io.StringIO()
    with sentences():
        given = named_values(arg or [])
        called, values = example_arguments(load(function), given)
        for name, value in values.items():
            typer.echo(f"{name} = {brief(value)}")
        try:
            with contextlib.redirect_stdout(report):
                check_grads(called, tuple(values.values()), order=order)
        except ToleranceError as error:
            typer.echo(report.getvalue().removesuffix(f"{error}\n"), nl=False)
            typer.echo(str(error), err=True)
            raise typer.Exit(WRONG) from error
    typer.echo(report.getvalue() + f"the derivatives of {function} are right")
