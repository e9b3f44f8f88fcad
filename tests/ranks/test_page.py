"""The pages' scripts under torchrun: what they show, started as they say, holds what they say."""

import os
import re
import subprocess
import sys

import nissl
from tests.docs.blocks import ROOT, entrusted

OWN = """
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import TensorDataset

torch.manual_seed(0)
examples = TensorDataset(torch.randn(96, 12), torch.arange(96) % 4)
held_out = torch.randn(20, 12), torch.arange(20) % 4


def network():
    return nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 4))


def train_step(x, y):
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
    optimizer.zero_grad()

"""
"""What a reader of the how-to pages has already."""


def started(script, place):
    """The traces of two processes; what a page calls /shared is this folder."""
    (place / "train.py").write_text(script.replace("/shared/", ""))
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "train.py"],
        cwd=place, capture_output=True, text=True, check=False, timeout=120,
        env=os.environ | {"OMP_NUM_THREADS": "1", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {run.name: nissl.open(run) for run in (place / "runs").iterdir()}


def test_the_tutorial_s_script_and_what_is_said_of_its_trace(tmp_path):
    (script,) = entrusted("tutorials/cluster.md", __file__)
    trace = started(script.text, tmp_path)["ranks"]
    page = (ROOT / "docs" / "tutorials" / "cluster.md").read_text()
    said = re.search(r'`nissl\.open\("runs/ranks"\)(\[3\].*?sum\(\))` is ([\d,]+)', page)
    assert eval(f"trace{said[1]}") == int(said[2].replace(",", ""))
    assert trace.epochs == [0, 1, 2, 3] and not trace.missing


def test_the_how_to_pages_on_several_processes_and_on_clusters_record_there(tmp_path):
    (several,) = entrusted("how-to/record-on-several-gpus.md", __file__)
    (cluster,) = entrusted("how-to/run-on-a-cluster.md", __file__)
    start, rest = several.text.split("import nissl\n")
    rest, last = rest.split("distributed.destroy_process_group()")
    traces = started(
        f"{start}import nissl\n{OWN}{rest}{cluster.text}\ndistributed.destroy_process_group(){last}", tmp_path
    )
    assert {name: trace.epochs for name, trace in traces.items()} == {
        "several": list(range(31)), "resnet": list(range(1, 91)),
    }  # fmt: skip
    for trace in traces.values():
        assert not trace.missing
        assert trace[30]["0"].array("class_count").sum() == 96
