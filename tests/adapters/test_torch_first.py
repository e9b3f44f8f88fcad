"""Changes at layers of which no pass has yet shown where they are heard."""

import torch
from torch import nn

import nissl


class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 4), nn.Linear(4, 2)

        def forward(self, x):
            return self.b(checkpoint(lambda v: F.gelu(self.a(v)), x, use_reentrant=False))

    torch.manual_seed(0)
    model, x = Plain().double(), torch.randn(5, 3, dtype=torch.float64)
    mask = torch.tensor([1.0, 0, 1, 1], dtype=torch.float64)
    for functional in (True, False):
        n = Torch(model, functional=functional)
        with n.change("a", [1]):
            if functional:  # heard after gelu
                torch.testing.assert_close(model(x), model.b(F.gelu(model.a(x)) * mask))
                continue
            model.zero_grad()
            model(x).sum().backward()
            got = model.a.weight.grad.clone()
        model.zero_grad()
        model.b(F.gelu(model.a(x) * mask)).sum().backward()
        torch.testing.assert_close(got, model.a.weight.grad)


@pytest.mark.parametrize("learned", [True, False])
def test_gradients_everywhere_are_those_of_a_pass_by_hand(learned):
    n, target = net(), torch.tensor([0, 2, 1, 0, 2])
    if learned:
        n.probe(X)
    got = n.gradient(X, target, at=["input", "conv", "same", "same#2", "out"] if learned else ["input", "conv", "same"])
    leaf = X.clone().requires_grad_()

    def cut(name, value):
        value.retain_grad()
        return value

    x = leaf
    values = {}
    for name, step in (
        ("conv", lambda v: torch.relu(n.model.norm(n.model.conv(v)))),
        ("same", lambda v: torch.relu(n.model.same(v))),
        ("same#2", lambda v: torch.relu(n.model.same(v))),
        ("out", lambda v: n.model.out((v + 1).flatten(1))),
    ):
        x = values[name] = cut(name, step(x))
    x[torch.arange(5), target].sum().backward()
    torch.testing.assert_close(got["input"], leaf.grad)
    for name, value in values.items():
        if name in got:
            torch.testing.assert_close(got[name], value.grad)
    n.model.zero_grad(set_to_none=True)
    n.gradient(X, 1)
    assert all(p.grad is None for p in n.model.parameters())


def test_the_gradient_at_the_input_is_finite_differences():
    n, step = net(), 1e-6
    gradient = n.gradient(X, 2).numpy()
    for index in [(0, 0, 0, 0), (3, 1, 2, 1)]:
        up, down = X.clone(), X.clone()
        up[index] += step
        down[index] -= step
        wanted = (n.forward(up)[:, 2].sum() - n.forward(down)[:, 2].sum()) / (2 * step)
        np.testing.assert_allclose(gradient[index], wanted, rtol=1e-6, atol=1e-8)


def test_frozen_networks_integers_dicts_and_a_layer_named_input():
    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.input = nn.Embedding(9, 4), nn.Linear(4, 2)

        def forward(self, ids, scale):
            return {"logits": self.input(self.words(ids).mean(1) * scale)}

    n = Torch(Words().double().requires_grad_(False))
    given = {"ids": np.arange(6).reshape(2, 3), "scale": np.full((2, 1), 2.0)}
    at_words = n.gradient(given, 0, at="words")
    torch.testing.assert_close(at_words, (n.model.input.weight[0] * 2 / 3).expand(2, 3, 4))
    assert n.gradient(given, 0, at="input").shape == (2, 2)  # the layer of that name
    whole = Torch(nn.Sequential(nn.Embedding(9, 4)))
    with pytest.raises(Unsupported, match="integers"):
        whole.gradient(np.arange(6).reshape(2, 3), 0)
    with pytest.raises(BadValue, match="2 outputs"):
        n.gradient(given, 2, at="words")
    with pytest.raises(BadValue, match="depend"):
        n.gradient(given, lambda out: torch.ones(2), at="words")


def test_a_layer_that_does_not_run_has_no_gradient():
    class Unused(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            return self.used(x)

    n = Torch(Unused())
    with pytest.raises(NotHeard, match="unused"):
        n.gradient(torch.ones(1, 2), 0, at="unused")
    with pytest.raises(NotHeard, match="unused"):
        n.probe(torch.ones(1, 2))


@pytest.mark.parametrize("every", [1, 2])
def test_parameter_gradients_against_all_of_them_kept(every):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    optimizer, kept = torch.optim.SGD(model.parameters(), 0.1), []
    other = torch.optim.SGD([nn.Parameter(torch.ones(1))], 0.1)
    with Torch(model).watch_parameter_gradients(["0"], every) as read:
        for step in range(6):
            for _ in range(2):  # accumulated
                model(torch.randn(5, 3)).square().sum().backward()
            if step % every == 0:
                kept.append(torch.cat([model[0].weight.grad, model[0].bias.grad[:, None]], 1).double().clone())
            other.step()
            optimizer.step()
            optimizer.zero_grad()
        found = read()["0"]
        assert read() == {}
    assert not _global_optimizer_pre_hooks
    steps = torch.stack(kept)
    assert found.steps == len(steps)
    np.testing.assert_allclose(found.magnitude, steps.abs().mean((0, 2)), rtol=1e-5)
    np.testing.assert_allclose(found.signal, steps.mean(0).norm(dim=1), rtol=1e-5)
    away = (steps - steps.mean(0)).square().sum(2).mean(0).sqrt()
    np.testing.assert_allclose(found.noise, away, rtol=1e-5)


def test_each_optimiser_counts_its_own_steps():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    turns = [torch.optim.SGD(layer.parameters(), 0.1) for layer in model]
    with Torch(model).watch_parameter_gradients(["0", "1"], 2) as read:
        for step in range(8):  # as two networks that are trained against each other
            model(torch.randn(5, 3)).sum().backward()
            turns[step % 2].step()
    assert {name: found.steps for name, found in read().items()} == {"0": 2, "1": 2}


def test_parameter_gradients_are_those_of_the_loss_under_a_scaler():
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(3, 4)), torch.randn(5, 3)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    wanted = torch.autograd.grad(model(x).sum(), list(model.parameters()))
    with Torch(model).watch_parameter_gradients(["0"]) as read:
        scaler.scale(model(x).sum()).backward()
        scaler.step(optimizer)
    both = torch.cat([wanted[0], wanted[1][:, None]], 1)
    np.testing.assert_allclose(read()["0"].magnitude, both.abs().mean(1), rtol=1e-5)


def test_sparse_gradients_of_an_embedding():
    torch.manual_seed(0)
    words = nn.Sequential(nn.Embedding(6, 3, sparse=True))
    optimizer = torch.optim.SGD(words.parameters(), 0.1)
    with Torch(words).watch_parameter_gradients(["0"]) as read:
        words(torch.tensor([[1, 1], [2, 5]])).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(read()["0"].magnitude, np.full(3, 4 / 6))


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
