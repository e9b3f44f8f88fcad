"""Two runs in a real browser: both runs' numbers in a chart, both confusions, the table of what differs."""

import threading

import numpy as np
import pytest

from nissl.apps.server import prepared
from nissl.studies.changes import changes
from tests.studies.test_feed_beside import two


@pytest.fixture(scope="module")
def address():
    one, other = two()
    server, held, address, _ = prepared(one, beside=other)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [held]}, daemon=True)
    thread.start()
    yield address
    server.should_exit = True
    thread.join(10)
    held.close()


def test_both_runs_are_in_the_charts_and_their_units_are_matched(quiet, address):
    one, other = two()
    quiet.go(f"{address}#/e2?view=run")
    quiet.until("document.querySelectorAll('.chart path.other').length === 2")
    told = quiet.js("[...document.querySelectorAll('.chart')][0].querySelectorAll('.value')[2].innerText")
    np.testing.assert_allclose(float(told), other.scalars["probe_loss"].values[2], rtol=6e-3)
    assert "4 epochs, 3 of them in both" in quiet.js("document.querySelector('.said p').innerText").replace("\n", " ")
    quiet.js("document.querySelector('[aria-label=\"beside another run\"] button').click()")
    quiet.until("document.querySelector('[aria-label=\"beside another run\"] tbody tr') !== null", 30)
    first = changes(one, other).rows()[0]
    said = quiet.js(
        "[...document.querySelector('[aria-label=\"beside another run\"] tbody tr').children].map(one => one.innerText)"
    )
    assert said[:2] == [f"{first[0]} · {first[1]}", str(first[3])]
    quiet.go("about:blank")
    quiet.until("location.href === 'about:blank'")


def test_both_confusions_stand_beside_each_other_and_the_address_says_which(quiet, address):
    _, other = two()
    read = "[...document.querySelectorAll('.other .matrix g')].map(one => Number(one.querySelector('.times')?.textContent ?? 0))"
    for hash_, epoch in (("e5?view=confusion", 3), ("e5?view=confusion&vs=run:e1", 1)):
        quiet.go("about:blank")
        quiet.go(f"{address}#/{hash_}")
        quiet.until("document.querySelectorAll('.other .matrix g').length === 100")
        np.testing.assert_array_equal(np.reshape(quiet.js(read), (10, 10)), other.array("probe_confusion", epoch=epoch))
        quiet.until(f"location.hash === '#/{hash_}'")
    quiet.go("about:blank")
    quiet.until("location.href === 'about:blank'")
