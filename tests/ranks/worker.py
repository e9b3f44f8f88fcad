"""Processes that train one network: `python -m tests.ranks.worker`, told SCENARIO WORLD FOLDER line by line."""

import os
import re
import signal
import sys
import time
import traceback
import warnings
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import torch
import torch._dynamo  # which every optimiser would import in each process
from torch import distributed, nn
from torch.nn import functional as F

import nissl
from nissl.adapters.torch import Torch
from nissl.errors import BadValue, NisslWarning, TraceExists, Unsupported
from nissl.quantities.weight_gradients import WeightGradients

EXAMPLES, CLASSES = 257, 3
BATCHES = ((0, 100), (100, 200), (200, 257))


def data():
    torch.manual_seed(3)
    return torch.randn(EXAMPLES, 8, dtype=torch.float64), torch.randint(0, CLASSES, (EXAMPLES,))


def network(dropout=0.0, seed=1):
    torch.manual_seed(seed)
    turned = nn.Unflatten(1, (7, 1)), nn.ConvTranspose1d(7, 5, 1), nn.Flatten(), nn.Tanh()  # units are not its rows
    return nn.Sequential(nn.Linear(8, 7), nn.ReLU(), nn.Dropout(dropout), *turned, nn.Linear(5, CLASSES)).double()


def shares(rank, world):
    """A rank's batches; together the ranks' are those of one process: of 257 examples two ranks have 129 and 128."""
    x, y = data()
    for first, last in BATCHES:
        cut = torch.arange(first, last).tensor_split(world)[rank]
        yield x[cut], y[cut], last - first


def train(model, rank, world, path=None, *, epochs=2, **options):
    """The README's loop; the loss is such that the ranks' mean gradient is that of one process on whole batches."""
    optimizer = torch.optim.SGD(model.parameters(), 0.5, momentum=0.9)
    probe = tuple(part[:40] for part in data())
    if path is None:
        for _ in range(epochs):
            for x, y, whole in shares(rank, world):
                (F.cross_entropy(model(x), y, reduction="sum") * world / whole).backward()
                optimizer.step()
                optimizer.zero_grad()
        return
    options = {"precision": "float64", "progress": False, "probe": probe, "quantities": QUANTITIES} | options
    with nissl.record(model, path, **options) as recorder:
        for _ in recorder.epochs(epochs):
            for x, y, whole in recorder.batches(shares(rank, world), labels=lambda batch: batch[1]):
                loss = F.cross_entropy(model(x), y, reduction="sum") * world / whole
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()


QUANTITIES = [
    "activation", "preactivation", "gradient", "profile", "quantiles", "weights", WeightGradients(every=1),
    "predictions", "samples",
]  # fmt: skip
WHOLE = [*QUANTITIES, "structures"]
"""What processes of which each holds the whole model can record."""


def wrapped(kind, model):
    if kind == "ddp":
        return nn.parallel.DistributedDataParallel(model)
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    for layer in (model[0], model[4]):
        fully_shard(layer, mesh=mesh)
    return fully_shard(model, mesh=mesh)


def state(model):
    return [getattr(p, "full_tensor", lambda p=p: p)().detach().clone() for p in model.parameters()]


def together(kind, rank, world, folder):
    """Recorded as one would be; and training goes as it does without a recorder."""
    wanted = WHOLE if kind == "ddp" else QUANTITIES
    train(wrapped(kind, network()), rank, world, folder / "run", quantities=wanted)
    if kind == "fsdp":
        with pytest.raises(Unsupported, match="holds but a part of this model"):
            train(wrapped(kind, network()), rank, world, folder / "refused", quantities=WHOLE)
    ends = []
    for path in (folder / "dropped", None):
        model = wrapped(kind, network(dropout=0.3))
        torch.manual_seed(10 + rank)
        train(model, rank, world, path)
        ends.append([*state(model), torch.get_rng_state()])
    assert all(torch.equal(a, b) for a, b in zip(*ends, strict=True))
    looks_alike(nissl.network(wrapped(kind, network())), nissl.network(network()), data()[0][:10])


def looks_alike(net, whole, x):
    """Shown, differentiated and changed together, it answers as the whole one does; nothing stays of it."""
    with net.change("0", [1, 2]), whole.change("0", [1, 2]):
        assert np.array_equal(net.forward(x), whole.forward(x))
    for place in ("input", "4"):
        found, wanted = (one.to_numpy(one.gradient(x, 1, at=place)) for one in (net, whole))
        assert np.array_equal(found, wanted)
    assert all(p.grad is None for p in net.model.parameters())


def uneven(rank, world, folder):
    """Each rank has one batch more than the one before it; the first one has none in its second epoch."""
    x, y = data()
    model = nn.parallel.DistributedDataParallel(network())
    with nissl.record(model, folder / "run", precision="float64", progress=False) as recorder:
        for epoch in recorder.epochs(2):
            with model.join():
                for i in recorder.batches(range(rank + 2 - epoch), labels=lambda i: y[10 * i : 10 * i + 10]):
                    F.cross_entropy(model(x[10 * i : 10 * i + 10]), y[10 * i : 10 * i + 10]).backward()


def apart(rank, world, folder, *, dies=None, **options):
    """Each rank trains a network of its own; one of them is killed in its third epoch."""
    x, y, _ = next(shares(rank, world))
    model = network(seed=rank)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    options = {"patience": 1, "progress": False} | options
    with nissl.record(model, folder / "run", **options) as recorder:
        for epoch in recorder.epochs(4 if dies is not None else 6):
            distributed.barrier() if epoch < 3 and dies is not None else None
            for inputs, labels in recorder.batches([(x, y)] * 2):
                if dies == rank and epoch == 3:
                    while rank == 0 and recorder.trace.epochs != [1, 2]:  # what it has of an epoch is not yet an epoch
                        time.sleep(0.01)
                    os.kill(os.getpid(), signal.SIGKILL)
                F.cross_entropy(model(inputs), labels).backward()
                optimizer.step()
                optimizer.zero_grad()


class Alone(Torch):
    """Processes that only share a folder: each may die and come back as it likes."""

    def __init__(self, model, rank, world, folder):
        super().__init__(model)
        self._process, self._folder, self._asked = (rank, world), folder, 0

    @property
    def process(self):
        return self._process

    def from_first(self, message):
        self._asked += 1
        said = self._folder / f"said-{self._asked}"
        if self._process[0] == 0:
            said.with_suffix(".new").write_text(message)
            said.with_suffix(".new").rename(said)
        while not said.exists():
            time.sleep(0.01)
        return said.read_text()


def returns(rank, world, folder):
    """Rank 1 is killed in its second epoch, and started again."""
    x, y, _ = next(shares(rank, world))
    model = network()
    with nissl.record(Alone(model, rank, world, folder), folder / "run", progress=False) as recorder:
        for epoch in recorder.epochs(4):
            for inputs, labels in recorder.batches([(x, y)]):
                if rank == 1 and epoch == 2 and not (folder / "died").exists():
                    (folder / "died").touch()
                    os.kill(os.getpid(), signal.SIGKILL)
                F.cross_entropy(model(inputs), labels).backward()


def refused(rank, world, folder):
    """What cannot be recorded together is refused alike on every rank, and soon."""
    x, y = data()
    _raises(BadValue, "a path that all of them reach", None)
    for options, said in (
        ({"drop_batches": False}, "drop_batches=False"),
        ({"bins": 4}, "bins=[edges]"),
        ({"layers": "nowhere"}, "No layer matches"),
        ({"probe": (x[:, :3], y)}, "cannot be shown"),
    ):
        _raises(LookupError if "layers" in options else BadValue, said, folder / "refused", **options)
    _raises(TraceExists, "There is a trace at", folder / "run")
    if rank == 1:
        _raises(BadValue, "rounding (None on rank 0, 8 here)", folder / "other", rounding=8)
    else:
        with nissl.record(network(), folder / "other", progress=False):
            pass
    _labels_differ(rank, folder / "labels")
    if rank == 0:  # the others never open it
        _raises(BadValue, "not under `if rank == 0`", folder / "alone")


def _raises(kind, said, path, **options):
    with pytest.raises(kind, match=re.escape(said)), nissl.record(network(), path, progress=False, **options):
        pass


def _labels_differ(rank, path):
    """Rows that happen to be one-hot on one rank, and several labels on the other."""
    x, y = data()
    labels = torch.eye(CLASSES)[y[:8]] if rank == 0 else torch.ones(8, CLASSES)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", NisslWarning)
        model = network()
        with nissl.record(model, path, progress=False, patience=1) as recorder:
            distributed.barrier()
            for _ in recorder.epochs(1):
                for inputs, _targets in recorder.batches([(x[:8], labels)]):
                    model(inputs).sum().backward()
                distributed.barrier()
    told = [str(one.message) for one in caught if "multiclass" in str(one.message)]
    assert len(told) == (rank == 1), [str(one.message) for one in caught]


SECONDS = {"refused": 10}  # to wait for each other when a recording opens
SCENARIOS = {
    "ddp": lambda *a: together("ddp", *a),
    "fsdp": lambda *a: together("fsdp", *a),
    "uneven": uneven,
    "dies0": lambda *a: apart(*a, dies=0),
    "dies1": lambda *a: apart(*a, dies=1),
    "resumed": lambda *a: apart(*a, resume=True),
    "returns": returns,
    "refused": refused,
}


def main() -> None:
    """All ranks are children of this process, so that the libraries are imported once; says what became of each."""
    for line in sys.stdin:
        name, world, folder = line.split(maxsplit=2)
        print(*launched(name, int(world), Path(folder.rstrip("\n"))), flush=True)


def launched(name: str, world: int, folder: Path) -> list[int]:
    children = [started(name, rank, world, folder) for rank in range(world)]
    if name == "returns":
        os.waitpid(children[1], 0)
        children[1] = started(name, 1, world, folder)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def started(name: str, rank: int, world: int, folder: Path) -> int:
    child = os.fork()  # nothing has started a thread yet
    if not child:
        with (folder / f"{name}.log").open("a") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        run(name, rank, world, folder)
    return child


def run(name: str, rank: int, world: int, folder: Path) -> NoReturn:
    code = 1
    try:
        torch.set_num_threads(1)
        warnings.simplefilter("error", NisslWarning)
        wait = timedelta(seconds=SECONDS.get(name, 60))
        meet = f"file://{folder}/{name}"
        if name != "returns":
            distributed.init_process_group("gloo", init_method=meet, rank=rank, world_size=world, timeout=wait)
        SCENARIOS[name](rank, world, folder)
        if name not in ("returns", "refused", "dies0", "dies1"):  # there the last to come would wait for nobody
            distributed.barrier()
            distributed.destroy_process_group()
        code = 0
    except BaseException:  # noqa: BLE001 - pytest.raises fails with one
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
