"""What the three phases hand to a model: the PHASE line and the JSON block of the system prompt."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

_PHASE = re.compile(r"\APHASE: (plan|act|interpret)\b")
_BLOCK = re.compile(r"```json\s*\n(.*)\n```", re.DOTALL)


@dataclass(frozen=True)
class Prompt:
    """The phase ("" = no prompt of ours), its facts, and the question."""

    phase: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    question: str = ""


def read_prompt(messages: Sequence[BaseMessage]) -> Prompt:
    """Return what the messages ask for; the question is the last human message."""
    question = next((_text(m) for m in reversed(messages) if isinstance(m, HumanMessage)), "")
    for message in messages:
        text = _text(message)
        if isinstance(message, SystemMessage) and (phase := _PHASE.match(text)):
            block = _BLOCK.search(text)
            facts = json.loads(block.group(1)) if block else {}
            return Prompt(phase.group(1), facts, question or str(facts.get("question", "")))
    return Prompt(question=question)


def _text(message: BaseMessage) -> str:
    return str(message.text)
