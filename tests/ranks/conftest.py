"""What starts the processes of a scenario."""

import pytest

from tests.ranks.launch import Launcher


@pytest.fixture(scope="session")
def launch():
    launcher = Launcher()
    yield launcher
    launcher.close()
