"""Every method of the folder keeps to the contract, as it is and with each of its options."""

import pytest

from nissl import plugins
from nissl.testing.attribution import AttributionSuite

FEW = {"smooth_grad": {"samples": 3}, "shapley": {"orders": 2, "window": 3}, "integrated_gradients": {"steps": 20}}
"""Options that make a method quick."""
MORE = [
    ("integrated_gradients", {"steps": 20, "baseline": -0.5}), ("baseline_delta", {"baseline": -1.0}), ("secant", {"baseline": 0.3}),
    ("occlusion", {"window": 4, "stride": 2, "fill": 0.5}), ("grad_cam", {"layer": "0"}), ("smooth_grad", {"samples": 2, "level": 0.3, "seed": 4}),
]  # fmt: skip
MADE = [  # conductance is of layers alone: test_gradients
    plugins.load("attribution", name)(**FEW.get(name, {}))
    for name in plugins.names("attribution")
    if name != "conductance"
]
MADE += [plugins.load("attribution", name)(**options) for name, options in MORE]


@pytest.mark.parametrize("made", MADE, ids=repr)
class TestMethods(AttributionSuite):
    @pytest.fixture(autouse=True)
    def _given(self, made):
        self.made = made

    def method(self):
        return self.made
