"""The ways out that the sentences name, and the user's own exceptions around ours."""

import copy
import json
import math
import pickle

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors

V = np.array([1.0, 2.0, 3.0])


def test_the_ways_out_work():
    def f(x):
        y = np.zeros_like(x)
        y[0] = float(cr.stop_gradient(x[0])) * x[1]
        y[1] = x[1] * cr.stop_gradient(x[2]).item()
        y[2] = math.exp(cr.stop_gradient(x[2])) * x[2]
        assert cr.stop_gradient(x).tolist() == [1.0, 2.0, 3.0]
        assert pickle.loads(pickle.dumps(cr.stop_gradient(x))).sum() == 6.0
        assert json.dumps(cr.stop_gradient(x).tolist()) == "[1.0, 2.0, 3.0]"
        return np.sum(y)

    np.testing.assert_allclose(cr.grad(f)(V), [0.0, 4.0, math.exp(3.0)])


def test_copies_keep_the_derivative():
    def f(x):
        state = {"x": x, "history": [x]}
        deep, shallow = copy.deepcopy(state), copy.copy(x)
        x[0] = 100.0
        return np.sum(deep["history"][0] * shallow)

    np.testing.assert_array_equal(cr.grad(f)(V), 2 * V)


def test_a_traced_value_can_be_printed_and_formatted():
    seen = []

    def f(x):
        seen.extend([f"{x[0]:.2f}", str(x), repr(x[1]), f"{x}", f"{cr.stop_gradient(x)[0]:g}"])
        return np.sum(x)

    cr.grad(f)(V)
    assert seen[0] == "1.00"
    assert seen[1] == seen[3] == "traced([1. 2. 3.], of grad)"
    assert seen[2] == "traced(2., of grad)"
    assert seen[4] == "1"


def test_our_sentence_survives_numpys_wrapping():
    """NumPy raises ValueError, "setting an array element with a sequence", around ours."""
    wrapped = []

    def f(x):
        y = np.zeros(2)
        try:
            y[0] = x
        except ValueError as error:
            wrapped.append(error)
            raise
        return np.sum(y)

    with pytest.raises(errors.WriteError, match=r"test_ways_out\.py:\d+"):
        cr.grad(f)(1.0)
    assert not isinstance(wrapped[0], errors.ChainruleError)
    assert isinstance(wrapped[0].__cause__, errors.WriteError)


def test_the_users_own_exception_is_not_replaced():
    class OwnError(Exception):
        pass

    def f(x):
        try:
            return float(x)
        except TypeError:
            raise OwnError("numbers only") from None

    def g(x):
        try:
            return float(x)
        except TypeError as error:
            raise OwnError("numbers only") from error

    for function in (f, g):
        with pytest.raises(OwnError, match="numbers only"):
            cr.grad(function)(1.0)


def test_errors_can_be_caught_inside_the_function():
    def f(x):
        try:
            scale = float(x)
        except errors.ConversionError:
            scale = 2.0
        return scale * x

    assert cr.grad(f)(3.0) == 2.0
