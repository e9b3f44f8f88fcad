"""`nissl graph`."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from nissl.apps._cli.options import several, sizes


def graph(
    model: Annotated[str, Parameter(help="A run of `nissl train`, a .keras, .h5 or .onnx file, or FILE.py:NAME, package.module:NAME.")],
    *,
    input_shape: Annotated[list[int] | None, Parameter(converter=sizes, negative=(), n_tokens=1, help="Of one example, which is all zeros: 3,224,224.")] = None,
    data: Annotated[str | None, Parameter(help="An example instead: FILE.py:NAME, (x, y) or x; or a data set by name.")] = None,
    kind: Annotated[Literal["modules", "autograd", "layers"], Parameter(help="Modules and functions; autograd's functions behind them; or a trace's recorded layers, for which no model is needed.")] = "modules",
    depth: Annotated[int | None, Parameter(help="How many levels of blocks are open, from 1; left out: all.")] = None,
    output: Annotated[list[str] | None, Parameter(alias="-o", converter=several, negative=(), n_tokens=1, help="SVG, PNG or PDF; .json with positions; .onnx for other programs. Several with commas.")] = None,
    netron: Annotated[bool, Parameter(negative=(), help="Open the model in Netron, where that is installed.")] = False,
) -> None:  # fmt: skip
    """What a model is made of and what flows where: layers, functions between them, blocks, shapes, parameters.

    Examples: `nissl graph model.py:net --input-shape 3,224,224 -o net.svg`; `nissl graph results/digits --kind autograd`;
    `nissl graph model.py:net --input-shape 3,224,224 --depth 2 -o net.png,net.json,net.onnx`; `nissl graph net.onnx --netron`.
    """
    from nissl.apps._cli import charted
    from nissl.studies.graph import graph as study

    files = [Path(name) for name in output or ([] if netron else ["graph.svg"])]
    charted.checked(files, netron=netron)
    drawn = study(model, data=data, input_shape=input_shape, kind=kind)
    charted.shown(drawn, depth, files)
    if netron:
        charted.opened(drawn, files)
