"""Do two parts of a data set look alike to the encoder? A two-sample test on tokens, by sessions.

Conformal promises hold for windows exchangeable with the calibration windows. This asks whether
they are: the energy distance between the two parts' windows, against what it is when whole sessions
are dealt to the parts at random. Windows of one session are alike, so dealing windows instead would
call every two sets of sessions different.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.heads.contract.checks import check_tokens
from tool_use_om.heads.contract.pooling import (
    Rows,
    fit_projection,
    pool,
    project,
    squared_distances,
)

if TYPE_CHECKING:
    from tool_use_om.tokenizers.tokens import Tokens

Array = np.ndarray
FEWEST_SESSIONS = 4  # in each part: below, no result can be unlikely
LEVEL = 0.05
_MAX_DIMS = 32
_WINDOWS_A_SESSION = 8
_MOST_SESSIONS = 300


@dataclass(frozen=True, kw_only=True)
class Drift:
    """Whether two parts differ, and how sure one can be.

    Parameters
    ----------
    distance : energy distance between the parts, in units of the spread within them
    p_value : share of deals of the sessions that lie as far apart or farther
    n_first, n_second : sessions compared
    n_permutations : deals tried
    """

    distance: float
    p_value: float
    n_first: int
    n_second: int
    n_permutations: int

    @property
    def found(self) -> bool:
        """Whether the difference is unlikely to be chance, at the level 0.05."""
        return self.p_value <= LEVEL


def drift_test(first: Tokens, second: Tokens, *, n_permutations: int = 499, seed: int = 0) -> Drift:
    """Test whether the sessions of `first` and `second` are exchangeable.

    Parameters
    ----------
    first, second : Tokens of the same channels and encoder, no session in both; of a session at
        most 8 windows, evenly spaced, and of a part at most 300 sessions are compared

    Raises
    ------
    DataError : fewer than four sessions in a part, other channels, or a session in both

    Source: Székely and Rizzo (2004), energy distance; the permutation of whole sessions keeps the
    level exact when sessions are exchangeable.
    """
    for tokens in (first, second):
        check_tokens(tokens)
    if first.channels != second.channels:
        raise DataError("Drift is tested between tokens of the same channels.")
    if set(first.session_ids) & set(second.session_ids):
        raise DataError("A session is in both parts: drift is tested between disjoint sessions.")
    rng = np.random.default_rng(seed)
    rows, sessions, n_first = _thinned(first, second)
    n_sessions = int(sessions.max()) + 1
    if min(n_first, n_sessions - n_first) < FEWEST_SESSIONS:
        raise DataError(
            f"Drift is tested with at least {FEWEST_SESSIONS} sessions in each part, got "
            f"{n_first} and {n_sessions - n_first}."
        )
    between = _session_distances(rows, sessions, n_sessions)
    deals = np.zeros((n_permutations + 1, n_sessions))
    deals[0, :n_first] = 1.0
    for row in deals[1:]:
        row[rng.permutation(n_sessions)[:n_first]] = 1.0
    distance = _energy(between, deals)
    return Drift(
        distance=float(distance[0] / max(float(between.mean()), 1e-12)),
        p_value=float((distance >= distance[0] - 1e-12).sum() / len(distance)),
        n_first=n_first,
        n_second=n_sessions - n_first,
        n_permutations=n_permutations,
    )


def _thinned(first: Tokens, second: Tokens) -> tuple[Array, Array, int]:
    """Return projected windows (n, d), their session numbers (n,), and how many are `first`'s."""
    pooled, numbers, before = [], [], 0
    for tokens in (first, second):
        index, number = _few_windows(np.asarray(tokens.session_ids, dtype=np.str_))
        pooled.append(pool(tokens.select(index), "stats", context=True))
        numbers.append(number + before)
        before += int(number.max()) + 1
    values = np.concatenate([rows.values for rows in pooled])
    rows = Rows(values=values, n_context=pooled[0].n_context)
    shift, matrix = fit_projection(rows, _MAX_DIMS)
    return project(values, shift, matrix), np.concatenate(numbers), int(numbers[0].max()) + 1


def _few_windows(session_ids: Array) -> tuple[Array, Array]:
    """Return window indices and session numbers: evenly spaced sessions and windows of each."""
    names = np.unique(session_ids)
    names = names[_spaced(len(names), _MOST_SESSIONS)]
    own = [np.flatnonzero(session_ids == name) for name in names]
    kept = [rows[_spaced(len(rows), _WINDOWS_A_SESSION)] for rows in own]
    return np.concatenate(kept), np.repeat(np.arange(len(kept)), [len(k) for k in kept])


def _spaced(n: int, most: int) -> Array:
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64))


def _session_distances(rows: Array, sessions: Array, n_sessions: int) -> Array:
    """Return (S, S) mean distances between the windows of two sessions; 0 on the diagonal."""
    member = np.zeros((n_sessions, len(rows)))
    member[sessions, np.arange(len(rows))] = 1.0
    member /= member.sum(axis=1, keepdims=True)
    between: Array = member @ np.sqrt(squared_distances(rows, rows)) @ member.T
    np.fill_diagonal(between, 0.0)
    return between


def _energy(between: Array, deals: Array) -> Array:
    """Return the energy distance (P,) of each deal (P, S); pairs of different sessions only."""
    n_first = deals.sum(axis=1)
    n_second = deals.shape[1] - n_first
    inside = np.einsum("ps,st,pt->p", deals, between, deals, optimize=True)
    outside = np.einsum("ps,st,pt->p", 1.0 - deals, between, 1.0 - deals, optimize=True)
    across = np.einsum("ps,st,pt->p", deals, between, 1.0 - deals, optimize=True)
    within = inside / (n_first * (n_first - 1.0)) + outside / (n_second * (n_second - 1.0))
    energy: Array = 2.0 * across / (n_first * n_second) - within
    return energy
