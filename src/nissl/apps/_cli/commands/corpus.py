"""`nissl corpus`, and what it prints."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter


def corpus(
    configuration: Annotated[Path, Parameter(help="A JSON file: model_path, layer_names_of_interest, data_path, processed_corpus_path ...")],
    *,
    pictures: Annotated[bool, Parameter(help="Draw maps and projections.")] = True,
    ending: Annotated[Literal["pdf", "png", "svg"], Parameter(help="What pictures are written as.")] = "pdf",
) -> None:  # fmt: skip
    """Profiles, contrasts, maps and projections of a corpus: batches in files, each of one group.

    A corpus is a folder of .npy files and a corpus.csv with a line `file, group[, number of the right output]` for each. An
    iNNtrospect project runs as it is: `nissl corpus configs/MNIST_CNN_SHALLOW.json`.

    The model is a SavedModel, a .keras, .h5 or .onnx file, or FILE.py:NAME; activations of any framework may lie in acts/ and
    grads/ instead. What is there and up to date is not made again; nothing is asked, and nothing deleted.
    """
    from nissl.apps._cli.screens import console
    from nissl.apps.corpus import run

    says = console()
    for step in run(configuration, pictures=pictures, ending=ending, ignored=_remarked):
        told = f"{step.seconds:6.1f} s" if step.made else "up to date"
        where = sorted({file.parent for file in step.files})
        drawn = (
            f"   {len(step.files)} pictures under {where[0].parent if len(where) > 1 else where[0]}/" if where else ""
        )
        says.print(f"{step.name:<18} {told:>10}{drawn}", markup=False, soft_wrap=True, highlight=False)


def _remarked(message: str) -> None:
    """About the configuration, beside the results."""
    print(f"nissl: {message}", file=sys.stderr)
