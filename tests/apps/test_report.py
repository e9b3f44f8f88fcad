"""The page as one file and as a folder."""

import base64
import hashlib
import re

import pytest

from nissl.apps.report import report, site
from nissl.core.trace import open as opened
from nissl.errors import BadValue, NotHeard
from nissl.stores.disk import Disk
from nissl.studies.alive import alive
from nissl.studies.feed import Feed
from nissl.testing.specimens import specimen
from tests.apps import terminal

SCRIPT = re.compile(r"<script([^>]*)>(.*?)</script>", re.DOTALL)


@pytest.fixture(scope="module")
def page(run, tmp_path_factory):
    return report(run, tmp_path_factory.mktemp("reports") / "digits.html").read_text()


def test_a_report_holds_every_file_of_the_page(page, run):
    feed = Feed(opened(run), "digits", alive(opened(run), str(run)))
    held = {
        re.search(r'data-name="([^"]+)"', head)[1]: body for head, body in SCRIPT.findall(page) if "data-name" in head
    }
    assert set(held) == set(feed.names())
    for name, text in held.items():
        assert base64.b64decode(text) == feed.file(name)


def test_a_report_asks_nothing_of_any_network(page):
    outside = re.sub(r"<script.*?</script>|<style.*?</style>", "", page, flags=re.DOTALL)
    assert not re.findall(r'(?:src|href)="(?!data:)[^"]*"', outside)
    assert "url(" not in "".join(re.findall(r"<style>(.*?)</style>", page, re.DOTALL))
    assert "@import" not in page


def test_only_the_pages_own_script_and_style_count(page):
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)[1]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    (script,) = [body for head, body in SCRIPT.findall(page) if not head]
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    for kind, text in (("script", script), ("style", style)):
        mark = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{mark}'" in policy


def test_the_same_trace_is_the_same_report(page, run, tmp_path):
    assert report(run, tmp_path / "again.html").read_text() == page


def test_a_name_with_markup_stays_a_name(tmp_path):
    seen = specimen("mlp")
    seen.store.path = "<script>alert(1)</script>"
    text = report(seen, tmp_path / "odd.html").read_text()
    assert "alert(1)" not in text.replace("&lt;script&gt;alert(1)&lt;", "")


def test_a_folder_is_what_the_server_hands_out(run, tmp_path):
    made = site(run, tmp_path / "public")
    feed = Feed(opened(run), "digits", alive(opened(run), str(run)))
    for name in feed.names():
        assert (made / "data" / name).read_bytes() == feed.file(name)
    assert {"index.html", "app.js", "app.css", "fonts.css", "inter.woff2", "licences.txt"} <= {
        f.name for f in made.iterdir()
    }
    with pytest.raises(BadValue, match="something at"):
        site(run, made)
    assert not list(tmp_path.glob("*.part"))


def test_what_cannot_be_written_is_refused(run, tmp_path):
    with pytest.raises(BadValue, match=r"ends in \.html"):
        report(run, tmp_path / "report.pdf")
    Disk(tmp_path / "empty").create({})
    with pytest.raises(NotHeard, match="no epoch yet"):
        report(tmp_path / "empty", tmp_path / "empty.html")
    assert not list(tmp_path.glob("*.html*"))


def test_in_a_terminal(run, tmp_path):
    done = terminal.nissl("report", str(run), "-o", str(tmp_path / "a.html"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.html").stat().st_size > 100_000
    done = terminal.nissl("export", str(run), "--to", "site", "--out", str(tmp_path / "b"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "b" / "index.html").exists()
    done = terminal.nissl("export", str(run), "--to", "site", "--table", "epochs", "--out", str(tmp_path / "c"))
    assert done.returncode == 2
    assert "--table" in done.stderr
