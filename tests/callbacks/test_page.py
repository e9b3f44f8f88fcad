"""The page's blocks that only this environment can run."""

from pathlib import Path

import pytest

import nissl
from tests.docs import blocks

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "record-with-lightning-or-trainer.md"


@pytest.mark.parametrize(
    "library", [pytest.param(name, marks=pytest.mark.framework(name)) for name in ("lightning", "transformers")]
)
@pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore::UserWarning:torch", "ignore::FutureWarning")
def test_the_page_runs(library, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = [block for block in blocks.blocks(PAGE.read_text()) if f"needs {library}" in block.info]
    assert len(found) == 1
    exec(compile(found[0].text, str(PAGE), "exec"), {"__name__": "__main__"})
    assert list(nissl.open(*Path("runs").iterdir()).classes)
