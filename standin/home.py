"""The folder of an instance: where its logs, packages, artifacts and archived events lie, shared by all nodes."""

from dataclasses import dataclass
from pathlib import Path

from standin.errors import UsageError
from standin.filestore import FileStore


@dataclass(frozen=True, slots=True)
class Home:
    """An instance's folder."""

    #: the folder
    folder: Path

    def prepare(self) -> None:
        """Make the folders inside it.

        Raises:
            UsageError: it cannot be written to.
        """
        for inside in (self.task_logs, self.packages.folder, self.artifacts.folder, self.archives):
            try:
                inside.mkdir(parents=True, exist_ok=True)
            except OSError as exc:
                raise UsageError(f"{inside} cannot be used: {exc.strerror}", "Choose another folder.") from exc

    @property
    def task_logs(self) -> Path:
        """One file a task."""
        return self.folder / "TaskLogs"

    @property
    def packages(self) -> FileStore:
        """Files of the built-in feed."""
        return FileStore(self.folder / "Packages")

    @property
    def artifacts(self) -> FileStore:
        """Files that clients keep with tasks."""
        return FileStore(self.folder / "Artifacts")

    @property
    def archives(self) -> Path:
        """Events that have been moved out of the database, one file a day."""
        return self.folder / "EventArchives"
