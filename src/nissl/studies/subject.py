"""A network and its data by name: a run that `nissl train` made, or what a Python file or module holds."""

import ast
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from nissl import plugins
from nissl.core.dataset import DataSet, Splits
from nissl.core.trace import Trace
from nissl.core.trace import open as opened
from nissl.errors import BadValue, MissingData, NoTrace, UnknownName, listing, near
from nissl.studies.checkpoints import Checkpoints
from nissl.studies.making import made


@dataclass(frozen=True, eq=False)
class Subject:
    """A model, examples to find its structures with, and others to judge them on."""

    name: str
    model: Any
    discovery: Any
    held_out: Any
    """None where there is only one set of examples."""
    classes: tuple[str, ...]
    given: tuple[Any, ...] = ()
    """The sets of examples whole, where only some were taken to find with."""


def subject(where: str, data: str | None = None, limit: int = 500) -> Subject:
    """`where`: a run; FILE.py:NAME or package.module:NAME, a model or a function that makes one; or MODEL:CHECKPOINT.

    MODEL is a name of `nissl list models`, as large as its data want it; options follow a comma: simple_net,variant=5m:FILE.pth.

    `data`: FILE.py:NAME or package.module:NAME, (x, y) or a pair of such (to find with, to judge on), or a data set of
    `nissl list data`; a run of `nissl train` knows its own. At most `limit` examples are taken to find structures.
    """
    if ":" in where and "://" not in where:
        if data is None:
            raise BadValue(
                f"{where} is a model; say which examples with --data FILE.py:NAME, or --data digits (`nissl list data`)."
            )
        examples = examples_of(data)
        return _with(where, _of_checkpoint(where, examples) or named(where), examples, limit)
    return _of_run(where, data, limit)


def at_hand(model: Any, data: Any, limit: int = 500) -> Subject:
    """A network itself, and its examples: (x, y), a pair of such, a data set, or what `subject` takes."""
    given = examples_of(data) if isinstance(data, str) else data.load() if isinstance(data, DataSet) else data
    return _with(type(model).__name__, model, given, limit)


def _of_checkpoint(where: str, given: Any) -> Any:
    """A network by name, as large as the data want it, with the weights of a file; None where none is named."""
    said, _, file = where.rpartition(":")
    name, *options = said.split(",")
    if not plugins.known("models", name) or not Path(file).is_file():
        return None
    if not isinstance(given, Splits):
        raise BadValue(f"{name} is made for its data: say which with --data mnist (`nissl list data`), or a folder.")
    chosen = {key: _value(value) for key, _, value in (option.partition("=") for option in options)}
    fixed = {"shape": given.shape, "classes": len(given.classes), "weights": file}
    return made("models", name, fixed, chosen).build()


def _value(word: str) -> Any:
    try:
        return ast.literal_eval(word)
    except (ValueError, SyntaxError):
        return word


def _of_run(where: str, data: str | None, limit: int) -> Subject:
    try:
        trace = opened(where)
    except NoTrace as error:
        raise NoTrace(f"{error} A model is named FILE.py:NAME.") from error
    config = trace.header.get("config", {})
    kept = Checkpoints(where)
    if not isinstance(config.get("model"), Mapping) or not isinstance(config.get("data"), Mapping):
        raise MissingData(
            f"{where} was recorded in a loop of its own and holds no model: name it as FILE.py:NAME, and its examples by --data."
        )
    if not kept.best.is_file():
        raise MissingData(f"The weights of {where} are not at {kept.best}: name the model as FILE.py:NAME instead.")
    splits = _made("data", config["data"]).load() if data is None else examples_of(data)
    blueprint = _made("models", {**config["model"], "weights": str(kept.best)})
    return _with(where, blueprint.build(), splits, limit)


def recorded_data(trace: Trace) -> Splits:
    """The data set that the run was trained on; MissingData where it was not one by name."""
    said = trace.header.get("config", {}).get("data")
    if not isinstance(said, Mapping):
        raise MissingData("The run was recorded in a loop of its own, and says nothing of its data.")
    found: Splits = _made("data", said).load()
    return found


def _made(kind: str, said: Mapping[str, Any]) -> Any:
    """What a header says was used, made again."""
    for name in plugins.names(kind):
        if plugins.class_name(name) == said.get("name"):
            found = plugins.load(kind, name)
            known = {field.name for field in fields(found) if field.init}
            given = {k: tuple(v) if isinstance(v, list) else v for k, v in said.items() if k in known}
            return found(**given)
    raise UnknownName(f"This run's {kind} were {said.get('name')!r}, which is none of: {listing(plugins.names(kind))}.")


def _with(name: str, model: Any, given: Any, limit: int) -> Subject:
    if limit < 1:
        raise BadValue(f"limit={limit}: how many examples are taken to find structures, from 1.")
    if isinstance(given, Splits):
        train, test = tuple(given.train), tuple(given.test)
        found = Subject(name, model, tuple(part[:limit] for part in train), test, given.classes, (train, test))
    elif is_pair(given):
        found = Subject(name, model, few(tuple(given[0]), limit), tuple(given[1]), (), tuple(given))
    else:
        found = Subject(name, model, few(given, limit), None, (), (given,))
    return found


def is_pair(given: Any) -> bool:
    """Are these two sets of examples, to learn from and to judge on?"""
    return isinstance(given, tuple | list) and len(given) == 2 and all(isinstance(part, tuple | list) for part in given)


def few(given: Any, limit: int) -> Any:
    """Some of (x, y), from anywhere: users' examples often come class after class."""
    if not (isinstance(given, tuple) and len(given) == 2 and all(hasattr(p, "shape") for p in given)):
        return given
    count = len(given[1])
    which = np.sort(np.random.default_rng(0).permutation(count)[:limit])
    return given if count <= limit or len(given[0]) != count else tuple(part[which] for part in given)


def examples_of(data: str) -> Any:
    """FILE.py:NAME or package.module:NAME, a data set of `nissl list data`, or a folder of class folders."""
    if ":" in data:
        found = named(data)
        return found.load() if isinstance(found, DataSet) else found
    if not plugins.known("data", data) and Path(data).exists():
        return plugins.load("data", "folder")(path=data).load()
    return plugins.load("data", data)().load()


def named(where: str) -> Any:
    """What a Python file or module holds, FILE.py:NAME or package.module:NAME; made, where it is a function."""
    return _called(where, _attribute(where))


def _called(name: str, value: Any) -> Any:
    """What a function or a class makes, or the thing itself; models are often callable too."""
    if not (inspect.isroutine(value) or isinstance(value, type)):
        return value
    try:
        inspect.signature(value).bind()
    except TypeError as error:
        raise BadValue(
            f"{name} can't be called without arguments ({error}): name a function that takes none, or what it made."
        ) from error
    except ValueError:  # written in C, it does not say
        pass
    return value()


def _attribute(where: str) -> Any:
    """FILE.py:NAME or package.module:NAME."""
    place, _, name = where.rpartition(":")
    module = _file(Path(place)) if place.endswith(".py") else _module(place)
    value = module
    for part in name.split("."):
        if not hasattr(value, part):
            known = [one for one in vars(value) if not one.startswith("_")]
            raise UnknownName(f"{place} has no {name!r}.{near(part, known)} It has: {listing(known)}.")
        value = getattr(value, part)
    return value


def _file(path: Path) -> Any:
    if not path.is_file():
        raise MissingData(f"There is no file {path}.")
    name = f"nissl_subject_{path.stem}"
    if name in sys.modules and getattr(sys.modules[name], "__file__", None) == str(path.resolve()):
        return sys.modules[name]  # the model and its data often lie in one file, which shall run once
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]  # half a module is none
        if isinstance(error, ImportError) and "relative import" in str(error):
            raise BadValue(
                f"{path} imports from its own package ({error}): name it as a part of it, PACKAGE.{path.stem}:NAME, from the "
                "folder that holds the package."
            ) from error
        raise
    finally:
        sys.path.remove(str(path.resolve().parent))
    return module


def _module(name: str) -> Any:
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingData(
            f"There is no module {name}: {error}. A file is named with its ending: {name}.py:NAME."
        ) from error
    finally:
        sys.path.remove(str(Path.cwd()))
