"""What `nissl graph` prints, writes and opens."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from nissl.apps._cli.screens import console, table
from nissl.core.graph import Graph
from nissl.errors import BadValue, MissingDependency
from nissl.studies.graph import Drawn

PICTURES, ROWS = (".svg", ".png", ".pdf"), 40


def checked(files: Sequence[Path], *, netron: bool) -> None:
    """What can't be written or opened is refused before anything is run."""
    for file in files:
        if file.suffix.lower() not in (*PICTURES, ".json", ".onnx"):
            raise BadValue(f"{file}: a graph is written as {', '.join(PICTURES)}, .json or .onnx.")
    if netron and not _there("netron"):
        raise MissingDependency(
            "Netron is not installed: pip install netron. Or write -o MODEL.onnx, and open it at netron.app."
        )


def _there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # what was taken out of sys.modules has no spec
        return False


def shown(drawn: Drawn, depth: int | None, files: Sequence[Path]) -> None:
    """A table of what there is, and the files."""
    graph = drawn.graph if depth is None else drawn.graph.collapsed(depth)
    says = console()
    says.print(repr(drawn.graph)[1:-1], markup=False, soft_wrap=True)
    nodes = [node for node in graph.nodes if node.role not in ("input", "parameter", "output")]
    rows = [
        (
            f"{'  ' * len(graph.around(node.id))}{node.path}",
            node.type,
            node.words[1].partition("  ·")[0],
            f"{node.params:,}",
        )
        for node in nodes[:ROWS]
    ]
    says.print(table(("node", "type", "gives", "parameters"), rows, right=(3,)))
    if len(nodes) > ROWS:
        says.print(f"{ROWS} of {len(nodes):,} shown; --depth shows fewer levels of blocks", soft_wrap=True)
    for file in files:
        _written(drawn, graph, depth, file)
        says.print(f"written: {file}", markup=False, soft_wrap=True)


def _written(drawn: Drawn, graph: Graph, depth: int | None, file: Path) -> None:
    if file.suffix.lower() == ".json":
        graph.save(file)
    elif file.suffix.lower() == ".onnx":
        drawn.export(file)
    else:
        from nissl.apps.figure import paint
        from nissl.views.architecture import Architecture

        paint(Architecture(drawn.graph, depth).describe(), file)


def opened(drawn: Drawn, files: Sequence[Path]) -> None:
    """In the browser, until Ctrl-C."""
    import netron

    made = next((file for file in files if file.suffix.lower() == ".onnx"), Path(f"{drawn.graph.name}.onnx"))
    file = drawn.file(made)
    console().print(f"Netron shows {file}; Ctrl-C ends it", markup=False, soft_wrap=True)
    netron.start(str(file))
    netron.wait()
