"""Pictures of graphs keep to the contract of pictures, and show what they say."""

import numpy as np
import pytest
import torch

import nissl
from nissl.core.graph import Graph, Node
from nissl.core.marks import Lines, Text
from nissl.testing.views import PictureSuite
from nissl.views.architecture import Architecture
from tests.core.architectures import ARCHITECTURES

LONG = "encoder.layers.11.intermediate.very_long_name_of_a_block.dense_projection_of_everything_there_is"


def graph(name, kind="modules"):
    model, x = ARCHITECTURES[name]
    torch.manual_seed(0)
    return nissl.graph(model(), x(), kind)


def long():
    """Names and numbers beyond any box, and what is not known."""
    nodes = (
        Node(0, LONG, LONG, "block", (None, *[123_456] * 9), 10**12),
        Node(1, f"{LONG}.{'x' * 90}", "W" * 60, "module", (None, *[123_456] * 9), 10**12, 0),
        Node(2, "free", "free", "function", None),
    )
    return Graph("A model of which the name is long " * 4, "modules", nodes, ((1, 2),), 10**12)


def joined():
    """Where several meet there is a sign, a word, or only a point."""
    roles = {2: ("add", "junction"), 3: ("attention", "junction"), 4: ("meet", "junction")}
    nodes = tuple(Node(n, f"n{n}", *roles.get(n, ("Linear", "module")), (4,)) for n in range(6))
    return Graph("Joined", "modules", nodes, ((0, 2), (1, 2), (0, 3), (2, 3), (1, 4), (3, 4), (4, 5)))


class TestPictures(PictureSuite):
    def pictures(self):
        yield "long names", Architecture(long()).describe()
        yield "one node", Architecture(Graph("One", "modules", (Node(0, "a", "A", "module", ()),), ())).describe()
        yield "junctions", Architecture(joined()).describe()
        for name in ARCHITECTURES:
            yield name, Architecture(graph(name)).describe()
            yield f"{name}, closed", Architecture(graph(name), depth=1).describe()
        for name in ("perceptron", "shared", "transformer"):
            yield f"autograd of {name}", Architecture(graph(name, "autograd")).describe()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_node_has_its_words_and_every_edge_its_line(name):
    shown = graph(name)
    marks = Architecture(shown).describe().marks
    words = [mark.words for mark in marks if isinstance(mark, Text)]
    for node in shown.nodes:
        if node.id not in shown.blocks:
            assert node.words[0] in words
            assert node.words[1] in words
    _, heads = [mark for mark in marks if isinstance(mark, Lines)]
    assert np.isnan(heads.points[:, 0]).sum() == len(shown.edges)


def test_junctions_are_signs_and_points():
    words = [mark.words for mark in Architecture(joined()).describe().marks if isinstance(mark, Text)]
    assert {"+", "attention"} <= set(words)
    assert "" not in words and "meet" not in words


def test_what_is_closed_is_said():
    whole = graph("ResNet-50, thin")
    caption = Architecture(whole, depth=2).describe().caption
    assert "24 edges; 20 blocks closed, of 177 nodes in all" in caption
    assert "all that the pass has shown" in Architecture(whole).describe().caption
