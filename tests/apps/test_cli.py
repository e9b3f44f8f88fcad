"""The terminal's door: what it teaches, what it understands, how it ends."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from nissl.apps.cli import main
from tests.apps.terminal import nissl


def test_help_teaches() -> None:
    done = nissl("--help")
    assert done.returncode == 0
    for command in ("demo", "train", "info", "show", "export", "doctor", "list"):
        assert f" {command} " in done.stdout
    taught = nissl("train", "--help").stdout
    for words in ("Examples:", "--epochs INT", "[default: 30]", "NISSL_TRAIN_EPOCHS=10", "1,5,10:50:10"):
        assert words in taught, words


def test_nothing_that_is_not_needed_is_shown() -> None:
    assert "--data-options" not in nissl("train", "--help").stdout.replace("[train.data-options]", "")


@pytest.mark.parametrize("door", [[sys.executable, "-m", "nissl"], [str(Path(sys.executable).parent / "nissl")]])
def test_both_doors_open(door: list[str]) -> None:
    done = subprocess.run([*door, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == __import__("nissl").__version__


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trian"], 'Did you mean "train"'),
        (["train", "--epoch", "3"], "--epoch"),
        (["train", "--epochs", "three"], 'unable to convert "three" into int'),
        (["train", "--epoch-intervals", "5:1"], "write 5 (every fifth), or 1,5,10:50:10 (just those)"),
        (["train", "--data", "digit"], "Did you mean 'digits'"),
        (["train", "--data", "iris", "--model", "basic_cnn"], "the examples given have the shape (4,)"),
        (["train", "--data", "mnist", "--data.folder", "nowhere"], "In a terminal: --data.download true."),
        (["train", "--config", "nowhere.toml"], "There is no configuration file nowhere.toml"),
        (["info", "nowhere"], "nowhere"),
        (["show", "{run}", "e7/hidden_1"], "Epoch 7 is not in the trace. The nearest are E_0, E_1, E_2."),
        (["show", "{run}", "e1/hiden_1/n3"], "Did you mean 'hidden_1'"),
        (["export", "{run}", "--to", "xls"], "xls"),
        (["list", "dat"], "There is no kind 'dat'. Did you mean 'data'"),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_2(
    words: list[str], said: str, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main([word.format(run=run) for word in words]) == 2
    printed = capsys.readouterr().err
    assert said in printed.replace("\n", " ")
    assert "Traceback" not in printed
    assert not (tmp_path / "runs").exists() or not any((tmp_path / "runs").iterdir())


def test_exit_codes_and_tracebacks_from_outside(tmp_path: Path) -> None:
    plain = nissl("info", "nowhere", cwd=tmp_path)
    assert (plain.returncode, plain.stdout) == (2, "")
    assert plain.stderr.startswith("nissl: ")
    assert "Traceback" not in plain.stderr
    told = nissl("info", "nowhere", cwd=tmp_path, env={**os.environ, "NISSL_DEBUG": "1"})
    assert told.returncode == 1
    assert "Traceback" in told.stderr


def test_without_torch_training_says_what_to_install(tmp_path: Path) -> None:
    code = "import sys; sys.modules['torch'] = None; from nissl.apps.cli import main; sys.exit(main(sys.argv[1:]))"
    for words, rc in ((["train"], 2), (["demo"], 2), (["list", "models"], 0), (["doctor"], 0)):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert done.returncode == rc, done.stderr
        assert rc == 0 or "pip install 'nissl[torch]'" in done.stderr
        assert rc == 2 or "--" in done.stdout  # what is missing is marked


def test_doctor_finds_what_works(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    for words in ("numpy", "torch", "extra analysis", "record and open", "works, on"):
        assert words in printed, words


def test_list_names_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    assert "digits" in capsys.readouterr().out
    assert main(["list", "models"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "A multi-layer perceptron" in printed
    assert "Options: weights, hidden." in printed


def test_help_is_quick() -> None:
    took = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        nissl("--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert (
        min(took) < 0.7
    )  # seconds of the processor: 0.15 where nothing else runs, 0.3 is the promise, a busy core is slower
