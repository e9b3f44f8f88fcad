"""Every view of the folder keeps to the contract."""

import pytest

from nissl import plugins
from nissl.testing.views import ViewSuite


@pytest.mark.parametrize("kind", plugins.names("views"), scope="class")
class TestViews(ViewSuite):
    @pytest.fixture(autouse=True)
    def _given(self, kind):
        self._kind = kind

    def view(self, trace):
        return plugins.load("views", self._kind)(trace)
