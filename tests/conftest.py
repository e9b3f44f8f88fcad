"""What every test stands on: one thread, fixed seeds, no colours, and real data where there is some."""

import gc
import importlib.util
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")  # before torch is imported, and for subprocesses too
os.environ.update(NO_COLOR="1", TERM="dumb", MPLBACKEND="agg", COLUMNS="200")  # the same output wherever tests run
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each process that a test starts would compile the package anew

import hypothesis
import numpy as np
import pytest

sys.dont_write_bytecode = False
gc.disable()  # until all is imported: nothing of it is garbage

ROOT = Path(__file__).parents[1]
LONGEST = ("docs/test_site", "examples/", "studies/test_demo", "scripts/", "ranks/", "house/test_package")
"""What begins first, so that no worker is left with it when all else is done."""

hypothesis.settings.register_profile("nissl", deadline=None, derandomize=True, print_blob=False, max_examples=50)
hypothesis.settings.load_profile("nissl")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--framework", help="only the tests marked framework(this); all: every one but framework('keras')")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of frameworks run where these are installed: all of them, or else, with --framework, not one may be left out."""
    wanted, chosen, left = config.getoption("--framework"), [], []
    for item in items:
        if " at 0x" in item.nodeid:
            raise pytest.UsageError(f"{item.nodeid}: a name that differs from process to process; give ids=[...]")
        names = [mark.args[0] for mark in item.iter_markers("framework")]
        names += ["accelerate"] * ("transformers" in names)  # the Trainer is nothing without it
        if wanted:
            runs = bool(names) and (wanted in names or (wanted == "all" and "keras" not in names))
        else:
            runs = all(importlib.util.find_spec(name) for name in names)
        (chosen if runs else left).append(item)
    begin = tuple(f"tests/{name}" for name in LONGEST)
    items[:] = sorted(chosen, key=lambda item: not item.nodeid.startswith(begin))
    config.hook.pytest_deselected(items=left)


def pytest_collection_finish() -> None:
    """What the tests make is collected as ever; what was imported for them is not looked through each time."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def seeded() -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - what users' loops draw from
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture
def run_path(tmp_path: Path) -> Path:
    """Where a test may record; nothing is there yet."""
    return tmp_path / "run"


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """The folder of a real data set; the test is skipped where it isn't at hand."""
    home = Path(os.environ.get("NISSL_DATA") or ROOT.parent / "shared" / "data")

    def find(name: str) -> Path:
        if not (home / name).is_dir():
            pytest.skip(f"no {name} under NISSL_DATA")
        return home / name

    return find
