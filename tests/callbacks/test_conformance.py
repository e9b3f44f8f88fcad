"""Every callback of the folder keeps to the contract; `example_NAME.py` beside this file makes a small training for it."""

import importlib
import signal
from pathlib import Path

import pytest

from nissl import plugins
from nissl.testing.callbacks import CallbackSuite

NAMES = [pytest.param(name, marks=pytest.mark.framework(name)) for name in plugins.names("callbacks")]
PARTS = ("fit", "stopping", "failing", "probe", "numbers")


@pytest.mark.parametrize("name", NAMES, scope="class")
class TestCallbacks(CallbackSuite):
    @pytest.fixture(autouse=True)
    def _given(self, name, monkeypatch):
        file = Path(__file__).with_name(f"example_{name}.py")
        assert file.exists(), f"write {file.name}: {', '.join(PARTS)} as nissl.testing.callbacks says"
        example = importlib.import_module(f"tests.callbacks.example_{name}")
        for part in PARTS:
            monkeypatch.setattr(self, part, getattr(example, part), raising=False)
        self._name = name
        before = signal.getsignal(signal.SIGINT)
        yield
        signal.signal(signal.SIGINT, before)  # Lightning hears no second Ctrl-C

    def callback(self, *args, **options):
        return plugins.load("callbacks", self._name)(*args, **options)
