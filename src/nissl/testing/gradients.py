"""What an adapter whose framework gives gradients must keep to; part of `AdapterSuite`."""

from functools import cached_property
from typing import Any

import numpy as np
import pytest

from nissl.core.capabilities import Differentiable, Editable
from nissl.core.layer import Layer
from nissl.core.network import Array, Network, network
from nissl.errors import BadValue, UnknownName

STEP = 1e-5


class GradientSuite:
    """The example that all of an adapter's tests are about, and the tests of gradients."""

    def example(self) -> tuple[Any, Any, Any]:
        """A new, always equal model of 64-bit floats with at least two layers; inputs for it; a class for each of them."""
        raise NotImplementedError("return (model, x, targets)")

    @cached_property
    def given(self) -> tuple[Any, Any, Any]:
        return self.example()

    @cached_property
    def net(self) -> Network:
        return network(self.given[0])

    @property
    def x(self) -> Any:
        return self.given[1]

    @property
    def names(self) -> list[str]:
        return [layer.name for layer in self.net.layers]

    def editable(self) -> Editable:
        if not isinstance(self.net, Editable):
            pytest.skip("this framework's networks can't be changed")
        return self.net

    def differentiable(self) -> Differentiable:
        if not isinstance(self.net, Differentiable):
            pytest.skip("this framework gives no gradients")
        return self.net

    def sloped(self, at: str, target: Any, of: str) -> Array:
        """The gradient at a layer of what another one says, the layer's unit axis last."""
        found = self.net.to_numpy(self.differentiable().gradient(self.x, target, at, of))
        return np.moveaxis(found, self.net.layer(at).unit_axis, -1)

    def test_gradients_are_finite_differences(self) -> None:
        net, editable, step = self.differentiable(), self.editable(), 1e-5
        target = np.asarray(self.given[2])
        self.net.probe(self.x)  # shows late calls
        everywhere = net.gradient(self.x, target, at=self.names)

        def score() -> float:
            output = self.net.forward(self.x)
            return float(output[np.arange(len(output)), ..., target].sum())

        for layer in self.net.layers:
            gradient = np.moveaxis(self.net.to_numpy(everywhere[layer.name]), layer.unit_axis, -1)
            for unit in {0, (layer.units or 1) - 1}:
                with editable.change(layer.name, [unit], lambda v: v + step):
                    up = score()
                with editable.change(layer.name, [unit], lambda v: v - step):
                    down = score()
                wanted = (up - down) / (2 * step)
                np.testing.assert_allclose(gradient[..., unit].sum(), wanted, rtol=1e-4, atol=1e-6, err_msg=layer.name)

    def test_the_input_of_a_gradient_may_be_numpy(self) -> None:
        net = self.differentiable()
        given, same = net.gradient(self.x, 1), net.gradient(self.net.to_numpy(self.x), 1)
        np.testing.assert_allclose(self.net.to_numpy(same), self.net.to_numpy(given), rtol=1e-9)

    def test_the_target_of_a_gradient_is_a_class_one_an_example_a_sum_weights_or_a_function(self) -> None:
        net, name = self.differentiable(), self.names[0]
        ones = np.ones(len(self.x), np.int64)
        same = [net.gradient(self.x, t, at=name) for t in (1, ones, lambda out: out[..., 1])]
        np.testing.assert_array_equal(self.net.to_numpy(same[0]), self.net.to_numpy(same[1]))
        np.testing.assert_array_equal(self.net.to_numpy(same[0]), self.net.to_numpy(same[2]))
        weights = np.zeros(self.net.forward(self.x).shape)
        weights[..., 1] = 1.0
        weighed = self.net.to_numpy(net.gradient(self.x, weights, at=name))
        np.testing.assert_allclose(weighed, self.net.to_numpy(same[0]), rtol=1e-9, atol=1e-12)
        whole = self.net.to_numpy(net.gradient(self.x, "sum", at=name))
        parts = sum(
            self.net.to_numpy(net.gradient(self.x, k, at=name)) for k in range(self.net.forward(self.x).shape[-1])
        )
        np.testing.assert_allclose(whole, parts, rtol=1e-9, atol=1e-12)
        for wrong in (10**6, "mean", ones[:1], weights[:1]):
            with pytest.raises(BadValue):
                net.gradient(self.x, wrong, at=name)

    def test_the_gradients_of_a_units_values_are_finite_differences(self) -> None:
        net, editable = self.net, self.editable()
        self.differentiable()
        net.probe(self.x)  # shows late calls
        below, layer = net.layers[0], net.layers[1]

        def score(unit: int) -> Any:
            return np.take(net.probe(self.x, [layer.name])[layer.name], unit, layer.unit_axis).sum()

        for unit in (0, self.units(layer) - 1):
            slopes = self.sloped(below.name, unit, layer.name)
            for moved in (0, self.units(below) - 1):
                with editable.change(below.name, [moved], lambda v: v + STEP):
                    up = score(unit)
                with editable.change(below.name, [moved], lambda v: v - STEP):
                    down = score(unit)
                np.testing.assert_allclose(slopes[..., moved].sum(), (up - down) / (2 * STEP), rtol=1e-4, atol=1e-6)

    def test_the_target_of_a_layer_is_a_unit_one_an_example_a_sum_weights_or_a_function(self) -> None:
        net, below, layer = self.differentiable(), self.net.layers[0].name, self.net.layers[1]
        value, last = self.net.probe(self.x, [layer.name])[layer.name], self.units(layer) - 1
        one = self.sloped(below, last, layer.name)
        weights = np.zeros(value.shape)
        np.moveaxis(weights, layer.unit_axis, -1)[..., last] = 1.0
        rows = np.full(value.shape[layer.batch_axis], last)
        inside = tuple(slice(None) if axis != layer.unit_axis % value.ndim else last for axis in range(value.ndim))
        for same in (rows, weights, lambda found: found[inside]):
            np.testing.assert_allclose(self.sloped(below, same, layer.name), one, rtol=1e-9, atol=1e-12)
        whole = sum(self.sloped(below, unit, layer.name) for unit in range(last + 1))
        np.testing.assert_allclose(self.sloped(below, "sum", layer.name), whole, rtol=1e-9, atol=1e-12)
        for wrong in (10**6, "mean", rows[:0], weights[:1]):
            with pytest.raises(BadValue):
                net.gradient(self.x, wrong, at=below, of=layer.name)

    def test_of_itself_a_layer_has_the_target_as_gradient_and_of_what_comes_after_it_none(self) -> None:
        self.differentiable()
        first, second = self.net.layers[:2]
        own = self.sloped(first.name, 0, first.name)
        assert (own[..., 0] == 1).all() and not own[..., 1:].any()
        if first.name in second.inputs or not second.inputs:
            assert not self.sloped(second.name, 0, first.name).any()
        with pytest.raises(UnknownName):
            self.sloped(first.name, 0, "no such layer")

    def test_gradients_of_a_layer_also_reach_the_input(self) -> None:
        net, name = self.differentiable(), self.net.layers[0].name
        found = net.gradient(self.x, "sum", of=name)
        both = net.gradient(self.x, "sum", at=["input", name], of=name)
        assert self.net.to_numpy(found).shape == self.net.to_numpy(self.x).shape
        np.testing.assert_allclose(self.net.to_numpy(both["input"]), self.net.to_numpy(found), rtol=1e-9)
        assert (self.net.to_numpy(both[name]) == 1).all()

    def units(self, layer: Layer) -> int:
        """How many a layer has, where only its values tell too."""
        return layer.units or self.net.probe(self.x, [layer.name])[layer.name].shape[layer.unit_axis]
