"""Runs from a terminal: recorded, looked at, taken elsewhere, interrupted."""

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nissl.apps.cli import main
from nissl.core.trace import open as opened
from tests.apps.terminal import QUICK, interrupted, nissl


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


@pytest.mark.parametrize("hidden", ["a", "6,a", "-3"])
def test_one_number_is_a_layer_and_a_word_is_refused(
    hidden: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    plain = ["train", "runs/one", "--no-progress", "--epochs", "1", "--quantities", "weights"]
    assert main([*plain, f"--model.hidden={hidden}"]) == 2
    assert "mlp.hidden=" in capsys.readouterr().err
    assert main([*plain, "--model.hidden", "6"]) == 0
    assert opened("runs/one").layers == ("hidden_1", "output")


def test_what_the_system_refuses_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(tmp_path / ("x" * 300))]) == 2
    assert capsys.readouterr().err.startswith("nissl: [Errno")


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
        ("e2/hidden_1/n7?stain=3,8", "E_2-L_hidden_1-n_7"),
        ("#/e1/hidden_1/n7?stain=3&vs=e2", "E_2-L_hidden_1-n_7"),
        ("e2?brush=hidden_1:3-5,7&examples=3", "4 of 4 brushed neurons"),
    ):
        assert main(["show", str(run), address]) == 0
        assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("e2?brush=hidden_1:7-3", "it is units by layer, hidden_1:3-7,12;hidden_2:4."),
        ("e2?brush=hidden_1:90", "there is no n_90 to be brushed"),
        ("e2?examples=a", "it is numbers of examples, 3,7-9."),
        ("e2?stains=3", "An address says nothing of stains"),
    ],
)
def test_what_means_nothing_in_an_address_is_refused(
    address: str, said: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(run), address]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    if "hidden_1:90" not in address:
        assert main(["view", str(run), address, "--no-browser"]) == 2


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
    more = str(trace.epochs[-1] + 2)
    assert main(["train", str(tmp_path / "run"), "--epochs", more, "--resume", "--no-progress", "--device", "cpu"]) == 0
    assert opened(tmp_path / "run").epochs == list(range(int(more) + 1))
