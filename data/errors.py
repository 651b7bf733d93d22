"""Errors meant for a person: what was expected, what came, what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TuomError(Exception):
    """Base of every error this package raises on purpose; its text can be shown as it is."""


class DataError(TuomError, ValueError):
    """Input that cannot be used: wrong shape, order, unit, range, or a damaged file."""


class NotFoundError(TuomError, LookupError):
    """A name that does not exist; the message lists the nearest valid ones."""


class NotFittedError(TuomError, RuntimeError):
    """A head was asked for an answer before `fit`."""


def nearest(name: str, valid: Iterable[str], n: int = 3) -> list[str]:
    """Return up to `n` of `valid`, most alike to `name` first."""
    by_folded = {v.casefold(): v for v in sorted(valid)}
    hits = difflib.get_close_matches(name.casefold(), by_folded, n=n, cutoff=0.4)
    return [by_folded[h] for h in hits]


def unknown(kind: str, name: str, valid: Iterable[str]) -> NotFoundError:
    """Return the error for an unknown `name` of a `kind`, naming the nearest valid ones."""
    names = sorted(valid)
    close = nearest(name, names)
    listed = ", ".join(names[:12]) + (f", … ({len(names)} in all)" if len(names) > 12 else "")
    hint = f" Did you mean {' or '.join(repr(c) for c in close)}?" if close else ""
    return NotFoundError(f"Unknown {kind} {name!r}.{hint} Valid: {listed or 'none yet'}.")
