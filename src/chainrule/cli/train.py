"""`chainrule train`: train on a data set that comes with the package."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from chainrule.cli.failures import USAGE
from chainrule.errors import ChainruleError


class Dataset(StrEnum):
    """What there is to train on."""

    DIGITS = "digits"


def train(
    dataset: Annotated[Dataset, typer.Argument(help="What to train on.")],
    epochs: Annotated[int, typer.Option(min=1, help="How often to go through the examples.")] = 40,
    seed: Annotated[
        int, typer.Option(min=0, help="Decides the split, the first weights and the order.")
    ] = 0,
    run_dir: Annotated[
        Path | None,
        typer.Option(help="Folder for weights and metrics.", show_default="runs/digits-seed<seed>"),
    ] = None,
) -> None:
    """Train a perceptron with one hidden layer and print its accuracy on held-out examples."""
    # NumPy and the engine take longer to import than the 0.3 s in which `--help` must answer.
    from chainrule.train import train_digits  # noqa: PLC0415

    folder = run_dir or Path("runs", f"{dataset}-seed{seed}")
    try:
        run = train_digits(folder, epochs=epochs, seed=seed)
    except (ChainruleError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(USAGE) from error
    except KeyboardInterrupt as interrupt:
        typer.echo(f"Stopped. {folder} holds the last epoch that was finished, if any.", err=True)
        raise typer.Exit(130) from interrupt
    typer.echo(f"weights in {run.weights}")
    typer.echo(f"metrics in {run.metrics}")
    typer.echo(f"test accuracy {run.test_accuracy:.4f}")
