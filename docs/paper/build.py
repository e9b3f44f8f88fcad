"""The white paper as PDF and as HTML, from the sources here and the results that lie in benchmarks/results.

`python docs/paper/build.py [FOLDER]` writes both, into site/paper if no folder is named; mkdocs puts them into the site.
"""

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
NAME = "nissl"
UNFINISHED = ("html export is under active development", "was ignored during HTML export")
"""What Typst says of its HTML export at large; any other warning is an error."""


def built(ending: str, root: Path = ROOT) -> bytes:
    """The paper as "pdf" or "html": the same bytes from the same sources, without a font or a clock of the machine."""
    import typst

    try:
        made, warnings = typst.compile_with_warnings(
            root / "docs" / "paper" / "paper.typ", root=root, format=ending, ignore_system_fonts=True, timestamp=0,
            sys_inputs={"target": ending},
        )  # fmt: skip
    except typst.TypstError as error:
        raise ValueError(f"The paper as {ending}: {error.diagnostic}") from error
    unexpected = [one.message for one in warnings if not any(known in one.message for known in UNFINISHED)]
    if unexpected:
        raise ValueError(f"The paper as {ending}: {'; '.join(unexpected)}")
    return bytes(made)


def on_files(files: Any, config: Any) -> Any:
    """For mkdocs: the paper beside its page."""
    from mkdocs.structure.files import File

    for ending in ("pdf", "html"):
        files.append(File.generated(config, f"paper/{NAME}.{ending}", content=built(ending)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Where both are, their names are links."""
    if page.file.src_uri == "paper/README.md":
        for ending in ("pdf", "html"):
            markdown = markdown.replace(f"`{NAME}.{ending}`", f"[{NAME}.{ending}]({NAME}.{ending})")
    return markdown


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "site" / "paper"
    place.mkdir(parents=True, exist_ok=True)
    for ending in ("pdf", "html"):
        (place / f"{NAME}.{ending}").write_bytes(built(ending))
        print(place / f"{NAME}.{ending}")
