"""A study as TensorBoard's logs: numbers over the epochs, pictures, the network's graph, and the samples for its projector."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nissl.core.board import Board
from nissl.core.graph import Graph, graph
from nissl.core.palette import ramp
from nissl.core.pictures import images
from nissl.core.trace import Trace
from nissl.errors import BadValue, NisslWarning, Unsupported
from nissl.studies._study.judging import Judged
from nissl.studies._study.looking import Looking
from nissl.views._attributing.pixels import planes, signed

NAMES = {
    "loss": "Loss/train",
    "accuracy": "Accuracy/train",
    "probe_loss": "Loss/eval",
    "probe_accuracy": "Accuracy/eval",
}
TIMES = 16
"""How many pixels wide a cell of the confusion matrix is."""


def export(folder: Path, judged: Sequence[Judged], looking: Looking, run: Trace | None) -> Path:
    """Everything into one folder, which must not hold anything yet."""
    if folder.exists() and any(folder.iterdir()):
        raise BadValue(f"{folder} is not empty; nothing is overwritten: name another folder.")
    with Board(folder) as board:
        for epoch, numbers in _numbers(judged, run):
            for name, value in numbers.items():
                if name in NAMES and np.isfinite(value):
                    board.scalar(NAMES[name], value, epoch)
        for stage in judged:
            board.image("Confusion (rows: what it is)", _matrix(stage), stage.epoch)
        _pictures(board, judged, looking)
        try:
            board.graph(nodes(graph(looking.network, looking.x[:2])))
        except Unsupported as reason:
            warnings.warn(f"nissl: the logs have no graph: {reason}", NisslWarning, stacklevel=3)
    looking.projected(judged).export(folder / "projector")
    Board(folder / "projector").close()  # only folders with an event file are looked at
    return folder


def _numbers(judged: Sequence[Judged], run: Trace | None) -> list[tuple[int, dict[str, float]]]:
    """Of the run where there is one, of every recorded epoch; else of the stages."""
    if run is not None:
        return [(entry.epoch, dict(entry.scalars)) for entry in run.entries]
    return [(stage.epoch, {"probe_loss": stage.loss, "probe_accuracy": stage.accuracy}) for stage in judged]


def _matrix(stage: Judged) -> Any:
    counts = stage.confusion.astype(float)
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    cells = np.round(255 * ramp("ink", np.sqrt(share))).astype(np.uint8)
    return cells.repeat(TIMES, 0).repeat(TIMES, 1)


def _pictures(board: Board, judged: Sequence[Judged], looking: Looking) -> None:
    """The worst mistakes, and what the network looked at in them at each stage."""
    worst = judged[-1].mistakes()[: looking.samples]
    shown = images(looking.x[worst]) if len(worst) else None
    if shown is None:
        return
    for stage in judged:
        with looking.at(stage.epoch) as then:
            maps = signed(planes(looking.attributed(then, looking.x[worst], looking.labels[worst]).values, 1))
        for number, sample, seen in zip(worst, shown, maps, strict=True):
            board.image(f"Misclassified/{number}", np.concatenate([sample, seen], 1), stage.epoch)


def nodes(found: Graph) -> list[tuple[str, str, list[str]]]:
    """As TensorBoard nests them: a block's name, a slash, and the names inside."""
    last = {node.id: node.path.rpartition(".")[2] or found.name for node in found.nodes}
    names: dict[int, str] = {}
    for node in found.nodes:
        name = "/".join(last[one] for one in [*found.around(node.id), node.id])
        names[node.id] = name if name not in names.values() else f"{name}_{node.id}"
    feeds: dict[int, list[str]] = {}
    for one, other in found.edges:
        feeds.setdefault(other, []).append(names[one])
    return [(names[n.id], n.type, feeds.get(n.id, [])) for n in found.nodes if n.id not in found.blocks]
