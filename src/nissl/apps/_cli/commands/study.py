"""`nissl study`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from nissl.apps._cli.options import epochs as just
from nissl.apps._cli.options import several


def study(
    where: Annotated[str, Parameter(help="A run of `nissl train`; a model, FILE.py:NAME or package.module:NAME; or a checkpoint, simplenet:FILE.pth.")],
    *,
    data: Annotated[str | None, Parameter(help="FILE.py:NAME, (x, y) or (to learn from, to judge by); or a data set by name.")] = None,
    stages: Annotated[Path | None, Parameter(help="A folder of stages (nissl.Stages); left out: what the run kept.")] = None,
    epochs: Annotated[list[int] | None, Parameter(converter=just, negative=(), n_tokens=1, help="Which stages: 0,5,10; left out: up to 6 of them.")] = None,
    by: Annotated[str | None, Parameter(help="The method of attribution, see `nissl list attribution`; left out: guided_backprop, or smooth_grad without ReLUs.")] = None,
    samples: Annotated[int, Parameter(help="How many samples a picture shows.")] = 10,
    layers: Annotated[list[str] | None, Parameter(converter=several, negative=(), help="Where attention is looked at, as glob patterns; left out: up to 6, spread over all.")] = None,
    against: Annotated[str | None, Parameter(help="Another run or model of the same layers: what both attend to, side by side.")] = None,
    limit: Annotated[int, Parameter(help="The most examples that are judged by.")] = 10_000,
    seed: Annotated[int, Parameter(help="Decides which samples are projected.")] = 0,
    tensorboard: Annotated[Path | None, Parameter(help="A folder for TensorBoard's logs: numbers, pictures, graph, projector.")] = None,
    out: Annotated[Path | None, Parameter(help="A folder for the pictures; left out: results/NAME_study.")] = None,
) -> None:  # fmt: skip
    """How a network came to answer as it does: confusion, saliency, attention, misclassified samples, projections, portraits.

    Examples: `nissl train runs/a --data mnist --model simplenet --keep improvements`, then `nissl study runs/a`;
    `nissl study model.py:net --data model.py:data --out looked`; `nissl train --study` does both.
    """
    from nissl.apps._cli import studied
    from nissl.studies.study import of

    found = of(
        where,
        data,
        stages,
        epochs=epochs,
        by=by,
        samples=samples,
        layers=layers,
        limit=limit,
        seed=seed,
        against=against,
    )
    studied.show(found, out or studied.folder(where), tensorboard)
