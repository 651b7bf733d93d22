"""One thing that may be wrong with a data set, as data."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

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
