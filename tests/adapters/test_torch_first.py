"""Changes at layers of which no pass has yet shown where they are heard."""

import torch
from torch import nn

import nissl


class Plain(nn.Module):
    """Bent by plain functions, so that only a pass shows where layers are heard."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.out = nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x):
        return self.out(torch.relu(self.second(torch.relu(self.first(x)))))


def test_edits_asked_for_one_by_one_compose_before_any_pass_has_shown_their_places():
    model, x = Plain(), torch.randn(5, 4)
    before = model(x)
    with nissl.edit(model)["first"][2].clamp(1.5) + nissl.edit(model)["second"][3].scale(0.5):
        found, again = model(x), model(x)
    hidden = torch.relu(model.first(x))
    hidden[:, 2] = 1.5
    bent = torch.relu(model.second(hidden))
    bent[:, 3] *= 0.5
    torch.testing.assert_close(found, model.out(bent))
    assert torch.equal(found, again)
    assert torch.equal(model(x), before)
