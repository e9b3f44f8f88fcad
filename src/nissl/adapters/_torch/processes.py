"""The processes of torch.distributed that train one model together, and which of them holds what."""

import sys
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed, nn

from nissl.errors import BadValue, Unsupported, listing

NOBODY = "nobody"
LONGEST = timedelta(minutes=5)  # to wait for the others when a recording opens; a process group may wait for less
_ALL = "Every process records what it hears itself: run the same lines on all of them, not under `if rank == 0`."


def process(model: nn.Module) -> tuple[int, int]:
    """(rank, world) in the group that trains this model; (0, 1) where there is none."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return 0, 1
    group = _group(model)
    return distributed.get_rank(group), distributed.get_world_size(group)


def _group(model: nn.Module) -> Any:
    """That of DistributedDataParallel, or of the mesh that parameters are sharded over; else everybody's."""
    for module in model.modules():
        if isinstance(module, nn.parallel.DistributedDataParallel):
            return module.process_group
    meshes = [p.device_mesh for p in model.parameters() if is_sharded(p)]  # type: ignore[attr-defined]
    if meshes and meshes[0].ndim == 1:
        return meshes[0].get_group()
    return distributed.group.WORLD


def from_first(model: nn.Module, message: str) -> str:
    """By the key-value store through which the processes found each other: no collective, whatever the back end."""
    from torch.distributed.distributed_c10d import _get_default_store

    rank, world = process(model)
    store: Any = _get_default_store()
    if store is None:
        raise Unsupported("A process group without a store (MPI) can't open a recording: use gloo or nccl.")
    place = f"nissl/{_group(model).group_name}"
    patience = min(store.timeout, LONGEST)
    if rank:
        return _asked(store, f"{place}/{rank}", patience)
    _tell(store, {f"{place}/{other}" for other in range(1, world)}, message, patience)
    return message


def _asked(store: Any, place: str, patience: timedelta) -> str:
    """Ask under a name that was never used: a store may still hold what was said before torchrun started this process again."""
    question = uuid.uuid4().hex
    store.set(f"{place}/asks", question)
    try:
        store.wait([f"{place}/{question}"], patience)
    except RuntimeError as error:
        raise BadValue(
            f"Rank 0 has not opened this recording within {patience.total_seconds():.0f} s. {_ALL}"
        ) from error
    message = str(store.get(f"{place}/{question}").decode())
    store.set(f"{place}/asks", NOBODY)
    store.set(f"{place}/{question}/heard", "yes")
    return message


def _tell(store: Any, places: set[str], message: str, patience: timedelta) -> None:
    """Answer each of the others, and wait until it has heard it: this process may end then, and the store with it."""
    until, told = time.monotonic() + patience.total_seconds(), dict.fromkeys(places, NOBODY)
    while told and time.monotonic() < until:
        for place, answered in list(told.items()):
            question = store.get(f"{place}/asks").decode() if store.check([f"{place}/asks"]) else NOBODY
            if answered != NOBODY and store.check(
                [f"{place}/{answered}/heard"]
            ):  # set before it asks the next question
                del told[place]
            elif question not in (answered, NOBODY):
                store.set(f"{place}/{question}", message)
                told[place] = question
        time.sleep(0.005 if told else 0)
    if told:
        late = sorted(int(place.rsplit("/", 1)[1]) for place in told)
        raise BadValue(
            f"Rank {listing(late)} of {len(places) + 1} has not opened this recording within {patience.total_seconds():.0f} s. {_ALL}"
        )


def is_sharded(tensor: Any) -> bool:
    """Is this a DTensor, of which a process holds but a part?"""
    module = sys.modules.get("torch.distributed.tensor")
    return module is not None and isinstance(tensor, module.DTensor)


def full(tensor: Tensor) -> Tensor:
    """All of a parameter. Where it is sharded, all processes have to ask for it together."""
    return tensor.full_tensor() if is_sharded(tensor) else tensor  # type: ignore[attr-defined]


def local(tensor: Tensor) -> Tensor:
    """What this process holds of it."""
    return tensor.to_local() if is_sharded(tensor) else tensor  # type: ignore[attr-defined]


def fully_sharded(root: nn.Module) -> Iterator[Any]:
    """The modules that `fully_shard` was called on."""
    module = sys.modules.get("torch.distributed.fsdp")
    if module is not None:
        yield from (m for m in root.modules() if isinstance(m, module.FSDPModule))


def whole(root: nn.Module) -> bool:
    """Does each process hold all of it? Between two passes the parameters alone can't tell: some may be gathered."""
    return next(fully_sharded(root), None) is None


def reshard(root: nn.Module) -> None:
    """A pass without a backward one leaves parameters gathered: as before it."""
    for module in fully_sharded(root):
        module.reshard()


def check(model: nn.Module) -> None:
    """Refuse, by name, the ways to split a model that can't be heard."""
    for module in model.modules():
        if "_fsdp_wrapped_module" in module._modules:
            raise Unsupported(
                "FullyShardedDataParallel (FSDP1) hides parameters in flat ones, so that layers can't be told apart. Use its "
                "successor: torch.distributed.fsdp.fully_shard(model)."
            )
    if whole(model) and any(is_sharded(p) for p in model.parameters()):
        raise Unsupported(
            "Parameters are split over processes otherwise than by fully_shard (tensor parallel?): each process hears only some "
            "of a layer's units, and which can't be told. Record data-parallel training: DistributedDataParallel, fully_shard."
        )


def rows_held(tensor: Tensor) -> slice:
    """Which of its rows this process holds, as fully_shard divides them: alike, the last processes' fewer or none."""
    if not is_sharded(tensor):
        return slice(0, tensor.shape[0])
    mesh, at = tensor.device_mesh, shard_axis(tensor)  # type: ignore[attr-defined]
    if at is None:
        return slice(0, tensor.shape[0])
    each = -(-tensor.shape[0] // mesh.size(at))
    first = min(each * mesh.get_local_rank(at), tensor.shape[0])
    return slice(first, min(first + each, tensor.shape[0]))


def shard_axis(tensor: Any) -> int | None:
    """The axis of the mesh that a tensor's rows are divided along; None where they are on every process."""
    for axis, placement in enumerate(tensor.placements):
        if placement.is_shard(0):
            return axis
    return None


def by_rows(tensor: Tensor) -> bool:
    """Is it whole, or divided along its rows once and not otherwise?"""
    if not is_sharded(tensor):
        return True
    divided = [placement for placement in tensor.placements if not placement.is_replicate()]  # type: ignore[attr-defined]
    return len(divided) <= 1 and all(placement.is_shard(0) for placement in divided)


def summed(tensors: list[Tensor], like: Tensor) -> list[Tensor]:
    """The sums over the processes among which `like` is divided, in one go: all of them have to ask together."""
    axis = shard_axis(like)
    if axis is None:
        return tensors
    together = torch.cat([tensor.flatten() for tensor in tensors])
    distributed.all_reduce(together, group=like.device_mesh.get_group(axis))  # type: ignore[attr-defined]
    parts = torch.split(together, [tensor.numel() for tensor in tensors])
    return [part.reshape(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]
