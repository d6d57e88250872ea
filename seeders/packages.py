"""Packages of a history: small archives whose bytes follow from their names."""

import io
import random
import zipfile

from seeders.stream import Package

#: The oldest date that an archive can hold: the same content gives the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)


def file_name(record: Package) -> str:
    """Return the name from which Octopus reads name and version (octopus-api §A.13)."""
    return f"{record.name}.{record.version}.zip"


def build(record: Package) -> bytes:
    """Return the archive: a file that cannot be packed smaller, and a text that says what it is."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo("content.bin", _DATE), random.Random(record.key).randbytes(record.bytes))
        archive.writestr(zipfile.ZipInfo("about.txt", _DATE), f"{record.name} {record.version}, for load tests\n")
    return content.getvalue()
