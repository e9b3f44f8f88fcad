"""What stands in examples/ runs, and the notebook's kept outputs are those of a real run."""

import ast
import json
import re
import runpy
import shutil
from pathlib import Path
from typing import Any

import pytest

from nissl.core.trace import open as opened

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))


def executed(notebook: Path) -> list[Any]:
    """Run every code cell in one namespace; the value of each cell that ends in an expression, None for the others."""
    names: dict[str, Any] = {}
    values = []
    for number, cell in enumerate(json.loads(notebook.read_text())["cells"]):
        if cell["cell_type"] == "code":
            tree = ast.parse("".join(cell["source"]))
            ending = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, f"{notebook.name}, cell {number}", "exec"), names)
            value = ast.Expression(ending.value) if isinstance(ending, ast.Expr) else ast.parse("None", mode="eval")
            values.append(eval(compile(value, f"{notebook.name}, cell {number}", "eval"), names))
    return values


def numbers(pattern: str, said: str) -> list[float]:
    """What stands in a pattern's groups."""
    found = re.search(pattern, said)
    assert found, pattern
    return [float(number) for number in found.groups()]


def foretold(said: str) -> None:
    skill, luck = numbers(r"found d': ([\d.]+); with shuffled answers -?[\d.]+, at most (-?[\d.]+)", said)
    assert skill > luck


def inside_and_cut(said: str) -> None:
    inside, says = numbers(r"structure only: 99 % at step (\d+); the network: 50 % at step (\d+)", said)
    assert says >= 5 * inside > 0
    before, shuffled = numbers(r"first step: structure only ([\d.]+); with shuffled sums, at most ([\d.]+)", said)
    assert max(before, shuffled) < 0.05
    least, _, others = numbers(r"own line a deletion takes ([\d.]+) to ([\d.]+), of any other at most ([\d.]+)", said)
    assert least > 0.9 and others < 0.05
    clean, early = numbers(r"clean circuit ([\d.]+); the network of the panels at step 100: (-?[\d.]+)", said)
    assert clean > 0.7 and early < 0.3
    (difference,) = numbers(r"max \|difference\| to the hooked model (\S+)", said)
    assert difference < 1e-5
    intact, cut, at_random = numbers(r"3: ([\d.]+) -> ([\d.]+), at random ([\d.]+)", said)
    assert cut < 0.2 and min(intact, at_random) > 0.85
    before, after = numbers(r"others: ([\d.]+) -> ([\d.]+)", said)
    assert after > before - 0.05
    assert "Structures of 10 classes" in said and "may have no structure of its own" not in said


CLAIMS = {"analysis.ipynb": foretold, "the_answer_is_inside.ipynb": inside_and_cut}
"""What each notebook says in numbers must hold."""


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_script_runs(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(script), run_name="__main__")
    assert "<E_5-L_hidden_1-n_20: {" in capsys.readouterr().out
    accuracy = opened("runs/digits").scalars["probe_accuracy"].values
    assert accuracy[-1] > 0.6 > accuracy[0]


def test_the_ten_lines_are_those_of_the_readme() -> None:
    script = [line.strip() for line in (EXAMPLES / "ten_lines.py").read_text().splitlines()]
    page = (ROOT / "README.md").read_text()
    shown = re.search(r"```python\n(import nissl\n\nwith nissl.record.*?)```", page, re.DOTALL)
    assert shown
    for line in re.split(r"[\n;]", shown[1]):
        assert line.strip() in script, line


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
def test_notebook_runs(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for library in ("matplotlib", "pandas", "sklearn"):
        pytest.importorskip(library)
    monkeypatch.chdir(tmp_path)
    values = executed(notebook)
    CLAIMS[notebook.name](capsys.readouterr().out)
    kept = [cell["outputs"] for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
    for value, outputs in zip(values, kept, strict=True):
        results = [out for out in outputs if out["output_type"] == "execute_result"]
        assert bool(results) == (value is not None)
        if hasattr(value, "columns"):  # a table: the same rows and columns are kept
            html = "".join(results[0]["data"]["text/html"])
            assert all(f"<th>{name}</th>" in html for name in value.columns)
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_keeps_the_outputs_of_one_whole_run(notebook: Path) -> None:
    cells = [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [out for cell in cells for out in cell["outputs"]]
    assert not [out for out in outputs if out["output_type"] == "error"]
    assert sum("image/png" in out.get("data", {}) for out in outputs) >= 3


def test_a_cell_that_fails_is_seen(tmp_path: Path) -> None:
    copy = Path(shutil.copy(NOTEBOOKS[0], tmp_path))
    content = json.loads(copy.read_text())
    next(cell for cell in content["cells"] if cell["cell_type"] == "code")["source"] = ["1 / 0"]
    copy.write_text(json.dumps(content))
    with pytest.raises(ZeroDivisionError):
        executed(copy)
