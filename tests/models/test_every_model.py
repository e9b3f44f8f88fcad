"""Every file of the folder keeps to the contract of its kind."""

import pytest
import torch

from nissl import plugins
from nissl.core.blueprint import Blueprint
from nissl.testing.models import BlueprintSuite


@pytest.fixture(params=plugins.names("models"), autouse=True)
def chosen(request: pytest.FixtureRequest) -> None:
    request.instance.name = request.param


class TestEveryModel(BlueprintSuite):
    name: str

    def blueprint(self) -> Blueprint:
        return plugins.load("models", self.name)()

    def inputs(self) -> torch.Tensor:
        plan = self.blueprint()
        return torch.randint(0, plan.classes, (3, *plan.shape)) if self.name == "transformer" else super().inputs()
