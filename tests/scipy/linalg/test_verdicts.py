"""Every function of scipy.linalg has a verdict: a derivative, a constant, or a sentence."""

import importlib
import types
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import chainrule as cr
from chainrule.errors import ConversionError, UnsupportedError
from chainrule.scipy import linalg
from chainrule.scipy.linalg import verdicts


def public() -> list[str]:
    """The functions of scipy.linalg: neither its modules nor its exceptions."""
    return [
        name
        for name in scipy.linalg.__all__
        if not isinstance(getattr(scipy.linalg, name), types.ModuleType | type)
    ]


@pytest.mark.parametrize("name", public())
def test_every_function_of_scipy_has_one_verdict(name: str) -> None:
    verdict = [name in linalg.__all__, name in verdicts.CONSTANT, name in verdicts.ADVICE]
    assert sum(verdict) == 1
    assert callable(getattr(linalg, name))
    assert getattr(linalg, name).__doc__
    assert name in dir(linalg)


def test_at_most_a_quarter_is_refused() -> None:
    assert len(verdicts.ADVICE) <= len(public()) / 4


def test_differentiated_functions_are_tested(code_of_rows: Any) -> None:
    """Each stands in the code of some row."""
    named = {n for f in code_of_rows for n in f.__code__.co_names}
    for f in code_of_rows:
        for inner in f.__code__.co_consts:
            named |= set(getattr(inner, "co_names", ()))
    elsewhere = {"kron", "tri", "tril", "triu"}  # NumPy's, tested there
    assert set(linalg.__all__) - named - elsewhere == set()


@pytest.mark.parametrize("name", sorted(verdicts.ADVICE))
def test_refusals_say_what_to_use(name: str) -> None:
    def f(a: Any) -> Any:
        getattr(linalg, name)(a)
        return np.sum(a)

    with pytest.raises(UnsupportedError, match=rf"scipy\.linalg\.{name} at test_verdicts\.py:\d+"):
        cr.grad(f)(np.eye(3))


def test_refused_functions_work_on_plain_arrays() -> None:
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    for mine, theirs in zip(linalg.schur(a), scipy.linalg.schur(a), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_constants_are_those_of_scipy() -> None:
    def f(a: Any) -> Any:
        assert linalg.issymmetric(a)
        assert linalg.bandwidth(a) == (0, 0)
        return np.sum(linalg.hilbert(3) @ a) + np.sum(linalg.dft(3) @ a).real

    expected = np.sum(scipy.linalg.hilbert(3) + scipy.linalg.dft(3).real, axis=0)
    gradient = cr.grad(f)(np.eye(3))
    np.testing.assert_allclose(gradient, np.tile(expected[:, None], 3), rtol=1e-13, atol=1e-13)


def test_scipy_itself_refuses_traced_arrays() -> None:
    with pytest.raises(ConversionError):
        cr.grad(lambda a: np.sum(scipy.linalg.inv(a)))(np.eye(40))


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'solv'"):
        linalg.solv  # noqa: B018
    assert importlib.import_module("chainrule.scipy").linalg is linalg
