"""What the tracker of HIPS autograd lists, or listed, as wrong or missing, and what happens here.

The numbers are those of github.com/HIPS/autograd/issues. Each expected value is worked out by hand
or taken from another formula, not from a library.
"""

import numpy as np
import pytest

import chainrule as cr
import chainrule.numpy as cnp


def close(got, expected):
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


def test_93_378_products_with_a_zero():
    close(cr.grad(np.prod)(np.array([0.0, 1.0])), [1.0, 0.0])
    close(cr.grad(np.prod)(np.array([0.0, 3.0, 0.0])), [0.0, 0.0, 0.0])
    close(cr.elementwise_grad(np.prod)(np.array([0.0])), [1.0])
    close(cr.jacobian(lambda x: np.array([x[0], x.prod()]))(np.array([0.0, 2.0])), [[1, 0], [2, 0]])
    close(cr.hessian(np.prod)(np.array([0.0, 0.0, 2.0])), [[0, 2, 0], [2, 0, 0], [0, 0, 0]])


def test_151_183_586_norm_at_zero():
    close(cr.grad(lambda x: np.linalg.norm(x) ** 2)(np.zeros(3)), np.zeros(3))
    close(cr.grad(np.linalg.norm)(np.zeros(2)), np.zeros(2))
    close(cr.grad(lambda x: np.exp(-(np.linalg.norm(x) ** 2)))(np.zeros((2, 1))), np.zeros((2, 1)))


def test_58_177_375_559_writes_into_arrays():
    def filled(param):
        res = cnp.zeros(5)
        for m in range(5):
            res[m] = np.sum(param[m] * param[0])
        return np.sum(res)

    x = np.arange(15.0).reshape(5, 3)
    expected = np.repeat(x[:1], 5, axis=0)
    expected[0] += np.sum(x, axis=0)
    close(cr.grad(filled)(x), expected)

    def block(a):
        b = cnp.zeros((4, 4))
        b[:2, :2] = a
        return b.sum()

    close(cr.grad(block)(np.eye(2)), np.ones((2, 2)))

    def system(b):
        c = cnp.zeros(2)
        c[0] = b[0] * b[0]
        c[1] = b[1] * b[0] + b[2]
        return c

    close(cr.jacobian(system)(np.array([1.0, 2.0, 2.0])), [[2, 0, 0], [2, 1, 1]])


def test_515_arrays_of_traced_numbers():
    def inverse(p):
        k = np.array([[p[0], p[1]], [0.0, p[2]]])
        return np.sum(cnp.linalg.inv(cnp.array(k)) @ np.array([1.0, 2.0]))

    # the inverse of [[a, b], [0, d]] is [[1/a, -b/(a d)], [0, 1/d]]
    a, b, d = p = np.array([2.0, 0.5, 4.0])
    expected = [(-1 + 2 * b / d) / a**2, -2 / (a * d), 2 * b / (a * d**2) - 2 / d**2]
    close(cr.grad(inverse)(p), expected)


def test_556_a_solver_of_ones_own():
    """Conjugate gradients with a stopping rule, column by column into an array."""

    def solve(A, b, x):
        r = b - A @ x
        p = r
        for _ in range(10):
            step = np.dot(r, r) / np.dot(p, A @ p)
            x, new = x + step * p, r - step * (A @ p)
            if np.linalg.norm(new) < 1e-14:
                break
            p, r = new + np.dot(new, new) / np.dot(r, r) * p, new
        return x

    def f(d):
        A = np.array([[2.0, 0.5], [0.5, 3.0]]) + np.diag(d)
        X = cnp.zeros((2, 2))
        for k in range(2):
            X[:, k] = solve(A, np.eye(2)[k], np.zeros(2))
        return np.sum(X**2)

    d = np.array([0.3, 0.7])
    inverse = np.linalg.inv(np.array([[2.0, 0.5], [0.5, 3.0]]) + np.diag(d))
    close(cr.grad(f)(d), np.diag(-2 * inverse @ inverse @ inverse))


def test_608_methods_of_arrays():
    x, c = np.array([1.0, 3.0, 4.0]), np.array([0.2, 0.6, 0.1])
    close(cr.grad(lambda x: x.dot(c))(x), c)
    close(cr.grad(lambda x: c.dot(np.ones(3)) * x.std())(x), 0.9 * (x - x.mean()) / 3 / x.std())


def test_416_436_numpy_as_it_is_imported_everywhere():
    def network(w):
        hidden = 1.0 / (1.0 + np.exp(-(np.ones(2) @ w)))
        return hidden.dot(np.ones(3))

    close(cr.grad(network)(np.zeros((2, 3))), np.full((2, 3), 0.25))


def test_8_the_other_array_may_have_the_method():
    """An array's own method does not ask the traced one; the gradient must not be zero unseen."""
    w = np.arange(5.0)
    close(cr.grad(lambda x: w.T.dot(x))(np.ones(5)), w)
    close(cr.grad(lambda x: w.T @ x)(np.ones(5)), w)
    close(cr.grad(lambda x: np.tensordot(w, x, axes=1))(np.ones(5)), w)


def test_418_eigenvalues_alone():
    found = cr.grad(lambda x: np.linalg.eigvalsh(np.ones((10, 10)) + x * np.eye(10)).sum())(0.5)
    close(found, 10.0)


def test_257_running_products():
    x = np.array([2.0, 0.0, 3.0])
    expected = [[1, 0, 0], [0, 2, 0], [0, 6, 0]]
    close(cr.jacobian(np.cumprod)(x), expected)


def test_459_arrays_have_the_dtype_of_their_numbers():
    seen = []

    def f(x):
        a = cnp.array([x[0], x[1] ** 2])
        seen.append(a.dtype)
        return np.sum(a)

    cr.grad(f)(np.ones(2))
    assert seen == [np.dtype(float)]


def test_524_the_whole_jacobian_in_forward_mode():
    def f(x):
        return np.outer(x, x)[:, :2] @ np.ones(2)

    x = np.array([1.0, 2.0, 3.0])
    close(cr.jacobian(f, mode="forward")(x), cr.jacobian(f, mode="reverse")(x))


def test_577_a_complex_function_of_a_real_number():
    close(cr.jvp(lambda x: (x + 1j) * (x + 1j), (1.0,), (1.0,))[1], 2 + 2j)


def test_77_division_in_place_by_complex_numbers():
    def f(x, in_place):
        z = np.exp(1j * np.linspace(0, 3, 10))
        p = np.exp(1j * x - 0.1)
        h = z + 1.0
        if in_place:
            h = h * (1 + 0 * x)
            h /= (z - p) * (z - np.conj(p))
        else:
            h = h / ((z - p) * (z - np.conj(p)))
        return np.mean(np.abs(h))

    close(cr.grad(f)(0.1, True), cr.grad(f)(0.1, False))


def test_163_single_precision_stays():
    got = cr.grad(lambda x: np.sum(x**2))(np.ones((2, 2), np.float32))
    assert got.dtype == np.float32


def test_71_indices_computed_from_arrays():
    def f(W, where):
        W = np.concatenate((W, where), axis=1)
        return np.sum(W[:, :-1][np.int64(1) * W[:, -1].astype(int)])

    close(cr.grad(f)(np.ones((3, 2)), np.ones((3, 1))), [[0, 0], [3, 3], [0, 0]])


def test_396_the_branch_that_where_leaves_out():
    x = np.array([-1.0, 0.0, 4.0])
    with np.errstate(all="ignore"):  # NumPy warns of the branch that is not taken
        close(cr.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)))(x), [0, 0, 0.25])
        close(cr.grad(lambda x: np.sum(np.where(x > 0, np.log(x), x)))(x), [1, 1, 0.25])


def test_441_pad_as_people_call_it():
    close(cr.grad(lambda x: np.sum(np.pad(x, ((1, 1),), "constant") ** 2))(np.ones(2)), [2, 2])


def test_597_named_results_of_linear_algebra():
    """eigh reads the lower triangle alone, so the gradient is there alone, as differences say."""
    A = np.array([[2.0, 0.5], [0.5, 1.0]])
    close(cr.grad(lambda A: np.sum(np.linalg.eigh(A).eigenvalues ** 2))(A), [[4, 0], [2, 2]])


def test_both_modes_of_linear_algebra():
    """Forward rules that autograd does not have."""
    A = np.array([[2.0, 0.5], [0.5, 1.0]])
    T = np.array([[1.0, -1.0], [-1.0, 0.5]])
    inverse = np.linalg.inv(A)
    close(cr.jvp(np.linalg.inv, (A,), (T,))[1], -inverse @ T @ inverse)
    close(cr.jvp(np.linalg.det, (A,), (T,))[1], np.linalg.det(A) * np.trace(inverse @ T))
    L = np.linalg.cholesky(A)
    M = cr.jvp(np.linalg.cholesky, (A,), (T,))[1]
    close(M @ L.T + L @ M.T, T)
    for f in (np.linalg.svd, np.linalg.eigh):
        values = next(k for k, y in enumerate(f(A)) if y.ndim == 1)
        h = 1e-6
        slope = (f(A + h * T)[values] - f(A - h * T)[values]) / (2 * h)
        moved = cr.jvp(lambda A, f=f, k=values: f(A)[k], (A,), (T,))[1]
        np.testing.assert_allclose(moved, slope, rtol=1e-8)  # what central differences leave


def test_the_logarithm_of_a_saturated_probability():
    """∞ from the logarithm meets 0 from tanh; it stops autograd's own logistic regression."""

    def loss(x):
        return -np.sum(np.log(0.5 * (np.tanh(x) + 1)))

    with np.errstate(divide="ignore"):  # NumPy warns of log(0)
        close(cr.grad(loss)(np.array([-30.0, 0.0])), [0.0, -1.0])
    close(cr.elementwise_grad(cr.elementwise_grad(np.tanh))(np.array([-800.0, 0.0])), [0.0, 0.0])


def test_the_spread_of_equal_numbers():
    close(cr.grad(np.std)(np.ones(3)), np.zeros(3))
    close(cr.grad(lambda x: np.sum(np.std(x, axis=1)))(np.ones((2, 3))), np.zeros((2, 3)))


@pytest.mark.parametrize("f", [np.sin, lambda x: x**2, np.square])
def test_482_whole_numbers_are_refused_in_a_sentence(f):
    with pytest.raises(TypeError, match=r"are integers .* pass floating point, such as 3\.0"):
        cr.grad(f)(2)
