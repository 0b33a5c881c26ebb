"""The bar that a training shows on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Show = Callable[..., None]


@contextmanager
def progress_bar(epochs: int, steps: int, shown: bool | None) -> Iterator[Show]:
    """Give a function to call after each step, with `epoch`, `loss`, `accuracy` and `rate`.

    rate is in examples per second; an accuracy of None is not known yet. The bar goes to standard
    error, so that the results can be piped. `shown` None means: only when that is a terminal.
    """
    if not (sys.stderr.isatty() if shown is None else shown):
        yield _silent
        return
    # rich costs a tenth of the time that `import chainrule` is allowed, and is not needed before.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("epoch {task.fields[epoch]}/" + str(epochs)),
        BarColumn(),
        TextColumn("loss {task.fields[loss]:.4f}"),
        TextColumn("accuracy {task.fields[accuracy]}"),
        TextColumn("{task.fields[rate]:,.0f} examples/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=epochs * steps, epoch=1, loss=0.0, accuracy="–", rate=0.0)

        def show(*, epoch: int, loss: float, accuracy: float | None, rate: float) -> None:
            known = "–" if accuracy is None else f"{accuracy:.4f}"
            bar.update(task, advance=1, epoch=epoch, loss=loss, accuracy=known, rate=rate)

        yield show


def _silent(**fields: float | None) -> None:
    """Show nothing."""
