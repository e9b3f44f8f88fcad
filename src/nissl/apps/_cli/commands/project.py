"""`nissl project`: the command, what it prints and what it writes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from nissl.apps._cli.options import just, values
from nissl.errors import MissingDependency

if TYPE_CHECKING:
    from nissl.core.projection import Projection


def project(
    where: Annotated[str, Parameter(help="A run, or a model: FILE.py:NAME, package.module:NAME.")],
    *,
    layer: Annotated[str | None, Parameter(help="Which layer's view; left out: the last before the output.")] = None,
    by: Annotated[str, Parameter(help="tsne, pca, umap, pacmap: `nissl list layouts`.")] = "tsne",
    epochs: Annotated[list[int] | None, Parameter(converter=just, negative=(), n_tokens=1, help="Of a run that recorded samples: 1,5,10:50:10; left out: all.")] = None,
    data: Annotated[str | None, Parameter(help="FILE.py:NAME, (x, y) or (to find with, to judge on); or a data set by name.")] = None,
    output: Annotated[Path, Parameter(alias="-o", help="The picture: PNG, SVG or PDF.")] = Path("points.png"),
    tensorboard: Annotated[Path | None, Parameter(help="A folder for TensorBoard's projector.")] = None,
    limit: Annotated[int, Parameter(help="The most samples of a model that are shown.")] = 10_000,
    seed: Annotated[int, Parameter(help="The same seed is the same picture.")] = 0,
    **options: Annotated[str, Parameter(help="The layout's own: --perplexity 50.")],
) -> None:  # fmt: skip
    """Every sample as a point, near those to which a layer answers alike; with labels, mistakes, and what would be answered between.

    Examples: `nissl project results/digits --layer hidden_2 -o points.png`; `nissl project model.py:net --data mnist --tensorboard board`;
    `nissl train runs/a --quantities activation,predictions,samples`, then `nissl project runs/a --epochs 1,5,30`.
    """
    from nissl.studies.project import project as study

    found = study(
        where, layer, by=by, epochs=epochs, data=data, limit=limit, seed=seed, options=values(options), tensorboard=tensorboard
    )  # fmt: skip
    shown(found, output, tensorboard)


def shown(found: "Projection", output: Path, tensorboard: Path | None) -> None:
    """How far each moment is to be believed, and where the picture is."""
    from nissl.apps._cli.screens import console, table

    says = console()
    quality = found.quality
    says.print(repr(found)[1:-1], markup=False, soft_wrap=True)
    rows = [
        (frame.name or "now", f"{kept.trustworthiness:.3f}", f"{kept.kept:.3f}")
        for frame, kept in zip(found.frames, quality.frames, strict=True)
    ]
    says.print(table(("moment", "trustworthiness", f"{quality.frames[0].k} nearest kept"), rows, right=(1, 2)))
    says.print(str(quality), markup=False, soft_wrap=True)
    try:
        from nissl.apps.figure import paint
        from nissl.views.projected import Projected

        paint(Projected(found).describe(), output)
        says.print(f"written: {output}", markup=False, soft_wrap=True)
    except MissingDependency as error:
        says.print(f"No picture: {error}", markup=False, soft_wrap=True)
    if tensorboard is not None:
        says.print(
            f"written: {tensorboard}/; look at it: tensorboard --logdir {tensorboard}", markup=False, soft_wrap=True
        )
