"""The examples in the docstrings of the room run and print what they say."""

import doctest
import importlib
import pkgutil

import pytest

import chainrule.classroom

MODULES = [
    "chainrule.classroom",
    *(
        f"chainrule.classroom.{module.name}"
        for module in pkgutil.iter_modules(chainrule.classroom.__path__)
    ),
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    modules = [importlib.import_module(name) for name in MODULES]
    assert sum(bool(test.examples) for module in modules for test in finder.find(module)) >= 15
