"""An object store for the tests of this folder."""

import pytest

from tests.stores.s3 import server


@pytest.fixture(scope="session")
def s3():
    """A server; the environment leads to it, and `s3://traces` is a bucket there."""
    pytest.importorskip("obstore")
    pytest.importorskip("moto.server")
    with server() as started:
        yield started
