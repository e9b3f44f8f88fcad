"""`compress`: a network in a small file, by the three stages of Deep Compression (Han, Mao and Dally, ICLR 2016)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.network import Network, network
from nissl.errors import BadValue, DamagedData, MissingData
from nissl.studies._compression import pack
from nissl.studies._compression.sharing import shared
from nissl.studies._pruning import choosing, measures
from nissl.studies._pruning.tuning import FineTune, checked, tuned

Array = NDArray[Any]


@dataclass(frozen=True)
class Stage:
    """One step on the way."""

    name: str
    bytes: int
    """Of a file that holds the network so."""
    accuracy: float


@dataclass(frozen=True, eq=False)
class Compressed:
    """A network made small, and what each stage gave and cost."""

    model: Any
    """With the weights that are in the file, as an ordinary model."""
    stages: tuple[Stage, ...]
    """"given", "pruned", "shared" (values), "coded" (by Huffman)."""
    file: bytes = field(repr=False)

    @property
    def ratio(self) -> float:
        """How many times smaller the file is than one of all numbers as they were given."""
        return self.stages[0].bytes / self.stages[-1].bytes

    def save(self, path: str | Path) -> Path:
        """Write the file, whole or not at all; `nissl.decompress` reads it."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.{os.getpid()}.part")
        try:
            part.write_bytes(self.file)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return target

    def __str__(self) -> str:
        first = self.stages[0].bytes
        return "\n".join(
            f"{s.name:7} {s.bytes:>12,} bytes  x{first / s.bytes:.1f}  accuracy {s.accuracy:.3f}" for s in self.stages
        )


def compress(
    model: Any, data: Any, *, share: float = 0.8, bits: int = 5, globally: bool = True, finetune: FineTune = 0, test: Any = None,
    batch: int = 32, learning_rate: float = 1e-3, seed: int = 0,
) -> Compressed:  # fmt: skip
    """Prune, let weights share values, write both by Huffman's code; the model given stays as it is.

    `share`: how many of the weights become zero, the smallest of the whole network or (`globally=False`) of each matrix.
    `bits`: the weights of a matrix that are left share 2 ** bits values. `finetune`, after each of these two stages, `test`, `batch`,
    `learning_rate`: as for `nissl.prune`; while values are shared, each learns by the mean of its weights' gradients.
    """
    if not isinstance(bits, int) or isinstance(bits, bool) or not 1 <= bits <= 12:
        raise BadValue(f"bits={bits!r}: a whole number from 1 to 12.")
    if not 0 <= share < 1:
        raise BadValue(f"share={share!r}: how much goes, from 0 to less than 1.")
    checked(finetune)
    old = network(model)
    measures.tying(old)
    judged = data if test is None else test
    net = measures.copied(old)
    tying = measures.tying(net)

    def learn(ties: Mapping[str, Array]) -> None:
        with tying.tied(ties):
            tuned(net, finetune, data, batch=batch, learning_rate=learning_rate, seed=seed)

    def stage(name: str, ties: Mapping[str, Array], *, coded: bool = False) -> bytes:
        file = pack.packed(_parts(tying.state(), ties), coded=coded)
        stages.append(Stage(name, len(file), measures.accuracy(net, judged)))
        return file

    stages: list[Stage] = []
    stage("given", {})
    masks = choosing.staying(choosing.weights(tying.state(trained=True), "magnitude", seed), share, globally=globally)
    learn(masks)
    stage("pruned", masks)
    groups = _share(net, masks, 2**bits)
    learn(groups)
    stage("shared", groups)
    file = stage("coded", groups, coded=True)
    return Compressed(net.model, tuple(stages), file)


def decompress(path: str | Path, model: Any) -> Any:
    """A new model with the weights of a file that `nissl.compress` wrote; `model`: one of the same kind, which stays as it is."""
    file = Path(path)
    if not file.is_file():
        raise MissingData(f"There is no file {file}.")
    net = measures.copied(network(model))
    tying = measures.tying(net)
    try:
        found = pack.unpacked(file.read_bytes(), tying.state())
    except DamagedData as error:
        raise DamagedData(f"{file} can't be read as a compressed network. {error}") from error
    tying.restore(found)
    return net.model


def _share(net: Network, masks: Mapping[str, Array], values: int) -> dict[str, Array]:
    """Let each matrix's weights share values; which of them are one: 0 for zeros, from 1 the values."""
    tying = measures.tying(net)
    state, groups = tying.state(trained=True), {}
    for name, kept in masks.items():
        numbers = np.zeros(kept.shape, np.int64)
        if kept.any():
            centres, which = shared(state[name][kept], values)
            state[name][kept] = centres[which]
            numbers[kept] = 1 + which
        groups[name] = numbers
    tying.restore({name: state[name] for name in groups})
    return groups


def _parts(state: Mapping[str, Array], ties: Mapping[str, Array]) -> list[pack.Part]:
    parts = []
    for name, array in state.items():
        if name not in ties:
            parts.append(pack.Part(name, array.shape, array))
            continue
        tie, flat = ties[name].reshape(-1), array.reshape(-1)
        places = np.flatnonzero(tie)
        entries, codes = flat[places], None
        if tie.dtype != bool:
            _, first, codes = np.unique(tie[places], return_index=True, return_inverse=True)
            entries = entries[first]
        parts.append(pack.Part(name, array.shape, entries, places if len(places) < flat.size else None, codes))
    return parts
