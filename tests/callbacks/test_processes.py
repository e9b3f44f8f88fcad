"""Two processes that train one network under Lightning or a Trainer record one trace."""

import subprocess
import sys
from pathlib import Path

import pytest

from nissl.core.trace import open as open_trace

ROOT = Path(__file__).parents[2]
SCRIPTS = {
    "lightning": """
torch.manual_seed(0)
recording = callbacks.Lightning(run, probe=example.probe())
example.quiet(max_epochs=2, callbacks=[recording], strategy="ddp", devices=2).fit(example.Net(), example.loader(True))
""",
    "transformers": """
recording = callbacks.Transformers(run, probe=example.probe())
example.fit([recording], 2, Path(run).with_name("checkpoints"))
""",
}
START = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
import torch
from nissl import callbacks
from tests.callbacks import example_{library} as example
torch.set_num_threads(1)
run = {run!r}
"""


@pytest.mark.parametrize("library", [pytest.param(name, marks=pytest.mark.framework(name)) for name in SCRIPTS])
def test_two_processes_record_one_trace(library, run_path, tmp_path):
    script = tmp_path / "train.py"
    script.write_text(START.format(root=str(ROOT), library=library, run=str(run_path)) + SCRIPTS[library])
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [sys.executable, *(torchrun if library == "transformers" else ()), str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    trace = open_trace(run_path)
    assert trace.epochs == [0, 1, 2]
    for epoch in (1, 2):
        assert trace[epoch].scalars["steps"] == 3
        assert trace[epoch]["net.0"].array("count")[0] == 48
        assert trace[epoch]["net.0"].array("class_count").tolist() == [16, 16, 16]
