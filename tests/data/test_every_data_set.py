"""Every file of the folder keeps to the contract of its kind."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nissl import plugins
from nissl.core.dataset import DataSet
from nissl.testing.data import DataSetSuite


def pictures(folder: Path) -> dict[str, str]:
    random = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (folder / name).mkdir()
        for number in range(5):
            Image.fromarray(random.integers(0, 256, (6, 6, 3)).astype(np.uint8)).save(folder / name / f"{number}.png")
    return {"path": str(folder)}


def arrays(folder: Path) -> dict[str, str]:
    random = np.random.default_rng(0)
    np.savez(folder / "all.npz", x=random.normal(size=(30, 4)), y=np.arange(30) % 3)
    return {"path": str(folder / "all.npz")}


@pytest.fixture(params=plugins.names("data"), autouse=True)
def chosen(request: pytest.FixtureRequest, real_data: Callable[[str], Path], tmp_path: Path) -> None:
    made = {
        "arrays": lambda: arrays(tmp_path),
        "folder": lambda: pictures(tmp_path),
        "mnist": lambda: {"folder": str(real_data("mnist")), "limit": 200},
        "cifar10": lambda: {"folder": str(real_data("cifar10_jpeg")), "limit": 200},
    }
    request.instance.made = plugins.load("data", request.param)(**made.get(request.param, dict)())


class TestEveryDataSet(DataSetSuite):
    made: DataSet

    def data_set(self) -> DataSet:
        return self.made
