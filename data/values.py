"""Names for what a type checker cannot see into, so that a signature says which kind it is."""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = Any  # a JSON value: null, bool, number, string, list or object of them
Untyped: TypeAlias = Any  # an object of a library that has no types (here), or of several of them
