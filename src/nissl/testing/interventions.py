"""What everything that is done to units must keep to: subclass `InterventionSuite`, give it yours, and run pytest."""

from contextlib import AbstractContextManager, suppress
from functools import cached_property
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nissl.core.edit import Change, Edit
from nissl.core.intervention import Intervention, Units
from nissl.core.network import Network, network
from nissl.core.units import by_unit
from nissl.errors import Unsupported

Array = NDArray[Any]


class InterventionSuite:
    """Subclass with `intervention()`, and `network()` and `x` if it is not for torch."""

    def intervention(self) -> Intervention:
        """As it is done to the units that `chosen` names."""
        raise NotImplementedError("return the intervention to test")

    def network(self) -> Network:
        """One with a dense layer, channels and heads; always the same, in double precision."""
        import torch

        from nissl.models.transformer import Transformer

        torch.manual_seed(0)
        return network(Transformer((1, 4, 4), 3, layers=1, width=8).build().double())

    @property
    def x(self) -> Array:
        return np.random.default_rng(1).normal(size=(6, 1, 4, 4))

    def chosen(self) -> dict[str, tuple[int, ...]]:
        """By layer the units that it is done to: three of the first layer of neurons, of channels and of heads."""
        first: dict[str, str] = {}
        for layer in self.known.layers[:-1]:
            if (layer.units or 0) > 3:
                first.setdefault(layer.unit, layer.name)
        return dict.fromkeys(first.values(), (0, 2, 3))

    def units(self, net: Network, name: str) -> Units:
        """The chosen ones, their means with them."""
        rows, which = by_unit(net.layer(name), net.probe(self.x, [name])[name]), self.chosen()[name]
        return Units(net, net.layer(name), which, rows.mean((0, 1))[list(which)])

    def edit(self, net: Network, name: str) -> Edit:
        return Edit(net, [Change(self.units(net, name), self.intervention())])

    @cached_property
    def known(self) -> Network:
        """The network, read once so that its layers are known."""
        net = self.network()
        net.probe(self.x)
        return net

    def each(self) -> list[tuple[Network, str]]:
        """Every place but those where it is refused by name, as is keeping heads from learning."""
        places = []
        for name in self.chosen():
            with suppress(Unsupported), self.edit(self.known, name):
                places.append((self.known, name))
        assert len(places) >= 2, "it is refused nearly everywhere"
        return places

    # the tests

    def test_it_says_what_it_is(self) -> None:
        made = self.intervention()
        assert type(made).__name__ in repr(made)

    def test_everything_is_as_it_was_when_it_ends_also_by_an_error(self) -> None:
        before = self.network().forward(self.x)
        for net, name in self.each():
            edit = self.edit(net, name)
            with edit:
                net.forward(self.x)
            np.testing.assert_array_equal(net.forward(self.x), before, err_msg=name)
            with pytest.raises(ZeroDivisionError), edit:
                raise ZeroDivisionError
            np.testing.assert_array_equal(net.forward(self.x), before, err_msg=name)
            edit.attach().detach()
            np.testing.assert_array_equal(net.forward(self.x), before, err_msg=name)

    def test_it_changes_its_units_and_no_others(self) -> None:
        for net, name in self.each():
            before, after = self._values(net, name), self._values(net, name, self.edit(net, name))
            mine = np.isin(np.arange(before.shape[2]), self.chosen()[name])
            np.testing.assert_array_equal(after[:, :, ~mine], before[:, :, ~mine], err_msg=name)
            differ = (after != before).any((0, 1, 3))[mine]
            assert differ.all() if self.intervention().changes else not differ.any(), name

    def test_it_does_the_same_each_time(self) -> None:
        for net, name in self.each():
            first, again = (self._values(net, name, self.edit(net, name)) for _ in range(2))
            np.testing.assert_array_equal(again, first, err_msg=name)

    def test_what_it_says_it_holds_units_at_is_what_they_are(self) -> None:
        for net, name in self.each():
            constants = self.intervention().fixed(self.units(net, name))
            if constants is not None:
                after = self._values(net, name, self.edit(net, name))[:, :, list(self.chosen()[name])]
                np.testing.assert_allclose(after, np.broadcast_to(constants, after.shape), rtol=1e-12, err_msg=name)

    def test_how_it_says_it_turns_units_is_how_they_turn(self) -> None:
        for net, name in self.each():
            turned = self.intervention().turned(self.units(net, name))
            if turned is not None:
                which = list(self.chosen()[name])
                before, after = self._values(net, name), self._values(net, name, self.edit(net, name))
                wanted = before[:, :, which] * turned[0][:, None] + turned[1][:, None]
                np.testing.assert_allclose(after[:, :, which], wanted, rtol=1e-12, atol=1e-12, err_msg=name)

    def test_it_comes_together_with_other_changes_in_any_order(self) -> None:
        for net, name in self.each():
            mine, outputs = self.edit(net, name), []
            for first, second in ((mine, self._other(net, name)), (self._other(net, name), mine)):
                with first + second:
                    outputs.append(net.forward(self.x))
            np.testing.assert_array_equal(outputs[1], outputs[0], err_msg=name)
            with mine, self._other(net, name):
                np.testing.assert_array_equal(net.forward(self.x), outputs[0], err_msg=name)

    def _values(self, net: Network, name: str, edit: Edit | None = None) -> Array:
        if edit is None:
            return by_unit(net.layer(name), net.probe(self.x, [name])[name])
        with edit:
            return by_unit(net.layer(name), net.probe(self.x, [name])[name])

    def _other(self, net: Network, name: str) -> Edit:
        """Something done to another unit of this layer, and to all layers else."""
        where = {layer: (1,) if layer == name else (0, 1) for layer in self.chosen()}
        return Edit(net, [Change(Units(net, net.layer(layer), which), _Doubled()) for layer, which in where.items()])


class _Doubled(Intervention):
    def open(self, units: Units) -> AbstractContextManager[None]:
        return units.change(lambda value: value * 2)
