"""Every quantity of the folder keeps to the contract."""

import pytest

from nissl import plugins
from nissl.testing.quantities import QuantitySuite


@pytest.mark.parametrize("name", plugins.names("quantities"), scope="class")
class TestQuantities(QuantitySuite):
    @pytest.fixture(autouse=True)
    def _given(self, name):
        self._name = name

    def quantity(self):
        return plugins.load("quantities", self._name)()
