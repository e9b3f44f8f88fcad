"""The command `nissl trails`."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from nissl.apps._cli.options import several, values


def trails(
    run: Annotated[str, Parameter(help="The trace's folder, or its address (s3://bucket/run).")],
    *,
    layer: Annotated[list[str] | None, Parameter(converter=several, negative=(), help="Only these; left out: all, in one picture.")] = None,
    epochs: Annotated[list[str] | None, Parameter(converter=several, negative=(), help="0,5,20; left out: all.")] = None,
    measure: Annotated[str, Parameter(help="What units are told by: contrast, mean, or samples.")] = "contrast",
    colour: Annotated[Literal["class", "epoch"] | None, Parameter(help="Left out: by class where classes are known.")] = None,
    seed: Annotated[int, Parameter(help="The same seed gives the same picture.")] = 0,
    output: Annotated[Path, Parameter(alias="-o", help="The picture: PNG, SVG or PDF.")] = Path("trails.png"),
    **options: Annotated[str, Parameter(help="The layout's own: --neighbours 5, see `nissl list layouts`.")],
) -> None:  # fmt: skip
    """Each unit as a path through training: at an epoch near its like, and from epoch to epoch near itself.

    Examples: `nissl trails runs/digits --layer hidden_1 -o hidden.png`; `nissl trails runs/digits --colour epoch`.
    """
    from nissl.apps._cli.screens import console
    from nissl.core.trace import open as opened
    from nissl.core.trailing import trails as study
    from nissl.errors import MissingDependency

    says = console()
    named = layer[0] if layer is not None and len(layer) == 1 else layer
    found = study(opened(run), named, epochs=epochs or "all", measure=measure, seed=seed, **values(options))
    says.print(repr(found)[1:-1], markup=False, soft_wrap=True)
    says.print(repr(found.quality), markup=False, soft_wrap=True)
    try:
        from nissl.apps.figure import paint
        from nissl.views.trails import Trails

        paint(Trails(found, colour).describe(), output)
        says.print(f"written: {output}", markup=False, soft_wrap=True)
    except MissingDependency as error:
        says.print(f"No picture: {error}", markup=False, soft_wrap=True)
