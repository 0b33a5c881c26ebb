"""What check_grads accepts, what it prints, and whom it blames.

Wrong rules are the business of tests/selftest; here a derivative is wrong by `stop_gradient`, by a
kink or by a branch, and no rule is.
"""

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors


def refused(f, args, **options):
    with pytest.raises(errors.ToleranceError) as caught:
        cr.check_grads(f, args, **options)
    return str(caught.value)


def test_accepts_a_layer_over_trees_in_every_mode(rng):
    def layer(parameters, x):
        hidden = np.maximum(x @ parameters["W"] + parameters["b"], 0.1 * x[:, :1])
        return [np.log(np.sum(np.exp(hidden), axis=1)), {"norm": np.sqrt(np.sum(hidden**2))}]

    parameters = {"W": rng.normal(size=(3, 4)), "b": rng.normal(size=4)}
    cr.check_grads(layer, (parameters, rng.normal(size=(5, 3))))


def test_accepts_complex_functions(rng):
    z = rng.normal(size=3) + 1j * rng.normal(size=3)
    cr.check_grads(lambda z: (z * np.conj(z[::-1]), np.abs(np.exp(z))), (z,))


def test_accepts_single_precision(rng):
    """The differences run in float64, so float32 code is not refused for its rounding."""
    x = rng.normal(size=(30, 30)).astype(np.float32)
    cr.check_grads(lambda x: np.sum(np.tanh(x @ x)), (x,))


def test_accepts_numbers_of_very_different_size():
    cr.check_grads(lambda x, y: np.log(x) * y**2, (np.array([1e-2, 1e3]), np.array([1e5, 1e-5])))


def test_accepts_functions_that_are_finite_only_near_the_point():
    cr.check_grads(lambda x: np.sum(np.sqrt(1.0 - x**2)), (np.array([0.9999, 0.5]),))


def test_accepts_derivatives_that_drown_in_the_rounding_of_larger_numbers():
    """1 - tanh(12)² is 1e-10 with an error of 1e-16: six digits, and all of them right."""
    cr.check_grads(np.tanh, (12.0,))
    cr.check_grads(lambda x: (1e6 + x) - 1e6, (0.3,))


def test_third_order():
    cr.check_grads(lambda x: np.sum(np.sin(x) * x[::-1]), (np.array([0.3, 1.2]),), order=3)


def test_the_report_of_a_right_function(capsys):
    cr.check_grads(np.cosh, (np.array([0.5, 1.0]),))
    assert capsys.readouterr().out == (
        "check_grads of cosh: 2 numbers in, 2 out\n"
        "  forward               right\n"
        "  reverse               right\n"
        "  forward over forward  right\n"
        "  reverse over forward  right\n"
        "  forward over reverse  right\n"
        "  reverse over reverse  right\n"
    )


def test_modes_and_order_choose_what_is_checked(capsys):
    cr.check_grads(np.cosh, (0.5,), modes=("reverse",), order=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[1] for line in lines[1:]] == ["reverse", "reverse over reverse"]
    cr.check_grads(np.cosh, (0.5,), modes="forward", order=1)
    assert capsys.readouterr().out.count("right") == 1


def test_the_message_is_printed_too(capsys):
    message = refused(lambda x: x * cr.stop_gradient(x), (3.0,))
    assert message in capsys.readouterr().out


def test_the_entry_is_named_as_in_the_code():
    def loss(parameters, x):
        weights = parameters["W"]
        held = cr.stop_gradient(weights[1, 0]) - weights[1, 0]  # cuts exactly one entry
        return {"scores": x @ weights + held * x[2]}

    parameters = {"W": np.arange(6.0).reshape(3, 2), "b": np.zeros(2)}
    message = refused(loss, (parameters, np.array([2.0, 3.0, 5.0])), order=1)
    assert "with respect to parameters['W'][1, 0]: expected" in message
    assert "the derivative of result['scores'][" in message


def test_expected_got_and_how_many():
    x = np.array([1.0, 2.0, 3.0])
    message = refused(lambda x: x[0] ** 2 + x[1] * cr.stop_gradient(x[1]), (x,), order=1)
    assert (
        "reverse: the derivative of result with respect to x[1]: expected 4 by differences, "
        "got 2, off by 2 (50 %); 1 of 3 entries differ"
    ) in message


def test_stop_gradient_is_told_with_its_line():
    def f(x):
        return x * cr.stop_gradient(x)

    message = refused(f, (3.0,))
    place = f"test_check_grads.py:{f.__code__.co_firstlineno + 1}"
    assert f"no rule is wrong, but stop_gradient at {place} lets no derivative pass" in message


def test_a_kink_is_not_blamed_on_a_rule():
    message = refused(lambda x: np.sum(np.where(x > 0, x, 0.0)), (np.array([1.0, 0.0]),))
    assert "expected 0.5 by differences, got 0" in message
    assert "no single rule is to blame: the function has a kink here, slope 0 on one" in message
    assert "conventions" in message


def test_a_singularity_is_not_blamed_on_a_rule():
    message = refused(lambda x: np.sqrt(x), (0.0,))
    assert "no single rule is to blame: sqrt at test_check_grads.py:" in message
    assert "a kink or a singularity" in message


def test_a_branch_is_told_with_its_line():
    def f(x):
        if x[0] > 0:
            return 2.0 * x[0]
        return x[0] ** 2

    message = refused(f, (np.array([0.0, 1.0]) + 1e-12,))
    assert f"reads values at test_check_grads.py:{f.__code__.co_firstlineno + 1}" in message


def test_a_value_that_is_not_finite_is_told():
    assert "result is -inf at this point" in refused(lambda x: np.log(x), (0.0,)).replace(
        " of <lambda>", ""
    )


def test_a_function_that_is_not_reproducible_is_told(rng):
    assert "gives another value when it is called again" in refused(
        lambda x: x * rng.normal(), (1.0,)
    )


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_one_wrong_entry_among_thousands_of_inputs_is_found(mode):
    def f(x):
        held = cr.stop_gradient(x[4321]) - x[4321]
        return np.sum(x**2) + held * 0.5

    message = refused(f, (np.linspace(1.0, 2.0, 5000),), modes=mode, order=1)
    assert "with respect to x[4321]" in message


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_one_wrong_entry_among_thousands_of_outputs_is_found(mode):
    def f(x):
        weights = np.zeros(5000)
        weights[4321] = 1.0
        return np.linspace(1.0, 2.0, 5000) * x[0] + weights * (cr.stop_gradient(x[1]) - x[1])

    message = refused(f, (np.array([1.0, 2.0]),), modes=mode, order=1)
    assert "the derivative of result[4321] with respect to x[1]" in message


def test_a_looser_tolerance_accepts_what_a_tighter_one_refuses():
    def f(x):
        return x**2 + 1e-4 * cr.stop_gradient(x)

    cr.check_grads(f, (1.0,), order=1, tolerance=1e-3)
    assert "off by 0.0001" in refused(f, (1.0,), order=1, tolerance=1e-6)


def test_the_step_is_the_callers():
    """A step of 3 across sin has nothing of its slope left."""
    cr.check_grads(np.sin, (1.0,), order=1, step=1e-3)
    assert "sin" in refused(np.sin, (1.0,), order=1, step=3.0, tolerance=1e-6)


def test_what_cannot_be_checked_is_told():
    with pytest.raises(ValueError, match="modes are"):
        cr.check_grads(np.sin, (1.0,), modes=("backward",))
    with pytest.raises(ValueError, match="modes are"):
        cr.check_grads(np.sin, (1.0,), modes=())
    with pytest.raises(ValueError, match="order counts from 1"):
        cr.check_grads(np.sin, (1.0,), order=0)
    with pytest.raises(errors.InputError, match="one tuple"):
        cr.check_grads(np.sin, 1.0)
    with pytest.raises(errors.InputError, match="integers"):
        cr.check_grads(np.sin, (1,))
    with pytest.raises(errors.OutputError, match="returns no floating point number"):
        cr.check_grads(np.isnan, (1.0,))


def test_a_function_that_returns_another_dtype_where_it_is_differentiated():
    def f(x):
        return x * (1j if isinstance(x, np.ndarray) else 1.0)

    for modes in ("forward", "reverse"):
        message = refused(f, (np.ones(2),), modes=modes)
        assert "returns complex128[2] for plain arrays, and float64[2] where" in message
