"""Paint a picture's marks with matplotlib: PNG, SVG or PDF."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nissl.core.marks import Bars, Cells, Dots, Lines, Photos, Ribbons, Text, Tiles
from nissl.core.view import Picture
from nissl.errors import BadValue, MissingDependency

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNDATED = {".png": {"Software": None}, ".svg": {"Date": None, "Creator": None}, ".pdf": {"CreationDate": None}}
"""What to leave out of each kind of file, so that the same picture is the same bytes."""
SAID = {".png": "Description", ".svg": "Description", ".pdf": "Subject"}
"""Under which name each kind of file keeps the picture in words, for those who don't see it."""


def paint(picture: Picture, path: str | Path | None = None, dpi: float = 100) -> "Figure":
    """The picture as a matplotlib figure, written to `path` if there is one; 100 dpi is one pixel a unit."""
    look = _look()
    from nissl.apps._figure import sheet
    from nissl.apps._figure.dots import dots, photos
    from nissl.apps._figure.flat import bars, cells, lines, text
    from nissl.apps._figure.ribbons import ribbons
    from nissl.apps._figure.tiles import tiles

    ending = Path(path).suffix.lower() if path is not None else ".png"
    if ending not in UNDATED:
        raise BadValue(f"{path}: a picture ends in {', '.join(UNDATED)}, not in {ending or 'nothing'}.")
    painters: dict[type, Any] = {
        Tiles: tiles, Ribbons: ribbons, Lines: lines, Cells: cells, Dots: dots, Photos: photos, Bars: bars,
        Text: text
    }  # fmt: skip
    with look:
        axes = sheet.blank(picture, dpi)
        for level, mark in enumerate(picture.marks):
            painters[type(mark)](axes, mark, level)
        figure: Figure = axes.figure
        if path is not None:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            words = {"Title": picture.title, SAID[ending]: f"{picture.title}. {picture.caption}"}
            told: dict[str, Any] = {"dpi": dpi, "metadata": UNDATED[ending] | words}
            if ending == ".png":
                told["pil_kwargs"] = {"compress_level": 3}  # half the time of 6, an eighth larger
            figure.savefig(path, **told)
    return figure


def _look() -> AbstractContextManager[None]:
    """How matplotlib draws within: as ever, whatever the user's own settings are."""
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise MissingDependency("Painting needs matplotlib: pip install 'nissl[plots]'") from error
    return mpl.rc_context(
        {
            "svg.hashsalt": "nissl",
            "font.family": "DejaVu Sans",
            "text.hinting": "none",  # letters stand where they were measured, and take half the time
            "path.simplify": False,
        }
    )


def animate(pictures: Iterable[Picture], path: str | Path, seconds: float = 0.6, dpi: float = 100) -> Path:
    """The pictures one after the other, in a GIF that begins anew at its end."""
    import io

    try:
        from PIL import Image
    except ImportError as error:
        raise MissingDependency("A film needs Pillow: pip install 'nissl[images]'") from error
    if Path(path).suffix.lower() != ".gif":
        raise BadValue(f"{path}: a film ends in .gif.")
    frames = []
    for picture in pictures:
        held = io.BytesIO()
        with _look():
            paint(picture, dpi=dpi).savefig(held, dpi=dpi, format="png", metadata=UNDATED[".png"])
        frames.append(Image.open(held).convert("RGB"))
    if not frames:
        raise BadValue("A film has at least one picture.")
    colours = _common(frames)
    frames = [frame.quantize(palette=colours, dither=Image.Dither.NONE) for frame in frames]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    times = [*[int(1000 * seconds)] * (len(frames) - 1), int(3000 * seconds)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=times, loop=0)
    return Path(path)


def _common(frames: Sequence[Any]) -> Any:
    """The 256 colours of a film: the same at every moment, and the key's as faithful as what covers most."""
    import numpy as np
    from PIL import Image

    # a colour as one number: numbers are counted, rows would have to be sorted
    levels = np.array([64 * 64, 64, 1], np.uint32)
    seen = np.zeros(64**3, bool)
    for frame in frames:
        seen[(np.asarray(frame) // 4) @ levels] = True
    paper = np.array(frames[0].getpixel((0, 0)), int)
    every = np.stack(np.unravel_index(np.flatnonzero(seen), (64, 64, 64)), 1) * 4 + 2
    every = every[np.abs(every - paper).max(1) > 5]  # what is nearly paper is paper
    few = Image.fromarray(every[None].astype(np.uint8)).quantize(255)
    listed = (few.getpalette() or [])[: 255 * 3]
    found = Image.new("P", (1, 1))
    found.putpalette([*listed, *[0] * (255 * 3 - len(listed)), *paper.tolist()])
    return found
