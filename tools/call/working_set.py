"""What the run has chosen so far: the state that one tool call leaves for the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tool_use_om.data.format.schema import Split
from tool_use_om.heads.contract.spec import Task
from tool_use_om.tokenizers.spec import Precision
from tool_use_om.tokenizers.windows.config import TokenizerConfig


class WorkingSet(BaseModel):
    """The data, the models and the last result of a run; every tool gets one and returns one.

    `tail_s` keeps the last seconds of each session; `hours` (0-23), `weekdays` (0 = Monday),
    `months` (1-12) and dates (ISO, both included) keep parts of the calendar.
    `given_labels` is the id of the result that holds the labels a person gave during the run.

    An empty tuple (or None) of a filter means "all".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str | None = None
    channels: tuple[str, ...] = ()
    sessions: tuple[str, ...] | None = None
    start_s: float | None = None
    end_s: float | None = None
    tail_s: float | None = None
    hours: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    first_date: str | None = None
    last_date: str | None = None
    labels: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    split: Split | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None
    tokenizer: str | None = None
    precision: Precision = "float32"
    tokenizer_config: TokenizerConfig | None = None
    encoding_channels: tuple[str, ...] = ()
    task: Task | None = None
    head: str | None = None
    head_params: dict[str, Any] = Field(default_factory=dict)
    given_labels: str | None = None
    last_result_id: str | None = None

    @classmethod
    def of(cls, state: Mapping[str, Any] | WorkingSet | None) -> WorkingSet:
        """Return the working set of a graph state entry; a missing one is empty."""
        return state if isinstance(state, cls) else cls.model_validate(dict(state or {}))

    def to_state(self) -> dict[str, Any]:
        """Return builtins only, as the graph state keeps them."""
        return self.model_dump(mode="json")

    def but(self, **fields: object) -> WorkingSet:
        """Return a copy with `fields` set."""
        return self.model_validate({**self.model_dump(), **fields})
