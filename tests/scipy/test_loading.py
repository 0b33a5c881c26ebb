"""SciPy is imported when it is used, and not before."""

import subprocess
import sys
import textwrap

import pytest

import chainrule as cr


def run(code):
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def test_importing_chainrule_does_not_import_scipy():
    code = """
    import sys
    import chainrule as cr
    cr.grad(lambda x: x**2)(1.0)
    print(*[name for name in sys.modules if name.partition(".")[0] == "scipy"])
    """
    assert run(code) == []


def test_a_ufunc_of_scipy_loads_what_it_means():
    code = """
    import chainrule as cr
    from scipy.special import expit
    from chainrule.graph import registry
    before = len(list(registry))
    cr.grad(lambda x: expit(x))(1.0)
    print(len(list(registry)) > before)
    """
    assert run(code) == ["True"]


def test_the_whole_registry_has_every_family():
    code = """
    from chainrule.graph import registry
    import chainrule
    print(len(list(registry)) < len(list(registry.complete())), registry.expected)
    """
    assert run(code) == ["True", "{}"]


def test_the_modules_are_listed_and_no_others_are_there():
    assert set(cr.scipy.__all__) <= set(dir(cr.scipy))
    with pytest.raises(AttributeError, match=r"chainrule\.scipy.*no attribute 'nothing'"):
        _ = cr.scipy.nothing
