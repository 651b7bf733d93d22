"""What writes the steps of a plan: tool calls in order, and what earlier ones have set up."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.data.values import Json

_STRICT_STEP_S = (
    0.001  # "longer than 10 s" where sessions last exactly 10 s: the tools' limits include
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One tool call to come.

    Attributes
    ----------
    late : argument name → what to take from earlier results once they are there, see offline_act
    """

    tool: str
    why: str
    args: dict[str, Any] = field(default_factory=dict)
    late: dict[str, str] = field(default_factory=dict)


@dataclass
class Planner:
    """Writes the steps of one query; remembers what earlier steps have set up already."""

    query: Query
    names: Names
    steps: list[Step] = field(default_factory=list)
    filters: dict[str, Any] = field(default_factory=dict)
    encoded: tuple[Any, ...] | None = None
    searched: list[Ask] = field(default_factory=list)
    told: Ask | None = None

    def add(self, tool: str, why: str, *, late: dict[str, str] | None = None, **args: Json) -> None:
        """Append a step; arguments that are None or empty are left out."""
        kept = {k: v for k, v in args.items() if v is not None and v != []}
        self.steps.append(Step(tool=tool, why=why, args=kept, late=late or {}))

    def open(self) -> None:
        """Open the data set, once a plan."""
        if not any(step.tool == "show_session_stats" for step in self.steps):
            self.add(
                "show_session_stats",
                "open the data and see what is there",
                dataset=self.query.dataset,
            )

    def narrow(self, ask: Ask, *, labels: bool = True) -> None:
        """Filter to what the ask is about; drop an earlier ask's filters that it does not share."""
        wanted: dict[str, Any] = {
            "labels": list(ask.labels) if labels else [],
            "sessions": list(ask.sessions),
            "subjects": list(ask.subjects),
            "split": ask.split,
            "start_s": ask.start_s or None,
            "end_s": ask.end_s,
            **self.limits(ask),
            **self.tail(ask),
            **dict(ask.calendar),
        }
        wanted = {k: v for k, v in wanted.items() if v not in (None, [])}
        if wanted == self.filters:
            return
        reset = True if set(self.filters) - set(wanted) else None
        self.filters = wanted
        self.add("filter_by_time", "keep only what is asked about", reset=reset, **wanted)

    def limits(self, ask: Ask) -> dict[str, float | None]:
        """Return the limits on durations; the tools' limits are inclusive, "longer than" is not."""
        low, high, known = ask.min_s, ask.max_s, self.names.duration_s
        if low is not None and ask.strict_min and low in known.values():
            low += _STRICT_STEP_S
        if high is not None and ask.strict_max and high in known.values():
            high -= _STRICT_STEP_S
        return {"min_duration_s": low, "max_duration_s": high}

    def tail(self, ask: Ask) -> dict[str, float]:
        """Return "the last n seconds": as a start where all sessions are of one length."""
        known = self.names.duration_s
        if ask.tail_s is None:
            return {}
        if not known or known["min"] != known["max"]:
            return {"tail_s": ask.tail_s}
        return {"start_s": max(0.0, known["max"] - ask.tail_s), "end_s": known["max"]}

    def encode(self, ask: Ask) -> None:
        """Choose tokenizer, windows and channels, unless an earlier ask did so in the same way."""
        ask = self.as_told(ask)
        channels = list(ask.channels) if ask.kind != "forecast" else []
        wanted = (ask.tokenizer, ask.window_s, ask.stride_s, ask.settings, tuple(channels))
        if self.encoded is not None and wanted in (self.encoded, (None, None, None, (), ())):
            return
        self.encoded = wanted
        self.add("select_tokenizer", "choose the frozen encoder", tokenizer=ask.tokenizer)
        self.configure(ask, "cut windows that fit the data")
        self.add("select_channels_for_encoding", "choose what the encoder sees", channels=channels)

    def as_told(self, ask: Ask) -> Ask:
        """Return the ask with what an earlier one said of encoder and windows, if it says none."""
        if self.told is None:
            return ask
        return replace(
            ask,
            tokenizer=ask.tokenizer or self.told.tokenizer,
            window_s=ask.window_s or self.told.window_s,
            stride_s=ask.stride_s or self.told.stride_s,
            settings=tuple({**dict(self.told.settings), **dict(ask.settings)}.items()),
        )

    def configure(self, ask: Ask, why: str) -> None:
        """Set windows and patches; patches overlap by half of what the first call makes them."""
        wanted = {"window_s": ask.window_s, "stride_s": ask.stride_s, **dict(ask.settings)}
        overlap = wanted.pop("overlap", None) is not None
        self.add("configure_tokenizer", why, **wanted)
        if overlap:
            why, late = "let patches overlap by half", {"patch_stride_s": "half_patch"}
            self.add("configure_tokenizer", why, late=late, **wanted)

    def head(self, ask: Ask, task: str, *, shots: int | None = None) -> None:
        """Choose the head, and its neighbours where a number of them is asked for."""
        name = ask.heads[0] if len(ask.heads) == 1 else None
        why = f"choose the head for the task {task!r}"
        self.add("select_task_head", why, task=task, head=name, labels_per_class=shots)
        if name == "knn" and ask.k:
            self.add("configure_head", "set what was asked for", params={"k": ask.k})

    def fresh(self) -> None:
        """Undo filters of an earlier ask before a head is fitted."""
        if self.filters:
            self.filters = {}
            self.add("filter_by_time", "work on all sessions again", reset=True)
