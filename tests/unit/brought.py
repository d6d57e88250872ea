"""The experiments that octoload brings, for tests that change one thing of them."""

from pathlib import Path

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def changed(name: str, folder: Path, old: str, new: str) -> Path:
    """Write an experiment that octoload brings with one thing changed; return its file."""
    text = (EXPERIMENTS / f"{name}.yaml").read_text(encoding="utf-8")
    assert old in text
    file = folder / "changed.yaml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    return file
