"""`import chainrule` brings what every program needs; the rest comes at its first use."""

import json
import subprocess
import sys

import pytest

import chainrule as cr

LATER = ("checks", "classroom", "cli", "custom", "data", "explanation", "nn", "optim", "train")
MOST_MODULES = 120  # each takes about a quarter of a millisecond; the bar is NumPy's import + 30 ms


@pytest.fixture(scope="module")
def added():
    """The modules that a fresh Python has after `import chainrule` and not after `import numpy`."""
    program = (
        "import json, sys, numpy; before = set(sys.modules)\n"
        "import chainrule\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(json.loads(result.stdout))


def test_the_import_is_short(added):
    ours = {name for name in added if name.partition(".")[0] == "chainrule"}
    assert len(ours) <= MOST_MODULES, sorted(ours)
    late = {f"chainrule.{room}" for room in LATER}
    assert not late & added


def test_the_import_brings_no_library_that_it_does_not_need(added):
    known = {"chainrule", "numpy", "optree", "typing_extensions", *sys.stdlib_module_names}
    assert {name.partition(".")[0] for name in added} - known <= set()
    assert not {"asyncio", "unittest", "numpy.random", "numpy.testing"} & added


def test_every_public_name_is_there_and_is_listed():
    for name in cr.__all__:
        assert getattr(cr, name) is getattr(cr, name)
    assert set(cr.__all__) <= set(dir(cr))
    assert cr.explain is cr.explanation.explain
    assert cr.primitive is cr.custom.primitive


def test_a_name_that_is_not_there_is_an_error():
    with pytest.raises(AttributeError, match="module 'chainrule' has no attribute 'gradient'"):
        _ = cr.gradient
    assert cr.__version__ == cr.__version__
