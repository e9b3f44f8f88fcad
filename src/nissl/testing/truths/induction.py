"""A transformer wired by hand that goes on with a pair of tokens it has seen before: two layers of attention, nothing else."""

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from nissl.errors import BadValue
from nissl.testing.truths.truth import Array, Edge, Truth

TOKENS, LENGTH, HEADS = 16, 10, 4
SIZE = TOKENS + 1
"""Of a head: a dimension for each token, or place, and one for where to look when nothing matches."""
TOKEN, BEFORE, ANSWER, ASIDE, PLACE = (TOKENS * i for i in range(5))
"""Where a position holds its token, the one before it, the answer, what nobody reads, and its place."""
WIDTH = PLACE + LENGTH
ROLES = ("previous", "backup", "decoy", "resting"), ("induction", "decoy", "equal", "resting")
BREAKS = {
    "saturated": ("attribution patching", "gradient x activation"),
    "backed up": ("exact ablation",),
    "decoys": ("attention patterns", "contrast"),
    "resting": ("gradient x activation from zero",),
}
MAKES_NEXT = (
    ("embed", "first.v_proj"), ("first.v_proj", "first"), ("first", "first.out_proj"),
    ("first.out_proj", "second.k_proj"), ("second.k_proj", "second"), ("embed", "second.q_proj"),
    ("second.q_proj", "second"), ("embed", "second.v_proj"), ("second.v_proj", "second"),
    ("second", "second.out_proj"), ("second.out_proj", "output"),
)  # fmt: skip
LEADS_NOWHERE = (
    ("embed", "first.q_proj"), ("embed", "first.k_proj"), ("first.q_proj", "first"), ("first.k_proj", "first"),
    ("embed", "second.k_proj"), ("embed", "output"), ("first.out_proj", "second.q_proj"),
    ("first.out_proj", "second.v_proj"), ("first.out_proj", "output"),
)  # fmt: skip


def induction(seed: int = 0, sharpness: float = 40.0, examples: int = 300) -> Truth:
    """Sequences `. . A B . . A` whose next token is B; layers `first` and `second` of four heads each, in random order.

    Of `first`, two heads tell each position the token before it: either alone would do, so that the other is its
    backup. Of `second`, one finds where the last token came before and hands on what followed. Decoys look at the very
    same places and write where nobody reads; a resting head always sees the first token. Attention is as good as one
    and zero (lower `sharpness` makes it soft), so that no gradient gets through to queries and keys.

    The truth, for "next", is what differs between an input and its counterfactual in `others`, of which by turns the
    earlier A, the last A or B is another token: the keys', queries' and values' routes. Heads of `first` look by place
    alone, which never differs: their queries and keys are no edges.
    """
    if sharpness <= 0:
        raise BadValue(f"induction(sharpness={sharpness}): sharpness is more than 0.")
    random = np.random.default_rng([seed, 1])
    heads = [{name: int(head) for name, head in zip(names, random.permutation(HEADS), strict=True)} for names in ROLES]
    model = _Wired(heads, sharpness, random).model
    x, others, y = _sequences(np.random.default_rng([seed, 2]), examples)
    first, second = heads
    both = frozenset({first["previous"], first["backup"]})
    traps = {
        "saturated": {"first": both},
        "backed up": {"first": both},
        "decoys": {"first": frozenset({first["decoy"]}), "second": frozenset({second["decoy"], second["equal"]})},
        "resting": {"first": frozenset({first["resting"]}), "second": frozenset({second["resting"]})},
    }
    units = {"next": {"first": both, "second": frozenset({second["induction"]})}}
    edges = {"next": _edges(sorted(both), second["induction"])}
    return Truth(model, x, y, units, traps, BREAKS, edges, MAKES_NEXT + LEADS_NOWHERE, others)


def _sequences(random: np.random.Generator, examples: int) -> tuple[Array, Array, Array]:
    """Inputs, counterfactuals and next tokens; token 0 begins every sequence and no other one comes twice but A."""
    x = np.zeros((examples, LENGTH), np.int64)
    others, y = np.empty_like(x), np.empty(examples, np.int64)
    for row in range(examples):
        drawn = 1 + random.permutation(TOKENS - 1)
        x[row, 1:-1], fresh = drawn[: LENGTH - 2], drawn[-1]
        at = int(random.integers(1, LENGTH - 3))
        x[row, -1], y[row] = x[row, at], x[row, at + 1]
        others[row] = x[row]
        others[row, (at, LENGTH - 1, at + 1)[row % 3]] = fresh
    return x, others, y


def _edges(firsts: list[int], head: int) -> frozenset[Edge]:
    found: set[Edge] = set()
    for token in range(1, TOKENS):
        at = head * SIZE + token
        for one in firsts:
            found.add(("embed", TOKEN + token, "first.v_proj", one * SIZE + token))
            found.add(("first.v_proj", one * SIZE + token, "first", one))
            found.add(("first", one, "first.out_proj", BEFORE + token))
        found.add(("first.out_proj", BEFORE + token, "second.k_proj", at))
        found |= {("embed", TOKEN + token, f"second.{name}_proj", at) for name in "qv"}
        found |= {(f"second.{name}_proj", at, "second", head) for name in "qkv"}
        found.add(("second", head, "second.out_proj", ANSWER + token))
        found.add(("second.out_proj", ANSWER + token, "output", token))
    return frozenset(found)


class _Induction(nn.Module):
    """Tokens and places side by side in one vector, no norms."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(TOKENS, WIDTH)
        self.position = nn.Parameter(torch.zeros(LENGTH, WIDTH))
        self.first = _Attention()
        self.second = _Attention()
        self.output = nn.Linear(WIDTH, TOKENS)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x) + self.position
        x = x + self.first(x)
        x = x + self.second(x)
        return cast(Tensor, self.output(x[:, -1]))


class _Attention(nn.Module):
    """`out_proj` hears the heads side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = HEADS
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(WIDTH, HEADS * SIZE) for _ in range(3))
        self.out_proj = nn.Linear(HEADS * SIZE, WIDTH)
        self.register_buffer("later", torch.full((LENGTH, LENGTH), -1e4).triu(1))
        self.later: Tensor

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer in (self.q_proj, self.k_proj, self.v_proj)
        )
        seen = torch.softmax(query @ key.transpose(-1, -2) + self.later, -1) @ value
        return cast(Tensor, self.out_proj(seen.transpose(1, 2).flatten(2)))


class _Wired:
    """Lays the weights; all that is not laid is zero."""

    def __init__(self, heads: list[dict[str, int]], sharpness: float, random: np.random.Generator):
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            self.model = _Induction().eval()
            for parameter in self.model.parameters():
                parameter.zero_()
            self.sharpness, self.random = sharpness, random
            tokens, places = torch.arange(TOKENS), torch.arange(LENGTH)
            self.model.embed.weight[tokens, TOKEN + tokens] = 1
            self.model.position[places, PLACE + places] = 1
            self.model.output.weight[tokens, ANSWER + tokens] = 10
            first, second = self.model.first, self.model.second
            for name, writes in (("previous", BEFORE), ("backup", BEFORE), ("decoy", ASIDE)):
                self.previous(first, heads[0][name], writes)
            self.matching(second, heads[1]["induction"], BEFORE, ANSWER)
            self.matching(second, heads[1]["decoy"], BEFORE, ASIDE)
            self.matching(second, heads[1]["equal"], TOKEN, ASIDE)
            for layer, names in ((first, heads[0]), (second, heads[1])):
                self.resting(layer, names["resting"])

    def previous(self, layer: _Attention, head: int, writes: int) -> None:
        """Looks at the place before."""
        start, places = head * SIZE, torch.arange(LENGTH)
        layer.q_proj.weight[start + places[:-1], PLACE + places[1:]] = self.sharpness
        layer.k_proj.weight[start + places, PLACE + places] = 1
        self.copies(layer, head, writes)

    def matching(self, layer: _Attention, head: int, reads: int, writes: int) -> None:
        """Looks where there is its own token in what it reads, else at the first token."""
        start, tokens = head * SIZE, torch.arange(1, TOKENS)
        layer.q_proj.weight[start + tokens, TOKEN + tokens] = self.sharpness
        layer.k_proj.weight[start + tokens, reads + tokens] = 1
        self.looks_first(layer, head, self.sharpness / 2)
        self.copies(layer, head, writes)

    def resting(self, layer: _Attention, head: int) -> None:
        self.looks_first(layer, head, self.sharpness)
        layer.v_proj.weight[head * SIZE, TOKEN] = 0.3
        layer.out_proj.weight[ANSWER : ANSWER + TOKENS, head * SIZE] = 1  # as much for every token

    def looks_first(self, layer: _Attention, head: int, score: float) -> None:
        layer.q_proj.bias[head * SIZE + TOKENS] = score
        layer.k_proj.weight[head * SIZE + TOKENS, TOKEN] = 1

    def copies(self, layer: _Attention, head: int, writes: int) -> None:
        """Hands on the token that it sees, the first one apart."""
        start, tokens = head * SIZE, torch.arange(1, TOKENS)
        gain = float(self.random.uniform(0.9, 1.1))
        layer.v_proj.weight[start + tokens, TOKEN + tokens] = gain
        layer.out_proj.weight[writes + tokens, start + tokens] = 1 / gain if writes != ASIDE else 2 / gain
