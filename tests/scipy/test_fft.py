"""Cosine and sine transforms in every type and norm, and the Fourier transforms of NumPy."""

import pytest
import scipy.fft

from chainrule.scipy import fft

NORMS = (None, "ortho", "forward")


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("type", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["dct", "idct", "dst", "idst"])
def test_real_transforms(agrees, rng, name, type, norm):
    ours, theirs = getattr(fft, name), getattr(scipy.fft, name)
    x = rng.normal(size=(3, 4))
    agrees(ours, theirs, x, type=type, norm=norm)
    agrees(ours, theirs, x, type=type, norm=norm, n=5, axis=0)
    agrees(ours, theirs, x, type=type, norm=norm, n=3)


@pytest.mark.parametrize("orthogonalize", [True, False])
@pytest.mark.parametrize("type", [1, 2, 3])
def test_orthogonal_ends_apart_from_the_norm(agrees, rng, type, orthogonalize):
    for norm in NORMS:
        options = {"type": type, "norm": norm, "orthogonalize": orthogonalize}
        agrees(fft.dct, scipy.fft.dct, rng.normal(size=4), **options)


@pytest.mark.parametrize("name", ["dctn", "idctn", "dstn", "idstn"])
def test_several_axes(agrees, rng, name):
    ours, theirs = getattr(fft, name), getattr(scipy.fft, name)
    x = rng.normal(size=(2, 3, 4))
    agrees(ours, theirs, x)
    agrees(ours, theirs, x, s=(3, 2), axes=(0, 2), norm="ortho")
