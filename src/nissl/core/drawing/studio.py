"""Where pictures are drawn: a network, what its inputs are, and real ones to compare with."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.aim import looks_squashed
from nissl.core.canvas import canvas
from nissl.core.drawing.ascent import Ascent
from nissl.core.drawing.realism import LEAST, Realism
from nissl.core.drawing.recipe import NAMES, parted, settled
from nissl.core.drawing.targets import Answers
from nissl.core.drawing.wish import Wish, probabilities, said
from nissl.core.network import Network, network
from nissl.core.paper import Paper, paper
from nissl.core.portraits import Portraits
from nissl.core.probe import streamed
from nissl.errors import BadValue, NisslWarning, Unsupported, listing, near

Array = NDArray[Any]
SAMPLE, VALUES = 4000, 2**25
"""Real inputs beyond this number are left out, and those beyond so many values in all."""
LOOKED_AT = 256
VIEWS = 8


@dataclass(frozen=True, eq=False)
class Studio:
    """Draws by recipes, and tells what came of it."""

    net: Network
    paper: Paper
    batch: int = 64

    @cached_property
    def inputs(self) -> Array:
        """Some real inputs; where there are none, smooth noise over the whole span."""
        if self.paper.sample is not None:
            return _even(self.paper.sample, LOOKED_AT)
        rough = canvas(None, self.paper, {"spread": 2.0})
        return rough.draw(rough.begin(32, np.random.default_rng(0)))

    def answers(self, of: str | None, *, centre: bool = False) -> Answers:
        """What is said of them; the first time that the network meets such inputs."""
        layer = None if of is None else self.net.layer(of)
        try:
            values = said(self.net, self.inputs, of, self.batch)
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            raise BadValue(f"The network can't take inputs of shape {self.paper.shape} as float32: {error}") from error
        return Answers(values, layer, centre)

    def scales(self, wish: Wish, answers: Answers) -> Array:
        """How far each target's score usually is from its mean: the unit in which all else is weighed."""
        every = np.arange(len(wish.names))
        found = np.array([wish.scores(answers.values, np.full(len(answers.values), k)).std() for k in every])
        return np.where(np.isfinite(found) & (found > 1e-9), found, 1.0)

    def ascent(self, wish: Wish, which: Array, scales: Array, name: str | None, options: dict[str, Any]) -> Ascent:
        recipe, rest = parted(options)
        surface = canvas(name, self.paper, {})
        own = [field.name for field in fields(surface) if field.name != "paper"]
        for option in rest:
            if option not in own:
                known = [*NAMES, *own]
                raise BadValue(f"There is no option {option!r}.{near(option, known)} There are: {listing(known)}.")
        surface = replace(surface, **rest)
        return Ascent(self.net, wish, which, scales[which], surface, settled(recipe, surface), self.batch)

    def steady(self, wish: Wish, pictures: Array, which: Array, metric: Callable[[Array], Array]) -> Array:
        """The mean of `metric` over some distortions, the recipe's usual ones and the same for all."""
        eye = self.ascent(wish, which, np.ones(len(wish.names)), "pixels", {})
        draw = np.random.default_rng(0)
        views = [metric(said(self.net, eye.seen(pictures, draw)[0], wish.of, self.batch)) for _ in range(VIEWS)]
        return np.asarray(np.mean(views, 0))

    @property
    def embedding(self) -> str | None:
        """The last layer before the outputs."""
        return self.net.layers[-2].name if len(self.net.layers) > 1 else None

    def realism(self, pictures: Array) -> tuple[Array | None, Array | None]:
        """In what the last layer before the outputs makes of them, and in the inputs themselves."""
        if self._real is None:
            return None, None
        inner, bare = (real(pictures) for real in self._real)
        return inner, bare

    @cached_property
    def _real(self) -> tuple[Realism, Realism] | None:
        sample = self.paper.sample
        if sample is None or len(sample) < LEAST:
            return None
        bare = Realism(self.net, None, sample, self.batch)
        return bare if self.embedding is None else Realism(self.net, self.embedding, sample, self.batch), bare

    def chance(self, wish: Wish, which: Array) -> Callable[[Array], Array]:
        """The probability of the class that is meant, one a picture, from the outputs."""
        return lambda values: probabilities(values, wish.about[which], squashed=wish.squashed)

    def told(
        self, wish: Wish, which: Array, pictures: Array, recipe: dict[str, Any], judge: Any = None, tried: Any = ()
    ) -> Portraits:
        """The pictures with all that is known of them."""
        values = said(self.net, pictures, wish.of, self.batch)
        sure = steady = judged = None
        if wish.classes:
            chance = self.chance(wish, which)
            sure, steady = chance(values), self.steady(wish, pictures, which, chance)
            judged = None if judge is None else _judged(judge, pictures, wish.about[which], self.batch)
        scores, targets = wish.scores(values, which), tuple(wish.names[k] for k in which)
        if wish.aim.name == "activation" and (scores == 0).any():
            unmoved = listing(dict.fromkeys(name for name, score in zip(targets, scores, strict=True) if score == 0))
            warnings.warn(
                f"nissl: nothing was found that makes these units of {wish.of} answer, and their portraits mean nothing: {unmoved}. "
                "Try another seed, more steps, or real inputs as data=; a unit may also be dead.",
                NisslWarning,
                stacklevel=4,
            )
        inner, bare = self.realism(pictures)
        return Portraits(
            pictures, targets, scores, wish.aim.name, sure, steady, judged,
            inner, bare, self.paper, recipe, tried,
        )  # fmt: skip


def studio(model: Any, data: Any, shape: Any, span: Any, batch: int) -> Studio:
    """What is checked once for everything that is drawn."""
    net = network(model)
    if batch < 1:
        raise BadValue(f"batch={batch}: how many pictures are passed at once, a whole number from 1.")
    if net.layers and net.layers[0].kind == "embedding":
        raise Unsupported(
            "The network takes tokens, which have no values between them: portraits are drawn of numbers."
        )
    return Studio(net, paper(shape, span, None if data is None else sample(net, data)), batch)


def sample(net: Network, data: Any) -> Array:
    """Real inputs as numpy, a few thousand: of an array from all over it, since such often come class after class."""
    return inputs(net, _spread(data), SAMPLE)


def inputs(net: Network, data: Any, most: int | None = None) -> Array:
    """Inputs as numpy; all, or at most so many and no more values than are used."""
    parts: list[Array] = []
    for x, _ in streamed(data, 256):
        if isinstance(x, tuple | dict):
            raise Unsupported("The network takes several inputs at once: portraits are drawn where there is one.")
        parts.append(np.array(net.to_numpy(x)))
        if most is not None and sum(map(len, parts)) >= min(most, _enough(parts[0])):
            break
    if not parts:
        raise BadValue("The data are empty: give at least one real input, or shape= instead.")
    found = np.concatenate(parts)
    return found if most is None else found[: min(most, _enough(found))]


def _enough(x: Any) -> int:
    """How many inputs like these hold as many values as are used."""
    return max(1, VALUES // max(1, int(np.prod(x.shape[1:]))))


def _spread(data: Any) -> Any:
    """Of x, or (x, y), as many evenly spread rows as are used; anything else as it is."""
    x = data[0] if isinstance(data, tuple | list) and len(data) == 2 else data
    if not (hasattr(x, "shape") and hasattr(x, "ndim") and x.ndim > 1):
        return data
    most = min(SAMPLE, _enough(x))
    return data if len(x) <= most else _even(x, most)


def _even(x: Any, most: int) -> Any:
    """At most so many rows, from all over."""
    return x[np.unique(np.linspace(0, len(x) - 1, min(len(x), most)).round().astype(int))]


def _judged(judge: Any, pictures: Array, numbers: Array, batch: int) -> Array:
    values = said(network(judge), pictures, None, batch)
    return probabilities(values, numbers, squashed=looks_squashed(values))
