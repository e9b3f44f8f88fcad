"""A checkpoint's weights, by the names that its author gave them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from nissl.errors import DamagedData, MissingData, listing

_WRAPPERS = ("module.", "_orig_mod.")  # DataParallel's and torch.compile's


def loaded(network: nn.Module, path: str | None) -> nn.Module:
    """The network with the checkpoint's weights, or as it is where there is no checkpoint."""
    if path is None:
        return network
    state = _state(Path(path).expanduser())
    mine = network.state_dict()
    # Older torch kept no such counter, and nothing depends on it.
    missing = [name for name in mine if name not in state and not name.endswith("num_batches_tracked")]
    unknown = [name for name in state if name not in mine]
    if missing or unknown:
        raise DamagedData(
            f"{path} is for another network. Without weights: {listing(missing, 4)}."
            f" Unknown weights: {listing(unknown, 4)}."
        )
    other = [f"{name} {tuple(state[name].shape)}" for name in state if state[name].shape != mine[name].shape]
    if other:
        raise DamagedData(f"{path} is for another size or other classes than asked for: {listing(other, 4)} differ.")
    network.load_state_dict({**mine, **state})
    return network


def _state(path: Path) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise MissingData(f"There is no checkpoint {path}.")
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as problem:  # torch lets anything out over a broken file
        raise DamagedData(f"{path} is not a checkpoint of weights that torch can read: {problem}") from problem
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise DamagedData(f"{path} holds no table of weights (a state_dict), or one under the key 'state_dict'.")
    return {_bare(name): value for name, value in content.items()}


def _bare(name: str) -> str:
    while name.startswith(_WRAPPERS):
        name = name.partition(".")[2]
    return name
