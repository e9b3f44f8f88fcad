"""Every adapter of the folder keeps to the contract; `example_NAME.py` beside this file makes a small network for it."""

import importlib
from contextlib import contextmanager
from pathlib import Path

import pytest

from nissl import plugins
from nissl.core.network import network
from nissl.testing.adapters import AdapterSuite

CORE = ("arrays", "torch")
JAX = ("equinox", "flax")
NAMES = [
    name if name in CORE else pytest.param(name, marks=pytest.mark.framework(name))
    for name in plugins.names("adapters")
]


@contextmanager
def wide(name):
    """The 64-bit floats of the example, which JAX leaves to a switch of the process."""
    if name not in JAX:
        yield
        return
    jax = importlib.import_module("jax")
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("name", NAMES, scope="class")
class TestAdapters(AdapterSuite):
    @pytest.fixture(autouse=True)
    def _given(self, name):
        file = Path(__file__).with_name(f"example_{name}.py")
        assert file.exists(), f"write {file.name}: example() returns (model, x, targets)"
        if name != "arrays":
            importlib.import_module(name)
        self._name = name
        with wide(name):
            yield

    def example(self):
        return importlib.import_module(f"tests.adapters.example_{self._name}").example()

    def test_it_is_found(self):
        assert type(network(self.example()[0])) is plugins.load("adapters", self._name)
