"""The briefing in a real Chromium: nothing fetched, nothing forbidden, nothing cut, readable by everyone."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from hustings.briefing.page import render

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason="Chromium is not installed at /usr/bin/chromium"
)
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
FACTS = runpy.run_path(str(Path(__file__).parents[1] / "briefing" / "facts.py"))
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
WATCH = """
window.faults = [];
document.addEventListener('securitypolicyviolation', e => window.faults.push(e.violatedDirective));
"""
# Texts that a drawn line or a point crosses, that meet another text, or that stick out of the frame.
CROWDED = """() => {
  const found = [];
  for (const svg of document.querySelectorAll('figure svg')) {
    if (!svg.getClientRects().length) continue;
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
    for (const [text, r] of texts)
      if (r.left < frame.left - 1 || r.right > frame.right + 1
          || r.top < frame.top - 1 || r.bottom > frame.bottom + 1)
        found.push('sticks out: ' + text);
    const inside = (r, x, y) => x > r.left + 1 && x < r.right - 1 && y > r.top + 2 && y < r.bottom - 2;
    texts.forEach(([a, r], i) => texts.slice(i + 1).forEach(([b, s]) => {
      if (r.left < s.right - 1 && s.left < r.right - 1 && r.top < s.bottom - 3 && s.top < r.bottom - 3)
        found.push('meet: ' + a + ' / ' + b);
    }));
    for (const shape of svg.querySelectorAll('line, path')) {
      const length = shape.getTotalLength(), to = shape.getScreenCTM();
      for (let at = 0; at <= length; at += 2) {
        const p = shape.getPointAtLength(at).matrixTransform(to);
        for (const [text, r] of texts) if (inside(r, p.x, p.y)) found.push('lies on a line: ' + text);
      }
    }
  }
  return [...new Set(found)];
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("briefing")
    for kind in ("michigan", "strained", "empty", "election"):
        (folder / f"{kind}.html").write_text(render(FACTS[kind]()), encoding="utf-8")
    return {path.stem: path.as_uri() for path in folder.iterdir()}


@pytest.fixture
def opened(browser, addresses) -> Iterator[Any]:
    pages = []

    def at(width: int = 1280, scheme: str = "light", kind: str = "michigan") -> Any:
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.asked, page.said = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.add_init_script(WATCH)
        page.goto(addresses[kind])
        page.evaluate("document.fonts.ready.then(() => true)")
        pages.append(page)
        return page

    yield at
    for page in pages:
        page.close()


@pytest.mark.parametrize("kind", ["michigan", "strained", "empty", "election"])
def test_nothing_is_asked_of_the_network_and_nothing_breaks_the_policy(opened, addresses, kind):
    page = opened(kind=kind)
    assert {url for url in page.asked if not url.startswith("data:")} == {addresses[kind]}
    assert page.evaluate("window.faults") == []
    assert page.said == []


def test_the_fonts_are_those_inside_the_page(opened):
    loaded = opened().evaluate(
        "[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family + f.weight)"
    )
    assert len(loaded) == 3


@pytest.mark.parametrize("kind", ["michigan", "strained", "empty", "election"])
@pytest.mark.parametrize("width", [1280, 960, 390, 320])
def test_nothing_is_wider_than_the_screen(opened, width, kind):
    page = opened(width, kind=kind)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("kind", ["michigan", "strained", "election"])
@pytest.mark.parametrize("width", [1280, 960, 390])
def test_no_label_is_cut_or_lies_on_a_line_or_on_another(opened, width, kind):
    assert opened(width, kind=kind).evaluate(CROWDED) == []


@pytest.mark.parametrize("kind", ["michigan", "election"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_axe_finds_no_serious_fault(opened, width, scheme, kind):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe for Playwright is not installed"
    )
    found = axe.Axe().run(opened(width, scheme, kind)).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in ("serious", "critical")] == []


def test_the_dark_theme_turns_page_and_charts_over(opened):
    shades = []
    for scheme in ("light", "dark"):
        page = opened(1280, scheme)
        shades.append(
            page.evaluate(
                """() => [getComputedStyle(document.body).backgroundColor,
                getComputedStyle(document.querySelector('figure .wide text')).fill]"""
            )
        )
    assert shades[0][0] == "rgb(251, 250, 247)"
    assert all(bright != dim for bright, dim in zip(*shades, strict=True))


def test_tables_open_without_script(opened):
    page = opened(390)
    for summary in page.locator("main summary").all():
        summary.click()
    assert page.locator("main details[open] table").count() == 3
    assert page.locator("details table").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_headings_are_in_order(opened):
    levels = opened().evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_one_drawing_of_each_picture_is_seen(opened):
    for width in (1280, 390):
        seen = opened(width).evaluate(
            "[...document.querySelectorAll('figure svg')].filter(s => s.getClientRects().length).length"
        )
        assert seen == 3


def test_it_prints_on_two_pages(opened):
    paper = opened().pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) <= 2


def test_it_prints_in_the_light_theme_from_a_dark_screen(opened):
    page = opened(1280, "dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 39, 51)"


WIDE_CARD = FACTS["with_cards"]


@pytest.fixture(scope="module")
def with_cards(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("cards") / "briefing.html"
    path.write_text(render(WIDE_CARD()), encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_a_card_opens_from_the_briefing_without_script_and_leads_back(browser, with_cards, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.add_init_script(WATCH)
    page.goto(with_cards)
    for link in page.locator("#models a").all():
        anchor = link.get_attribute("href")
        link.click()
        card = page.locator(f"{anchor}")
        assert card.is_visible()
        assert not page.locator("main").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CROWDED) == []
        card.get_by_role("link", name="Back to the briefing").click()
        assert page.locator("main").is_visible()
        assert not card.is_visible()
    assert page.evaluate("window.faults") == []
    page.close()


def test_axe_finds_no_serious_fault_in_a_card(browser, with_cards):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe for Playwright is not installed"
    )
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(with_cards)
    for link in page.locator("#models a").all():
        page.goto(with_cards + (link.get_attribute("href") or ""))
        found = axe.Axe().run(page).response["violations"]
        bad = [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in ("serious", "critical")]
        assert bad == []
    page.close()
