"""Every layout of the folder keeps to the contract, as it is and with each of its options."""

import pytest

from nissl import plugins
from nissl.testing.layouts import LayoutSuite

MADE = [plugins.load("layouts", name)() for name in plugins.names("layouts")]
MADE += [plugins.load("layouts", "grid")(widest=3)]


@pytest.mark.parametrize("made", MADE, ids=repr, scope="class")
class TestLayouts(LayoutSuite):
    @pytest.fixture(autouse=True)
    def _given(self, made):
        type(self).made = made  # on the class: hypothesis makes no fixture's instance anew

    def layout(self):
        return self.made
