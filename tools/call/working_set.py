"""What the run has chosen so far: the state that one tool call leaves for the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class EncodingSettings(BaseModel):
    """How windows are cut for the tokenizer, in seconds and hertz."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    window_s: float
    stride_s: float
    target_rate_hz: float | None = None
    patch_s: float | None = None
    patch_stride_s: float | None = None
    fusion: Literal["common", "per_modality"] = "common"
    super_s: float | None = None
    resolutions: Literal[1, 2] | None = None
    context_features: bool | tuple[str, ...] = True


class WorkingSet(BaseModel):
    """The data, the models and the last result of a run; every tool gets one and returns one.

    `tail_s` keeps the last seconds of each session; `hours` (0-23), `weekdays` (0 = Monday),
    `months` (1-12) and dates (ISO, both included) keep parts of the calendar.
    `given_labels` is the id of the result that holds the labels a person gave during the run.

    An empty tuple (or None) of a filter means "all". `changed` names the fields the last call set,
    so that two calls made at the same time can both be kept (see `merge_working_sets`).
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
    split: str | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None
    tokenizer: str | None = None
    tokenizer_config: EncodingSettings | None = None
    encoding_channels: tuple[str, ...] = ()
    task: str | None = None
    head: str | None = None
    head_params: dict[str, Any] = Field(default_factory=dict)
    given_labels: str | None = None
    last_result_id: str | None = None
    changed: tuple[str, ...] = ()

    @classmethod
    def of(cls, state: Mapping[str, Any] | WorkingSet | None) -> WorkingSet:
        """Return the working set of a graph state entry; a missing one is empty."""
        return state if isinstance(state, cls) else cls.model_validate(dict(state or {}))

    def to_state(self) -> dict[str, Any]:
        """Return builtins only, as the graph state keeps them."""
        return self.model_dump(mode="json")

    def but(self, **fields: object) -> WorkingSet:
        """Return a copy with `fields` set, and noted in `changed`."""
        changed = tuple(sorted({*self.changed, *fields}))
        return self.model_validate({**self.model_dump(), **fields, "changed": changed})

    def fresh(self) -> WorkingSet:
        """Return a copy that has changed nothing yet: what a tool call starts from."""
        return self.model_copy(update={"changed": ()})


def merge_working_sets(old: dict[str, Any] | None, new: dict[str, Any] | None) -> dict[str, Any]:
    """Reduce two states of the working set: only the fields `new` changed replace those of `old`.

    As the reducer of a graph's `working_set` key it makes parallel tool calls safe.
    """
    if not old or not new or "changed" not in new:
        return dict(new or old or {})
    return {**old, **{key: new[key] for key in new["changed"]}, "changed": new["changed"]}
