"""The noun: what a graph checks, how it is closed, saved and read; and who is refused."""

import json

import numpy as np
import pytest

import nissl
from nissl.core.graph import Graph, Node
from nissl.errors import BadValue, DamagedData, MissingData, Unsupported

NODES = (
    Node(0, "input", "input", "input", (1, 4)),
    Node(1, "body", "Body", "block", (1, 3), 23),
    Node(2, "body.inner", "Inner", "block", (1, 3), 23),
    Node(3, "body.inner.0", "Linear", "module", (1, 3), 15, 2),
    Node(4, "body.inner.relu", "relu", "function", (1, 3), 0, 2),
    Node(5, "body.add", "add", "function", (1, 3), 0, 1),
    Node(6, "output", "output", "output", (1, 3)),
)
PARENTS = (None, None, 1, 2, 2, 1, None)
EDGES = ((0, 3), (3, 4), (4, 5), (0, 5), (5, 6))


def made(**change):
    nodes = tuple(Node(**vars(n) | {"parent": p}) for n, p in zip(NODES, PARENTS, strict=True))
    return Graph(**{"name": "Toy", "kind": "modules", "nodes": nodes, "edges": EDGES, "params": 23} | change)


def test_it_knows_its_blocks_and_levels():
    graph = made()
    assert graph.blocks == {1, 2}
    assert graph.depth == 3
    assert graph.around(4) == [1, 2]
    assert graph["body.add"].id == 5
    assert "5 nodes in 2 blocks, 5 edges, 23 parameters" in repr(graph)
    with pytest.raises(BadValue, match=r"no node 'nothing'.*body\.add"):
        graph["nothing"]


def test_closed_blocks_are_nodes_that_keep_all_edges_across_their_borders():
    two = made().collapsed(2)
    assert [node.path for node in two.nodes] == ["input", "body", "body.inner", "body.add", "output"]
    assert set(two.edges) == {(0, 2), (2, 5), (0, 5), (5, 6)}
    one = made().collapsed(1)
    assert [node.path for node in one.nodes] == ["input", "body", "output"]
    assert set(one.edges) == {(0, 1), (1, 6)}
    assert made().collapsed(3) == made()
    with pytest.raises(BadValue, match="from 1"):
        made().collapsed(0)


def test_it_is_read_as_it_was_saved_with_places(tmp_path):
    made().save(tmp_path / "new" / "graph.json")
    assert Graph.load(tmp_path / "new" / "graph.json") == made()
    said = json.loads((tmp_path / "new" / "graph.json").read_text())
    assert said == made().to_dict()
    assert {"id", "path", "type", "shape", "params", "parent", "x", "y", "w", "h"} <= set(said["nodes"][0])
    assert [(edge["source"], edge["target"]) for edge in said["edges"]] == list(EDGES)
    assert all(node["x"] >= 0 and node["x"] + node["w"] <= said["width"] + 0.2 for node in said["nodes"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"nodes": ()}, "at least one"),
        ({"edges": ((3, 0),)}, r"\(3, 0\)"),
        ({"edges": ((0, 1),)}, r"\(0, 1\)"),
        ({"edges": ((0, 99),)}, r"\(0, 99\)"),
        ({"nodes": (Node(0, "a", "A", "module", parent=7),), "edges": ()}, "a"),
        ({"nodes": (Node(0, "a", "A", "module", parent=0),), "edges": ()}, "a"),
        (
            {
                "nodes": (
                    *NODES[:3],
                    Node(3, "late", "A", "module", parent=1),
                    Node(4, "again", "A", "module", parent=2),
                    Node(5, "torn", "A", "module", parent=1),
                    Node(6, "in", "A", "module", parent=2),
                ),
                "edges": (),
            },
            "late|again",
        ),
        ({"nodes": (NODES[3], NODES[0]), "edges": ()}, "order"),
    ],
)
def test_what_is_no_graph_is_refused(change, said):
    with pytest.raises(BadValue, match=said):
        made(**change)


def test_files_that_hold_none_are_refused(tmp_path):
    with pytest.raises(MissingData, match=r"gone\.json"):
        Graph.load(tmp_path / "gone.json")
    for number, text in enumerate(("", "{}", "[]", '{"nodes": 3}', "\x00")):
        (tmp_path / f"{number}.json").write_text(text)
        with pytest.raises(DamagedData, match="no graph"):
            Graph.load(tmp_path / f"{number}.json")
    with pytest.raises(BadValue, match=r"saved as \.json"):
        made().save(tmp_path / "graph.dot")


def test_who_has_none_says_so():
    with pytest.raises(BadValue, match="modules, autograd"):
        nissl.graph(object(), kind="calls")
    with pytest.raises(Unsupported, match=r"Arrays models .* torch, Keras and ONNX"):
        nissl.graph({"a": np.zeros((3, 2)), "b": np.zeros((3, 2))})
