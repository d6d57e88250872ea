"""The page in a real browser: it fits a phone and paper, works without its scripts, and asks nobody for anything.

Five kinds of runs are looked at: plain pairs, drains over nodes, searches for capacity, depths of history, and long
trials beside other tasks.
"""

import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from reports import page, results, run

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
import other_folders

KINDS = {
    "pairs": other_folders.watched,
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
    folder = other_folders.watched(tmp_path_factory.mktemp("run"))
    return page.write(*results.finish(run.read(folder))).as_uri()


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


def canvases(tab: Page) -> list[str]:
    """Return what is drawn in each panel of the course, once it is drawn."""
    tab.wait_for_function("document.querySelectorAll('#course canvas').length > 0")
    tab.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    drawn: list[str] = tab.evaluate("[...document.querySelectorAll('#course canvas')].map(c => c.toDataURL())")
    return drawn


def values(tab: Page) -> list[str]:
    """Return what the keys of the panels say of the moment under the cursor."""
    said: list[str] = tab.evaluate("[...document.querySelectorAll('#course .key b')].map(b => b.textContent)")
    return said


def test_the_course_follows_the_choice(browser: Browser, report: str) -> None:
    """Another trial draws all panels anew, with its own table and words; the arrow keys choose it as well."""
    tab, asked = opened(browser, report, 1000, "light")
    unfold(tab)
    read = "document.querySelector('#course-table table').textContent"
    before, table = canvases(tab), tab.evaluate(read)
    assert len(before) == 5
    assert "Trial 1, keep-" in table
    assert tab.locator("#course-table tbody tr").count() == 33
    tab.locator("#course-trial").focus()
    tab.keyboard.press("ArrowDown")
    after = canvases(tab)
    assert [old == new for old, new in zip(before, after, strict=True)][:3] == [False] * 3
    assert "Trial 2, keep-" in tab.evaluate(read)
    assert all(
        "Trial 2, keep-" in label
        for label in tab.evaluate("[...document.querySelectorAll('.course')].map(c => c.ariaLabel)")
    )
    assert asked == [report]
    tab.close()


def test_all_panels_share_a_cursor_and_a_zoom(browser: Browser, report: str) -> None:
    """A pointer on one panel, or the slider, names the values of all; a drag enlarges all, a double click undoes it."""
    tab, _ = opened(browser, report, 1000, "light")
    whole = canvases(tab)
    tab.locator("#course .u-over").first.scroll_into_view_if_needed()
    box = tab.locator("#course .u-over").first.bounding_box()
    assert box
    tab.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 20)
    tab.wait_for_function("[...document.querySelectorAll('#course .key b')].filter(b => b.textContent).length > 8")
    tab.mouse.down()
    tab.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 20, steps=5)
    tab.mouse.up()
    assert all(old != new for old, new in zip(whole, canvases(tab), strict=True))
    tab.mouse.dblclick(box["x"] + 0.5 * box["width"], box["y"] + 20)
    assert canvases(tab) == whole
    tab.locator("#course-moment").focus()
    tab.keyboard.press("Home")
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowRight")
    said = tab.evaluate("document.querySelector('#course-moment').ariaValueText")
    assert said.startswith("2.5 s: wanted ")
    shown = [text for text in values(tab) if text]
    assert len(shown) > 8
    assert all(text in said for text in shown)
    tab.locator("#course button").first.focus()
    tab.keyboard.press("Enter")
    assert all(old != new for old, new in zip(whole, canvases(tab), strict=True))
    tab.close()


def test_the_course_changes_its_colours_with_the_page(browser: Browser, report: str) -> None:
    """When the system turns dark the curves are drawn again in colours of the dark page."""
    tab, _ = opened(browser, report, 1000, "light")
    light = canvases(tab)
    tab.emulate_media(color_scheme="dark")
    assert all(old != new for old, new in zip(light, canvases(tab), strict=True))
    tab.close()


def test_without_scripts_the_course_is_a_table(browser: Browser, report: str) -> None:
    """The peaks of all trials stand there, and controls that would do nothing are not shown."""
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(report)
    assert not tab.locator("#course-view").is_visible()
    assert tab.locator("#course > .wide tbody tr").count() == 12
    assert "Scripts are off" in tab.locator("#course").inner_text()
    context.close()
