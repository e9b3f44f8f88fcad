"""How words of a terminal, an environment or a TOML file become values. Loads neither numpy nor a framework."""

import ast
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter, Token
from cyclopts.config import Dict

from nissl.errors import BadValue, DamagedData, MissingData

Run = Annotated[str, Parameter(help="The trace's folder, or its address (s3://bucket/run).")]


def several(_: Any, tokens: Sequence[Token]) -> list[str]:
    """`a,b` or the same option twice: several values."""
    return [part for token in tokens for part in token.value.split(",") if part]


def epochs(_: Any, tokens: Sequence[Token]) -> int | list[int]:
    """`5`: an interval; `1,5,10:50:10` or `5,`: a list, with ranges first:last:step that include the last."""
    text = ",".join(token.value for token in tokens)
    try:
        if "," not in text and ":" not in text:
            return int(text)
        return sorted({epoch for part in text.split(",") if part.strip() for epoch in _range(part)})
    except ValueError as error:
        raise BadValue(f"--epoch-intervals {text}: write 5 (every fifth), or 1,5,10:50:10 (just those).") from error


def just(kind: Any, tokens: Sequence[Token]) -> list[int]:
    """`1,5,10:50:10`: just these."""
    found = epochs(kind, tokens)
    return [found] if isinstance(found, int) else found


def sizes(_: Any, tokens: Sequence[Token]) -> list[int]:
    """`3,224,224`: whole numbers in this order."""
    text = ",".join(token.value for token in tokens)
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise BadValue(f"{text}: write the sizes of one example's axes, 3,224,224.") from error


def _range(part: str) -> range:
    first, *rest = (int(number) for number in part.split(":"))
    last, step = (rest or [first])[0], (rest[1:] or [1])[0]
    if len(rest) > 2 or step < 1 or last < first:
        raise ValueError(part)
    return range(first, last + 1, step)


@Parameter(name="*", group=Group("Training", sort_key=1))
@dataclass(frozen=True)
class Training:
    """The options of nissl.studies.train.train; a test holds these to those."""

    data: str = "digits"
    """A data set by name, see `nissl list data`; its own options follow a point: --data.limit 1000."""
    data_options: Annotated[dict[str, str] | None, Parameter(name=("--data-options", "--data"), show=False)] = None
    model: str = "mlp"
    """A network by name, see `nissl list models`; its own options follow a point: --model.hidden 64,32."""
    model_options: Annotated[dict[str, str] | None, Parameter(name=("--model-options", "--model"), show=False)] = None
    epochs: int = 30
    """How many passes over the training examples."""
    batch_size: int = 32
    """Examples a step."""
    optimiser: str = "adam"
    """adam, adamw or sgd, with torch's own defaults but for the learning rate."""
    learning_rate: float = 1e-3
    """The optimiser's step size."""
    seed: int = 0
    """Decides weights and order: the same seed gives the same network on the same machine."""
    device: str = "auto"
    """cpu, cuda, or auto: the GPU if there is one."""
    bins: int | None = None
    """Where values are to be predicted: how many bins they are divided into."""
    keep: Literal["best", "improvements", "recorded"] = "best"
    """Which weights: the best, or for `nissl study` also those before training and at every improvement, or recorded epoch."""
    start: str | None = None
    """A run of `nissl train` to train anew: its data, its network and its best weights are taken."""
    freeze: Annotated[list[str] | None, Parameter(converter=several, negative=())] = None
    """Layers that learn no more, as glob patterns."""
    delete: Annotated[list[str] | None, Parameter(converter=several, negative=())] = None
    """Files of structures (`nissl structure --out`) whose units stay deleted while it learns."""

    def asked(self) -> dict[str, Any]:
        """As `train` takes them."""
        options = {"data_options": values(self.data_options), "model_options": values(self.model_options)}
        return asdict(self) | options


@Parameter(name="*", group=Group("Recording", sort_key=2))
@dataclass(frozen=True)
class Recording:
    """The fields of nissl.core.settings.Settings; a test holds these to those."""

    layers: Annotated[list[str] | None, Parameter(converter=several, negative=())] = None
    """Which layers, as glob patterns: "conv*,output"; left out: all."""
    quantities: Annotated[list[str] | None, Parameter(converter=several, negative=())] = None
    """What is recorded: "activation,weights" (see `nissl list quantities`); left out: the usual ones."""
    epoch_intervals: Annotated[int | list[int] | None, Parameter(converter=epochs, negative=(), n_tokens=1)] = None
    """Which epochs: 5 is every fifth; 1,5,10:50:10 just those; left out: every epoch."""
    drop_batches: bool = True
    """Drop each batch's own statistics once the epoch's are computed."""
    every: int = 1
    """Listen on every nth training step."""
    functional: Annotated[bool, Parameter(negative=())] = False
    """Also hear nonlinearities that are plain function calls, at a cost in every step."""
    leaves: Annotated[bool, Parameter(negative=())] = False
    """Every leaf module is a layer of its own."""
    rounding: int | None = None
    """Bits of mantissa to keep of each float, 1 to 23 (10: a quarter of the size); left out: all."""
    precision: str = "float32"
    """How statistics are kept: float32, or float64 where traces are compared beyond seven digits."""
    budget: str | None = None
    """The most bytes that the trace may take, such as 2GB; more is refused before training starts."""
    durability: str = "process"
    """What a committed epoch survives: the death of the process, or of the machine (power)."""
    patience: float = 600.0
    """Seconds that an epoch waits for what other processes saw of it."""
    progress: bool = True
    """Say what is going on."""

    def asked(self) -> dict[str, Any]:
        """What was said, and the defaults; by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def settings(self) -> Any:
        from nissl.core.settings import Settings

        return Settings(**self.asked())


@Parameter(name="*", group=Group("Recording", sort_key=2))
@dataclass(frozen=True)
class Overhearing(Recording):
    """The same where a script has `--epochs` of its own, and standard error is its."""

    epoch_intervals: Annotated[
        int | list[int] | None, Parameter(name="--epochs", converter=epochs, negative=(), n_tokens=1)
    ] = None
    """Which epochs: 5 is every fifth; 1,5:50:5 just those; left out: every epoch."""
    progress: bool = False
    """Say each epoch's numbers on standard error."""


def values(words: Mapping[str, str] | None) -> dict[str, Any]:
    """`--model.hidden 64,32` as a tuple of numbers, `--data.folder x` as a text: by what it looks like."""
    return {name: _value(word) for name, word in (words or {}).items()}


def _value(word: str) -> Any:
    try:
        return ast.literal_eval(word)
    except (ValueError, SyntaxError):
        return {"true": True, "false": False}.get(word, word)


OWN = 2
"""How deep a command's options lie in a TOML file; those of data sets and networks lie deeper."""


def from_toml(app: Any, commands: tuple[str, ...], arguments: Any) -> None:
    """Where --config names a TOML file, its table for this command fills in what is not said elsewhere."""
    named = [argument.tokens[0].value for argument in arguments if argument.name == "--config" and argument.tokens]
    if not named:
        return
    path = Path(named[0])
    try:
        tables = tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        raise MissingData(f"There is no configuration file {path}.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DamagedData(f"{path} is not a TOML file that can be read: {error}") from error
    if not all(isinstance(tables.get(command, {}), dict) for command in commands) or not set(commands) & set(tables):
        raise BadValue(f"{path} has no table [{commands[0]}]: write the options under it, such as epochs = 30.")
    Dict(_listed(tables), source=str(path))(app, commands, arguments)


def _listed(value: Any, depth: int = 0) -> Any:
    """A list as text with commas, as it is written in a terminal; of a data set's or a network's own options as `values` reads it."""
    if isinstance(value, dict):
        return {key: _listed(inner, depth + 1) for key, inner in value.items()}
    if not isinstance(value, list):
        return value
    return repr(value) if depth > OWN else "".join(f"{inner}," for inner in value)


@Parameter(name="*", group=Group("Finding", sort_key=3))
@dataclass(frozen=True)
class Finding:
    """Options of nissl.structure."""

    by: str | None = None
    """The method, see `nissl list finders`; left out: secant, or what comes closest where a framework has none."""
    baseline: str | None = None
    """What a unit is compared with: counterfactual, mean or zero; left out: the method's own."""
    metric: str = "logodds"
    """What of the outputs is explained: logodds, logprob or logit."""
    rank: str | None = None
    """together (for classes the default, where the network has gradients), contrast, score or absolute."""
    size: str = "0.1"
    """A share of the units (0.1), a number (20), "faithful>=0.9" or "target<=0.05"."""
    layers: Annotated[list[str] | None, Parameter(converter=several, negative=())] = None
    """Only these, as glob patterns; left out: all whose units mean something by themselves."""
    limit: int = 500
    """The most examples that are taken to find it."""
    batch: int = 128
    """Examples a pass: bounds memory."""
    seed: int = 0
    """Decides the counterfactuals."""

    def asked(self) -> dict[str, Any]:
        """As the study takes them."""
        try:
            size: Any = int(self.size) if self.size.isdigit() else float(self.size)
        except ValueError:
            size = self.size
        given = {k: v for k, v in asdict(self).items() if k not in ("rank", "size")}
        return given | {"size": size} | ({"rank": self.rank} if self.rank else {})


@Parameter(name="*", group=Group("Groups", sort_key=4))
@dataclass(frozen=True)
class Grouping:
    """Options of nissl.studies.profile.grouped."""

    groups: Annotated[list[str] | None, Parameter(converter=several, negative=())] = None
    """label, prediction, correct, confusion, or a column, FILE.py:NAME; several with commas are crossed; left out: label."""
    only: Annotated[list[str] | None, Parameter(converter=several, negative=())] = None
    """Groups of interest: compared with each other alone."""
    contrast: Literal["others", "all"] = "others"
    """What a group's mean is compared with: that of the others, or that of all."""
    within: str | None = None
    """Compare only groups of the same level of this: with --groups label,correct, right answers to a label with wrong ones."""
    align: Literal["prediction", "label"] | None = None
    """Move the most salient place of each example to the middle, by the gradient of the predicted or of the true class."""
    positions: bool = True
    """Sum every position of a map; --no-positions: units alone, in less memory."""
    batch: int | None = None
    """Examples a pass: bounds memory; left out: by how much the layers say of one."""
    memory: str = "2GB"
    """The most that the sums may take."""

    def asked(self) -> dict[str, Any]:
        """As the study takes them."""
        return asdict(self) | {"groups": self.groups or ["label"]}
