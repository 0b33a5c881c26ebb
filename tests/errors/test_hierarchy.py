"""The tree of exceptions drawn in the docstring of chainrule.errors."""

import importlib.metadata
import re

import chainrule as cr
from chainrule import errors


def drawn_hierarchy():
    """The tree in the docstring of `chainrule.errors` as {name: (parent, builtin)}."""
    drawn, parents = {}, []
    for line in errors.__doc__.splitlines():
        found = re.match(r"((?:│   |    )*)(?:├── |└── )?(\w+)\s*(?:\((.*?)\))?\s", f"{line} ")
        if not found or not found[2].endswith(("Error", "Warning")):
            continue
        depth = len(found[1]) // 4 + ("──" in line)
        parents[depth:] = [found[2]]
        builtins = tuple(found[3].split(", ")) if found[3] else ()
        drawn[found[2]] = (parents[depth - 1] if depth else None, builtins)
    return drawn


def test_the_hierarchy_drawn_in_the_docstring_is_the_real_one():
    real = {}
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.ChainruleError):
            ours = [base for base in kind.__bases__ if base.__module__ == errors.__name__]
            others = tuple(base.__name__ for base in kind.__bases__ if base not in ours)
            real[name] = (ours[0].__name__ if ours else None, others if ours else ())
    assert drawn_hierarchy() == real


def test_every_exception_says_what_it_is():
    for name in drawn_hierarchy():
        assert getattr(errors, name).__doc__.endswith(".")


def test_the_package_knows_its_version():
    assert cr.__version__ == importlib.metadata.version("chainrule")
