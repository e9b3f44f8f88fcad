"""`nissl.portrait`: what a class, a unit or any target wants to see."""

from typing import Any

import numpy as np

from nissl.core.drawing.search import searched
from nissl.core.drawing.studio import studio
from nissl.core.drawing.targets import wished
from nissl.core.portraits import Portraits
from nissl.core.progress import progress as shown
from nissl.errors import BadValue

__all__ = ["portrait"]


def portrait(
    model: Any, target: Any = None, *, of: str | None = None, data: Any = None, shape: Any = None, span: Any = None,
    count: int = 1, steps: int = 256, canvas: str | None = None, metric: str | None = None, centre: bool = False,
    search: int = 0, judge: Any = None, start: Any = None, classes: Any = None, batch: int = 64, seed: int = 0,
    progress: bool = True, **options: Any,
) -> Portraits:  # fmt: skip
    """Pictures that make the network say something as loudly as it can, drawn along its gradient; the model stays as it is.

    `target`: a class by name or number, several, None for all; floats, one an output: a vector that the outputs shall come near
    ("canonical input"), or several of them; or a function of the outputs (numpy, example first) that gives one number an
    example. `of`: a layer whose units take the place of the outputs, by their mean over all positions, or (`centre`) by what
    they say in the middle.

    `data`: some real inputs, an array, (x, y) or a loader. From them come the span of the values, the middle that is started
    from, how values vary together, and what realism is measured by. Without them give `shape`, of one input, and `span`, the least
    and the largest value (-1, 1). `canvas`: "principal" (with 100 real inputs or more, but for photographs), "fourier" (images), or "pixels".

    `count`: portraits of each target that shall differ. `search`: so many recipes are tried first, and the best is used.
    `judge`: another network, that says what it takes the portraits for. `start`: portraits, or pictures, to go on from. Options
    are those of the recipe (`nissl.core.drawing.recipe.Recipe`: prior, rough, shift, turn, zoom, noise, blur, clip, apart, rate) and of the canvas.
    """
    for name, value, least in (("count", count, 1), ("steps", steps, 1), ("search", search, 0)):
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise BadValue(f"{name}={value!r}: a whole number from {least}.")
    place = studio(model, data, shape, span, batch)
    answers = place.answers(of, centre=centre)
    wish = wished(place.net, answers, target, metric, classes)
    if judge is not None and not wish.classes:
        raise BadValue("judge says for which class it takes a portrait: it goes with targets that are classes.")
    scales = place.scales(wish, answers)
    which = np.repeat(np.arange(len(wish.names)), count)
    begun = _begun(start, (len(which), *place.paper.shape))
    with shown("portraits", progress) as tick:
        tried = searched(place, wish, scales, canvas, options, steps, search, seed, tick) if search else ()
        if tried:
            canvas, options = tried[0].options["canvas"], {k: v for k, v in tried[0].options.items() if k != "canvas"}
        ascent = place.ascent(wish, which, scales, canvas, options)
        pictures = ascent(steps, seed, begun, tick)
    recipe = {**ascent.told, "metric": wish.aim.name, "steps": steps, "seed": seed, "of": of}
    return place.told(wish, which, pictures, recipe, judge, tried)


def _begun(start: Any, shape: tuple[int, ...]) -> Any:
    if start is None:
        return None
    found = np.asarray(start.pictures if isinstance(start, Portraits) else start, float)
    if found.shape != shape or not np.isfinite(found).all():
        raise BadValue(f"start holds pictures of shape {found.shape}; there are to be {shape}, of finite numbers.")
    return found
