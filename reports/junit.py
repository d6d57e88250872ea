"""The result as JUnit XML, which build servers read: a case for each check and each primary endpoint."""

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from reports import words
from reports.checks import Check
from reports.effects import Effect
from reports.results import ERROR_MARGIN, Results
from reports.run import Run

#: What XML 1.0 cannot hold, not even escaped.
_UNSAYABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Verdicts that a gate does not let pass.
_WORSE = frozenset({"worse", "slightly worse"})


def render(run: Run, results: Results) -> bytes:
    """Compose the file.

    A check that voids the run is an error. With a gate, an endpoint that is worse is a failure, and so is one of which
    nothing can be said: "inconclusive" is no pass. Without a gate nothing fails, and what is inconclusive is skipped.
    """
    root = ET.Element("testsuites", name=_clean(f"octoload {run.plan.name}"))
    root.append(_suite("validity", [_check(check) for check in results.checks]))
    gate = run.plan.gate and results.valid
    cases = [_endpoint(effect, results, gate=gate) for effect in results.of("primary")]
    root.append(_suite("endpoints", [*cases, *(_failing(results) if gate else [])]))
    for one in results.comparisons:  # no gate judges them
        root.append(
            _suite(f"endpoints of {one.arm}", [_endpoint(effect, results, gate=False) for effect in one.effects])
        )
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _suite(name: str, cases: Sequence[ET.Element]) -> ET.Element:
    suite = ET.Element("testsuite", name=_clean(name), tests=str(len(cases)))
    for kind, tag in _KINDS.items():
        suite.set(kind, str(sum(case.find(tag) is not None for case in cases)))
    suite.extend(cases)
    return suite


_KINDS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def _case(suite: str, name: str, kind: str, message: str) -> ET.Element:
    """Make a case; `kind` is `failure`, `error`, `skipped`, or empty for one that passed."""
    case = ET.Element("testcase", classname=f"octoload.{suite}", name=_clean(name))
    if kind:
        ET.SubElement(case, kind, message=_clean(message))
    else:
        ET.SubElement(case, "system-out").text = _clean(message)
    return case


def _check(check: Check) -> ET.Element:
    return _case("validity", check.name, "error" if check.state == "invalid" else "", check.message)


def _endpoint(effect: Effect, results: Results, *, gate: bool) -> ET.Element:
    name = f"{effect.operation} {effect.metric}"
    if not results.valid:
        return _case("endpoints", name, "skipped", "The run is INVALID: this number is not to be used.")
    said = (
        f"{effect.verdict}: ratio {words.times(effect.ratio)} ({words.times(effect.ci_low)} to "
        f"{words.times(effect.ci_high)}), {effect.pairs} pairs"
    )
    if effect.verdict == "inconclusive":
        return _case("endpoints", name, "failure" if gate else "skipped", said)
    return _case("endpoints", name, "failure" if gate and effect.verdict in _WORSE else "", said)


def _failing(results: Results) -> list[ET.Element]:
    """Give a case to the failed requests of each primary operation."""
    deciding = {effect.operation for effect in results.of("primary")}
    cases = []
    for rate in results.error_rates:
        if rate.operation in deciding:
            said = f"failed requests differ by {words.share(rate.difference)}, at most by {words.share(rate.upper)}"
            kind = "failure" if rate.upper >= ERROR_MARGIN else ""
            cases.append(_case("endpoints", f"{rate.operation} failed requests", kind, said))
    return cases


def _clean(text: str) -> str:
    return _UNSAYABLE.sub("\N{REPLACEMENT CHARACTER}", text)
