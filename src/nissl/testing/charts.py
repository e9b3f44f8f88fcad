"""What an adapter whose models can be drawn must keep to; part of `AdapterSuite`."""

import numpy as np
import pytest

from nissl.core.capabilities import Charted
from nissl.core.graph import KINDS, Graph, graph
from nissl.errors import BadValue, Unsupported
from nissl.testing.gradients import GradientSuite


class ChartSuite(GradientSuite):
    """The tests of graphs; which layers feed which is known from elsewhere."""

    def drawn(self) -> Graph:
        if not isinstance(self.net, Charted):
            pytest.skip("this framework's models can't be drawn")
        return graph(self.net, self.x)

    def test_models_that_cannot_be_drawn_are_refused_by_name(self) -> None:
        with pytest.raises(BadValue, match="modules, autograd"):
            graph(self.net, self.x, "calls")
        if isinstance(self.net, Charted):
            return
        for kind in KINDS:
            with pytest.raises(Unsupported, match=type(self.net).__name__):
                graph(self.net, self.x, kind)

    def test_every_layer_is_a_node_of_its_shape(self) -> None:
        found, values = self.drawn(), self.net.probe(self.x)
        for layer in self.net.layers:
            shape = found[layer.name].shape
            if layer.kind in ("dense", "conv"):
                assert shape is not None
                assert len(shape) == values[layer.name].ndim
                assert shape[layer.unit_axis] == layer.units

    def test_a_layer_leads_to_those_that_change_when_it_is_changed(self) -> None:
        found, before, net = self.drawn(), self.net.probe(self.x), self.editable()
        ids = {found[name].id: name for name in self.names}
        for one, name in ids.items():
            met, reached = {one}, set()
            for source, target in sorted(found.edges):  # each source's own ways are known before it
                if source in met:
                    met.add(target)
                    reached |= {ids[target]} if target in ids else set()
            with net.change(name, None, np.linspace(1.0, 3.0, before[name].shape[self.net.layer(name).unit_axis])):
                after = self.net.probe(self.x)
            assert {other for other in ids.values() if not np.array_equal(before[other], after[other])} - {
                name
            } == reached

    def test_a_graph_counts_parameters_once_and_leaves_the_model_as_it_is(self) -> None:
        before = self.net.forward(self.x)
        weights = {layer.name: self.net.weights(layer.name) for layer in self.net.layers}
        found = self.drawn()
        assert graph(self.net, self.x) == found
        own = {name: sum(array.size for array in arrays.values()) for name, arrays in weights.items()}
        for name, size in own.items():
            assert found[name].params <= size or "#" in name or size == 0
        assert found.params >= sum(found[name].params for name in own if "#" not in name)
        np.testing.assert_array_equal(self.net.forward(self.x), before)
        for name, arrays in weights.items():
            for key, array in arrays.items():
                np.testing.assert_array_equal(self.net.weights(name)[key], array)
