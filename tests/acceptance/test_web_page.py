"""Locust's web page in a real browser, with the tab that octoload adds."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from octoload import files
from tests.integration.locust_engine import engine, free_port, server, trial, wait_until
from tests.integration.test_locust_alone import answers

pytestmark = pytest.mark.acceptance


def test_the_tab_stands_among_locusts_own(browser: Browser, tmp_path: Path) -> None:
    """Before the first trial the page shows the plan; then it is a tab, which asks nothing once another is chosen."""
    planned = [{"index": 1, "pair": 1, "arm": "many"}]
    files.write_json(
        tmp_path / "plan.json", "plan", 1, {"name": "n", "question": "What is it worth?", "trials": planned}
    )
    port = str(free_port())
    options = ("--web-host", "127.0.0.1", "--web-port", port, "--octoload-run", str(tmp_path))
    with server() as (url, _), engine(tmp_path, *options) as running:
        here = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{here}/octopus"))
        tab = browser.new_page()
        complaints: list[str] = []
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.goto(f"{here}/?tab=octopus")
        expect(tab.get_by_text("What is it worth? 0 of 1 trials ended")).to_be_visible()
        expect(tab.get_by_text("No server is under load yet")).to_be_visible()
        running.send(**trial(tmp_path / "trials" / "01-many", url, seconds=30.0))
        running.until("progress")
        tab.goto(here)
        tab.get_by_role("tab", name="Octopus").click()
        frame = tab.frame_locator("iframe")
        expect(frame.get_by_role("cell", name="many")).to_be_visible()
        expect(frame.locator("#load")).to_contain_text("p95 so far")
        expect(tab.get_by_role("button", name="Stop")).to_be_disabled()
        tab.get_by_role("tab", name="Statistics").click()
        expect(tab.locator("iframe")).to_have_count(0)
        expect(tab.get_by_text("Aggregated")).to_be_visible()
        assert complaints == []
        tab.close()
