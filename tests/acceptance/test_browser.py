"""The page in a real browser: it fits a phone and paper, works without scripts, and asks nobody for anything.

Five kinds of runs are looked at: plain pairs, drains over nodes, searches for capacity, depths of history, and long
trials beside other tasks.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from reports import page, results, run

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
import other_folders
import run_folder

KINDS = {
    "pairs": run_folder.build,
    "drains": other_folders.drains,
    "searches": other_folders.searches,
    "depths": other_folders.depths,
    "links": other_folders.suspected,
}
OVERLAPS = (Path(__file__).parent / "overlaps.js").read_text(encoding="utf-8")

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module", params=list(KINDS))
def any_report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = KINDS[request.param](tmp_path_factory.mktemp(request.param) / "run")
    return page.write(*results.finish(run.read(folder))).as_uri()


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


def unfold(tab: Page) -> None:
    tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")


@pytest.mark.parametrize("width", [360, 400, 900, 1600])
def test_the_page_fits_every_width(browser: Browser, any_report: str, width: int) -> None:
    """Nothing sticks out sideways or lies on another text, also with every table unfolded; nobody is asked."""
    tab, asked = opened(browser, any_report, width, "light")
    unfold(tab)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert all(box > 100 for box in tab.evaluate("[...document.querySelectorAll('svg.plot')].map(s => s.clientWidth)"))
    assert tab.evaluate(OVERLAPS) == []
    assert asked == [any_report]
    tab.close()


@pytest.mark.parametrize("moved", ["main h2", "#effects td.number b", "#latency svg text"])
def test_an_overlap_is_found(browser: Browser, report: str, moved: str) -> None:
    """A heading, a number or a label of a picture that is moved onto its neighbour turns the test above red."""
    tab, _ = opened(browser, report, 900, "light")
    tab.evaluate(
        "chosen => { const one = document.querySelectorAll(chosen)[1]; const other = document.querySelector('.lead');"
        " const [a, b] = [one, other].map(e => e.getBoundingClientRect());"
        " one.style.transform = `translate(${b.x - a.x}px, ${b.y - a.y}px)`; one.style.display = 'inline-block'; }",
        moved,
    )
    assert tab.evaluate(OVERLAPS) != []
    tab.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1000), ("dark", 400)])
def test_axe_finds_nothing_serious(browser: Browser, any_report: str, scheme: str, width: int) -> None:
    """The rules of axe-core for WCAG hold with every table unfolded, contrast included, on a phone as well."""
    tab, _ = opened(browser, any_report, width, scheme)
    unfold(tab)
    found = Axe().run(tab).response
    assert len(found["passes"]) > 15
    grave = [one for one in found["violations"] if one["impact"] in {"serious", "critical"}]
    assert [(one["id"], one["nodes"][0]["html"]) for one in grave] == []
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


def test_paper_shows_what_is_folded(browser: Browser, any_report: str) -> None:
    """Printed, the folded tables and the query plan are there, on a few A4 pages."""
    tab, _ = opened(browser, any_report, 1000, "light")
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
