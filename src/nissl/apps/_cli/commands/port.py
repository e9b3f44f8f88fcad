"""`nissl port`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def port(
    saved: Annotated[Path, Parameter(help="A SavedModel that Keras 2 wrote: a folder with a saved_model.pb.")],
    *,
    to: Annotated[Path, Parameter(help="The new file, ending in .keras. Nothing is overwritten.")],
) -> None:
    """A SavedModel of Keras 2 as a file of Keras 3, with equal outputs.

    Example: `nissl port MNIST_MLP --to mnist_mlp.keras`.
    """
    from nissl.apps._cli import porting
    from nissl.studies.port import port as study

    porting.ported(study(saved, to), to)
