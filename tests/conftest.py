"""What every test shares: seeded randomness, peers that may be absent, Hypothesis profiles."""

import importlib
import os
import warnings
import zlib
from collections.abc import Callable, Iterator
from types import ModuleType

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("default", max_examples=25, deadline=None, derandomize=True)
settings.register_profile("deep", max_examples=300, deadline=None, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True, scope="session")
def _compiled_code_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compiled code of the tests is kept apart from the user's, and goes with the session."""
    before = os.environ.get("CHAINRULE_CACHE_DIR")
    os.environ["CHAINRULE_CACHE_DIR"] = str(tmp_path_factory.mktemp("compiled"))
    yield
    os.environ.pop("CHAINRULE_CACHE_DIR")
    if before is not None:
        os.environ["CHAINRULE_CACHE_DIR"] = before


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator of its own for each test, the same on every run."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))


@pytest.fixture
def peer() -> Callable[[str], ModuleType]:
    """`peer("jax")` imports another library as oracle; where it is absent the test is skipped.

    With CHAINRULE_REQUIRE_PEERS=1, as in CI, an absent peer fails the test instead.
    """

    def load(name: str) -> ModuleType:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                module = importlib.import_module(name)
                if name == "jax":
                    module.config.update("jax_enable_x64", True)
                return module
        except ImportError:
            if os.environ.get("CHAINRULE_REQUIRE_PEERS") == "1":
                pytest.fail(f"the peer {name} is required here and is not installed")
            pytest.skip(f"the peer {name} is not installed")

    return load
