"""The transformer: it sees no future, and its heads can be reached."""

import pytest
import torch
from torch import nn

from nissl.errors import BadValue
from nissl.models.transformer import Transformer


def test_no_position_sees_what_comes_after_it() -> None:
    network = Transformer(shape=(12,), classes=7, every=True).build()
    x = torch.randint(0, 7, (2, 12))
    changed = x.clone()
    changed[:, 5] = (x[:, 5] + 1) % 7
    before, after = network(x), network(changed)
    assert before.shape == (2, 12, 7)
    torch.testing.assert_close(before[:, :5], after[:, :5])
    assert (before[:, 5:] - after[:, 5:]).abs().amax((0, 2)).min() > 1e-5


def test_the_last_position_is_the_answer_where_one_is_wanted() -> None:
    torch.manual_seed(1)
    one = Transformer(shape=(12,), classes=7).build()
    torch.manual_seed(1)
    every = Transformer(shape=(12,), classes=7, every=True).build()
    x = torch.randint(0, 7, (2, 12))
    torch.testing.assert_close(one(x), every(x)[:, -1])


def test_a_head_is_a_slice_of_what_out_proj_hears() -> None:
    """Against torch's own attention with the same weights."""
    block = Transformer().build().blocks[0].attention
    assert block.heads == 4
    assert isinstance(block.out_proj, nn.Linear)
    heard = []
    block.out_proj.register_forward_pre_hook(lambda _, args: heard.append(args[0]))
    x = torch.randn(2, 9, 64)
    own = nn.MultiheadAttention(64, 4, batch_first=True)
    own.in_proj_weight, own.in_proj_bias, own.out_proj = block.in_proj.weight, block.in_proj.bias, block.out_proj
    mask = nn.Transformer.generate_square_subsequent_mask(9)
    expected, weights = own(x, x, x, attn_mask=mask, average_attn_weights=False)
    torch.testing.assert_close(block(x), expected)
    values = block.in_proj(x)[..., 128:].unflatten(-1, (4, 16))
    third = weights[:, 2] @ values[:, :, 2]
    torch.testing.assert_close(heard[0][..., 32:48], third)


def test_images_are_read_as_patches_row_by_row() -> None:
    network = Transformer(shape=(1, 8, 8), classes=10, patch=4).build()
    x = torch.randn(3, 1, 8, 8)
    corner = network.embed.cut.weight.flatten(1) @ x[0, :, :4, 4:].flatten() + network.embed.cut.bias
    torch.testing.assert_close(network.embed(x)[0, 1], corner)
    assert network(x).shape == (3, 10)


def test_a_vocabulary_may_be_larger_than_the_classes() -> None:
    assert Transformer(shape=(5,), classes=2, vocabulary=50).build()(torch.full((1, 5), 49)).shape == (1, 2)
    with pytest.raises(BadValue, match="shared out"):
        Transformer(width=10)
