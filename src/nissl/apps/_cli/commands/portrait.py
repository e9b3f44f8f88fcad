"""`nissl portrait`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from nissl.apps._cli.options import just, several, sizes, values


def portrait(
    where: Annotated[str, Parameter(help="A run of `nissl train`; a model, FILE.py:NAME or package.module:NAME; or a checkpoint, simplenet:FILE.pth.")],
    *,
    target: Annotated[list[str] | None, Parameter(converter=several, negative=(), n_tokens=1, help="Classes: 3,8; numbers with points: outputs to come near; left out: every class.")] = None,
    unit: Annotated[list[str] | None, Parameter(converter=several, negative=(), n_tokens=1, help="LAYER/7, LAYER/0,3,7, or LAYER for all: units in place of classes.")] = None,
    centre: Annotated[bool, Parameter(negative=(), help="Units by what they say in the middle, not by their mean.")] = False,
    data: Annotated[str | None, Parameter(help="Real inputs: FILE.py:NAME, or a data set by name; a run knows its own.")] = None,
    input_shape: Annotated[list[int] | None, Parameter(converter=sizes, negative=(), n_tokens=1, help="Of one input, where there are no data: 3,224,224.")] = None,
    count: Annotated[int, Parameter(help="How many of each, that differ.")] = 1,
    steps: Annotated[int, Parameter(help="Along the gradient.")] = 256,
    search: Annotated[int, Parameter(help="Try so many recipes first, and use the best.")] = 0,
    judge: Annotated[str | None, Parameter(help="Another run or model, to say what it takes them for.")] = None,
    epochs: Annotated[list[int] | None, Parameter(converter=just, negative=(), n_tokens=1, help="A film strip of these stages of the training: 0,1,5.")] = None,
    stages: Annotated[Path | None, Parameter(help="The folder of stages (nissl.Stages); left out: what the run kept.")] = None,
    output: Annotated[list[str] | None, Parameter(alias="-o", converter=several, negative=(), n_tokens=1, help="PNG, SVG or PDF; .npz for the numbers. Several with commas.")] = None,
    seed: Annotated[int, Parameter(help="The same seed is the same picture.")] = 0,
    **options: Annotated[str, Parameter(help="Of the recipe: --canvas fourier --rough 2 --turn 5.")],
) -> None:  # fmt: skip
    """What classes, units or any outputs want to see: pictures drawn along the network's gradient.

    Examples: `nissl portrait results/digits`; `nissl portrait results/digits --target 3,8 --count 4 --search 20`;
    `nissl portrait model.py:net --unit conv1 --input-shape 3,32,32 -o units.png`; `nissl portrait results/digits --epochs 0,1,5,30`.
    """
    from nissl.apps._cli import portrayed
    from nissl.studies.portrait import portrait as study

    files = [Path(name) for name in output or ["portraits.png"]]
    portrayed.checked(files)
    found = study(
        where, portrayed.meant(target), unit=unit, centre=centre, data=data, input_shape=input_shape, count=count, steps=steps,
        search=search, judge=judge, epochs=epochs, stages=stages, seed=seed, **values(options),
    )  # fmt: skip
    portrayed.shown(found, files)
