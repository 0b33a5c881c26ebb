"""A function from the user's file, and arguments to try it on."""

from __future__ import annotations

import difflib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import ChainruleError, CommandError
from chainrule.graph import is_inexact
from chainrule.tracing.telling import own_sentence, users_line
from chainrule.transforms.arguments import taken_apart

# What the user's own code may raise; each becomes a sentence with the line.
_FAILURES = (
    *(ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError),
    *(NotImplementedError, OSError, RuntimeError, SyntaxError, TypeError, ValueError),
)
EXAMPLE_LENGTH = 3


@contextmanager
def users_code(doing: str) -> Iterator[None]:
    """Tell what fails inside the user's code as a CommandError."""
    try:
        yield
    except ChainruleError:
        raise
    except SyntaxError as error:
        raise CommandError(
            f"{doing}: {error.msg} in line {error.lineno} of {error.filename}; correct it first"
        ) from error
    except _FAILURES as error:
        ours = own_sentence(error)
        if ours is not None:
            raise ours from None
        raise CommandError(
            f"{doing}: {type(error).__name__} at {users_line(error)}: {error}; correct it first"
        ) from error


def load(place: str) -> Callable[..., Any]:
    """The function that `path/to/file.py:function` names; runs the file.

    Raises CommandError for a file that is not there or fails, and a function that it lacks.
    """
    file, colon, name = place.rpartition(":")
    if not (colon and file and name):
        raise CommandError(f"{place!r} names no function: write file.py:function")
    path = Path(file).resolve()
    if path.suffix != ".py" or not path.is_file():
        raise CommandError(f"there is no Python file {file}: give the path of one that exists")
    module_name = f"checked_{path.stem}"  # a name of its own, so that numpy.py hides nothing
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None  # a file that ends in .py has a loader
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    sys.path.insert(0, str(path.parent))
    with users_code(f"{file} cannot be loaded"):
        spec.loader.exec_module(module)
    found = getattr(module, name, None)
    if not callable(found):
        functions = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        near = difflib.get_close_matches(name, functions) or functions
        raise CommandError(
            f"{file} has no function {name!r}; it has {', '.join(near) or 'no function at all'}"
        )
    function: Callable[..., Any] = found
    return function


def example_arguments(
    function: Callable[..., Any], given: Mapping[str, Any]
) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The function of its floating arguments alone, and a value for each of them.

    A value comes from `given`, else from the default, else from the annotation: a number for
    `float`, three numbers for a NumPy array. Other arguments keep their default. Raises
    CommandError for an argument that is left without a value, and a name that is no argument.
    """
    signature = inspect.signature(function)
    for name in given:
        if name not in signature.parameters:
            raise CommandError(
                f"{function.__name__} has no argument {name!r}; it has "
                f"{', '.join(signature.parameters) or 'none'}"
            )
    rng = np.random.default_rng(0)  # any point will do, and the same one on every run
    varied: dict[str, Any] = {}
    fixed: dict[str, Any] = {}
    for parameter in signature.parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        value = _value(parameter, given, rng)
        (varied if _has_number(value) else fixed)[parameter.name] = value
    if not varied:
        raise CommandError(
            f"{function.__name__} has no floating point argument to differentiate with respect to: "
            "give one with --arg name=1.5"
        )

    def called(*values: Any) -> Any:
        bound = signature.bind_partial()
        bound.arguments.update({**fixed, **dict(zip(varied, values, strict=True))})
        with users_code(f"{function.__name__} fails"):
            return function(*bound.args, **bound.kwargs)

    called.__name__ = function.__name__
    kept = [signature.parameters[name] for name in varied]
    plain = [p.replace(kind=p.POSITIONAL_ONLY, default=p.empty) for p in kept]
    called.__signature__ = inspect.Signature(plain)  # type: ignore[attr-defined]
    return called, varied


def _value(parameter: inspect.Parameter, given: Mapping[str, Any], rng: np.random.Generator) -> Any:
    """The example value of one argument."""
    default = parameter.default
    if parameter.name in given:
        value = given[parameter.name]
        whole = type(default) is int or parameter.annotation in (int, "int")
        return int(value) if whole and np.ndim(value) == 0 else value
    if default is not parameter.empty:
        return default
    annotation = parameter.annotation
    if annotation in (float, "float"):
        return rng.uniform(0.5, 1.5)
    text = annotation if isinstance(annotation, str) else repr(annotation)
    if "ndarray" in text or "NDArray" in text or "ArrayLike" in text:
        return rng.uniform(0.5, 1.5, EXAMPLE_LENGTH)
    raise CommandError(
        f"the argument {parameter.name} has no value: give --arg {parameter.name}=1.5 (a list such "
        "as [1,2] for an array), or a default, or annotate it as float or numpy.ndarray"
    )


def _has_number(value: Any) -> bool:
    return any(is_inexact(leaf) for leaf in taken_apart(value)[0])
