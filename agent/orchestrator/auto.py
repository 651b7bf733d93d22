"""The reader first, the trained orchestrator where the reader asks back: `--model auto`.

The reader is fast and rarely wrong, and leaves one question in ten to the person; of those the
orchestrator plans most rightly. Which of the two planned is said in the answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage

from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.model import OfflineModel, Prompt, read_prompt
from tool_use_om.agent.orchestrator.model import OrchestratorModel

BY = "orchestrator"


class AutoModel(OrchestratorModel):
    """Plans by the reader, and by the orchestrator what the reader would ask back about."""

    model: str = "auto"

    def _reply(
        self, messages: Sequence[BaseMessage], told: Callable[[str], Any] | None
    ) -> AIMessage:
        prompt = read_prompt(messages)
        if prompt.phase == "plan":
            read = OfflineModel().invoke(list(messages))
            return self._second(prompt, read, messages, told)
        if prompt.phase == "act" and not _by_orchestrator(prompt):
            return OfflineModel().invoke(list(messages), **self._tools_of(prompt))
        return super()._reply(messages, told)

    def _second(
        self,
        prompt: Prompt,
        read: AIMessage,
        messages: Sequence[BaseMessage],
        told: Callable[[str], Any] | None,
    ) -> AIMessage:
        """Return the reader's plan, or the orchestrator's where that one would only ask back."""
        found = json.loads(str(read.content))
        if found.get("steps") or not found.get("asks_back") or prompt.facts.get("earlier"):
            return read
        written = super()._reply(messages, told)
        plan = json.loads(str(written.content))
        if not plan.get("steps"):
            return read  # its own choices are better than none
        plan["understood"] = Query(by=BY).to_json()
        return written.model_copy(update={"content": json.dumps(plan, ensure_ascii=False)})

    @staticmethod
    def _tools_of(prompt: Prompt) -> dict[str, Any]:
        named = prompt.facts.get("tools") or ()
        return {"tools": [{"type": "function", "function": {"name": n}} for n in named]}


def _by_orchestrator(prompt: Prompt) -> bool:
    return (prompt.facts.get("understood") or {}).get("by") == BY
