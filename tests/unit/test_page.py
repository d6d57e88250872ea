"""The page: complete, self-contained, escaped, readable without seeing it."""

import base64
import hashlib
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
import run_folder

from reports import page, results, run

pytestmark = pytest.mark.unit

HOSTILE = '<script>alert("1")</script><img src=x onerror=alert(1)>'
VOID = {"meta", "link", "br", "img", "hr", "input", "col"}


class Outline(HTMLParser):
    """Elements of a page with their attributes, checked for balance as they are read."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.svgs: list[Counter[str]] = []
        self.feed(source)
        self.close()
        assert self.inside == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "svg" and "svg" not in self.inside:
            self.svgs.append(Counter())
        if "svg" in self.inside:
            self.svgs[-1][tag] += 1
        if tag not in VOID:
            self.inside.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.inside.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.texts.setdefault(self.inside[-1], []).append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def scripts(source: str) -> list[str]:
    """Return the scripts that a browser would run."""
    return re.findall(r"<script>(.*?)</script>", source, re.DOTALL)


def written(folder: Path) -> str:
    return page.write(*results.finish(run.read(folder))).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(run_folder.build(tmp_path_factory.mktemp("run")))


def test_the_page_is_complete_and_in_order(source: str) -> None:
    """Verdict first, then validity, effects, trials, latencies, changes, data, query, provenance, repetition."""
    outline = Outline(source)
    order = [
        "validity",
        "effects",
        "trials",
        "latency",
        "course",
        "changes",
        "database",
        "query",
        "provenance",
        "again",
    ]
    assert [a["id"] for a in outline.all("section") if a.get("id")] == order
    assert len(outline.all("h1")) == 1
    assert source.index("<h1") < source.index('class="factor"') < source.index('id="validity"')
    for fact in (
        "keep-all",
        "keep-3",
        "93,412",
        "sha256:9f2c4d1e",
        "Seq Scan",
        "retention policy",
        "--demo",
        "AMD EPYC",
    ):
        assert fact in source


def test_the_page_needs_nothing_from_elsewhere(source: str) -> None:
    """No link, no address: it works offline; its policy allows the scripts that it holds and forbids anything else."""
    outline = Outline(source)
    assert not {"link", "img", "iframe", "object"} & {tag for tag, _ in outline.elements}
    (policy,) = [meta["content"] or "" for meta in outline.all("meta") if "http-equiv" in meta]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts(source)]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src {allowed}"
    assert [attributes for attributes in outline.all("script") if "src" in attributes] == []
    assert "Copyright (c) 2022 Leon Sorokin" in scripts(source)[0]
    assert re.findall(r"(?:https?:)?//[\w.]", source) == []
    assert re.findall(r"url\(|@import", source) == []
    assert len(source.encode()) < 1_000_000


def test_every_picture_can_be_read_aloud(source: str) -> None:
    """Each has a role, a title, a description, and a table in its section."""
    outline = Outline(source)
    assert len(outline.svgs) >= 6
    for svg in outline.svgs:
        assert svg["title"] >= 1
        assert svg["desc"] == 1
    outer = [attributes for attributes in outline.all("svg") if attributes.get("class") == "plot"]
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in outer)
    for section in re.findall(r"<section.*?</section>", source, re.DOTALL):
        assert "<svg" not in section or "<table" in section
    assert all(attributes.get("scope") for attributes in outline.all("th"))


def test_ids_are_unique_and_positions_finite(source: str) -> None:
    """No id twice, no NaN or infinity in a picture."""
    ids = [attributes["id"] for _, attributes in Outline(source).elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    drawn = "".join(re.findall(r"<svg.*?</svg>|<script type=.*?</script>", source, re.DOTALL))
    assert not re.search(r"\b(nan|inf)\b", drawn, re.IGNORECASE)


def test_nothing_from_a_file_becomes_markup(tmp_path: Path) -> None:
    """Names, texts, plans, journal and provenance of a run are shown as they are, never interpreted."""
    decided = run_folder.plan(
        question=HOSTILE,
        subject=HOSTILE,
        contender=HOSTILE.replace("/", ""),
        arms={"keep-all": HOSTILE, HOSTILE.replace("/", ""): HOSTILE},
    )
    folder = run_folder.build(tmp_path / HOSTILE.replace("/", ""), decided)
    for name, member in (("provenance", "machine"), ("manifest", "fingerprint"), ("manifest", "history")):
        file = folder / f"{name}.json"
        file.write_bytes(msgspec.json.encode(msgspec.json.decode(file.read_bytes()) | {member: HOSTILE}))
    (folder / "journal.jsonl").write_bytes(msgspec.json.encode({"at": 1, "kind": HOSTILE, "to": {HOSTILE: HOSTILE}}))
    source = written(folder)
    outline = Outline(source)
    assert scripts(source) == page.scripts()
    assert [attributes.get("id") for attributes in outline.all("script") if attributes] == ["course-data"]
    assert not outline.all("img")
    assert any("<script>" in text for texts in outline.texts.values() for text in texts)


def test_an_invalid_run_shows_no_verdict(tmp_path: Path) -> None:
    """INVALID stands in the title and above everything; no pill says better or worse."""
    source = written(run_folder.build(tmp_path, failures=0.05))
    outline = Outline(source)
    assert "INVALID" in outline.texts["title"][0]
    assert "INVALID" in outline.texts["h1"][0]
    assert not {"better", "worse"} & {text.strip() for text in outline.texts.get("span", [])}


def test_a_void_figure_is_struck_through(tmp_path: Path) -> None:
    """When a run is void for another reason, the measured factor stays visible but is marked as not to be used."""
    folder = run_folder.build(tmp_path)
    shutil.copy(folder / "arms/keep-all/database.json", folder / "arms/keep-3/database.json")
    source = written(folder)
    assert "not to be used" in source
    assert 'class="hero void"' in source


def test_a_bare_run_still_gives_a_page(tmp_path: Path) -> None:
    """Without databases, manifest, provenance and journal the page leaves their sections out."""
    folder = run_folder.build(tmp_path, run_folder.plan(server={"kind": "octopus"}, changes=[]))
    shutil.rmtree(folder / "arms")
    for name in ("manifest.json", "provenance.json", "journal.jsonl"):
        (folder / name).unlink()
    ids = {attributes.get("id") for attributes in Outline(written(folder)).all("section")}
    assert {"effects", "trials"} <= ids
    assert not {"database", "query"} & ids


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_texts_stand_out(theme: str) -> None:
    """Every text colour has a contrast of 4.5 to its ground in light, dark and on paper (WCAG 2.2, 1.4.3)."""
    css = (Path(page.__file__).with_name("page.css")).read_text(encoding="utf-8")
    blocks = re.findall(r":root\S* \{(.*?)\}", css, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", blocks[["light", "dark", "print"].index(theme)]))
    for ink in ("ink", "soft", "good", "bad", "open", "same", "contender"):
        assert contrast(colours[ink], colours["card"]) >= 4.5, ink
    for tint in ("good", "bad", "open", "same"):
        assert contrast(colours[tint], colours[f"{tint}-tint"]) >= 4.5, tint


def contrast(one: str, other: str) -> float:
    """WCAG's ratio of relative luminances."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
