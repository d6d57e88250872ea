"""The house: floors, sentences and words."""

import ast
from collections import Counter
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

HOUSE = Path(__file__).parents[2]
#: Which rooms a room may import; `standin` stands apart.
FLOORS = {
    "experiments": {"experiments", "seeders", "reports", "octoload"},
    "seeders": {"seeders", "octoload"},
    "scenarios": {"scenarios", "octoload"},
    "reports": {"reports", "octoload"},
    "octoload": {"octoload"},
    "standin": {"standin"},
    "locustfile": {"scenarios", "octoload"},
}
ROOMS = set(FLOORS)
LOCUST = {"locust", "gevent", "geventhttpclient", "greenlet"}


def sources() -> list[Path]:
    return [
        HOUSE / "locustfile.py",
        *(path for room in sorted(ROOMS - {"locustfile"}) for path in sorted((HOUSE / room).rglob("*.py"))),
    ]


def imports(source: str, package: str) -> set[str]:
    """Return the absolute names of all modules that a source imports, function bodies and named imports included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: -node.level + 1 or None]) if node.level else ""
            stem = ".".join(filter(None, [base, node.module]))
            names |= {stem} | {".".join(filter(None, [stem, alias.name])) for alias in node.names}
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in {"import_module", "__import__"} and isinstance(node.args[0].value, str):
                names.add(node.args[0].value)
    return names


def upward(source: str, path: Path) -> set[str]:
    """Return the imports of a source that its room may not make."""
    module = path.relative_to(HOUSE).with_suffix("")
    room = module.parts[0]
    found = imports(source, ".".join(module.parts[:-1]))
    rooms = {name for name in found if name.split(".")[0] in ROOMS and name.split(".")[0] not in FLOORS[room]}
    edge = room in {"scenarios", "locustfile"} or module.parts[:2] == ("octoload", "edge")
    return rooms | (set() if edge else {name for name in found if name.split(".")[0] in LOCUST})


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(HOUSE)))
def test_imports_go_down_only(path: Path) -> None:
    """No room imports a room above or beside it, and only the Locust edge imports Locust."""
    assert upward(path.read_text(encoding="utf-8"), path) == set()


@pytest.mark.parametrize(
    ("path", "planted"),
    [
        ("octoload/files.py", "import experiments.plan"),
        ("octoload/files.py", "def late():\n    from seeders import bulk"),
        ("octoload/edge/client.py", "class A:\n    def b(self):\n        import reports.page"),
        ("seeders/bulk.py", "from scenarios.dashboard import x"),
        ("reports/page.py", "import importlib\nimportlib.import_module('seeders.plan')"),
        ("reports/page.py", "from .. import experiments"),
        ("standin/load.py", "from octoload import files"),
        ("experiments/runner.py", "if True:\n    import standin"),
        ("experiments/runner.py", "def late():\n    import gevent"),
    ],
)
def test_a_planted_upward_import_is_found(path: str, planted: str) -> None:
    """The floor test cannot pass by looking away: each kind of forbidden import is seen, function bodies included."""
    assert upward(planted, HOUSE / path)


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(HOUSE)))
def test_a_module_opens_with_one_sentence(path: Path) -> None:
    """The first line of every module says what lives there."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring
    assert docstring.splitlines()[0].endswith((".", "."))


def test_no_file_has_outgrown_its_room() -> None:
    """A source file of the house stays under 400 lines."""
    long = {str(path.relative_to(HOUSE)): n for path in sources() if (n := path.read_text().count("\n")) > 400}
    assert long == {}


def test_no_two_test_files_have_one_name() -> None:
    """Test folders are no packages, so pytest refuses a whole run in which two files have the same name."""
    names = Counter(path.name for path in (HOUSE / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
