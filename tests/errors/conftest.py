"""The line of the user's code that a message has to name carries the mark `# <-`."""

import inspect
from pathlib import Path

import pytest


@pytest.fixture
def place_of():
    """`place_of(function)`: file:line of the marked line of a function."""

    def find(function, mark="# <-"):
        lines, start = inspect.getsourcelines(function)
        (offset,) = (k for k, line in enumerate(lines) if mark in line)
        return f"{Path(inspect.getsourcefile(function)).name}:{start + offset}"

    return find
