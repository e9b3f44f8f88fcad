"""Ctrl-C at any moment while hooks are put on a model or taken from it."""

import pytest
import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from nissl.adapters.torch import Torch
from nissl.models.mlp import Mlp


def hooks(model):
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


@pytest.mark.parametrize(
    "act", [(nn.Module, "register_forward_hook"), (nn.Module, "register_forward_pre_hook"), (RemovableHandle, "remove")]
)
def test_interrupted_while_hooks_are_put_or_taken_away_none_stay(monkeypatch, act):
    model, home, name = Mlp((6,), hidden=(8, 8), classes=3).build(), *act
    net, done = Torch(model), getattr(home, name)
    for at in range(200):
        left = iter(range(at, -1, -1))

        def interrupted(*args, left=left, **options):
            if next(left, -1) == 0:
                raise KeyboardInterrupt
            return done(*args, **options)

        monkeypatch.setattr(home, name, interrupted)
        try:
            with net.watch(lambda *_: None, "*"):
                pass
        except KeyboardInterrupt:
            assert hooks(model) == 0, at
        else:
            break
    assert at  # at least one was
    monkeypatch.undo()
    seen = {}
    with net.watch(seen.setdefault, "*"):
        model(torch.zeros(2, 6))
    assert list(seen) == ["hidden_1", "hidden_2", "output"]
