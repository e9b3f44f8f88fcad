"""What every adapter must keep to: subclass `AdapterSuite`, give it a small network of your framework, and run pytest."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from nissl.core.layer import Layer
from nissl.core.network import Array
from nissl.core.sums import NumpyAccumulator
from nissl.errors import BadValue, UnknownName, Unsupported
from nissl.testing.charts import ChartSuite

ZERO_STAYS = {None, "ReLU", "LeakyReLU", "ReLU6", "GELU", "SiLU", "Tanh", "ELU", "SELU", "Mish", "Identity"}
"""Nonlinearities that leave zero zero."""


class AdapterSuite(ChartSuite):
    """Subclass with `example()`. What a framework can't do is not tested: capabilities are told by the network's methods."""

    def heard(self, **how: Any) -> dict[str, list[Array]]:
        """What `watch` tells on one pass in evaluation mode."""
        seen: dict[str, list[Array]] = {}
        with self.net.evaluating(), self.net.watch(self.into(seen), "*", **how):
            self.net.run(self.x)
            self.net.settle()
        return seen

    def into(self, seen: dict[str, list[Array]]) -> Callable[[str, Any], None]:
        return lambda name, value: seen.setdefault(name, []).append(self.net.to_numpy(value).copy())

    def native(self, layer: Layer) -> Any:
        """A layer's value as the framework has it."""
        found: list[Any] = []
        with self.net.evaluating(), self.net.watch(lambda _, value: found.append(self.net.keep(value)), [layer.name]):
            self.net.run(self.x)
            self.net.settle()
        return found[0]

    # every network

    def test_the_model_is_recognised_and_nothing_else(self) -> None:
        adapter = type(self.net)
        assert adapter.accepts(self.given[0])
        assert not adapter.accepts(object())
        assert isinstance(adapter.framework, str)

    def test_layers_have_names_of_their_own_and_say_where_their_units_are(self) -> None:
        assert len(self.names) >= 2
        assert len(set(self.names)) == len(self.names)
        values = self.net.probe(self.x)
        for layer in self.net.layers:
            value = values[layer.name]
            assert value.shape[layer.batch_axis] == len(self.x)
            assert layer.units in (None, value.shape[layer.unit_axis])
            assert layer.unit_axis % value.ndim != layer.batch_axis % value.ndim

    def test_layers_known_before_a_pass_are_still_there_after_it(self) -> None:
        before = set(self.names)
        self.net.probe(self.x)
        assert before <= set(self.names)
        for layer in self.net.layers:
            assert set(layer.inputs) < set(self.names)

    def test_what_meets_on_the_way_to_a_layer_is_what_feeds_it(self) -> None:
        self.net.probe(self.x)
        known = {one.name: one for layer in self.net.layers for one in layer.junctions}
        assert known.keys().isdisjoint(self.names)
        for layer in self.net.layers:
            ahead, ends = list(layer.takes), set()
            while ahead:
                name = ahead.pop()
                ahead += known[name].sources if name in known else ()
                ends |= set() if name in known else {name}
            assert not layer.takes or ends == set(layer.inputs)

    def test_every_layer_is_told_exactly_once_a_pass_and_as_the_probe_hears_it(self) -> None:
        first, again, probed = self.heard(), self.heard(), self.net.probe(self.x)
        for seen in (first, again):
            assert set(seen) == set(probed) == set(self.names)
            for name, values in seen.items():
                assert len(values) == 1, f"{name} was told {len(values)} times"
                np.testing.assert_allclose(values[0], probed[name], rtol=1e-12, atol=1e-12)

    def test_a_probe_in_parts_is_the_probe_as_a_whole(self) -> None:
        whole, parts = self.net.probe(self.x), self.net.probe(self.x, batch=3)
        for name, value in whole.items():
            np.testing.assert_allclose(parts[name], value, rtol=1e-9, atol=1e-12)

    def test_forward_is_what_the_outputs_watch_tells_and_disturbs_nothing(self) -> None:
        seen: dict[str, list[Array]] = {}
        before = {name: self.net.weights(name) for name in self.names}
        first = self.net.forward(self.x)
        with self.net.evaluating(), self.net.watch_outputs(self.into(seen)):
            self.net.run(self.x)
            self.net.settle()
        np.testing.assert_array_equal(seen[""][0], first)
        np.testing.assert_array_equal(self.net.forward(self.x), first)
        for name, parameters in before.items():
            for key, value in parameters.items():
                np.testing.assert_array_equal(self.net.weights(name)[key], value)

    def test_evaluation_is_not_heard_as_training(self) -> None:
        assert self.heard(passes="training") == {}

    def test_hooks_end_with_their_with_also_when_its_body_raises(self) -> None:
        seen: dict[str, list[Array]] = {}
        with suppress(ZeroDivisionError), self.net.watch(self.into(seen), "*"):
            raise ZeroDivisionError
        with self.net.evaluating():
            self.net.run(self.x)
            self.net.settle()
        assert seen == {}

    def test_parameters_are_copies_with_the_unit_first(self) -> None:
        for layer in self.net.layers:
            found = self.net.weights(layer.name)
            assert {key: value.shape for key, value in found.items()} == dict(layer.parameters)
            for key, value in found.items():
                assert layer.kind == "other" or len(value) == layer.units
                value += 1
                assert not np.array_equal(self.net.weights(layer.name)[key], value)

    def test_the_accumulator_is_the_reference(self) -> None:
        labels = np.asarray(self.given[2])
        classes = int(labels.max()) + 1
        values = self.net.probe(self.x)
        for layer in self.net.layers:
            mine = self.net.accumulator(layer, classes=classes)
            reference = NumpyAccumulator(layer.unit_axis, layer.batch_axis, classes)
            mine.fold(self.native(layer), self.net.groups(labels))
            reference.fold(values[layer.name], labels)
            ours, wanted = mine.read(), reference.read()
            for field in ("count", "mean", "m2", "low", "high", "positive", "magnitude", "class_mean", "class_m2"):
                np.testing.assert_allclose(getattr(ours, field), getattr(wanted, field), rtol=1e-9, atol=1e-9)

    def test_what_does_not_exist_is_refused_by_name(self) -> None:
        with pytest.raises(UnknownName, match=self.names[0]):
            self.net.select("no such layer")
        with pytest.raises(BadValue), self.net.watch(self.into({}), "*", place="nowhere"):
            pass
        with pytest.raises(BadValue), self.net.watch(self.into({}), "*", passes="none"):
            pass

    # networks that can be changed

    def some(self, layer: Layer) -> list[int]:
        return list(range(0, layer.units or 1, 2))

    def test_a_change_replaces_just_these_units_and_ends_with_its_with(self) -> None:
        net, before = self.editable(), self.net.probe(self.x)
        for layer in self.net.layers:
            units = self.some(layer)
            with net.change(layer.name, units, np.arange(len(units)) + 0.5):
                changed = np.moveaxis(self.net.probe(self.x, [layer.name])[layer.name], layer.unit_axis, -1)
            as_before = np.moveaxis(before[layer.name], layer.unit_axis, -1)
            others = [u for u in range(layer.units or 1) if u not in units]
            assert (changed[..., units] == np.arange(len(units)) + 0.5).all()
            np.testing.assert_array_equal(changed[..., others], as_before[..., others])
        after = self.net.probe(self.x)
        assert all(np.array_equal(after[name], value) for name, value in before.items())

    def test_changes_inside_changes_come_after_them(self) -> None:
        net, layer = self.editable(), self.net.layers[0]
        for outer, inner, wanted in ((None, [0], 6), ([0], None, 2)):
            with net.change(layer.name, outer, 8 - wanted), net.change(layer.name, inner, wanted):
                value = np.moveaxis(self.net.probe(self.x, [layer.name])[layer.name], layer.unit_axis, -1)
            assert (value[..., 0] == wanted).all()
            assert (value[..., 1:] == 2).all()

    def test_a_change_may_be_a_function_of_the_values(self) -> None:
        net, layer = self.editable(), self.net.layers[0]
        try:
            with net.change(layer.name, None, 2.0), net.change(layer.name, [0], lambda v: v * 3):
                value = np.moveaxis(self.net.probe(self.x, [layer.name])[layer.name], layer.unit_axis, -1)
        except Unsupported:
            pytest.skip("this framework's values can be changed to numbers only")
        assert (value[..., 0] == 6).all()
        assert (value[..., 1:] == 2).all()

    def test_deleting_units_is_zeroing_their_weights(self) -> None:
        net, tested = self.editable(), 0
        self.net.probe(self.x)
        for layer in self.net.layers:
            parameters = self.net.weights(layer.name)
            through = "heard after" in (layer.remark or "")
            shared = "#" in layer.name or f"{layer.name}#2" in self.names
            if (
                layer.kind not in ("dense", "conv", "embedding")
                or layer.nonlinearity not in ZERO_STAYS
                or through
                or shared
            ):
                continue
            units = self.some(layer)
            with net.change(layer.name, units):
                deleted = self.net.forward(self.x)
            without = {key: value.copy() for key, value in parameters.items()}
            for value in without.values():
                value[units] = 0
            net.edit(layer.name, without)
            np.testing.assert_allclose(self.net.forward(self.x), deleted, rtol=1e-9, atol=1e-9, err_msg=layer.name)
            net.edit(layer.name, parameters)
            tested += 1
        assert tested >= 2, "the example needs layers that are heard at what their own parameters make"

    def test_what_is_edited_is_what_is_read(self) -> None:
        net = self.editable()
        for layer in self.net.layers:
            new = {
                key: np.random.default_rng(0).normal(size=v.shape) for key, v in self.net.weights(layer.name).items()
            }
            if not new:
                continue
            net.edit(layer.name, new)
            for key, value in self.net.weights(layer.name).items():
                np.testing.assert_allclose(value, new[key], rtol=1e-6)
            with pytest.raises(BadValue):
                net.edit(layer.name, {key: value[..., :0] for key, value in new.items()})
            with pytest.raises(UnknownName):
                net.edit(layer.name, {"nothing": np.zeros(1)})

    def test_units_that_do_not_exist_are_refused(self) -> None:
        net, layer = self.editable(), self.net.layers[0]
        for units, to in (([layer.units], 0.0), ([-1], 0.0), ([0], np.zeros(7)), ([0.5], 0.0)):
            with pytest.raises(BadValue), net.change(layer.name, units, to):  # type: ignore[arg-type]
                self.net.forward(self.x)
