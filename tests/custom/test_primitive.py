"""Records of the user's own, in each form."""

import math

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors
from chainrule.graph import registry


def test_entry_by_entry():
    @cr.primitive(
        partials=(lambda x2: x2, lambda x1, x2, k: x1 + 2 * k * x2),
        samples=[(np.ones((2, 3)), np.array([1.0, 2.0, 3.0]), {"k": 2})],
    )
    def f(x, y, *, k=1):
        return x * y + k * y**2

    x, y = np.array([[1.0], [2.0]]), np.array([3.0, 4.0])
    gx, gy = cr.grad(lambda x, y: np.sum(f(x, y, k=3)), (0, 1))(x, y)
    np.testing.assert_array_equal(gx, [[7.0], [7.0]])
    np.testing.assert_array_equal(gy, [2 * 3 * 6 + 3, 2 * 4 * 6 + 3])
    assert f.__name__ == "f"
    assert cr.sparse_jacobian(lambda x: f(x, 2.0))(np.ones(5)).nnz == 5


def test_one_linear_rule_gives_both_modes():
    @cr.primitive(transposed=lambda g: g[::-1], samples=[(np.arange(3.0),)])
    def backwards(x):
        return np.array(list(reversed(x.tolist())))

    x = np.arange(4.0)
    _, t = cr.jvp(backwards, (x,), (x**2,))
    np.testing.assert_array_equal(t, [9, 4, 1, 0])
    np.testing.assert_array_equal(cr.jacobian(backwards)(x), np.eye(4)[::-1])
    np.testing.assert_array_equal(cr.jacobian(backwards, mode="forward")(x), np.eye(4)[::-1])


def test_linear_in_each_argument():
    @cr.primitive(
        transposed=(lambda g, x2: g @ x2.T, lambda g, x1: x1.T @ g),
        samples=[(np.ones((2, 3)), np.eye(3))],
    )
    def product(a, b):
        return a @ b

    rng = np.random.default_rng(0)
    cr.check_grads(product, (rng.normal(size=(2, 3)), rng.normal(size=(3, 4))))


def test_a_general_rule_in_either_mode():
    forms = {
        "jvp": lambda t, x, y: t * y * np.log(x) + t * y,
        "vjp": lambda g, x, y: g * y * np.log(x) + g * y,
    }
    for kind, rule in forms.items():
        f = cr.primitive(lambda x: x**x, **{kind: rule}, samples=[(0.5,), (2.0,)])
        cr.check_grads(f, (1.7,), order=2)


def test_several_outputs():
    @cr.primitive(
        jvp=(lambda t, x: 2 * x * t, lambda t, x: 3 * x**2 * t), outputs=2, samples=[(0.5,)]
    )
    def powers(x):
        return x**2, x**3

    assert float(cr.grad(lambda x: powers(x)[1])(2.0)) == 12
    cr.check_grads(lambda x: powers(x)[0] * powers(x)[1], (1.5,))


def test_both_modes_of_a_black_box():
    def slope(v, x):
        return float(v) * math.cos(float(x))

    f = cr.primitive(
        lambda x: math.sin(x),
        jvp=lambda t, x: slope(t, x),
        vjp=lambda g, x: slope(g, x),
        samples=[(0.4,)],
    )
    assert float(cr.grad(f)(0.4)) == float(cr.jvp(f, (0.4,), (1.0,))[1]) == math.cos(0.4)
    with pytest.raises(errors.ConversionError):
        cr.grad(cr.grad(f))(0.4)
    alone = cr.primitive(lambda x: math.sin(x), jvp=lambda t, x: slope(t, x), samples=[(0.4,)])
    with pytest.raises(errors.UnsupportedError, match="states its jvp alone"):
        cr.grad(alone)(0.4)


def test_names_of_our_own_records_can_be_used_again():
    @cr.primitive(partials=lambda x: 3 * x**2, samples=[(0.5,)])
    def matmul(x):
        return x**3

    assert matmul is not registry["matmul"]
    table = cr.explain(matmul, 2.0).table()
    assert "y = matmul(x) = matmul(2) = 8" in table
    assert cr.sparse_jacobian(matmul)(np.ones(4)).nnz == 4


def test_a_general_record_of_ones_own_is_dense_in_a_pattern():
    """Its parameters mean what its author says, not what NumPy's mean."""

    @cr.primitive(jvp=lambda t, x, axis: 2 * t + np.sum(t), samples=[(np.ones(3), {"axis": 0})])
    def mixed(x, *, axis):
        return 2 * x + np.sum(x)

    x = np.ones(4)
    got = cr.sparse_jacobian(lambda x: mixed(x, axis=0))(x).toarray()
    np.testing.assert_array_equal(got, 2 * np.eye(4) + 1)


def test_wrong_rules_are_refused_with_numbers():
    with pytest.raises(errors.ToleranceError, match=r"expected 1 by differences, got 1\.0005"):
        cr.primitive(lambda x: x**2, partials=lambda x: 2.001 * x, samples=[(0.5,)])
    with pytest.raises(errors.ToleranceError, match=r"of result\[1\] with respect to x\[0\]"):
        cr.primitive(
            lambda x: np.cumsum(x), transposed=lambda g: np.cumsum(g), samples=[(np.ones(2),)]
        )


def test_a_surrogate():
    step = cr.primitive(
        lambda x: np.heaviside(x, 1.0),
        partials=lambda x: 1 / (1 + x * x),
        surrogate="a smooth slope for a step",
        samples=[(0.5,)],
    )
    assert float(cr.grad(step)(1.0)) == 0.5
    assert "surrogate: a smooth slope for a step" in cr.explain(step, 1.0).table()


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ({}, "states no rule"),
        ({"partials": lambda x: x, "jvp": lambda t: t}, "states partials and jvp"),
        ({"jvp": lambda x: x}, "does not begin with t"),
        ({"partials": (lambda x: x, lambda x: x)}, "has 1 inputs and 1 outputs"),
        ({"partials": lambda x2: x2}, "reads 'x2'"),
        ({"partials": lambda x, k: x}, "reads 'k'"),
    ],
)
def test_rules_that_no_record_can_be_made_of(rules, sentence):
    with pytest.raises(errors.RuleError, match=sentence):
        cr.primitive(lambda x: x, **rules, samples=[(1.0,)])


def test_options_have_to_be_named():
    with pytest.raises(errors.RuleError, match="write them out"):
        cr.primitive(lambda x, **rest: x, partials=lambda: 1.0, samples=[(1.0,)])
