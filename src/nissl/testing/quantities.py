"""What every quantity must keep to: subclass `QuantitySuite`, give it your quantity, and run pytest."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from nissl.core.capabilities import ParameterGradients
from nissl.core.layer import Layer
from nissl.core.merge import columns, merged
from nissl.core.plan import Plan, suits
from nissl.core.predictions import Predictions
from nissl.core.quantity import NEEDS, Array, Context, Heard, Quantity
from nissl.core.sums import NumpyAccumulator, Sums
from nissl.core.task import Task

UNITS, CLASSES, EXAMPLES, FAN = 5, 3, 90, 7


class QuantitySuite:
    """Subclass with `quantity()` returning an instance."""

    layer = Layer("hidden", "dense", UNITS, parameters={"weight": (UNITS, FAN), "bias": (UNITS,)})
    context = Context(("a", "b", "c"), EXAMPLES, UNITS * (FAN + 1), "multiclass", ("hidden",))

    def quantity(self) -> Quantity:
        raise NotImplementedError("return the quantity to test")

    # the evidence: one epoch of random values, whole or in parts

    def sums(self, rows: Array, labels: Array) -> Sums:
        quantity = self.quantity()
        made = NumpyAccumulator(-1, classes=CLASSES if quantity.classes else 0, sketch=quantity.sketch)
        made.fold(rows, labels)
        return made.read()

    def heard(self, part: slice = slice(None), **changes: Any) -> Heard:
        rng = np.random.default_rng(3)
        rows, labels = rng.normal(3, 2, (EXAMPLES, UNITS))[part], (np.arange(EXAMPLES) % CLASSES)[part]
        judged = Predictions(Task("multiclass", self.context.classes), np.asarray, squashed=False)
        judged.add(rng.normal(size=(EXAMPLES, CLASSES))[part], labels, 1)
        weights = [{"weight": rng.normal(size=(UNITS, FAN)), "bias": rng.normal(size=UNITS)} for _ in range(2)]
        gradients = ParameterGradients(
            rng.uniform(1, 2, UNITS), rng.uniform(1, 2, UNITS), rng.uniform(1, 2, UNITS), steps=4
        )
        context, now, before = replace(self.context, **changes), *weights
        added = rng.normal(size=(UNITS, CLASSES))
        return Heard(context, self.sums(rows, labels), now, before, gradients, rows, judged.settle(), added)

    def place(self) -> Layer | None:
        return None if self.quantity().needs == "outputs" else self.layer

    # the tests

    def test_it_is_a_value_that_says_what_it_needs(self) -> None:
        quantity = self.quantity()
        assert quantity.needs in NEEDS
        assert is_dataclass(quantity) and quantity == replace(quantity) and hash(quantity) == hash(replace(quantity))
        assert repr(quantity).startswith(type(quantity).__name__ + "(")
        assert all(f"{f.name}=" in repr(quantity) for f in fields(quantity))
        assert suits(quantity, self.place())

    def test_it_reads_what_it_declares(self) -> None:
        for probing in (False, True):
            heard = self.heard(probing=probing)
            declared = {spec.name: spec for spec in self.quantity().declare(self.place(), heard.context)}
            found = self.quantity().read(heard)
            assert declared and set(found) == set(declared)
            for name, spec in declared.items():
                assert np.shape(found[name]) == spec.shape, name
                assert len(spec.columns) == 1, f"{name}: say how ranks merge"

    def test_its_arrays_hold_no_gap_when_all_is_heard(self) -> None:
        for name, value in self.quantity().read(self.heard()).items():
            assert np.isfinite(value).all(), name

    def test_nothing_heard_is_no_crash_and_no_invention(self) -> None:
        for value in self.quantity().read(Heard(self.context)).values():
            assert np.isnan(value).all()
        assert self.quantity().scalars(Heard(self.context)) == {}

    def test_units_that_were_never_heard_are_missing_and_not_zero(self) -> None:
        heard = replace(self.heard(), sums=Sums.empty(UNITS, CLASSES if self.quantity().classes else 0))
        if self.quantity().needs in ("activation", "preactivation", "gradient"):
            for name, value in self.quantity().read(heard).items():
                counted = name.endswith(("count", "nan", "inf"))
                assert (value == 0).all() if counted else np.isnan(value).all(), name

    def test_ranks_merge_to_the_whole(self) -> None:
        """Two halves, read apart and merged by the declared rules, equal the whole read at once."""
        plan, layer = Plan([self.quantity()], self.context), self.place()
        halves = (slice(0, 30), slice(30, EXAMPLES))
        parts = [plan.pack(layer, self.quantity().read(self.heard(half))) for half in halves]
        whole = plan.pack(layer, self.quantity().read(self.heard()))
        if self.quantity().needs == "samples":
            return  # the probe is shown to one rank only
        specs = {spec.key: spec for spec in plan.specs(layer)}
        for key, value in whole.items():
            both = merged(specs[key], parts, specs)
            for column, at in columns(specs[key]):
                near = 0.4 if column.merge == "average" else 1e-4  # of values with mean 3 and std 2
                np.testing.assert_allclose(both[at], value[at], rtol=near, atol=near, err_msg=f"{key} {column.name}")
