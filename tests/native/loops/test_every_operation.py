"""Every record × every sample × four dtypes: what is compiled is what NumPy computes."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

from chainrule.graph import registry
from chainrule.native.placings import PLACINGS
from chainrule.native.scalars import SCALARS
from chainrule.native.without_loops import WITHOUT_LOOPS
from chainrule.passes.fuse import REDUCTIONS

RECORDS = [r for r in registry if r.form not in ("leaf", "call")]
DTYPES = ["float64", "float32", "int64", "bool"]


def cases_of(record):
    return [*(record.samples or ()), *(record.domain.cases() if record.domain else ())]


def in_dtype(argument, dtype):
    """A floating input in another dtype: rounded to whole numbers, or its sign as truth."""
    argument = np.asarray(argument)
    if argument.dtype.kind != "f":
        return argument
    if dtype == "int64":
        return np.round(argument * 3).astype(dtype)
    return argument > 0 if dtype == "bool" else argument.astype(dtype)


def draws(record, dtype):
    for case in cases_of(record):
        arguments, params = case.draw(np.random.default_rng(0))
        if any(np.iscomplexobj(a) for a in arguments):
            continue
        arguments = [in_dtype(a, dtype) for a in arguments]
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                record(*arguments, **params)
        except (TypeError, ValueError, NotImplementedError, OverflowError, np.linalg.LinAlgError):
            continue  # NumPy has no such operation for this dtype
        yield arguments, params


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_compiled_is_interpreted(record, dtype, operation):
    for arguments, params in draws(record, dtype):
        operation(record, arguments, params).assert_close()


VIEWS = {"reshape", "flat", "transpose", "broadcast_to", "diagonal"}
PRODUCTS = {"matmul"}
TAKEN_APART = {"softmax", "logsumexp"}


def test_every_record_has_native_code_or_a_reason():
    """Those of NumPy; what SciPy's modules add says of itself that it has none."""
    command = (
        "import chainrule; from chainrule.graph import registry; "
        "print(*[r.name for r in registry if r.form not in ('leaf', 'call')])"
    )
    names = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    ).stdout.split()
    native = {*SCALARS, *PLACINGS, *REDUCTIONS, *VIEWS, *PRODUCTS, *TAKEN_APART}
    assert not set(names) - native - set(WITHOUT_LOOPS)
    assert not native & set(WITHOUT_LOOPS)


@pytest.mark.parametrize("name", sorted({*SCALARS, "sum", "max", "concatenate", "stack", "roll"}))
def test_what_has_native_code_runs_in_loops(name, operation):
    if name not in [r.name for r in RECORDS]:
        pytest.fail(f"the table of the backend names {name!r}, which is not in the registry")
    for arguments, params in draws(registry[name], "float64"):
        if all(a.dtype == np.float64 for a in arguments):
            assert not operation(registry[name], arguments, params).interpreted
