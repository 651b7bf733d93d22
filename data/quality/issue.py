"""One thing that may be wrong with a data set, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

IssueKind = Literal[
    "leak", "unit", "rate", "repeat", "stuck", "clipping", "overlap", "gap", "missing", "hole"
]
# kind → what it means, worst first
KINDS: dict[str, str] = {
    "leak": "one subject, or the same samples, in two splits",
    "unit": "values that do not fit the stated unit",
    "rate": "samples at another rate than stated",
    "repeat": "the same samples twice",
    "stuck": "one value repeated unusually long",
    "clipping": "resting at the lowest or highest value",
    "overlap": "two labels of a set at once",
    "gap": "time without samples",
    "missing": "values missing (NaN)",
    "hole": "time without a label",
    "unchecked": "what could not be checked",
}
LABEL_KINDS = frozenset({"overlap", "hole"})
SUBJECT_KINDS = frozenset({"leak"})


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What of a data set is looked at; the default is all of it.

    Parameters
    ----------
    sessions : ids; None = all
    channels : channel ids or modality names; None = all, and labels and subjects as well
    kinds : of `KINDS`; None = all
    start_s, end_s : seconds from session start; only samples and labels in between are looked at
    max_sessions : sessions whose samples are read, spread over those meant; None = all of them
    max_values : fewer sessions are read where they hold more values than this; None = no limit
    """

    sessions: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    kinds: frozenset[str] | None = None
    start_s: float = 0.0
    end_s: float | None = None
    max_sessions: int | None = None
    max_values: float | None = None

    def wants(self, kinds: frozenset[str]) -> bool:
        """Say whether any of these kinds is looked for: labels not where channels alone are."""
        if self.kinds is not None:
            return bool(kinds & self.kinds)
        return self.channels is None or not kinds <= LABEL_KINDS | SUBJECT_KINDS

    def end_in(self, duration_s: float) -> float:
        """Return where the part of a session that is looked at ends, seconds."""
        return duration_s if self.end_s is None else min(self.end_s, duration_s)


class Issue(BaseModel):
    """A finding on one session, or (after merging) on all sessions that show the same.

    `where` is a channel id, a modality, a label set or "subjects"; `value` is in `unit` and belongs
    to the worst session, as do `session_id`, `start_s` and `end_s` (seconds from session start).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    where: str
    text: str
    severity: Literal["problem", "note"] = "problem"
    n_sessions: int = Field(default=1, ge=0)
    session_id: str | None = None
    other_session: str | None = None
    start_s: float | None = None
    end_s: float | None = None
    value: float | None = None
    unit: str | None = None
