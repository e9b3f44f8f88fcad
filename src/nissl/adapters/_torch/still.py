"""Evaluation that leaves no trace: modes, buffers and every random state are afterwards what they were."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn


@contextmanager
def still(root: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients."""
    modes = [(module, module.training) for module in root.modules()]
    buffers = [
        (module, name, buffer, None if buffer is None else buffer.detach().clone())
        for module in root.modules()
        for name, buffer in module._buffers.items()
    ]
    with _random(root), _uncached(root), torch.no_grad():
        for module, _ in modes:
            module.training = False
        try:
            yield
        finally:
            for module, mode in modes:
                module.training = mode
            for module, name, buffer, value in buffers:
                module._buffers[name] = buffer
                if buffer is not None and value is not None and not torch.equal(buffer, value):
                    buffer.copy_(value)


@contextmanager
def _uncached(root: nn.Module) -> Iterator[None]:
    """Inside the user's autocast nothing is kept of the weights: older torch would hand it, without gradients, to the training pass."""
    devices = {parameter.device.type for parameter in root.parameters()}
    keeps = torch.is_autocast_cache_enabled() and any(map(torch.is_autocast_enabled, devices))
    if keeps:
        torch.set_autocast_cache_enabled(False)
    try:
        yield
    finally:
        if keeps:
            torch.set_autocast_cache_enabled(True)


@contextmanager
def _random(root: nn.Module) -> Iterator[None]:
    devices = {tensor.device for tensor in (*root.parameters(), *root.buffers())}
    cuda = [device for device in devices if device.type == "cuda"]
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - what users' models draw from
    with torch.random.fork_rng(devices=cuda):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002
