"""The script's process is its own: exit codes, signals, tracebacks, names and environment are what they were."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nissl.core.session import FOLDER
from nissl.studies.launch import prepared
from tests.scripts.running import Ran, bare, python, recorded

TORCH = "import torch; from torch import nn; torch.set_num_threads(1); net = nn.Linear(2, 2); o = torch.optim.SGD(net.parameters(), 0.1)"
STEP = "net(torch.ones(4, 2)).sum().backward(); o.step()"
ENDINGS = {
    "well": ("print(1)", 0, 3),
    "sys.exit()": ("import sys; sys.exit()", 0, 3),
    "sys.exit(5)": ("import sys; sys.exit(5)", 5, 5),
    "sys.exit in words": ("import sys; sys.exit('no')", 1, 1),
    "exit(6)": ("exit(6)", 6, 6),
    "raise SystemExit(5)": ("raise SystemExit(5)", 5, 5),
    "raise SystemExit": ("print(1); raise SystemExit", 0, 0),
    "an error": ("print(1, flush=True); {}['x']", 1, 1),
    "interrupted": ("raise KeyboardInterrupt", -2, -2),
    "killed": ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -15, -15),
    "at once": ("import os; os._exit(7)", 7, 7),
    "another program": ("import os; os.execlp('sh', 'sh', '-c', 'exit 8')", 8, 8),
}


@pytest.mark.parametrize(("code", "before", "after"), ENDINGS.values(), ids=ENDINGS)
def test_exit_codes_and_tracebacks(code: str, before: int, after: int, tmp_path: Path) -> None:
    command = [sys.executable, "-c", code]
    alone, watched = bare(command, tmp_path), recorded(command, tmp_path)
    assert (alone.returncode, watched.returncode) == (before, after)
    assert watched.stdout == alone.stdout
    assert watched.stderr.startswith(alone.stderr)
    if after == 3 or "SystemExit" in code:
        assert "nothing was recorded" in watched.stderr


def test_nothing_found_says_what_was_seen(tmp_path: Path) -> None:
    evaluated = f"{TORCH}; net.eval(); {STEP}"
    watched = recorded([sys.executable, "-c", evaluated], tmp_path)
    assert watched.returncode == 3
    assert (
        "Optimiser steps seen: 1 of SGD; no module that an optimiser trains was called in training mode"
        in watched.stderr
    )
    wrong = recorded([sys.executable, "-c", f"{TORCH}; {STEP}"], tmp_path, "--model", "nett")
    assert wrong.returncode == 3
    assert "--model nett: no variable and no class of a model is called so. Did you mean 'net'" in wrong.stderr
    assert not (tmp_path / "runs").exists()


def test_a_file_left_open_is_complete_also_where_nothing_was_recorded(tmp_path: Path) -> None:
    code = "kept = open('log.txt', 'w'); kept.write('all of it'); print('said')"
    watched = recorded([sys.executable, "-c", code], tmp_path)
    assert (watched.returncode, watched.stdout) == (3, "said\n")
    assert (tmp_path / "log.txt").read_text() == "all of it"


def test_a_script_that_fails_while_it_trains(tmp_path: Path) -> None:
    import nissl

    code = f"{TORCH}\nfor i in range(9):\n    {STEP}\n    1 / (6 - i)\n"
    command = [sys.executable, "-c", code]
    alone, watched = bare(command, tmp_path), recorded(command, tmp_path, "--epoch-steps", "3")
    assert watched.returncode == alone.returncode == 1
    assert alone.stderr in watched.stderr
    trace = nissl.open(tmp_path / "runs" / "script")
    assert [epoch for epoch in trace.epochs if epoch] == [1, 2]
    assert trace.header["ended"].startswith("ZeroDivisionError")


def test_interrupting_a_training(tmp_path: Path) -> None:
    code = f"{TORCH}\nprint('on', flush=True)\nwhile True:\n    {STEP}\n"
    process = subprocess.Popen(
        [sys.executable, "-m", "nissl", "record", "--epoch-steps", "2", "--", sys.executable, "-c", code], cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - the tests have no threads
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "on\n"
        until = time.monotonic() + 60
        while not list(tmp_path.glob("runs/script/**/*")) and time.monotonic() < until:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    finally:
        process.kill()
    assert process.returncode == -signal.SIGINT, said
    assert said.count("KeyboardInterrupt") == 1


def test_names_arguments_and_environment(tmp_path: Path) -> None:
    package = tmp_path / "pkg"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "part.py").write_text("VALUE = 3\n")
    (package / "train.py").write_text(
        "import os, pickle, sys\nfrom .part import VALUE\n\nclass Kept:\n    pass\n\n"
        "print(__name__, __package__, VALUE, sys.argv[1:], pickle.dumps(Kept()), sys.path, sys.flags, sys.modules['__main__'].Kept)\n"
        "print(sorted(name for name in os.environ if name not in ('NISSL_SCRIPT', 'PYTHONPATH')), 'sitecustomize' in sys.modules)\n"
    )
    for command in (["-m", "pkg.train", "--lr", "1", "--", "-x"], [str(package / "part.py")]):
        alone, watched = (run([sys.executable, *command], tmp_path) for run in (bare, recorded))
        assert watched.stdout.replace("True\n", "") == alone.stdout.replace("True\n", "").replace("False\n", "")
        assert (alone.returncode, watched.returncode) == (0, 3)


def test_the_users_sitecustomize_runs_and_stays(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import builtins\nbuiltins.times = getattr(builtins, 'times', 0) + 1\n")
    code = "import sitecustomize, sys; print(times, sitecustomize.__file__, [p for p in sys.path if 'nissl' in p and '_start' in p])"
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    alone, watched = (run([sys.executable, "-c", code], tmp_path, env=env) for run in (bare, recorded))
    assert watched.stdout == alone.stdout == f"1 {tmp_path / 'sitecustomize.py'} []\n"


def test_a_python_without_nissl_says_so_and_runs(tmp_path: Path) -> None:
    program, environment = prepared([sys.executable, "-S", "-c", "import sitecustomize; print('ran')"])
    environment["PYTHONPATH"] = FOLDER
    done = subprocess.run(
        [program, "-S", "-c", "import sitecustomize; print('ran')"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "ran\n")
    assert "it cannot import nissl" in done.stderr


def test_what_comes_after_the_recording_begins_does_not_record(tmp_path: Path) -> None:
    code = f"{TORCH}\n{STEP}\nimport os, subprocess, sys\nprint('NISSL_SCRIPT' in os.environ, os.environ.get('PYTHONPATH', '') == {os.environ.get('PYTHONPATH', '')!r})"
    watched = recorded([sys.executable, "-c", code], tmp_path)
    assert watched.stdout == "False True\n", watched.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nissl record -- python train.py ARGS"),
        (["--", "train.py"], "Write: nissl record -- python train.py"),
        (["--labels", "batch[", "--", "python"], "is no expression"),
        (["--epoch-steps", "0", "--", "python"], "how many optimiser steps make an epoch"),
        (["--resume", "--overwrite", "--", "python"], "choose one"),
        (["--quantities", "activations", "--", "python"], "Did you mean 'activation'"),
        (["--out", ".", "--", "python"], "There is something at . already"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_runs(words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    from nissl.apps.cli import main

    monkeypatch.chdir(tmp_path)
    (tmp_path / "something").touch()
    monkeypatch.setattr(os, "execve", lambda *_: pytest.fail("it ran"))
    assert main(["record", *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_second_run_lies_beside_the_first(tmp_path: Path, ran: Callable[..., tuple[Ran, Path]]) -> None:
    first, place = ran("accumulation.py")
    shutil.copytree(place, tmp_path, dirs_exist_ok=True)
    assert first.returncode == recorded(python("accumulation.py"), tmp_path).returncode == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["accumulation", "accumulation-2"]
    assert recorded(python("accumulation.py"), tmp_path, "--overwrite").returncode == 0
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_help_teaches(tmp_path: Path) -> None:
    said = bare([sys.executable, "-m", "nissl", "record", "--help"], tmp_path).stdout
    for words in (
        "-- python train.py --lr 0.1",
        "--epoch-steps INT",
        "1,5:50:5",
        "batch[1]",
        "exits with 3",
        "torchrun",
    ):
        assert words in " ".join(said.split()), words
