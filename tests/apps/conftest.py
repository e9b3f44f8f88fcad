"""What the tests of the doors look at."""

from pathlib import Path

import pytest

from nissl.studies.train import train


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recorded run to look at."""
    path = tmp_path_factory.mktemp("runs") / "digits"
    train(path, epochs=2, progress=False, device="cpu", model_options={"hidden": (12,)})
    return path
