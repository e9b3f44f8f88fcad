"""The command `nissl topomap`."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from nissl.apps._cli.options import several


def topomap(
    run: Annotated[str, Parameter(help="The trace's folder, or its address (s3://bucket/run).")],
    *,
    layer: Annotated[list[str] | None, Parameter(converter=several, negative=(), help="Only these; left out: all, turned to face one another.")] = None,
    by: Annotated[str, Parameter(help="The layout, see `nissl list layouts`.")] = "grid",
    even: Annotated[str | None, Parameter(help="Spread it evenly: grid, disc or swarm.")] = None,
    epochs: Annotated[list[str] | None, Parameter(converter=several, negative=(), help="0,5,20 or all; left out: the last.")] = None,
    moving: Annotated[bool, Parameter(negative=(), help="A map of each epoch, which moves as its units change.")] = False,
    measure: Annotated[str, Parameter(help="Of a unit's responses to classes: contrast or mean.")] = "contrast",
    style: Annotated[Literal["field", "units"], Parameter(help="Interpolated, or unit by unit.")] = "field",
    regions: Annotated[bool, Parameter(negative=(), help="Outline where each class is answered most.")] = False,
    seed: Annotated[int, Parameter(help="The same seed gives the same map.")] = 0,
    output: Annotated[Path | None, Parameter(alias="-o", help="A picture (.png, .svg, .pdf), or epochs as a film (.gif).")] = None,
) -> None:  # fmt: skip
    """Topographic maps: a layer's units beside their like, coloured by what they answer; and how good the maps are.

    Examples: `nissl topomap runs/digits -o maps.png`; `nissl topomap runs/digits --layer hidden_1 --epochs all -o learning.gif`;
    `nissl topomap runs/digits --layer hidden_1 --by tsne --even disc --style units -o disc.pdf`.
    """
    from nissl.apps._cli import mapped

    made = mapped.made(run, layer, epochs, by=by, even=even, moving=moving, measure=measure, seed=seed)
    mapped.shown(made, output, style=style, regions=regions)
