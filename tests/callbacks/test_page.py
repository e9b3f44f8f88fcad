"""The page's blocks that only this environment can run."""

from pathlib import Path

import pytest

import nissl
from tests.docs.blocks import entrusted


@pytest.mark.parametrize(
    "library", [pytest.param(name, marks=pytest.mark.framework(name)) for name in ("lightning", "transformers")]
)
@pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore::UserWarning:torch", "ignore::FutureWarning")
def test_the_page_runs(library, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = entrusted("how-to/record-with-lightning-or-trainer.md", __file__)
    (block,) = (block for block in found if f"{library} import" in block.text or f"import {library}" in block.text)
    block.run({"__name__": "__main__"}, "record-with-lightning-or-trainer.md")
    assert list(nissl.open(*Path("runs").iterdir()).classes)
