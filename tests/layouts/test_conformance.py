"""Every layout of the folder keeps to the contract, as it is and with each of its options."""

from dataclasses import dataclass

import numpy as np
import pytest

from nissl import plugins
from nissl.core.layout import Layout
from nissl.testing.layouts import LayoutSuite

LIBRARIES = {"umap": "umap", "pacmap": "pacmap", "tsne": "sklearn"}
FEW = {"pso": {"steps": 150}, "swarm": {"steps": 30}}
"""Options that make a layout quick."""
MORE = [
    ("grid", {"widest": 3}),
    ("grid", {"of": "pca"}),
    ("disc", {"of": "graph"}),
    ("swarm", {"of": "som", "steps": 30}),
]
MADE = [plugins.load("layouts", name)(**FEW.get(name, {})) for name in plugins.names("layouts")]
MADE += [plugins.load("layouts", name)(**options) for name, options in MORE]


@pytest.mark.parametrize("made", MADE, ids=repr, scope="class")
class TestLayouts(LayoutSuite):
    @pytest.fixture(autouse=True)
    def _given(self, made):
        needed = LIBRARIES.get(type(made).__name__.lower())
        if needed:
            pytest.importorskip(needed)
        type(self).made = made  # on the class: hypothesis makes no fixture's instance anew
        type(self).ordered = type(made).__name__ != "Random"
        type(self).steady = type(made).__name__ not in ("Tsne", "Umap", "Pacmap")

    def layout(self):
        return self.made


@dataclass(frozen=True)
class Bad(Layout):
    """Principal components with a fault."""

    fault: str = ""

    def place(self, features, start, seed):
        found = np.pad(features, ((0, 0), (0, 2)))[:, :2]
        if self.fault == "lot":
            return found + np.random.default_rng().normal(size=found.shape)
        if self.fault == "heap":
            return np.round(found)
        if self.fault == "nan":
            return found / found.std()
        if self.fault == "order":
            return found[np.arange(len(found)) * 7 % len(found)]
        features += 1
        return found


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize(("fault", "test"), [
    ("lot", "the_same_seed_is_the_same_bytes_and_nothing_is_changed"), ("heap", "every_unit_has_a_place_of_its_own"),
    ("nan", "whatever_the_numbers_are_places_are_finite"), ("order", "what_is_alike_is_near"),
])  # fmt: skip
def test_the_suite_catches(fault, test):
    suite = LayoutSuite()
    suite.layout = lambda: Bad(fault)
    with pytest.raises((AssertionError, ValueError)):
        getattr(suite, f"test_{test}")()
