"""The version of this package as installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def package_version() -> str:
    """Return the installed version of tool-use-om, or "0+unknown" outside an installation."""
    try:
        return version("tool-use-om")
    except PackageNotFoundError:
        return "0+unknown"
