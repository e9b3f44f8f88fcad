"""`nissl attribute`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from nissl.apps._cli.options import several, values


def attribute(
    where: Annotated[str, Parameter(help="A run of `nissl train`; a model, FILE.py:NAME or package.module:NAME; or a checkpoint, simplenet:FILE.pth.")],
    *,
    data: Annotated[str | None, Parameter(help="FILE.py:NAME, (x, y) or x; or a data set by name. A run knows its own.")] = None,
    by: Annotated[list[str] | None, Parameter(converter=several, negative=(), help="Methods, see `nissl list attribution`; left out: integrated_gradients.")] = None,
    target: Annotated[str, Parameter(help="true, predicted, sum, or a class by name or number.")] = "true",
    at: Annotated[str | None, Parameter(help="A layer, to whose values the target is attributed in place of the input's.")] = None,
    unit: Annotated[str | None, Parameter(help="With --at: explain this unit of the layer instead; every, or whole.")] = None,
    examples: Annotated[int, Parameter(help="How many, of those that are kept to judge on.")] = 10,
    panels: Annotated[bool, Parameter(negative=(), help="Source, baseline, saliency, delta and overlay, as exigo has them.")] = False,
    output: Annotated[Path, Parameter(alias="-o", help="A picture (PNG, SVG, PDF), or the numbers: .npy of one method, .npz of several.")] = Path("attribution.png"),
    **options: Annotated[str, Parameter(help="The method's own: --steps 64, --baseline -1.")],
) -> None:  # fmt: skip
    """What an output, or a unit, owes to each part of its input.

    Examples: `nissl attribute results/digits --by guided_backprop,integrated_gradients,grad_cam`;
    `nissl attribute model.py:net --data model.py:data --target predicted --panels -o panels.png`;
    `nissl attribute model.py:net --data mnist --at features.3 --unit every --by guided_backprop -o maps.png`.
    """
    from nissl.apps._cli import attributed
    from nissl.studies.attribution import attribution as study

    attributed.check(output)
    given = values(options)
    done = study(
        where, data=data, by=by or ["integrated_gradients"], target=target, at=at, unit=int(unit) if unit and unit.isdigit() else unit,
        examples=examples, panels=panels, baseline=given.pop("baseline", None), options=given,
    )  # fmt: skip
    attributed.shown(done, output)
