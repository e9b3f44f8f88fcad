"""Scripts that several tests look at are recorded once."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.scripts.running import Ran, python, recorded


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Ran, Path]]:
    """How the process of a recorded pattern ended, and its folder, for looking only."""

    @cache
    def run(words: str, *options: str) -> tuple[Ran, Path]:
        place = tmp_path_factory.mktemp("pattern")
        return recorded(python(*words.split()), place, *options), place

    return run
