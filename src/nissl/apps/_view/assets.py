"""The built page, which travels with the package: `make web` builds it from web/."""

from pathlib import Path

PAGE = Path(__file__).parents[1] / "_page"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".bin": "application/octet-stream",
}
"""By a file's ending, for a machine whose own table may be empty or wrong."""


def assets() -> dict[str, Path]:
    """Every file of the page by the name that it has in a browser."""
    return {file.name: file for file in sorted(PAGE.iterdir()) if file.suffix in TYPES}
