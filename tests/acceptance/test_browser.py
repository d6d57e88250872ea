"""The page in a real browser: it fits a phone and paper, works without scripts, and asks nobody for anything."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from reports import page, results, run

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
import run_folder

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = run_folder.build(tmp_path_factory.mktemp("run"))
    return page.write(*results.finish(run.read(folder))).as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as play:
        yield play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])


def opened(browser: Browser, report: str, width: int, scheme: str) -> tuple[Page, list[str]]:
    """Open the page; return it with all that it asked for and complained about."""
    tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: asked.append(message.text))
    tab.goto(report)
    return tab, asked


@pytest.mark.parametrize("width", [360, 400, 768, 1200])
def test_the_page_fits_every_width(browser: Browser, report: str, width: int) -> None:
    """Nothing sticks out sideways, also with every table unfolded; pictures are as wide as their place."""
    tab, asked = opened(browser, report, width, "light")
    tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert all(box > 100 for box in tab.evaluate("[...document.querySelectorAll('svg.plot')].map(s => s.clientWidth)"))
    assert asked == [report]
    tab.close()


def test_dark_is_dark(browser: Browser, report: str) -> None:
    """The browser's preference decides."""
    grounds = []
    for scheme in ("light", "dark"):
        tab, _ = opened(browser, report, 1000, scheme)
        colour = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        grounds.append(sum(int(part) for part in colour.strip("rgb()").split(",")))
        tab.close()
    assert grounds[0] > 600 > 150 > grounds[1]


def test_paper_shows_what_is_folded(browser: Browser, report: str) -> None:
    """Printed, the folded tables and the query plan are there, on a few A4 pages."""
    tab, _ = opened(browser, report, 1000, "light")
    tab.emulate_media(media="print")
    heights = tab.evaluate("[...document.querySelectorAll('details table, details pre')].map(e => e.clientHeight)")
    assert heights
    assert min(heights) > 0
    printed = tab.pdf(format="A4")
    assert 2 <= printed.count(b"/Type /Page\n") <= 12
    tab.close()


def test_the_keyboard_reaches_everything(browser: Browser, report: str) -> None:
    """The first Tab offers to skip to the effects; every fold opens with Enter."""
    tab, _ = opened(browser, report, 1000, "light")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.getAttribute('href')") == "#effects"
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.tagName") == "SUMMARY"
    before = tab.evaluate("document.activeElement.parentElement.open")
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.parentElement.open") != before
    tab.close()
