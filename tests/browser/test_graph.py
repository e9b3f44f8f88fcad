"""The graph in a real browser: nodes and edges of the header, tint by stains, a click that selects, blocks that fold."""

import numpy as np

from nissl.testing.specimens import specimen, trace
from tests.browser.conftest import address_of
from tests.studies.joining_models import Residual
from tests.studies.test_feed_graph import blocky
from tests.studies.test_feed_junctions import recorded, twenty

PATHS = "[...document.querySelectorAll('.board .node')].map(one => one.dataset.path)"


def test_layers_and_edges_are_drawn_and_a_click_selects(quiet):
    seen = specimen("deep")
    with address_of(seen, quiet) as address:
        quiet.go(f"{address}#/e5?view=graph&stain=3")
        quiet.until(f"{PATHS}.length === {len(seen.layers)}")
        assert quiet.js(PATHS) == list(seen.layers)
        moves = quiet.js("document.querySelector('.edges').getAttribute('d').split('M').length - 1")
        assert moves == sum(len(seen.place(name).inputs) for name in seen.layers)
        quiet.js(
            "document.querySelectorAll('.board .node')[17].dispatchEvent(new MouseEvent('click', {bubbles: true}))"
        )
        quiet.until("document.querySelector('.board .node.on')?.dataset.path === 'block16.conv'")
        assert quiet.js("nissl.look.layer(nissl.look.slide).name") == "block16.conv"
        assert "576 parameters" in quiet.js("document.querySelector('.about').innerText")
        first = quiet.js("[...document.querySelectorAll('.board .node rect')].map(one => one.style.fill)")
        quiet.key("4")
        quiet.key("3")
        quiet.until(
            f"JSON.stringify([...document.querySelectorAll('.board .node rect')].map(one => one.style.fill)) !== {first!r}"
        )
        wide = quiet.js("document.querySelector('.board svg').clientWidth")
        quiet.key("+")
        quiet.until(f"document.querySelector('.board svg').clientWidth > {wide}")


def test_dragging_moves_the_graph_and_opens_or_closes_nothing(quiet):
    with address_of(trace(twenty(), epochs=(0,)), quiet) as address:
        quiet.go(f"{address}#/e0?view=graph")
        quiet.until("document.querySelectorAll('.board .block').length === 12")
        x, y = quiet.js(
            "(() => { const box = document.querySelector('.board .block rect').getBoundingClientRect(); return [box.x + 6, box.y + 90] })()"
        )
        before = quiet.js("document.querySelector('.board').scrollTop")
        quiet.mouse("mousePressed", x, y)
        for by in (20, 40, 60):
            quiet.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y - by, button="left", buttons=1)
        quiet.mouse("mouseReleased", x, y - 60)
        quiet.until(f"document.querySelector('.board').scrollTop === {before + 60}")
        assert quiet.js("document.querySelectorAll('.board .block').length") == 12
        quiet.click(x, y - 60)
        quiet.until("document.querySelectorAll('.board .node.closed').length === 1")


def test_while_another_is_laid_out_that_is_said(quiet):
    with address_of(trace(twenty(), epochs=(0,)), quiet) as address:
        quiet.go(f"{address}#/e0?view=graph")
        quiet.until("document.querySelectorAll('.board .block').length === 12")
        assert quiet.js("document.querySelector('.tools [role=status]')") is None
        quiet.js("nissl.look.files.part = () => new Promise(done => { window.late = done })")
        quiet.js("[...document.querySelectorAll('.graph .tools button')].find(one => one.textContent === '2').click()")
        quiet.until("document.querySelector('.tools [role=status]')?.innerText.includes('laid out')")


def test_on_a_telephone_it_can_be_read_and_fit_shows_all_of_its_width(quiet):
    quiet.size(390, 844)
    with address_of(trace(twenty(), epochs=(0,)), quiet) as address:
        quiet.go(f"{address}#/e0?view=graph")
        quiet.until(f"{PATHS}.length === 29")
        high = "Math.min(...[...document.querySelectorAll('.board .node:not(.junction) text:first-of-type')].map(one => one.getBoundingClientRect().height))"
        assert quiet.js(high) > 10
        quiet.js(
            "[...document.querySelectorAll('.graph .tools button')].find(one => one.textContent === 'fit').click()"
        )
        quiet.until("document.querySelector('.board').scrollWidth <= document.querySelector('.board').clientWidth")
        quiet.until(f"{high} < 10")


def test_blocks_fold_and_open_by_keys(quiet):
    with address_of(trace(blocky()), quiet) as address:
        quiet.go(f"{address}#/e5?view=graph")
        quiet.until("document.querySelectorAll('.board .block').length === 4")
        quiet.js("document.querySelectorAll('.board .block')[2].focus()")
        quiet.key("Enter")
        quiet.until("document.querySelectorAll('.board .node.closed').length === 1")
        assert quiet.js(PATHS) == ["stem", "layer.0.conv1", "layer.0.conv2", "layer.1", "layer.2.conv1", "layer.2.conv2", "fc"]  # fmt: skip
        assert "7 nodes shown of 8, in 1 closed block" in quiet.js("document.querySelector('.said p').innerText").replace("\n", " ")  # fmt: skip
        quiet.js("document.querySelector('.board .node.closed').focus()")
        quiet.key("Enter")
        quiet.until("document.querySelectorAll('.board .block').length === 4")
        assert quiet.js("nissl.look.view") == "graph"
        assert np.isfinite(quiet.js("document.querySelector('.board svg').clientHeight"))


MET = "[...document.querySelectorAll('.board .junction')]"


def test_where_several_meet_there_is_a_sign_of_what_is_done_or_a_point(quiet, tmp_path):
    with address_of(recorded(Residual(), 1, 8, 8, tmp_path=tmp_path), quiet) as address:
        quiet.go(f"{address}#/e1?view=graph")
        quiet.until(f"{MET}.length === 3")
        assert quiet.js(f"{MET}.map(one => one.querySelector('text').textContent.trim())") == ["+", "+", "+"]
        assert "8 nodes shown, all there are · 3 junctions" in quiet.js("document.querySelector('.said p').innerText")
        quiet.js(f"{MET}[0].focus()")
        quiet.until("document.querySelector('.about').innerText.trim() === 'stem, blocks.0.conv2 are added.'")
        assert quiet.js(f"{MET}[1].getAttribute('aria-label')") == "what met before, blocks.1.conv2 are added."
    with address_of(trace(twenty(), epochs=(0,)), quiet) as address:
        quiet.go(f"{address}#/e0?view=graph")
        quiet.until(f"{MET}.length === 9")
        assert quiet.js(f"{MET}.map(one => one.querySelector('text').textContent.trim()).join('')") == ""
        assert "was not recorded" in quiet.js(f"{MET}[0].getAttribute('aria-label')")
        straight = quiet.js(
            f"{MET}.map(one => one.querySelectorAll('rect')[1]).map(one => +one.getAttribute('x') + one.getAttribute('width') / 2)"
        )
        boxes = quiet.js(
            "[...document.querySelectorAll('.board .node:not(.junction) rect')].map(one => +one.getAttribute('x') + one.getAttribute('width') / 2)"
        )
        assert len({round(one) for one in [*straight, *boxes]}) == 2  # the trunk stands upright in each of two columns
