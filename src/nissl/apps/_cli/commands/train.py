"""`nissl train`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from nissl.apps._cli.options import Recording, Training


def train(
    run: Annotated[str | None, Parameter(help="The new trace's folder, or its address (s3://bucket/run); left out: runs/DATA.")] = None,
    *,
    config: Annotated[Path | None, Parameter(help="A TOML file with these options.")] = None,  # noqa: ARG001 - for from_toml
    resume: Annotated[bool, Parameter(negative=(), help="Go on after the last epoch of the trace that is there.")] = False,
    overwrite: Annotated[bool, Parameter(negative=(), help="Delete the trace that is there.")] = False,
    study: Annotated[bool, Parameter(negative=(), help="Then look at it, stage by stage, as `nissl study` does; pictures in results/RUN_study.")] = False,
    training: Training | None = None,
    recording: Recording | None = None,
) -> None:  # fmt: skip
    """Train a reference network on a data set and record it; the best weights are kept beside the trace, or here.

    Examples: `nissl train`; `nissl train runs/a --model mlp --model.hidden 64,32 --epochs 10`;
    `nissl train --data arrays --data.path mine.npz --epoch-intervals 1,5,10:50:10`.

    Every option can also be given in the environment (NISSL_TRAIN_EPOCHS=10) or in a TOML file's table [train]
    (`epochs = 10`; those of the data set in [train.data-options]). The command line goes before the environment, and that
    before the file.
    """
    from nissl.apps._cli import screens
    from nissl.studies.train import train as training_study

    training, settings = training or Training(), (recording or Recording()).settings()
    asked = training.asked()
    if study and training.keep == "best":
        asked["keep"] = "recorded" if (recording or Recording()).epoch_intervals is not None else "improvements"
    path = run or Path("runs") / Path(training.data).name
    screens.trained(path, training_study(path, resume=resume, overwrite=overwrite, settings=settings, **asked))
    if study:
        from nissl.apps._cli import studied
        from nissl.studies.study import of

        studied.show(of(str(path)), studied.folder(str(path)))
