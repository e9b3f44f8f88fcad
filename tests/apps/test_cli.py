"""The terminal's door: what it understands, what it says, how it ends."""

import inspect
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nissl.apps._cli.options import Recording, Training
from nissl.apps.cli import main
from nissl.core.settings import Settings
from nissl.core.trace import open as opened
from nissl.studies.train import train

QUICK = ("--epochs", "1", "--no-progress", "--device", "cpu")


def nissl(*words: str, **more: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "nissl", *words], capture_output=True, text=True, check=False, **more)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recorded run to look at."""
    path = tmp_path_factory.mktemp("runs") / "digits"
    train(path, epochs=2, progress=False, device="cpu", model_options={"hidden": (12,)})
    return path


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
        (["train", "--data", "iris", "--model", "small_cnn"], "the examples given have the shape (4,)"),
        (["train", "--data", "mnist", "--data.folder", "nowhere"], "Looked for: nowhere/train-images-idx3-ubyte.gz"),
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


def test_the_command_line_has_the_fields_of_python() -> None:
    assert [f.name for f in fields(Recording)] == [f.name for f in fields(Settings) if f.init]
    assert Recording().settings() == Settings()
    asked, known = set(asdict(Training())), inspect.signature(train).parameters
    assert asked | {"path", "overwrite", "settings", "options"} == set(known)
    plain = {name: value for name, value in asdict(Training()).items() if not name.endswith("_options")}
    assert plain == {name: known[name].default for name in plain}


def recorded(path: Path) -> dict[str, Any]:
    header = opened(path).header
    return {**header["config"], **header["settings"]}


TOML = """
[train]
epochs = 3
batch_size = 500
learning_rate = 0.5
layers = ["hidden*", "output"]
epoch_intervals = [3]
quantities = ["activation", "predictions"]
drop_batches = false
data = "iris"
model = "mlp"
[train.data-options]
test_share = 0.5
[train.model-options]
hidden = [5, 4]
"""


def test_command_line_before_environment_before_file_before_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.toml").write_text(TOML)
    monkeypatch.setenv("NISSL_TRAIN_BATCH_SIZE", "400")
    monkeypatch.setenv("NISSL_TRAIN_LEARNING_RATE", "0.25")
    words = ["train", "a", "--config", "run.toml", "--learning-rate", "0.125", "--no-progress", "--model.hidden", "6,"]
    assert main(words) == 0
    found = recorded(Path("a"))
    assert (found["learning_rate"], found["batch_size"], found["epochs"], found["seed"]) == (0.125, 400, 3, 0)
    assert (found["epoch_intervals"], found["layers"], found["drop_batches"]) == ([3], ["hidden*", "output"], False)
    assert found["data"] == {"name": "Iris", "test_share": 0.5}
    assert found["model"]["hidden"] == [6]
    assert opened("a").epochs == [3]
    assert len(found["quantities"]) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[train]\nepohs = 3\n", "epohs"),
        ("epochs = 3\n", "has no table [train]"),
        ("train = 3\n", "has no table [train]"),
        ("[train\n", "is not a TOML file"),
        ("[train]\nbatch_size = 'x'\n", "unable to convert"),
        ("[train]\nevery = 0\n", "every=0"),
        ("[train]\nepoch_intervals = []\n", "epoch"),
    ],
)
def test_a_wrong_file_is_told(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.toml").write_text(text)
    assert main(["train", "--config", "run.toml", *QUICK]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("5", 5),
        ("5,", [5]),
        ("1,5,10", [1, 5, 10]),
        ("1,5:15:5", [1, 5, 10, 15]),
        ("2:4", [2, 3, 4]),
        ("0,0,3", [0, 3]),
    ],
)
def test_epochs_are_written_as_one_means_them(written: str, meant: Any, tmp_path: Path) -> None:
    words = ["--epochs", "15", "--data", "iris", "--no-progress", "--batch-size", "60"]
    assert main(["train", str(tmp_path / "run"), "--epoch-intervals", written, *words]) == 0
    assert recorded(tmp_path / "run")["epoch_intervals"] == meant


def test_train_says_where_things_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--data", "iris", "--data.test_share", "0.4", *QUICK]) == 0
    printed = capsys.readouterr().out
    assert "trace: runs/iris (2 epochs)" in printed
    assert "best weights: runs/checkpoints/iris/best_model.pt (epoch 1, loss" in printed
    assert main(["train", "--data", "iris", *QUICK]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main(["train", "--data", "iris", "--overwrite", *QUICK]) == 0


def test_what_was_refused_is_not_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--budget", "1kB", *QUICK]) == 2
    assert "more than the budget of 1 kB" in capsys.readouterr().err
    assert main(["train", *QUICK]) == 0


def test_info_tells_what_there_is(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(run)]) == 0
    printed = capsys.readouterr().out
    assert "epochs: 3, E_0 to E_2" in printed
    assert "probe_accuracy" in printed
    assert "hidden_1" in printed
    assert "12 neurons" in printed
    assert "class_mean" in printed
    assert "ended: finished" in printed
    assert "cost of recording: hearing" in printed


def test_info_while_the_run_is_live(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    from nissl.core.record import record

    model, x = torch.nn.Sequential(torch.nn.Linear(4, 3)), torch.ones(6, 4)
    with record(model, tmp_path / "run", progress=False) as recorder:
        for _ in recorder.epochs(2):
            for batch in recorder.batches([(x, torch.tensor([0, 1, 2] * 2))]):
                model(batch[0]).sum().backward()
            assert main(["info", str(tmp_path / "run")]) == 0
    printed = capsys.readouterr().out
    assert "epochs: none yet" in printed
    assert "epochs: 1, E_1 to E_1" in printed
    assert "open: being recorded" in printed


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
def test_info_names_a_damaged_epoch(tmp_path: Path) -> None:
    assert interrupted(tmp_path, signal.SIGKILL).returncode == -signal.SIGKILL
    segment = max((tmp_path / "run" / "_hot").glob("*.safetensors"))
    segment.write_bytes(segment.read_bytes()[:100])
    done = nissl("info", str(tmp_path / "run"))
    assert done.returncode == 0
    assert "open: being recorded, or its writer died" in done.stdout
    epoch = int(segment.name[2:10])
    assert f"damaged: E_{epoch}: " in done.stdout
    assert done.stderr.startswith(f"nissl: epoch {epoch} cannot be read: ")
    assert ".py:" not in done.stderr


def test_show_goes_from_epoch_to_neuron(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    value = opened(run)["e2/hidden_1/n7"]["mean"]
    for address, said in (
        ("e2", "L_hidden_1"),
        ("E_2/L_hidden_1", "12 of 12 neurons"),
        ("e2/hidden_1/n7", "E_2-L_hidden_1-n_7"),
        ("e2/hidden_1/n7", f"{value:.4g}"),
        ("e2/hidden_1/n7/mean", f"{value:.4g}"),
    ):
        assert main(["show", str(run), address]) == 0
        assert said in capsys.readouterr().out


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


def read_csv(path: Path) -> Any:
    import pandas

    return pandas.read_csv(path)


def read_parquet(path: Path) -> Any:
    return pytest.importorskip("pyarrow.parquet").read_table(path).to_pandas()


@pytest.mark.parametrize(("kind", "read"), [("csv", read_csv), ("parquet", read_parquet)])
@pytest.mark.parametrize("table", ["neurons", "epochs", "connections"])
def test_tables_come_back_as_they_were(
    kind: str, read: Callable[[Path], Any], table: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    target = tmp_path / "deep" / f"out.{kind}"
    words = ["export", str(run), "--to", kind, "--table", table, "--out", str(target)]
    assert main(words) == 0
    assert capsys.readouterr().out.strip() == str(target)
    found, trace = read(target), opened(run)
    if table == "neurons":
        whole = trace.to_dataframe().reset_index().sort_values(["epoch", "layer", "neuron"])
        found = found.sort_values(["epoch", "layer", "neuron"])
        assert list(found) == list(whole)
        np.testing.assert_array_equal(found["layer"], whole["layer"])
        for name in whole.columns.drop("layer"):
            np.testing.assert_allclose(found[name].astype(float), whole[name].astype(float), rtol=1e-6, err_msg=name)
    elif table == "connections":
        assert len(found) == len(trace.connections()) == 3 * (64 * 12 + 12 * 10)
        np.testing.assert_allclose(found["weight"].sum(), trace.connections()["weight"].sum(), rtol=1e-3)
    else:
        np.testing.assert_allclose(found["probe_loss"], trace.scalars["probe_loss"].values, rtol=1e-6)
    assert main(words) == 2  # nothing is overwritten
    assert "already" in capsys.readouterr().err
    assert [file.name for file in target.parent.iterdir()] == [target.name]


def test_zarr_is_readable_without_nissl(run: Path, tmp_path: Path) -> None:
    import zarr

    assert main(["export", str(run), "--to", "zarr", "--out", str(tmp_path / "out.zarr")]) == 0
    group = zarr.open_group(tmp_path / "out.zarr", mode="r")
    trace = opened(run)
    np.testing.assert_array_equal(group["layers/hidden_1/weight"][2], trace["E_2"]["L_hidden_1"].array("weight"))
    np.testing.assert_array_equal(group["epoch"][:], trace.epochs)
    assert {path.name for path in (tmp_path / "out.zarr").iterdir()}.isdisjoint({"index.json", "_lock"})


def interrupted(folder: Path, how: int) -> "subprocess.Popen[str]":
    """A long training run in another process, stopped after its third epoch."""
    words = ["train", str(folder / "run"), "--epochs", "5000", "--device", "cpu"]
    process = subprocess.Popen(
        [sys.executable, "-m", "nissl", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "epoch 3/" in line:
            break
    process.send_signal(how)
    process.said = "".join(process.communicate(timeout=60))  # type: ignore[attr-defined]
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
def test_ctrl_c_leaves_a_whole_trace_and_says_so(tmp_path: Path) -> None:
    process = interrupted(tmp_path, signal.SIGINT)
    assert process.returncode == 130
    said = process.said  # type: ignore[attr-defined]
    assert "stopped in epoch" in said
    assert "is whole" in said
    assert "Traceback" not in said
    trace = opened(tmp_path / "run")
    assert trace.closed
    assert trace.epochs == list(range(len(trace.epochs)))
    assert len(trace.epochs) > 3
    assert len(trace.to_dataframe()) == len(trace.epochs) * (64 + 32 + 10)
    assert json.dumps(dict(trace.header))


def test_help_is_quick() -> None:
    took = []
    for _ in range(3):
        began = time.perf_counter()
        nissl("--help")
        took.append(time.perf_counter() - began)
    assert min(took) < 0.6  # 0.15 s on a quiet machine; 0.3 s is the promise, and this machine may be busy
