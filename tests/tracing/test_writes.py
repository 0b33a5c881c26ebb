"""In-place writes: what they do to values, views and derivatives, against the same code on NumPy.

Each program takes `x` (and `w`), writes into arrays it makes from them, and returns what the writes
left behind, old copies included.
"""

import numpy as np
import pytest

import chainrule as cr
import chainrule.numpy as cnp
from chainrule import errors
from chainrule.transforms.trace import record

X = np.array([[0.4, -1.2, 2.0, 0.7], [1.5, 0.3, -0.6, 1.1], [-0.9, 0.8, 0.2, -1.4]])
W = np.array([1.3, -0.4, 0.9, 0.6])


def entry(x, w):
    y = x.copy()
    y[1, 2] = w[0] * x[0, 0]
    return y * x


def several_entries(x, w):
    y = x * 1.0
    y[0] = w
    y[:, 1] = 2.0
    y[-1, ::2] = x[0, :2] ** 2
    y[..., 3] = w[1]
    return y


def broadcast_value(x, w):
    y = np.zeros_like(x)
    y[:] = w
    y[1:] += w * x[1:]
    y[:, :2] = x[:, :1]
    return y


def list_value(x, w):
    y = np.zeros_like(x)
    y[0] = [w[0], 2.0, x[1, 1], 0]
    y[1:, 0] = (w[1], x[0, 0] * x[0, 1])
    return y


def whole_numbers(x, w):
    y = x * w
    y[0] = np.array([1, 2, 3, 4])
    y[1, [0, 2]] = np.array([5, 6])
    y[1, 1] = np.int64(3)
    y[2, 1:] = [7, 8, 9]
    y[x > 1] = True
    y[2] += np.arange(4)
    np.copyto(y[0], np.arange(4), where=np.array([True, False, False, True]))
    return y * x


def mask(x, w):
    y = x + w
    y[x > 0.5] = 0.0
    y[y < -1] *= 2
    y[:, np.array([True, False, True, False])] = w[:1]
    return y * x


def mask_with_values(x, w):
    y = np.zeros_like(x)
    y[x > 0] = x[x > 0] ** 2
    y[x <= 0] = np.exp(x[x <= 0])
    return y


def fancy(x, w):
    y = x.copy()
    y[[2, 0]] = x[:2] * w
    y[[0, 1], [3, 2]] = w[:2]
    y[np.array([[0], [1]]), np.array([0, 1])] = x[1:, 2:]
    return y


def repeated_positions_take_the_last(x, w):
    y = x.copy()
    y[0, [1, 2, 1, 1]] = w * x[0]
    y[[2, 2]] = x[:2]
    return y


def repeated_positions_add_once(x, w):
    y = x.copy()
    y[0, [1, 1, 2]] += w[:3] * x[1, :3]
    return y


def add_at(x, w):
    y = x.copy()
    np.add.at(y, (0, [1, 1, 2]), w[:3] * x[1, :3])
    np.subtract.at(y, [2, 2], w)
    np.add.at(y, (slice(None), 0), 1.0)
    np.multiply.at(y, (1, [0, 3]), w[:2])
    np.add.at(y, [1, 1], [1.0, 2.0, 3.0, 4.0])
    return y


def augmented(x, w):
    y = x.copy()
    y += w
    y *= 2
    y -= x[0]
    y /= 1 + x**2
    y **= 2
    y[1] *= w
    y[:, 0] -= 1
    y[2, 3] **= 3
    y[0, 1] /= w[0]
    return y


def augmented_remainders(x, w):
    y = np.abs(x) + 1.05
    y %= 0.7
    z = np.abs(x) + 1.05
    z //= 0.7
    return y + z * w


def matmul_in_place(x, w):
    y = x[:, :3].copy()
    y @= x[:, 1:]
    return y


def out_of_ufuncs(x, w):
    y = np.zeros_like(x)
    back = np.add(x, w, out=y)
    np.multiply(y, x, out=y)
    np.exp(y[0], out=y[1])
    np.sin(x[2], y[2])
    z = np.zeros_like(x)
    np.add(1.0, w, out=(z,))
    return back * z


def out_of_functions(x, w):
    y = np.zeros_like(x)
    np.sum(x, axis=0, out=y[0])
    np.mean(x, 0, None, y[1])
    np.clip(x[0], -1.0, 1.0, out=y[2])
    x.cumsum(axis=1, out=y[:, :])
    np.dot(x, np.eye(4), y)
    np.take(x, [0, 1, 2, 3], axis=1, out=y)
    np.concatenate([x[:1], x[1:]], out=y)
    z = np.zeros(3, like=x)
    np.max(x, 1, z)
    x.sum(1, None, z)
    np.add.reduce(x, axis=1, out=z)
    np.einsum("ij,j->i", x, w, out=z)
    return y, z


def where_of_ufuncs(x, w):
    y = x * 2
    np.log(x, out=y, where=x > 0)
    np.sqrt(x, where=x > 0, out=y)
    z = np.zeros_like(x)
    np.divide(w, x, out=z, where=np.abs(x) > 0.5)
    return y * z


def writing_functions(x, w):
    y = np.zeros_like(x)
    np.copyto(y, w)
    np.copyto(y, x, where=x > 0)
    np.put(y, [0, 5], [w[0], 2.0])
    np.putmask(y, x > 1, w * x)
    np.fill_diagonal(y, w[:3])
    np.put_along_axis(y, np.array([[1], [2], [0]]), x[:, :1], axis=1)
    return y


def fill(x, w):
    y = np.empty_like(x)
    y.fill(w[0])
    y.flat[3] = x[0, 0]
    z = x.copy()
    z.flat = 2 * w[1]
    z.sort()
    return y * w + z


def sorted_in_place(x, w):
    y = x * w
    y.sort()
    z = x.copy()
    z.sort(axis=0)
    return y * z


def slices_of_slices(x, w):
    y = x.copy()
    v = y[1:][:, 1:][::-1]
    v[0] = w[:3]
    v[:, 0] *= 2
    return y, v


def row_views(x, w):
    y = x.copy()
    for k, row in enumerate(y):
        row *= k + 1
        row[k] = w[k]
    for row, other in zip(y, x, strict=True):
        row += other
    return y


def transposed_views(x, w):
    y = x.copy()
    y.T[0] = w[0]
    np.transpose(y)[1, 2] = w[1]
    y.swapaxes(0, 1)[2] *= 3
    np.moveaxis(y[None], 0, -1)[0, 3, 0] = w[2] * x[0, 0]
    np.rollaxis(y, 1)[3][:2] = w[:2]
    y.mT[3, 2] = 7.0
    return y


def reshaped_views(x, w):
    y = x.copy()
    y.reshape(-1)[5] = w[0]
    y.reshape(2, 6)[1] *= w[1]
    np.reshape(y, (6, 2))[:, 1] += 1
    y.ravel()[0] = w[2]
    np.ravel(y)[-1] = w[3]
    y[:, None].squeeze()[1, 1] = 4.0
    np.expand_dims(y, 0)[0, 2, 2] = w[0] * w[1]
    np.squeeze(y[None])[0, 3] *= 2
    np.atleast_2d(y)[0, 1] = 5.0
    return y


def views_by_cutting(x, w):
    y = x.copy()
    left, right = np.split(y, 2, axis=1)
    left *= 2
    right[0] = w[:2]
    np.flip(y)[0, 0] = 3.0
    np.flipud(y)[0, 1] = w[1]
    np.array_split(y, 2)[1][:] += x[2]
    return y * right.sum()


def copies_are_not_views(x, w):
    y = x.copy()
    y.flatten()[0] = 100.0
    y.T.reshape(-1)[1] = 100.0
    y.T.ravel()[2] = 100.0
    y[[0, 1]][0] = 100.0
    y[x > 0][0] = 100.0
    np.take(y, 0, axis=0)[0] = 100.0
    np.tile(y, 1)[0] = 100.0
    np.concatenate([y])[0] = 100.0
    np.clip(y, None, 1e9)[0] = 100.0
    np.conj(y)[0] = 100.0
    np.round(y)[0] = 100.0
    np.prod(y[:, :1], axis=1)[0] = 100.0
    np.repeat(y, 1)[0] = 100.0
    np.broadcast_to(y, (2, 3, 4)).copy()[0] = 100.0
    y.astype(float)[0] = 100.0
    np.positive(y)[0] = 100.0
    (+y)[0] = 100.0
    np.array(y, like=y)[0] = 100.0
    np.sum(y[None], axis=0)[0] = 100.0
    return y * w


def aliases_are_the_same_array(x, w):
    y = x.copy()
    z = y
    z[0] = w
    y.real[1] = w
    np.asarray(y, like=y)[2, 0] = w[0]
    y.astype(float, copy=False)[2, 1] = 5.0
    z += 1
    return y * z


def base_writes_are_seen_by_views(x, w):
    y = x.copy()
    row, column, flat, turned = y[1], y[:, 2], y.reshape(-1), y.T
    diagonal, wide = np.diagonal(y), np.broadcast_to(y, (2, 3, 4))
    y[1] = w
    y *= 2
    return row, column * x[:, 0], flat, turned, diagonal, wide


def view_writes_are_seen_by_all(x, w):
    y = x.copy()
    row, column, flat = y[1], y[:, 2], y.reshape(4, 3).T.reshape(-1)
    part = y[1:, 1:]
    row[2] = w[0]
    column += x[:, 0]
    part[0] = w[1:]
    first = row * 2
    part *= part
    return y, row, column, flat, part, first


def old_copies_keep_their_values(x, w):
    y = x.copy()
    copy, double, row = y.copy(), y * 2, y[0] + 0
    y[0] = w
    later = y.copy()
    y[1] = 0.0
    return copy * x, double, row, later, y


def overlap(x, w):
    y = x.copy()
    y[:, 1:] = y[:, :-1]
    y[:-1] += y[1:]
    y[0, ::-1] = y[0]
    y.T[...] = y.T * 2
    return y


def self_assignment(x, w):
    y = x.copy()
    y[...] = y
    y[1] = y[1]
    y[1:] = y[1:]
    return y


def views_without_dimensions(x, w):
    y = x.copy()
    one = y[0, 1, ...]
    one += 2.0
    one[...] = one * w[0]
    other = y[2:, 3:].reshape(())
    other *= 3
    squeezed = y[1:2, 1:2].squeeze()
    y[1, 1] = w[1]
    return y, one, other, squeezed


def zero_dimensional_target(x, w):
    y = np.zeros((), like=x)
    y[...] = w[0]
    y[()] = y * x[0, 0]
    return y * 1


def fill_loop(x, w):
    y = np.zeros(5, like=x)
    y[0] = x[0, 0]
    for k in range(1, 5):
        y[k] = np.sin(y[k - 1]) * w[k - 1] + x[1, k - 1]
    return y


def fill_two_dimensions(x, w):
    y = np.zeros((3, 4), like=w)
    for i in range(3):
        for j in range(4):
            y[i, j] = x[i, j] * w[j] if x[i, j] > 0 else w[j]
    return y


def accumulate_in_loop(x, w):
    total = np.zeros_like(w)
    for row in x:
        total += row * w
        total[0] = total[0] ** 2
    return total


def created_like(x, w):
    parts = [
        np.ones(4, like=x),
        np.empty((2, 2), like=x),
        np.full(4, 2.0, like=x),
        np.eye(2, 4, like=x),
        np.identity(4, like=x),
        np.ones_like(w),
        np.full_like(x, 3.0),
        np.full_like(x, w[0]),
        np.empty_like(w, shape=(2, 3)),
    ]
    for part in parts:
        part[-1] = w[1]
        part[0] = x[0, 1]
    return [part[[0, -1]] for part in parts]


def writes_to_the_argument(x, w):
    old = x * 1
    x[0] = w
    x *= 2
    w[1] = old[1, 1]
    return x * old, w


def condition_on_written_values(x, w):
    y = x.copy()
    for i in range(3):
        if y[i, 0] > 0:
            y[i] *= w
        y[(i + 1) % 3, 0] = y[i].sum()
    while y[0, 0] < 3:
        y[0, 0] = y[0, 0] * 2 + 1
    return y


def scalars_are_rebound(x, w):
    a = x[0, 0]
    b = a
    a += 1
    a *= w[0]
    c = x.sum()
    c -= b
    return x * a + b * c


def complex_parts(x, w):
    y = x + 1j * w
    y.real[0] = w
    y.imag *= 2
    y.real = y.real + 1
    y.imag[1, 2] = x[0, 0]
    np.real(y)[2] += w
    y[1] = 1j * y[2]
    return y


def deep_view_chain(x, w):
    y = x.reshape(-1) * 1
    v = y
    for _ in range(200):
        v = v[::-1].reshape(3, 4).T.T.reshape(12)
    v[0] = w[0]
    y[5] = w[1]
    return y, v * 2


def functions_of(names):
    return [value for name, value in names.items() if getattr(value, "__module__", None) == __name__]


PROGRAMS = [f for f in functions_of(dict(globals())) if f is not functions_of]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_values_and_derivatives(program, assert_derivatives):
    assert_derivatives(program, X, W)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_second_derivatives(program, assert_second_derivatives):
    assert_second_derivatives(program, X, W)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_recorded_programs_compute_the_same(program, leaves_of):
    recording = record(program, (X, W), {})
    found = [recording.values[edge] for edge in recording.graph.outputs]
    for a, b in zip(found, leaves_of(program(X.copy(), W.copy())), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_the_callers_arrays_are_never_changed(program, leaves_of):
    x, w = X.copy(), W.copy()
    cr.grad(
        lambda x, w: sum(np.sum(np.abs(leaf)) for leaf in leaves_of(program(x, w))), argnums=(0, 1)
    )(x, w)
    cr.jvp(program, (x, w), (x, w))
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(w, W)


def test_a_write_to_the_variable_leaves_its_gradient_that_of_the_value_passed_in():
    def f(x):
        x[0] = 5.0
        x[1] *= 3.0
        return np.sum(x**2)

    x = np.array([1.0, 2.0, 4.0])
    np.testing.assert_array_equal(cr.grad(f)(x), [0.0, 36.0, 8.0])
    np.testing.assert_array_equal(x, [1.0, 2.0, 4.0])


def test_the_same_array_passed_twice_is_two_variables():
    def f(x, y):
        x[0] = 0.0
        return np.sum(x * y)

    x = np.array([2.0, 3.0])
    g, h = cr.grad(f, argnums=(0, 1))(x, x)
    np.testing.assert_array_equal(g, [0.0, 3.0])
    np.testing.assert_array_equal(h, [0.0, 3.0])


# -- arrays made by chainrule.numpy ------------------------------------------------------------


def filled_by_chainrule_numpy(x, w):
    np = cnp
    arrays = [
        np.zeros((3, 4)),
        np.ones(4),
        np.empty((2, 4)),
        np.full(4, 2.0),
        np.full((2, 2), w[0]),
        np.eye(4),
        np.identity(3),
        np.linspace(0.0, 1.0, 5),
        np.arange(4.0),
        np.zeros_like(X),
        np.ones_like(W),
        np.full_like(W, 2.0),
        np.empty_like(X),
    ]
    for array in arrays:
        array[-1] = w[1]
        array[0] = x[0, 0] * w[2]
    total = np.zeros(4)
    for row in x:
        total += row * w
    return [*(array[[0, -1]] for array in arrays), total, np.array([w[0], x[1].sum(), 1.0])]


def test_arrays_of_chainrule_numpy_can_be_filled(assert_derivatives):
    assert_derivatives(filled_by_chainrule_numpy, X, W)


def test_chainrule_numpy_is_numpy_outside_of_transforms():
    for made, plain in (
        (cnp.zeros(3), np.zeros(3)),
        (cnp.full((2, 2), 3), np.full((2, 2), 3)),
        (cnp.arange(2, 8, 3), np.arange(2, 8, 3)),
        (cnp.array([[1, 2], [3, 4]], ndmin=3), np.array([[1, 2], [3, 4]], ndmin=3)),
        (cnp.asarray([1.5]), np.asarray([1.5])),
        (cnp.linspace(0, 1, 4), np.linspace(0, 1, 4)),
    ):
        assert type(made) is np.ndarray
        assert made.dtype == plain.dtype
        np.testing.assert_array_equal(made, plain)
    assert cnp.pi == np.pi
    assert cnp.linalg is np.linalg
    assert set(dir(np)) <= set(dir(cnp))


def test_integers_of_chainrule_numpy_stay_plain():
    def f(x):
        places = cnp.zeros(2, dtype=int)
        places[1] = 2
        assert type(cnp.arange(3)) is np.ndarray
        return np.sum(x[places])

    np.testing.assert_array_equal(cr.grad(f)(np.arange(3.0)), [1.0, 0.0, 1.0])


@pytest.mark.parametrize(
    "make",
    [
        lambda x: cnp.arange(x[0], x[1], x[2]),
        lambda x: cnp.arange(0.5, x[1]),
        lambda x: cnp.arange(x[1]),
        lambda x: cnp.linspace(x[0], x[1], 4),
        lambda x: cnp.asarray([[x[0], 2.0], [x[1], x[2]]]),
        lambda x: cnp.array([x, x * 2], ndmin=3),
        lambda x: cnp.array(x, dtype=np.complex128),
        lambda x: cnp.asarray(x, np.float64),
        lambda x: cnp.ascontiguousarray(x),
        lambda x: cnp.full((2, 3), x),
        lambda x: cnp.full_like(x, x[1]),
    ],
)
def test_creation_with_traced_values(make, assert_derivatives):
    assert_derivatives(make, np.array([0.3, 2.9, 0.7]))


def test_array_copies_and_asarray_does_not():
    def f(x):
        y = x * 1
        cnp.array(y)[0] = 7.0
        cnp.asarray(y)[1] = 7.0
        return y

    value, _ = cr.vjp(f, np.arange(3.0))
    np.testing.assert_array_equal(value, [0.0, 7.0, 2.0])


# -- dtype ----------------------------------------------------------------------------------------


def test_double_precision_written_into_single_is_rounded():
    x = np.array([0.1, 0.2])

    def f(x):
        y = np.zeros(2, dtype=np.float32, like=x)
        y[:] = x
        y += x
        np.multiply(x, 2.0, out=y, where=np.array([True, False]))
        return y

    value, pull = cr.vjp(f, x)
    assert value.dtype == np.float32
    np.testing.assert_allclose(value, [0.2, 0.4], rtol=1e-6)  # single precision
    (g,) = pull(np.ones(2, np.float32))
    assert g.dtype == np.float64
    np.testing.assert_allclose(g, [2.0, 2.0])


@pytest.mark.parametrize(
    "write",
    [
        lambda y, z: y.__setitem__(0, z[0]),
        lambda y, z: y.__setitem__(slice(None), z),
        lambda y, z: y.__iadd__(z),
        lambda y, z: y.__setitem__(slice(1), 1j),
        lambda y, z: np.multiply(z, z, out=y),
    ],
)
def test_complex_numbers_do_not_fit_into_a_real_array(write):
    def f(z):
        y = np.zeros(2, like=z)
        write(y, z)
        return np.sum(y)

    with pytest.raises(errors.WriteError, match=r"complex128 .* test_writes\.py:\d+ .* float64"):
        cr.grad(f)(np.array([1.0 + 1j, 2.0]))


def test_real_numbers_fit_into_a_complex_array(assert_derivatives):
    def f(x):
        y = np.zeros(3, dtype=complex, like=x)
        y[0] = x[0]
        y[1:] = 1j * x[1:]
        y *= x
        return y

    assert_derivatives(f, np.array([0.3, 1.2, -0.8]))


# -- refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "write",
    [
        lambda y: y.__setitem__(5, 1.0),
        lambda y: y.__setitem__(slice(None), np.ones(4)),
        lambda y: y.__iadd__(np.ones((2, 3))),
        lambda y: np.add(y, np.ones((2, 3)), out=y),
        lambda y: np.sum(np.ones((3, 2)) * y[0], axis=0, out=y),
        lambda y: y.__setitem__([0, 1], y),
        lambda y: np.broadcast_to(y, (2, 3)).__setitem__(0, 1.0),
        lambda y: np.diagonal(np.diag(y)).__setitem__(0, 1.0),
    ],
)
def test_what_numpy_refuses_is_refused_and_leaves_the_array(write):
    plain = np.arange(3.0)
    with pytest.raises((ValueError, IndexError)):
        write(plain)

    def f(x):
        y = x * 1
        with pytest.raises(errors.ChainruleError, match=r"test_writes\.py:\d+"):
            write(y)
        return y

    value, _ = cr.vjp(f, np.arange(3.0))
    np.testing.assert_array_equal(value, plain)


# -- levels -----------------------------------------------------------------------------------------


def test_writes_inside_a_derivative_inside_a_derivative():
    """f(x) = d/du Σ y² at u = x₁ with y = (x₀ u, u³): 2 x₀² u + 6 u⁵."""

    def f(x):
        def inner(u):
            y = np.zeros(2, like=x)  # belongs to the outer derivative until u is written into it
            y[0] = x[0] * u
            y[1] = u
            y[1] **= 3
            return np.sum(y**2)

        return cr.grad(inner)(x[1])

    a, b = 1.5, 0.7
    expected = [4 * a * b, 2 * a**2 + 30 * b**4]
    np.testing.assert_allclose(cr.grad(f)(np.array([a, b])), expected, rtol=1e-13)
    for mode in ("forward", "reverse"):
        found = cr.jacobian(f, mode=mode)(np.array([a, b]))
        np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_forward_mode_inside_reverse_mode_with_views():
    """g(x) = d/dt Σ row · (x + t)² over a written row, by jvp inside grad."""

    def g(x):
        def along(t):
            y = np.ones((2, 2), like=t)
            row = y[1]
            row *= x + t
            y[1, 0] *= x[0]
            return np.sum(row**2)

        return cr.jvp(along, (np.zeros(()),), (np.ones(()),))[1]

    x = np.array([0.6, -1.1])
    # Σ row² = x₀² (x₀ + t)² + (x₁ + t)², so g = 2 x₀³ + 2 x₁
    np.testing.assert_allclose(cr.grad(g)(x), [6 * 0.36, 2.0], rtol=1e-13)


def test_an_array_of_an_outer_derivative_written_by_an_inner_one_leaks_loudly():
    def outer(x):
        y = x * 1

        def inner(u):
            y[0] = u
            return np.sum(y * u)

        slope = cr.grad(inner)(1.0)
        return np.sum(y) * slope

    with pytest.raises(errors.LeakError, match=r"test_writes\.py:\d+"):
        cr.grad(outer)(np.ones(2))


def test_hand_made_dual_numbers_can_be_written():
    def f(x):
        y = np.zeros(2, like=x)
        y[0] = x * x
        y[1] = y[0] * x
        y *= 2
        return y[0] + y[1]

    found = f(cr.Dual(3.0, 1.0))
    assert (found.value, found.tangent) == (72.0, 66.0)


def test_checkpointed_functions_may_write():
    def block(h, w):
        y = np.zeros_like(h)
        y[1:] = h[:-1] * w
        y[0] = h[-1]
        return y

    def f(h, w, wrap):
        for _ in range(3):
            h = wrap(block)(h, w)
        return np.sum(h**2)

    h, w = np.array([0.5, -1.0, 2.0]), 0.8
    expected = cr.grad(f, argnums=(0, 1))(h, w, lambda g: g)
    found = cr.grad(f, argnums=(0, 1))(h, w, cr.checkpoint)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-14)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-14)


def test_long_chains_of_views_do_not_recurse():
    def f(x):
        y = x * 1
        v = y
        for _ in range(5000):
            v = v[::-1]
        y[0] = 3.0
        return np.sum(v * y)

    np.testing.assert_array_equal(cr.grad(f)(np.array([1.0, 2.0])), [0.0, 4.0])
