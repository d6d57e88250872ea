"""The ground floor: errors, files, the Octopus API client and the Locust edge."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("octoload")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0+unknown"
