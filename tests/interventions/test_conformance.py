"""Every verb of the folder keeps to the contract."""

from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest

from nissl import plugins
from nissl.core.capabilities import Holding
from nissl.core.intervention import Intervention
from nissl.testing.interventions import InterventionSuite

OPTIONS = {
    "clamp": [{"value": 0.5}, {"value": [1.0, -2.0, 3.0]}], "delete": [{}, {"to": "zero"}, {"to": 0.3}, {"to": "resample"}],
    "freeze": [{}], "keep": [{}, {"to": "zero"}], "noise": [{"deviation": 0.5}, {"deviation": 0.5, "seed": 3}],
    "patch": [{"source": np.random.default_rng(8).normal(size=(count, 1, 4, 4))} for count in (6, 1)],
    "scale": [{"factor": 0.0}, {"factor": -1.5}],
    "steer": [{"direction": 1.0}, {"direction": [1.0, -1.0, 0.5], "strength": 2.0}],
}  # fmt: skip
STAYING = []
MADE = [plugins.load("interventions", name)(**options) for name, every in OPTIONS.items() for options in every]


def test_every_verb_is_tested():
    assert list(OPTIONS) == plugins.names("interventions")


@pytest.mark.parametrize("made", MADE, ids=lambda made: repr(made)[:60])
class TestInterventions(InterventionSuite):
    @pytest.fixture(autouse=True)
    def _given(self, made):
        self.made = made
        if type(made).__name__ == "Freeze" and not isinstance(self.known, Holding):
            pytest.skip("this network can't hold units")

    def intervention(self):
        return self.made


@dataclass(frozen=True)
class Broken(Intervention):
    """Clamps to 1, with one fault."""

    fault: str = ""

    @contextmanager
    def open(self, units):
        wide = self.fault == "neighbours"
        to = np.random.default_rng().normal() if self.fault == "lot" else 1.0
        with units.network.change(units.layer.name, None if wide else units.which, to):
            yield
        if self.fault == "stays":
            STAYING.append(units.network.change(units.layer.name, units.which, 1.0))
            STAYING[-1].__enter__()

    def fixed(self, units):
        return units.filled(2.0 if self.fault == "lies" else 1.0)

    def turned(self, units):
        return (np.ones(3), np.zeros(3)) if self.fault == "turns" else None


@pytest.mark.parametrize(("fault", "test"), [
    ("neighbours", "it_changes_its_units_and_no_others"), ("lot", "it_does_the_same_each_time"),
    ("stays", "everything_is_as_it_was_when_it_ends_also_by_an_error"),
    ("lies", "what_it_says_it_holds_units_at_is_what_they_are"), ("turns", "how_it_says_it_turns_units_is_how_they_turn"),
    ("neighbours", "it_comes_together_with_other_changes_in_any_order"),
])  # fmt: skip
def test_the_suite_catches(fault, test):
    suite = InterventionSuite()
    suite.intervention = lambda: Broken(fault)
    with pytest.raises(AssertionError):
        getattr(suite, f"test_{test}")()
    while STAYING:
        STAYING.pop().__exit__(None, None, None)


def test_without_a_fault_it_passes():
    suite = InterventionSuite()
    suite.intervention = Broken
    tests = [name for name in dir(suite) if name.startswith("test_")]
    for name in tests:
        getattr(suite, name)()
    assert len(tests) > 5
