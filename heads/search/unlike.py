"""Which session is least like the others: whole sessions compared by their windows' tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.heads.contract.checks import check_tokens
from tool_use_om.heads.contract.pooling import fit_projection, pool, project, squared_distances

if TYPE_CHECKING:
    from tool_use_om.tokenizers.tokens import Tokens

Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class SessionDistance:
    """How far one session lies from the others.

    Parameters
    ----------
    distance : median distance of this session's mean window to the other sessions' mean windows
    nearest_session : the other session most like it
    n_windows : windows the session's mean was taken over
    """

    session_id: str
    distance: float
    nearest_session: str
    n_windows: int


@dataclass(frozen=True, kw_only=True)
class SessionRanking:
    """Sessions, the most unlike first; the last one is the medoid, the most typical."""

    rows: tuple[SessionDistance, ...]

    @property
    def most_unlike(self) -> SessionDistance:
        """The session least like the others."""
        return self.rows[0]

    @property
    def most_typical(self) -> SessionDistance:
        """The session in the middle of the others."""
        return self.rows[-1]


def rank_sessions(
    tokens: Tokens, *, pooling: str = "stats", context: bool = True, max_dims: int = 64
) -> SessionRanking:
    """Rank the sessions in `tokens` by how unlike the others they are.

    Select the windows of one label first to ask which of its sessions stands out.

    Raises
    ------
    DataError : fewer than three sessions, for between two neither is the odd one
    """
    check_tokens(tokens)
    sessions = np.array(tokens.session_ids, dtype=np.str_)
    names = np.unique(sessions)
    if len(names) < 3:
        raise DataError(
            f"Ranking sessions by unlikeness needs at least three, got {len(names)}. "
            "Select more sessions."
        )
    rows = pool(tokens, pooling, context=context)
    shift, matrix = fit_projection(rows, max_dims)
    points = project(rows.values, shift, matrix)
    centres = np.stack([points[sessions == name].mean(axis=0) for name in names])
    apart = np.sqrt(squared_distances(centres, centres))
    np.fill_diagonal(apart, np.nan)
    typical = np.nanmedian(apart, axis=1)
    return SessionRanking(
        rows=tuple(
            SessionDistance(
                session_id=str(names[i]),
                distance=float(typical[i]),
                nearest_session=str(names[int(np.nanargmin(apart[i]))]),
                n_windows=int((sessions == names[i]).sum()),
            )
            for i in np.argsort(-typical, kind="stable")
        )
    )
