"""What `nissl topomap` prints and writes."""

from pathlib import Path
from typing import Any, Literal

from nissl.apps._cli.screens import console, table
from nissl.core.map import Map, Maps
from nissl.core.ordering import Measure
from nissl.core.topomap import topomap
from nissl.core.trace import open as opened
from nissl.errors import BadValue
from nissl.views.topomaps import Topomaps

ROWS = 20


def made(run: str, layers: list[str] | None, epochs: list[str] | None, **asked: Any) -> Map | Maps:
    """One map where one layer is named, else maps."""
    named = layers[0] if layers is not None and len(layers) == 1 else layers
    found: Map | Maps = topomap(opened(run), named, epochs="all" if epochs == ["all"] else epochs, **asked)
    return found


def shown(maps: Map | Maps, output: Path | None, *, style: Literal["field", "units"], regions: bool) -> None:
    """A table of qualities; with `output` also a picture or a film."""
    says = console()
    rows = dict(maps.items()) if isinstance(maps, Maps) else {maps.layer: maps}
    names = list(dict.fromkeys(name for one in rows.values() for name in one.quality))
    told = [
        (name, f"{one.units:,}", *(_said(one.quality.get(key)) for key in names))
        for name, one in list(rows.items())[:ROWS]
    ]
    left = f"; {ROWS} of {len(rows)} shown" if len(rows) > ROWS else ""
    says.print(f"quality, in brackets by chance; lower is better for spacing, resize and blur{left}", soft_wrap=True)
    first = maps.axis if isinstance(maps, Maps) else "layer"
    heads = [name.replace("trustworthiness", "trust-\nworthy") for name in names]
    says.print(table((first, "units", *heads), told, right=range(1, 2 + len(names))))
    if isinstance(maps, Maps) and maps.axis == "epoch" and len(maps) > 1:
        moved = maps.drift().median()
        says.print(
            f"from epoch to epoch units move by {moved['moved']:.3f} of the map's radius, and change by {moved['changed']:.3f} (medians)"
        )
    if output is not None:
        _written(maps, output, style, regions=regions)
        says.print(f"written: {output}", soft_wrap=True)


def _said(one: Measure | None) -> str:
    return "" if one is None else f"{_short(one.value)} ({_short(one.chance)})"


def _short(value: float) -> str:
    """Two digits of what is below ten, and no more of what is all but nothing."""
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.1f}" if abs(value) >= 2 else f"{value + 0.0:.2f}"


def _written(maps: Map | Maps, output: Path, style: Literal["field", "units"], *, regions: bool) -> None:
    from nissl.apps.figure import animate, paint

    if output.suffix.lower() != ".gif":
        paint(Topomaps(maps, over=True, style=style, regions=regions).describe(), output)
        return
    if isinstance(maps, Maps) and maps.axis == "epoch":
        views = [Topomaps(maps, epochs=[epoch], style=style, regions=regions) for epoch in maps]
    elif isinstance(maps, Map) and len(maps.epochs) > 1:
        views = [Topomaps(maps, epochs=[epoch], style=style, regions=regions) for epoch in maps.epochs]
    else:
        raise BadValue(f"{output}: a film shows epochs of one layer: give --layer and --epochs all.")
    animate((view.describe() for view in views), output)
