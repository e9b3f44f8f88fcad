"""Means of groups: of a network's answers in one pass, or of activations that lie in files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.alignment import centred
from nissl.core.capabilities import Differentiable
from nissl.core.network import Network
from nissl.core.profiling import profile
from nissl.core.progress import progress as shown
from nissl.errors import BadValue, DamagedData, NisslError, Unsupported, plural
from nissl.studies._corpus import folders
from nissl.studies._corpus.reading import FILE, Corpus, Row, loaded

Array = NDArray[Any]
INPUT = "input"


@dataclass(frozen=True, eq=False)
class Means:
    """By layer, in the network's order, the means of (group, position ..., unit); the input comes first."""

    layers: Mapping[str, Array]
    counts: Array
    """How many examples each group has."""


def streamed(
    network: Network, names: Sequence[str], corpus: Corpus, align: str | None, batch: int, progress: bool
) -> Means:
    """One pass over the corpus; nothing but the sums is kept. `align`: by whose gradient, None: not at all."""
    total = sum(row.count for row in corpus.rows)
    inputs, passed = _Inputs(network, corpus.groups, align), corpus.rows[0]
    with shown("aligned profiles" if align else "profiles", progress) as tick:

        def parts() -> Iterator[tuple[Array, Array | None]]:
            nonlocal passed
            done = 0
            for row, whole in corpus.batches():
                passed = row
                for start in range(0, len(whole), batch):
                    x = whole[start : start + batch]
                    labels = np.full(len(x), row.output) if row.output is not None else None
                    inputs.add(x, row, labels)
                    yield x, labels if align == "label" else None
                    done += len(x)
                    tick(done / total)

        try:
            found = profile(
                network, parts(), {"group": corpus.column}, layers=list(names), align=align, batch=batch, progress=False
            )
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            if isinstance(error, NisslError):
                raise
            raise BadValue(
                f"The network does not take what {corpus.folder / passed.file} (row {passed.number} of {FILE}) holds, examples of "
                f"the shape {inputs.shape}: {error}"
            ) from error
    layers = {INPUT: inputs.means()}
    for name in found.layers:
        layers[name] = np.moveaxis(np.asarray(found[name]), found.answer(name).unit + 1, -1)
    return Means(layers, found.counts)


class _Inputs:
    """The means of the examples themselves, which are no layer's values."""

    def __init__(self, network: Network, groups: Sequence[str], align: str | None):
        self._network, self._align = network, align
        self._sums = {group: (0, np.zeros(())) for group in groups}
        self._unit = channels(network)
        self.shape: tuple[int, ...] = ()
        """Of the examples that came last."""

    def add(self, x: Array, row: Row, labels: Array | None) -> None:
        self.shape = x.shape[1:]
        unit = self._unit % x.ndim
        if self._align and x.ndim > 2 and x.dtype.kind == "f":
            x = centred(x, self._slopes(x, row, labels), unit)
        count, total = self._sums[row.group]
        self._sums[row.group] = count + len(x), total + x.sum(0, dtype=np.float64)

    def _slopes(self, x: Array, row: Row, labels: Array | None) -> Array:
        assert isinstance(self._network, Differentiable)
        outputs = self._network.forward(x).reshape(len(x), -1)
        if self._align == "label" and row.output is not None and row.output >= outputs.shape[1]:
            raise BadValue(
                f"Row {row.number} of {FILE}, {row.file}, says that output {row.output} is right: the network has "
                f"{plural(outputs.shape[1], 'output')}, counted from 0."
            )
        which = outputs.argmax(1) if self._align == "prediction" else labels
        return np.asarray(self._network.gradient(x, which, at="input"))

    def means(self) -> Array:
        found = np.stack([total / count for count, total in self._sums.values()])
        return np.moveaxis(found, self._unit % found.ndim, -1) if found.ndim > 2 else found


def channels(network: Network) -> int:
    """Which axis of the examples counts their channels: the one that the first convolution's values have them along."""
    first = next((layer for layer in network.layers if layer.kind == "conv"), None)
    return 1 if first is not None and first.unit_axis == 1 else -1


def able_to_align(network: Network) -> None:
    if not isinstance(network, Differentiable):
        raise Unsupported(
            f"Activations are aligned by gradients, and {network.framework} gives none: use_aligned_naps=false, or the same "
            "network in a framework that does."
        )


def of_files(folder: Path, files: Mapping[str, Sequence[str]]) -> Means:
    """Of activations as others wrote them: a folder for each layer, a file for each batch, units last."""
    layers, counts = {}, np.zeros(0)
    for name in folders.layers(folder):
        found = [_mean(folder / name, group, named) for group, named in files.items()]
        shapes = {mean.shape for _, mean in found}
        if len(shapes) > 1:
            raise DamagedData(f"Files of {folder / name} hold values of different shapes: {sorted(shapes)}.")
        layers[name] = np.stack([mean for _, mean in found])
        counts = np.array([count for count, _ in found])
    return Means(layers, counts)


def _mean(folder: Path, group: str, files: Sequence[str]) -> tuple[int, Array]:
    count, total = 0, np.zeros(())
    for file in files:
        part = loaded(folder / file, f"group {group} of {folders.BY_FILES}")
        if count and part.shape[1:] != total.shape:
            raise DamagedData(
                f"{folder / file} (group {group}) holds values of the shape {part.shape[1:]}, the files before it of {total.shape}."
            )
        count, total = count + len(part), total + part.sum(0, dtype=np.float64)
    if not count:
        raise DamagedData(f"Group {group} of {folders.BY_FILES} has no files.")
    return count, total / count


def align_files(out: Path, files: Mapping[str, Sequence[str]], progress: bool) -> list[str]:
    """Move the activations of files that have gradients beside them and places to move along; says which layers did not."""
    left = []
    named = [(group, file) for group, some in files.items() for file in some]
    with shown("align", progress) as tick:
        every = folders.layers(out / folders.GRADS)
        for number, layer in enumerate(every):
            for group, file in named:
                said = f"group {group} of {folders.BY_FILES}"
                values = loaded(out / folders.ACTS / layer / file, said)
                if values.ndim < 3:
                    left.append(layer)
                    break
                slopes = loaded(out / folders.GRADS / layer / file, said)
                if slopes.shape != values.shape:
                    raise DamagedData(
                        f"{out / folders.GRADS / layer / file} is of the shape {slopes.shape}, its activations of {values.shape}."
                    )
                folders.put(out / folders.ALIGNED / layer / file, centred(values, slopes, values.ndim - 1))
            tick((number + 1) / len(every))
    return left
