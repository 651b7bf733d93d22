"""What a conversation keeps of the turn before: its frame."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AnyMessage, ToolMessage
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from tool_use_om.agent.offline.language.query import Query

_UNIT = re.compile(
    r"\d\s*(s|secs?|seconds?|mins?|minutes?|h|hrs?|hours?|days?|weeks?|months?|years?)\b",
    re.IGNORECASE,
)
_ANSWERED = frozenset({"answer", "partial"})
_RAN = frozenset({"run_task", "select_task_head"})


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Frame:
    """What later questions may lean on.

    Attributes
    ----------
    question : the last one that was answered
    understood : what it asked, as `Query.to_json` has it: data set, labels, sessions, subjects,
        channels, stretch, task, head, horizon
    head : the head that answered it, "" where none ran
    results : ids of what it found
    choices : questions offered by the turn before, where that turn asked back
    unit : of time, as it was last said: what "and the last 5" is in
    """

    question: str = ""
    understood: Mapping[str, Any] | None = None
    head: str = ""
    results: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    unit: str = ""

    @property
    def query(self) -> Query:
        """What was asked, empty before the first answer."""
        return Query.from_json(self.understood or {})

    def to_json(self) -> dict[str, Any]:
        """Return the frame as builtins, empty fields left out."""
        found = {
            "question": self.question,
            "understood": dict(self.understood or {}),
            "head": self.head,
            "results": list(self.results),
            "choices": list(self.choices),
            "unit": self.unit,
        }
        return {name: value for name, value in found.items() if value}

    @classmethod
    def from_json(cls, found: Mapping[str, Any] | None) -> Frame:
        """Return the frame that `to_json` wrote."""
        return cls(**dict(found or {}))


def next_frame(state: Mapping[str, Any], turn: Sequence[AnyMessage]) -> Frame:
    """Return the frame that a new question starts from.

    A turn that was refused or asked back leaves the frame as it was; what it offered is kept for
    one turn.

    Parameters
    ----------
    state : as the turn before left it
    turn : that turn's messages
    """
    if (state.get("understood") or {}).get("anew"):
        return Frame()
    before = Frame.from_json(state.get("frame"))
    choices = tuple(state.get("choices") or ())
    if state.get("outcome") in _ANSWERED and state.get("understood"):
        ran = [m for m in turn if isinstance(m, ToolMessage) and m.status != "error"]
        return Frame(
            question=str(state.get("question") or ""),
            understood=state["understood"],
            head=_head_of(ran),
            results=tuple(filter(None, (_id_of(m) for m in ran))),
            unit=_unit_in(str(state.get("question") or "")) or before.unit,
        )
    return Frame(
        question=before.question,
        understood=before.understood,
        head=before.head,
        results=before.results,
        choices=choices,
        unit=before.unit,
    )


def _unit_in(question: str) -> str:
    """Return the last unit of time that a question says behind a number, "" if none."""
    found = _UNIT.findall(question)
    return str(found[-1]) if found else ""


def _head_of(ran: Sequence[ToolMessage]) -> str:
    """Return the head of the last result that names one."""
    for message in reversed(ran):
        if message.name in _RAN and (head := _content(message).get("head")):
            return str(head)
    return ""


def _id_of(message: ToolMessage) -> str:
    return str(_content(message).get("result_id") or "")


def _content(message: ToolMessage) -> Mapping[str, Any]:
    try:
        found = json.loads(message.text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
