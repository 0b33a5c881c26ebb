"""Failures on the command line: a sentence on standard error and exit code 2, no traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from chainrule.errors import ChainruleError

USAGE = 2


@contextmanager
def sentences() -> Iterator[None]:
    """Print what chainrule says about a failure, and leave with exit code 2."""
    try:
        yield
    except ChainruleError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(USAGE) from error
