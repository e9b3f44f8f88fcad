"""What SECURITY.md promises: what lies in files is read as data, never run; a citation names the version that this is."""

import ast
import os
import pickle
import re
import shutil
import tomllib
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import nissl

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "nissl"
GRANTED = {
    "data/cifar10.py: pickle.loads",  # after its digest was compared
    "data/_files/sources.py: urllib.request.urlopen",  # a data set, asked for by download=True; its digest is compared
    "scripts/_hook/labels.py: eval",  # an expression of the command line
    "scripts/_hook/process.py: exec",  # our own text
    "scripts/_hook/imports.py: loader.exec_module",  # the script that is being recorded
    "studies/subject.py: spec.loader.exec_module",  # FILE.py:NAME of the command line
    "studies/launch.py: subprocess.call",  # the command after `nissl record --`
}
RISKY = re.compile(
    r"(?:c?[pP]ickle|dill|joblib|marshal|shelve)\.loads?|eval|exec|.*\.exec_module|.*urlopen|os\.system|os\.popen|subprocess\.\w+"
)


def risky(tree: Path) -> Iterator[str]:
    """Calls that run what they are given, or read it from elsewhere, and loads that say of neither pickles nor weights."""
    for file in sorted(tree.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name, where = ast.unparse(node.func), file.relative_to(tree).as_posix()
            said = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            unsafe = said.get("allow_pickle") == "True" or said.get("safe_mode") == "False"
            if RISKY.fullmatch(name) or unsafe or (name == "torch.load" and said.get("weights_only") != "True"):
                yield f"{where}: {name}"


def test_nothing_runs_what_it_reads_but_what_is_named_here() -> None:
    assert {found for found in risky(PACKAGE) if not found.startswith("testing/")} <= GRANTED


@pytest.mark.parametrize(
    "line",
    [
        "pickle.load(file)", "eval(text)", "np.load(p, allow_pickle=True)", "torch.load(p)", "torch.load(p, weights_only=False)",
        "keras.models.load_model(p, safe_mode=False)", "subprocess.run(words)", "urllib.request.urlopen(a)",
    ],
)  # fmt: skip
def test_a_planted_risk_is_seen(line: str, tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text(f"x = {line}\n")
    assert len(list(risky(tmp_path))) == 1


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("exploded",)


@pytest.mark.parametrize("closed", [True, False])
def test_no_file_of_a_trace_is_unpickled(closed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    network = nissl.Arrays({"hidden": 4})
    recorder = nissl.record(network, "run", classes=["a", "b"], progress=False)
    with recorder:
        for _ in recorder.epochs(2):
            for x, _labels in recorder.batches([(np.ones((6, 4)), np.arange(6) % 2)]):
                network.hear({"hidden": x})
        if not closed:
            shutil.copytree("run", "open")
    run = Path("run" if closed else "open")
    files = [file for file in run.rglob("*") if file.is_file()]
    assert len(files) > 5
    for file in files:
        content = file.read_bytes()
        file.write_bytes(pickle.dumps(Bomb()))
        with suppress(Exception), warnings.catch_warnings(action="ignore"):
            nissl.open(run)["E_1"]["hidden"].array("mean")
        file.write_bytes(content)
        assert not Path("exploded").exists()
    assert nissl.open(run)["E_1"]["hidden"].array("mean").shape == (4,)
    pickle.loads(pickle.dumps(Bomb()))
    assert Path("exploded").exists()


def test_the_citation_is_of_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    citation = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {version}\n" in citation
    assert "\nlicense: Apache-2.0\n" in citation
