"""A model as one file, its classes by their names: what was shrunk no longer fits the code that made it."""

from pathlib import Path

import torch
from torch import nn


def save(model: nn.Module, path: Path) -> None:
    """For `torch.load(path, weights_only=False)`, where the classes of the model can be imported."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(model, path)
