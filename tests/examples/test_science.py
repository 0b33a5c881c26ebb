"""The scientific examples run, stay short, and find what is known to be true."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import multivariate_normal

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = (
    "hamiltonian_monte_carlo",
    "kalman_filter",
    "ode_parameter_fit",
    "spline_fit",
    "wave_simulation",
)


@pytest.fixture
def example():
    def load(name):
        spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.mark.parametrize("name", NAMES)
def test_it_fits_on_a_page_and_says_what_it_shows(name):
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    assert text.startswith('"""')
    assert 'if __name__ == "__main__":\n    main()\n' in text


def test_rates_of_predators_and_prey(example, capsys):
    module = example("ode_parameter_fit")
    found, errors, misfit = module.main()
    assert np.all(np.abs(found - module.TRUE_RATES) < 3 * errors)
    assert np.all(errors < 0.02 * module.TRUE_RATES)
    assert 0.6 < misfit < 1.5  # χ² per measurement of 48 measurements, four times its spread
    assert "birth: 1.00" in capsys.readouterr().out


def test_knots_find_the_bump(example):
    errors = example("spline_fit").main()
    assert errors["moved"] < 0.5 * errors["fixed"]
    assert errors["moved"] < 0.02  # 200 samples with noise 0.03, 17 parameters: about 0.009


def test_speeds_of_three_layers(example):
    module = example("wave_simulation")
    np.testing.assert_allclose(module.main(), module.TRUE_SPEEDS, rtol=1e-5)


def test_the_chain_finds_the_posterior(example):
    """3,000 draws, a few times fewer independent ones: means to a tenth of a deviation."""
    mean, covariance, exact_mean, exact = example("hamiltonian_monte_carlo").main()
    deviations = np.sqrt(np.diag(exact))
    np.testing.assert_array_less(np.abs(mean - exact_mean), 0.15 * deviations)
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), deviations, rtol=0.15)


def test_noise_levels_of_a_track(example):
    module = example("kalman_filter")
    levels, errors, logs, places = module.main()
    assert np.all(np.abs(levels - module.TRUE) < 3 * errors)
    short = places[:12]
    covariance = np.zeros((12, 12))
    state = np.zeros((2, 2))
    across = []  # Cov(state k, state j) = (motion)^(k - j) Cov(state j)
    for k in range(12):
        across = [module.MOTION @ c for c in across]
        state = module.MOTION @ state @ module.MOTION.T + levels[0] ** 2 * module.SHAKE
        across.append(state)
        covariance[k, : k + 1] = covariance[: k + 1, k] = [c[0, 0] for c in across]
    covariance += levels[1] ** 2 * np.eye(12)
    np.testing.assert_allclose(
        module.negative_log_likelihood(logs, short),
        -multivariate_normal(np.zeros(12), covariance).logpdf(short),
        rtol=1e-12,
    )


def test_importing_an_example_runs_nothing(example, capsys):
    for name in NAMES:
        example(name)
    assert capsys.readouterr().out == ""
    assert not set(NAMES) & set(sys.modules)
