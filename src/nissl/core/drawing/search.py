"""Which recipe draws best: many tried briefly, the better ones for longer, the best of those in full."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.canvas import ENOUGH, canvas
from nissl.core.drawing.studio import Studio
from nissl.core.drawing.wish import Wish
from nissl.core.portraits import Tried

Array = NDArray[Any]
ROUNDS = 0.25, 0.5, 1.0
"""The shares of the steps that the recipes of a round are given."""
BETTER = 1 / 3
"""The share of a round's recipes that come to the next."""
MOST = 20
"""Targets that recipes are tried on."""


@dataclass(frozen=True, eq=False)
class _Trial:
    canvas: str
    options: Mapping[str, Any]


def searched(
    place: Studio, wish: Wish, scales: Array, given: str | None, options: Mapping[str, Any], steps: int, count: int,
    seed: int, tick: Callable[[float], None],
) -> tuple[Tried, ...]:  # fmt: skip
    """All that were tried, the best first; what the user said stays as it is, and its own recipe is among them."""
    draw = np.random.default_rng([seed, 1])
    first = canvas(given, place.paper, {})
    trials = [_Trial(first.name, dict(options))]
    trials += [_drawn(place, given, options, draw) for _ in range(count - 1)]
    which = np.unique(np.linspace(0, len(wish.names) - 1, min(len(wish.names), MOST)).round().astype(int))
    found: dict[int, Tried] = {}
    alive = list(range(len(trials)))
    for number, share in enumerate(ROUNDS):
        length = max(1, round(share * steps))
        seen = []
        for turn, k in enumerate(alive):
            seen.append(_measured(place, wish, scales, which, trials[k], length, seed))
            tick((number + (turn + 1) / len(alive)) / len(ROUNDS))
        told = _judged(seen, alive, trials, length)
        found |= told
        alive = sorted(told, key=lambda k: -told[k].merit)[: max(2, round(BETTER * len(alive)))]
    return tuple(sorted(found.values(), key=lambda one: (-one.steps, -one.merit)))


def _drawn(place: Studio, given: str | None, options: Mapping[str, Any], draw: np.random.Generator) -> _Trial:
    """A recipe at random, each of its numbers within what has been seen to make sense."""
    known = place.paper.sample is not None and len(place.paper.sample) >= ENOUGH
    names = [*(["principal"] if known else []), *(["fourier"] if place.paper.image else []), "pixels"]
    name = given or str(draw.choice(names))
    bare = canvas(name, place.paper, {})
    made: dict[str, Any] = {
        "rate": bare.rate * 2 ** draw.uniform(-1, 1), "prior": bare.prior * 10 ** draw.uniform(-1, 1),
        "noise": draw.uniform(0, 0.3),
    }  # fmt: skip
    if place.paper.image:
        made |= {
            "rough": 10 ** draw.uniform(-1, 1), "shift": draw.uniform(0, 0.12), "turn": draw.uniform(0, 20),
            "zoom": draw.uniform(0, 0.2), "blur": draw.choice([0.0, draw.uniform(0, 0.05)]),
        }  # fmt: skip
    told = {name: float(f"{value:.3g}") for name, value in made.items()}
    return _Trial(name, {**told, **options})


def _measured(
    place: Studio, wish: Wish, scales: Array, which: Array, trial: _Trial, steps: int, seed: int
) -> tuple[Array, Array | None, Array | None]:
    """For each target its score and the probability of its class, both under distortions, and its realism."""
    pictures = place.ascent(wish, which, scales, trial.canvas, dict(trial.options))(steps, seed)
    scores = place.steady(wish, pictures, which, lambda values: wish.scores(values, which))
    sure = place.steady(wish, pictures, which, place.chance(wish, which)) if wish.classes else None
    inner, bare = place.realism(pictures)
    return scores, sure, None if inner is None or bare is None else np.minimum(inner, bare)


def _judged(
    seen: list[tuple[Array, Array | None, Array | None]], alive: list[int], trials: list[_Trial], steps: int
) -> dict[int, Tried]:
    """Merit: how far the target is reached, times how usual the picture is; a picture more usual than most is no better.

    A class is reached by its probability; anything else by where the score lies between the worst and the best of the round.
    """
    scores = np.array([one[0] for one in seen])
    low, high = scores.min(0), scores.max(0)
    share = np.divide(scores - low, high - low, out=np.ones_like(scores), where=high > low)
    found = {}
    for place, k in enumerate(alive):
        score, sure, real = seen[place]
        reached = share[place] if sure is None else sure
        usual = np.ones_like(reached) if real is None else np.minimum(2 * real, 1)
        found[k] = Tried(
            {"canvas": trials[k].canvas, **trials[k].options}, steps, float(score.mean()),
            None if sure is None else float(sure.mean()), None if real is None else float(real.mean()),
            float(np.sqrt(reached * usual).mean()),
        )  # fmt: skip
    return found
