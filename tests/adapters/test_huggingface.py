"""Hugging Face models made from a configuration: heads, folded nonlinearities, tied weights, dict outputs."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from nissl.adapters.torch import Torch  # noqa: E402

IDS = torch.randint(3, 50, (2, 7), generator=torch.Generator().manual_seed(0))
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}


def bert():
    config = transformers.BertConfig(**SMALL, vocab_size=50, max_position_embeddings=16)
    return transformers.BertForSequenceClassification(config), {"input_ids": IDS}


def gpt2():
    config = transformers.GPT2Config(
        n_embd=16, n_layer=2, n_head=2, vocab_size=50, n_positions=16, bos_token_id=1, eos_token_id=2
    )
    return transformers.GPT2LMHeadModel(config), {"input_ids": IDS}


def vit():
    config = transformers.ViTConfig(**SMALL, image_size=16, patch_size=8, num_labels=3)
    return transformers.ViTForImageClassification(config), {"pixel_values": torch.randn(2, 3, 16, 16)}


MODELS = pytest.mark.parametrize("make", [bert, gpt2, vit])


def opened(make):
    torch.manual_seed(0)
    model, x = make()
    x = {name: value.double() if value.is_floating_point() else value for name, value in x.items()}
    return Torch(model.double().eval()), x


def shapes(net, x):
    seen = {}
    with net.watch(lambda name, value: seen.setdefault(name, []).append(tuple(value.shape)), "*"):
        net.run(x).logits.sum().backward()
    return seen


@MODELS
def test_every_layer_is_heard_once_a_pass(make):
    net, x = opened(make)
    before = {layer.name for layer in net.layers}
    for _ in range(2):
        seen = shapes(net, x)
        assert {name for name, values in seen.items() if len(values) == 1} == before == set(seen)
    for layer in net.layers:
        assert seen[layer.name][0][layer.unit_axis] == layer.units
        assert seen[layer.name][0][layer.batch_axis] in (2, 1)  # position embeddings are made for one example
    bent = {layer.nonlinearity for layer in net.layers}
    assert bent & {"GELUActivation", "NewGELUActivation"}


@MODELS
def test_heads_are_cut_as_the_projections_columns_are(make):
    net, x = opened(make)
    head = next(layer for layer in net.layers if layer.unit == "head")
    assert (head.units, head.unit_axis) == (2, -2)
    before = net.forward(x)
    with net.change(head.name, [1]):
        cut = net.forward(x)
    net.probe(x)
    projection = next(layer.name for layer in net.layers if head.name in layer.inputs)
    weight = net.weights(projection)["weight"]
    weight[:, 8:] = 0
    net.edit(projection, {"weight": weight})
    np.testing.assert_allclose(net.forward(x), cut, atol=1e-12)
    assert not np.allclose(before, cut, atol=1e-8, rtol=0)


@MODELS
def test_the_residual_stream_joins_layers_over_blocks(make):
    net, x = opened(make)
    with net.watch(lambda *_: None, "*"):
        net.run(x)
    edges = {layer.name: layer.inputs for layer in net.layers}
    second = next(name for name in edges if ".1." in name and edges[name])
    assert len(edges[second]) >= 3, "what all earlier blocks wrote, and the embedding"
    assert all(len(sources) < len(edges) for sources in edges.values())


def test_gpt2s_dense_layers_stand_unit_first_and_its_words_are_tied():
    net, _ = opened(gpt2)
    c_fc = net.model.transformer.h[0].mlp.c_fc
    np.testing.assert_array_equal(net.weights("transformer.h.0.mlp.c_fc")["weight"], c_fc.weight.detach().numpy().T)
    words = net.weights("transformer.wte")["weight"]
    np.testing.assert_array_equal(net.weights("lm_head")["weight"], words.T)


def test_gradients_and_targets_read_the_logits():
    net, x = opened(bert)
    gradient = net.gradient(x, [0, 1], at="bert.encoder.layer.1.intermediate.dense")
    assert gradient.shape == (2, 7, 32)
    inner, caught = net.model.bert.encoder.layer[1].intermediate, []
    handle = inner.register_forward_hook(lambda m, args, out: (out.retain_grad(), caught.append(out), None)[2])
    net.model(**x).logits[[0, 1], [0, 1]].sum().backward()
    handle.remove()
    torch.testing.assert_close(gradient, caught[0].grad)


@MODELS
def test_secants_and_edges_tell_the_whole_difference(make):
    net, x = opened(make)
    other = {name: value.flip(0, -1) for name, value in x.items()}

    def slopes(here, there):
        return np.cos(np.arange(here.size)).reshape(here.shape)

    done = net.secant(x, other, slopes, [layer.name for layer in net.layers])
    own = {name: (done.values[name] - done.others[name]) * done.slopes[name] for name in done.values}
    whole = ((done.outputs - net.forward(other)) * slopes(done.outputs, None)).sum()
    np.testing.assert_allclose(own[net.layers[-1].name].sum(), whole, rtol=1e-9)
    dense = [layer for layer in net.layers if layer.kind == "dense" and layer.inputs][:6]
    pairs = [(source, layer.name) for layer in dense for source in layer.inputs]
    edges = net.edges(x, slopes, pairs, other=other)
    for layer in dense:
        total = sum(edges[pair].sum(1) for pair in pairs if pair[1] == layer.name)
        wanted = own[layer.name].flatten(1, -2).sum(1) if own[layer.name].dim() > 2 else own[layer.name]
        np.testing.assert_allclose(total, wanted, rtol=1e-7, atol=1e-12, err_msg=layer.name)
