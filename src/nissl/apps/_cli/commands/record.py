"""`nissl record`."""

from typing import Annotated

from cyclopts import Parameter

from nissl.apps._cli.options import Overhearing


def record(
    *command: Annotated[str, Parameter(help="What to run, after two dashes: -- python train.py ARGS", allow_leading_hyphen=True)],
    out: Annotated[str | None, Parameter(alias="-o", help="The folder of the trace; left out: runs/SCRIPT, runs/SCRIPT-2 ...")] = None,
    resume: Annotated[bool, Parameter(negative=(), help="Go on after the last epoch of the trace that is there.")] = False,
    overwrite: Annotated[bool, Parameter(negative=(), help="Delete the trace that is there.")] = False,
    model: Annotated[str | None, Parameter(help="The model's variable, its class, or module:attribute; several with commas.")] = None,
    epoch_steps: Annotated[int | None, Parameter(help="So many optimiser steps are an epoch; left out: passes over a DataLoader.")] = None,
    labels: Annotated[str | None, Parameter(help="Where they are: batch[1], batch.labels, a variable where the model is called, or none.")] = None,
    probe: Annotated[int, Parameter(help="Examples of the first step that are shown again after every epoch; 0: none.")] = 256,
    recording: Overhearing | None = None,
) -> None:  # fmt: skip
    """Run a training script that knows nothing of nissl, and record it: torch, Keras, Lightning, Transformers.

    Examples: `nissl record -- python train.py --lr 0.1`; `nissl record --out runs/a --epochs 1,5:50:5 -- python -m pkg.train`;
    `nissl record --epoch-steps 500 --labels yb -- python loop.py`; `nissl record -- torchrun --nproc-per-node 2 train.py`.

    What it detected (model, optimiser, epochs, labels) is said on standard error, with the option that changes it. Output,
    exit code and signals are the script's; only a script that ended well and in which nothing was found to record exits with 3.
    """
    from nissl.studies.launch import launch

    asked = (recording or Overhearing()).asked()
    raise SystemExit(
        launch(
            command, out, resume=resume, overwrite=overwrite, model=model, epoch_steps=epoch_steps, labels=labels, probe=probe,
            recording=asked,
        )
    )  # fmt: skip
