"""An object store for the tests of this folder."""

import uuid

import pytest

from tests.stores.s3 import server


@pytest.fixture(scope="session")
def s3():
    """A server; the environment leads to it, and `s3://traces` is a bucket there."""
    pytest.importorskip("obstore")
    pytest.importorskip("moto.server")
    with server() as started:
        yield started


@pytest.fixture
def address(s3):
    """Where nothing is yet."""
    return f"s3://traces/{uuid.uuid4().hex}/run"
