"""Graphs of models: how long it takes to see them and to lay them out; ResNet-50's is to be laid out within 1 s.

torchview and torchviz stand beside where they are installed: what they do before Graphviz, which lays out what they made.
"""

import argparse
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import nn

import nissl
from nissl.apps.figure import paint
from nissl.core.layered.nest import arranged
from nissl.views.architecture import Architecture

REACH = 1.0
"""Seconds for the layout of ResNet-50."""


class Bottleneck(nn.Module):
    """Three convolutions beside a shortcut."""

    def __init__(self, given: int, width: int, stride: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(given, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        short = nn.Sequential(nn.Conv2d(given, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width))
        self.downsample = short if stride > 1 or given != 4 * width else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The shortcut added at the end."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(y)))))
        y += x if self.downsample is None else self.downsample(x)
        return self.relu(y)


def resnet50() -> nn.Module:
    """25,557,032 parameters."""
    parts: list[nn.Module] = [
        nn.Conv2d(3, 64, 7, 2, 3, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
    ]
    given = 64
    for stage, count in enumerate((3, 4, 6, 3)):
        blocks = []
        for number in range(count):
            blocks.append(Bottleneck(given, 64 * 2**stage, 2 if stage and not number else 1))
            given = 256 * 2**stage
        parts.append(nn.Sequential(*blocks))
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000))


def transformer() -> nn.Module:
    """Twelve blocks of 256 features."""
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(256, 8, batch_first=True), 12, enable_nested_tensor=False)


MODELS = {"ResNet-50": (resnet50, (1, 3, 224, 224)), "transformer of 12 blocks": (transformer, (1, 16, 256))}


def seconds(call: Callable[[], Any], rounds: int) -> float:
    """The median of several."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return round(statistics.median(taken), 4)


def ours(model: nn.Module, x: torch.Tensor, kind: str, rounds: int) -> dict[str, Any]:
    """Seen, laid out, painted."""
    graph = nissl.graph(model, x, kind)

    def laid() -> None:
        graph.__dict__.pop("places", None)
        assert graph.places.boxes

    def painted() -> None:
        with tempfile.TemporaryDirectory() as folder:
            paint(Architecture(graph).describe(), Path(folder) / "graph.svg")

    return {
        "nodes": len(graph.nodes) - len(graph.blocks), "blocks": len(graph.blocks), "edges": len(graph.edges),
        "seen, s": seconds(lambda: nissl.graph(model, x, kind), rounds), "laid out, s": seconds(laid, rounds),
        "painted as SVG, s": seconds(painted, rounds),
    }  # fmt: skip


def peers(model: nn.Module, x: torch.Tensor, rounds: int) -> dict[str, Any]:
    """What others need to see the same."""
    found: dict[str, Any] = {}
    if find_spec("torchview"):
        from torchview import draw_graph

        found |= {
            "torchview": version("torchview"),
            "torchview, seen, s": seconds(lambda: draw_graph(model, input_data=x, expand_nested=True), rounds),
        }
    if find_spec("torchviz"):
        from torchviz import make_dot

        made = dict(model.named_parameters())
        found |= {
            "torchviz": version("torchviz"),
            "torchviz, seen, s": seconds(lambda: make_dot(model(x), params=made), rounds),
        }
    return found


def chain(count: int, rounds: int) -> dict[str, Any]:
    """No block, and a shortcut at every ninth node."""
    edges = [*pairwise(range(count)), *((k, k + 9) for k in range(0, count - 9, 9))]
    sizes, parents = dict.fromkeys(range(count), (150.0, 52.0)), dict.fromkeys(range(count))
    return {
        "nodes": count,
        "edges": len(edges),
        "laid out, s": seconds(lambda: arranged(sizes, parents, edges), rounds),
    }


def main() -> None:
    """Print the table and keep it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1 round instead of 7, and nothing is kept")
    quick = parser.parse_args().quick
    rounds = 1 if quick else 7
    torch.set_num_threads(1)
    torch.manual_seed(0)
    table: dict[str, dict[str, Any]] = {}
    for name, (make, shape) in MODELS.items():
        model, x = make().eval(), torch.zeros(shape)
        table[name] = ours(model, x, "modules", rounds) | peers(model, x, rounds)
        table[f"{name}, autograd"] = ours(model, x, "autograd", rounds)
    table["chain"] = chain(1000 if quick else 3000, rounds)
    for name, row in table.items():
        print(name, *(f"  {key}: {value}" for key, value in row.items()), sep="\n")
    taken = table["ResNet-50"]["laid out, s"]
    print(f"ResNet-50 laid out in {taken} s; reach {REACH} s: {'kept' if taken < REACH else 'MISSED'}")
    if not quick:
        about = {
            "torch": torch.__version__,
            "machine": platform.machine(),
            "reach": f"ResNet-50 laid out in < {REACH:.0f} s",
        }
        results = Path(__file__).parent / "results" / "graph.json"
        results.write_text(json.dumps({**about, "graphs": table}, indent=2) + "\n")


if __name__ == "__main__":
    main()
