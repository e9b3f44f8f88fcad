"""The terminal's door: one function a command, each a call of what Python can call too."""

import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, CycloptsError, Parameter
from cyclopts.config import Env

from nissl.apps._cli.changing import changes
from nissl.apps._cli.mapping import topomap
from nissl.apps._cli.options import Finding, Grouping, Overhearing, Recording, Training, from_toml
from nissl.apps._cli.projecting import project
from nissl.errors import BadValue, NisslError, NisslWarning

WORDS = {
    "resume=True": "--resume or --overwrite",
    "overwrite=True": "--overwrite",
    "download=True": "--data.download true",
}
"""What messages say in Python's words, in a terminal's."""
Run = Annotated[str, Parameter(help="The trace's folder, or its address (s3://bucket/run).")]


def demo(
    *,
    binary: Annotated[
        bool, Parameter(negative=(), help="Two classes: what serves each of them, and what both.")
    ] = False,
    out: Annotated[Path, Parameter(help="For trace and pictures; an earlier demo's trace is replaced.")] = Path(
        "results"
    ),
    epochs: Annotated[int, Parameter(help="How many passes over the training examples.")] = 20,
    seed: Annotated[int, Parameter(help="The same seed gives the same network.")] = 0,
) -> None:
    """Train a small network on handwritten digits while recording it, and show what was seen; takes seconds.

    Prints a table, and writes the trace and (where matplotlib is installed) pictures into a folder.
    """
    from nissl.apps._cli import demonstration
    from nissl.studies.demo import demo as study

    demonstration.show(study(out, binary=binary, epochs=epochs, seed=seed), out)


def train(
    run: Annotated[
        str | None, Parameter(help="The new trace's folder, or its address (s3://bucket/run); left out: runs/DATA.")
    ] = None,
    *,
    config: Annotated[Path | None, Parameter(help="A TOML file with these options.")] = None,  # noqa: ARG001 - for from_toml
    resume: Annotated[
        bool, Parameter(negative=(), help="Go on after the last epoch of the trace that is there.")
    ] = False,
    overwrite: Annotated[bool, Parameter(negative=(), help="Delete the trace that is there.")] = False,
    training: Training | None = None,
    recording: Recording | None = None,
) -> None:
    """Train a reference network on a data set and record it; the best weights are kept beside the trace, or here.

    Examples: `nissl train`; `nissl train runs/a --model mlp --model.hidden 64,32 --epochs 10`;
    `nissl train --data arrays --data.path mine.npz --epoch-intervals 1,5,10:50:10`.

    Every option can also be given in the environment (NISSL_TRAIN_EPOCHS=10) or in a TOML file's table [train]
    (`epochs = 10`; those of the data set in [train.data-options]). The command line goes before the environment, and that
    before the file.
    """
    from nissl.apps._cli import screens
    from nissl.studies.train import train as study

    training, settings = training or Training(), (recording or Recording()).settings()
    path = run or Path("runs") / training.data
    screens.trained(path, study(path, resume=resume, overwrite=overwrite, settings=settings, **training.asked()))


def record(
    *command: Annotated[str, Parameter(help="What to run, after two dashes: -- python train.py ARGS", allow_leading_hyphen=True)],
    out: Annotated[str | None, Parameter(help="The folder of the trace; left out: runs/SCRIPT, runs/SCRIPT-2 ...")] = None,
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


def info(run: Run) -> None:
    """What a trace holds: layers, quantities, epochs, room on disk, what it cost; also while it is being recorded.

    Example: `nissl info runs/digits`.
    """
    from nissl.apps._cli import screens
    from nissl.studies.contents import contents

    screens.contents(run, contents(run))


def show(
    run: Run,
    address: Annotated[str, Parameter(help="EPOCH, EPOCH/LAYER or EPOCH/LAYER/NEURON: e30 or E_30, n20 or n_20.")],
) -> None:
    """One place in a trace: an epoch, a layer at an epoch, or a neuron at an epoch.

    Examples: `nissl show runs/digits e30`; `nissl show runs/digits e30/hidden_1/n20`.
    """
    from nissl.apps._cli import screens
    from nissl.core.trace import open as opened

    screens.place(opened(run)[address])


def export(
    run: Run,
    *,
    to: Annotated[
        Literal["parquet", "csv", "zarr"],
        Parameter(help="parquet and csv hold one table; zarr holds everything, as xarray reads it."),
    ],
    out: Annotated[Path | None, Parameter(help="Where to; left out: beside the trace. Nothing is overwritten.")] = None,
    table: Annotated[
        Literal["neurons", "epochs", "connections"],
        Parameter(help="A row for each neuron and epoch, for each epoch, or for each weight and epoch (large)."),
    ] = "neurons",
) -> None:
    """A trace as a file for other programs.

    Examples: `nissl export runs/digits --to csv`; `nissl export runs/digits --to parquet --table connections`.
    """
    from nissl.studies.export import export as study

    print(study(run, to, out, table=table))


def profile(
    run: Annotated[str, Parameter(help="A run, or a model: FILE.py:NAME, package.module:NAME.")],
    measure: Annotated[str, Parameter(help="With --out: mean, contrast, selectivity ...: `nissl list profiles`.")] = "mean",
    *,
    data: Annotated[str | None, Parameter(help="FILE.py:NAME, (x, y); or a data set by name. A run of `nissl train` knows its own.")] = None,
    output: Annotated[Path | None, Parameter(alias="-o", help="An .npz file for the profiles. Nothing is overwritten.")] = None,
    pictures: Annotated[Path | None, Parameter(help="A folder for pictures of them.")] = None,
    grouping: Grouping | None = None,
    out: Annotated[Path | None, Parameter(help="A measure of the whole trace instead, into this Zarr folder.")] = None,
    layers: Annotated[list[str] | None, Parameter(help="Only these.", negative=())] = None,
    scheduler: Annotated[str | None, Parameter(help="With --out: a Dask scheduler, tcp://HOST:8786; left out: this machine's threads.")] = None,
    **options: Annotated[str, Parameter(help="With --out: the measure's own, --against each.")],
) -> None:  # fmt: skip
    """What units make of groups of inputs: means, and what sets each group apart; or a measure of a whole trace.

    Examples: `nissl profile runs/digits`; `nissl profile runs/digits --groups label,correct --within label -o split.npz`;
    `nissl profile model.py:net --data model.py:data --groups model.py:age --align prediction --pictures found`.

    Of a trace of any size: `nissl profile runs/digits contrast --out contrast.zarr --against each`.
    """
    from nissl.studies import profile as study

    if out is not None:
        print(study.profile(run, measure, out, layers=layers, options=options, scheduler=scheduler))
        return
    if options or measure != "mean" or scheduler:
        raise BadValue(
            f"{', '.join(f'--{name}' for name in options) or measure}: a measure of a whole trace is written to a folder: add --out "
            "contrast.zarr. Without it groups of inputs are profiled: see nissl profile --help."
        )
    from nissl.apps._cli import grouped

    asked = (grouping or Grouping()).asked()
    grouped.shown(study.grouped(run, data=data, layers=layers, output=output, **asked), output, pictures)


def structure(
    where: Annotated[str, Parameter(help="A run of `nissl train`, or a model: FILE.py:NAME, package.module:NAME.")],
    *,
    target: Annotated[str | None, Parameter(help="A class; 3,8: why 3 and not 8; or an output's number. Left out: every class.")] = None,
    data: Annotated[str | None, Parameter(help="FILE.py:NAME, (x, y) or (to find with, to judge on); or a data set by name.")] = None,
    verify: Annotated[bool, Parameter(negative=(), help="Prove it: cut it, and compare with controls.")] = False,
    delete: Annotated[bool, Parameter(negative=(), help="Make a smaller network without it, at --output.")] = False,
    output: Annotated[Path | None, Parameter(alias="-o", help="Where the smaller network goes. Nothing is overwritten.")] = None,
    out: Annotated[Path | None, Parameter(help="A folder for structures, report and pictures.")] = None,
    finding: Finding | None = None,
) -> None:  # fmt: skip
    """The units that make an output: found by what the output depends on, proved by cutting them, and deleted.

    Examples: `nissl structure results/digits --target 3 --verify`; `nissl structure model.py:net --data model.py:data --out found`;
    `nissl structure results/digits --target 3 --size "target<=0.05" --delete -o smaller.pt`.
    """
    from nissl.apps._cli import found
    from nissl.studies.structure import structure as study

    asked = (finding or Finding()).asked()
    done = study(where, target, data=data, verify=verify, delete=delete, output=output, **asked)
    found.shown(done, out)


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


def doctor() -> None:
    """What is installed, what works, and how to get the rest."""
    from nissl.apps._cli import screens
    from nissl.studies.doctor import doctor as study

    screens.findings(study())


def plug_ins(kind: Annotated[str | None, Parameter(help="Only these, each with what it is.")] = None) -> None:
    """What there is by name: data sets, models, quantities, stores, adapters, views.

    Examples: `nissl list`; `nissl list quantities`.
    """
    from nissl.apps._cli import screens
    from nissl.studies.catalogue import catalogue

    screens.findings(catalogue(kind))


def app() -> App:
    """The commands, and where their options may come from: command line, then environment, then TOML."""
    made = App(
        name="nissl",
        help="See inside a neural network while it learns: record its trace, look into it, take it elsewhere.\n\n"
        "Start with `nissl demo`. Each command explains itself: `nissl train --help`. NISSL_DEBUG=1 shows where an error comes from.",
        help_format="markdown",
        version=_version,
        config=[Env("NISSL_", show=False), from_toml],
        exit_on_error=False,
        print_error=False,
        suppress_keyboard_interrupt=False,
    )
    for command in (
        demo, train, record, info, show, structure, topomap, changes, project, export, port, profile, doctor
    ):  # fmt: skip
        made.command(command)
    made.command(plug_ins, name="list")
    return made


def _version() -> str:
    from importlib.metadata import version

    return version("nissl")


def _warned(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    """What went wrong and where the run goes on, without the line of our source that says so."""
    print(str(message) if issubclass(category, NisslWarning) else f"{category.__name__}: {message}", file=sys.stderr)


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; 0 if all is well, 2 for what nissl or the system refuses, 130 for Ctrl-C."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warned
            app()(words, result_action="return_none")
    except (NisslError, CycloptsError, OSError) as error:
        if os.environ.get("NISSL_DEBUG", "0") not in ("", "0"):
            raise
        said = [words for python, words in WORDS.items() if python in str(error)]
        print(f"nissl: {error}{f' In a terminal: {said[0]}.' if said else ''}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0
