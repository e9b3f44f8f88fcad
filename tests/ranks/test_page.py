"""The tutorial's script under torchrun: what the page shows, started as it says, holds what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nissl
from tests.docs.blocks import blocks

PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "cluster.md"


def test_the_tutorial_s_script_and_what_is_said_of_its_trace(tmp_path):
    text = PAGE.read_text()
    (script,) = (block.text for block in blocks(text) if "torchrun" in block.info)
    (tmp_path / "ranks.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "ranks.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
        env=os.environ | {"OMP_NUM_THREADS": "1", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = re.search(r'`nissl\.open\("runs/ranks"\)(\[3\].*?sum\(\))` is ([\d,]+)', text)
    trace = nissl.open(tmp_path / "runs" / "ranks")
    assert eval(f"trace{said[1]}") == int(said[2].replace(",", ""))
    assert trace.epochs == [0, 1, 2, 3] and not trace.missing
