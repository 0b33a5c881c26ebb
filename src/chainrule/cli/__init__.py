"""The command `chainrule`: it parses and prints, and leaves the work to the rooms below.

explain.py     every step of value and gradient of an expression
check.py       the derivatives of a function in the user's file, against differences
listing.py     the operations that have a derivative
train.py       train on a data set that comes with the package
expression.py  the language of expressions: a closed list of names, interpreted here
failures.py    how failures are told

`chainrule --help` must answer within 0.3 s, so what a command needs beyond NumPy is imported inside
the command.
"""

import typer

from chainrule.cli.check import check
from chainrule.cli.explain import explain
from chainrule.cli.listing import list_operations
from chainrule.cli.train import train

main = typer.Typer(
    name="chainrule",
    help="Exact derivatives of ordinary NumPy code.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich would double the time of `--help`
)
# An expression or a value may begin with a minus sign, which is no option then.
main.command(context_settings={"ignore_unknown_options": True})(explain)
main.command()(check)
main.command("list")(list_operations)
main.command()(train)

__all__ = ["main"]
