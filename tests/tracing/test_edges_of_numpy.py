"""Functions on shapes and dtypes at the edge: what NumPy computes is computed, what not is refused.

Empty arrays, arrays without dimensions, single entries, single precision, complex numbers.
"""

import warnings

import numpy as np
import pytest

import chainrule as cr
from chainrule import trees

SHAPES = [(0,), (), (1,), (1, 1), (0, 3), (3, 0), (2, 2), (5,), (3, 3, 2)]
DTYPES = [np.float64, np.float32, np.complex128]

CALLS = """
np.fft.fft(x); np.fft.ifft(x); np.fft.rfft(x); np.fft.irfft(x); np.fft.hfft(x); np.fft.ihfft(x)
np.fft.fft2(x); np.fft.fftn(x); np.fft.rfftn(x); np.fft.irfftn(x); np.fft.fftshift(x)
np.median(x); np.median(x, axis=0); np.median(x, axis=-1, keepdims=True); np.nanmedian(x)
np.quantile(x, 0.3); np.quantile(x, [0.3, 0.5], axis=0); np.nanquantile(x, 0.3, axis=-1)
np.percentile(x, [10, 50]); np.nansum(x); np.nanmean(x); np.nanvar(x); np.nanstd(x); np.nanmax(x)
np.nanmin(x, axis=-1); np.nanprod(x); np.nancumsum(x); np.nancumprod(x, axis=0)
np.nansum(x, axis=0, keepdims=True); np.partition(x, 0); np.sort(x, axis=None); np.sort_complex(x)
np.convolve(np.ravel(x), [1.0, 2.0]); np.correlate(np.ravel(x), [1.0, 2.0], "full")
np.interp(np.real(x), [0.0, 1.0, 2.0], [1.0, 5.0, 2.0]); np.gradient(x); np.trapezoid(x)
np.trapezoid(x, axis=0); np.unwrap(x); np.ediff1d(x); np.vander(x); np.i0(x); np.real_if_close(x)
np.select([x > 0, x < -1], [x, x * 2], 5.0); np.choose(np.zeros(np.shape(x), int), [x, x * 2])
np.piecewise(x, [x > 0], [np.sin, np.cos]); np.compress([True], x); np.extract(x > 0, x)
np.delete(x, 0); np.delete(x, []); np.insert(x, 0, 3.0); np.insert(x, [], []); np.resize(x, (2, 3))
np.trim_zeros(x); np.block([[x, x]]); np.block([x, x]); np.apply_along_axis(np.sum, -1, x)
np.apply_over_axes(np.sum, x, [0]); np.lib.stride_tricks.sliding_window_view(x, 1, axis=0)
np.unique(x); np.unique(x, return_inverse=True); np.unique(x, axis=0); np.unique_values(x)
np.union1d(x, [1.0, 2.0]); np.intersect1d(x, x); np.setdiff1d(x, [1.0]); np.setxor1d(x, [1.0])
np.histogram_bin_edges(x); np.histogram(x, 3)[0]; np.polyval([1.0, 2.0, 3.0], x); np.poly(x)
np.polyadd(np.ravel(x), [1.0, 2.0]); np.polymul(x, [1.0, 2.0]); np.polydiv([1.0, 2.0, 3.0], x)
np.roots(x); np.polyfit(np.arange(np.size(x)), np.ravel(x), 0); np.cross(x, x); np.linalg.eigvals(x)
np.emath.sqrt(x); np.emath.log(x); np.emath.power(x, 2); np.emath.arccos(x); np.emath.logn(2, x)
np.ldexp(x, 2); np.frexp(x); np.nextafter(x, 9.0); np.spacing(x); np.clip(x, -0.5, 0.5)
np.clip(x, np.nan, None); np.nan_to_num(x); np.modf(x); np.divmod(x, 2.0)
np.geomspace(np.abs(x) + 1, 9.0, 3); np.logspace(x, 2.0, 3); np.linspace(x, 2.0, 3)
np.linspace(x, 2.0, 1); np.linspace(x, 2.0, 0); np.pad(x, 1, constant_values=2.0)
np.pad(x, 1, "edge"); np.pad(x, 1, "wrap"); np.pad(x, 1, "reflect"); np.hypot.reduce(x)
np.logaddexp.reduce(x, axis=None); np.maximum.reduce(x, initial=0.0); np.add.reduceat(x, [0])
np.multiply.outer(x, x); np.logaddexp.accumulate(x); np.prod(x); np.cumprod(x); np.average(x)
np.array_split(x, 2); np.unstack(x); np.kron(x, x); np.tensordot(x, x, 0); np.inner(x, x)
np.einsum("...i->...", x); np.trace(x); np.diag(x); np.tril(x); np.triu(x, 1); np.rot90(x)
np.cumulative_sum(x); np.linalg.norm(x); np.linalg.det(x); np.where(x > 0); np.argwhere(x)
"""
ROWS = [call.strip() for call in CALLS.replace("\n", ";").split(";") if call.strip()]


def points():
    rng = np.random.default_rng(3)
    for dtype in DTYPES:
        for shape in SHAPES:
            x = rng.normal(size=shape)
            if dtype is np.complex128:
                x = x + 1j * rng.normal(size=shape)
            yield np.asarray(x, dtype)[()]


def ones(y):
    return np.ones_like(y) if np.asarray(y).dtype.kind in "fc" else None


@pytest.mark.parametrize("call", ROWS)
def test_as_numpy_or_refused(call):
    f = eval(f"lambda x: {call}", {"np": np})
    for x in points():
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy's own, of empty slices and casts
            try:
                expected = trees.flatten(f(x.copy()))[0]
            except (TypeError, ValueError, IndexError, np.linalg.LinAlgError):
                with pytest.raises((TypeError, ValueError, IndexError, np.linalg.LinAlgError)):
                    cr.vjp(f, x)
                continue
            value, pull = cr.vjp(f, x)
            again, _ = cr.jvp(f, (x,), (np.ones_like(x),))
            (pulled,) = pull(trees.map(ones, value))
        assert pulled.shape == x.shape
        assert pulled.dtype == x.dtype
        single = 1e-5 if x.dtype == np.float32 else 1e-12
        for found in (value, again):
            for y, right in zip(trees.flatten(found)[0], expected, strict=True):
                assert np.shape(y) == np.shape(right)
                assert np.asarray(y).dtype == np.asarray(right).dtype
                np.testing.assert_allclose(y, right, rtol=single, atol=single)


def test_a_refusal_without_a_sentence_is_numpys_own():
    with pytest.raises(TypeError):
        cr.vjp(np.tril, np.float64(1.0))
