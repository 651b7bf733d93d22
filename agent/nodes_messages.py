"""What the nodes read from the conversation and add to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from tool_use_om.agent.state import AgentState, this_turn, tool_messages


def take_question(state: AgentState) -> tuple[str, list[AnyMessage]]:
    """Return the question and the messages to add.

    A human message that nothing has answered yet is the question; else the `question` field is,
    and is added to the conversation.
    """
    messages = state.get("messages") or []
    if messages and isinstance(messages[-1], HumanMessage):
        return messages[-1].text.strip(), []
    question = (state.get("question") or "").strip()
    return question, [HumanMessage(question)] if question else []


def results_of(messages: Sequence[AnyMessage]) -> list[dict[str, Any]]:
    """Return this turn's tool calls with what came back, as the interpret prompt shows them."""
    calls = {
        call["id"]: call
        for message in this_turn(messages)
        if isinstance(message, AIMessage)
        for call in message.tool_calls
    }
    return [_result(calls.get(m.tool_call_id), m) for m in tool_messages(messages)]


def _result(call: Any, message: ToolMessage) -> dict[str, Any]:  # noqa: ANN401 - a ToolCall or None
    text = message.text
    try:
        content = json.loads(text)
    except ValueError:
        content = {"error": text} if message.status == "error" else {"text": text}
    artifact = message.artifact if isinstance(message.artifact, dict) else {}
    named = content.pop("result_id", None) if isinstance(content, dict) else None
    return {
        "result_id": artifact.get("result_id") or named,
        "tool": message.name or (call or {}).get("name"),
        "args": (call or {}).get("args") or {},
        "content": content,
    }


def one_call(reply: AIMessage, messages: Sequence[AnyMessage]) -> AIMessage:
    """Return `reply` with its first tool call only, under ids new to the conversation."""
    call = dict(reply.tool_calls[0])
    dropped = {c["id"] for c in reply.tool_calls[1:]}
    known_calls = {c["id"] for m in messages if isinstance(m, AIMessage) for c in m.tool_calls}
    if not call["id"] or call["id"] in known_calls:
        call["id"] = f"call-{len(messages)}-{call['id'] or call['name']}"
    extra = {k: v for k, v in reply.additional_kwargs.items() if k != "tool_calls"}
    content = reply.content
    if isinstance(content, list):
        content = [b for b in content if not (isinstance(b, dict) and b.get("id") in dropped)]
    known = reply.id is not None and any(m.id == reply.id for m in messages)
    return AIMessage(
        content=content,
        tool_calls=[call],
        additional_kwargs=extra,
        response_metadata=reply.response_metadata,
        usage_metadata=reply.usage_metadata,
        id=None if known else reply.id,
        name=reply.name,
    )
