"""What a run carries from node to node: builtins and messages, so that any saver can keep it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolCall, ToolMessage
from langgraph.graph.message import add_messages
from langgraph.managed import RemainingSteps
from typing_extensions import TypedDict


def append_unique(old: Sequence[str] | None, new: Sequence[str] | None) -> list[str]:
    """Return `old` followed by those of `new` that it lacks, in their order."""
    return list(dict.fromkeys([*(old or ()), *(new or ())]))


class AgentInput(TypedDict, total=False):
    """What a caller sends: `messages` (the last human one is asked), or just a `question`."""

    messages: Annotated[list[AnyMessage], add_messages]
    question: str


class AgentState(TypedDict, total=False):
    """The whole state. Every value is made of str, int, float, bool, None, list, dict, messages.

    Attributes
    ----------
    messages : the conversation, tool calls and results included; the answer is its last message
    question : what is being answered
    plan : steps ``{"tool", "why"}`` as the model wrote them
    understood : what the question was parsed to ask, as `Query.to_json` has it; empty where the
        model does not parse
    not_understood : phrases of the question that nothing has used so far
    choices : questions that may have been meant instead, each as it can be sent
    frame : what the turn before leaves for this question to lean on, see `offline.talk.frame`
    datasets : cards of the data sets the question may be about
    working_set : data set, channels, times, tokenizer and head chosen so far (see tools)
    result_ids : ids of all stored results of the thread, in order, each once
    findings : the values the answer shows ``{"statement", "value", "unit", "source"}``
    draft : what the model wrote last, in the form of answers: ``{"prose", "claims", "readable",
        "by_rules"}``
    answer : the prose, every reference resolved and every claim evaluated
    outcome : "answer", "partial", "refusal", "question" (asked back) or "unreadable"
    verification : what was checked, sent back and cut, and which sentences are the model's own
    rounds : how often the model has been asked to interpret this question's results
    stopped : why no more tools were called, where a limit was the reason; else empty
    """

    messages: Annotated[list[AnyMessage], add_messages]
    question: str
    plan: list[dict[str, Any]]
    understood: dict[str, Any]
    not_understood: list[str]
    choices: list[str]
    frame: dict[str, Any]
    datasets: list[dict[str, Any]]
    working_set: dict[str, Any]
    result_ids: Annotated[list[str], append_unique]
    findings: list[dict[str, Any]]
    draft: dict[str, Any]
    answer: str
    outcome: str
    verification: dict[str, Any]
    rounds: int
    stopped: str
    remaining_steps: RemainingSteps


class AgentOutput(TypedDict, total=False):
    """What a run gives back; `messages` are in it so that Studio can show the conversation."""

    messages: Annotated[list[AnyMessage], add_messages]
    question: str
    plan: list[dict[str, Any]]
    not_understood: list[str]
    choices: list[str]
    working_set: dict[str, Any]
    result_ids: Annotated[list[str], append_unique]
    findings: list[dict[str, Any]]
    answer: str
    outcome: str
    verification: dict[str, Any]


def this_turn(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """Return the messages since the last human one, that one included."""
    start = max((i for i, m in enumerate(messages) if isinstance(m, HumanMessage)), default=0)
    return list(messages[start:])


def answered(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """Return the messages with each unanswered tool call answered as such; [] if none is open.

    A person who asks something else instead of giving labels leaves such a call behind, and so may
    a caller's own history; strict providers refuse every later question of such a thread.
    """
    given = {m.tool_call_id for m in messages if isinstance(m, ToolMessage)}
    out: list[AnyMessage] = []
    for message in messages:
        calls = message.tool_calls if isinstance(message, AIMessage) else ()
        out += [message, *(_not_answered(c) for c in calls if c["id"] not in given)]
    return out if len(out) > len(messages) else []


def _not_answered(call: ToolCall) -> ToolMessage:
    said = "Error: not answered; the conversation went on with another question."
    return ToolMessage(said, tool_call_id=call["id"], name=call["name"], status="error")


def earlier_turn(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """Return the last turn that has been answered: a new question behind it is left out."""
    asked = bool(messages) and isinstance(messages[-1], HumanMessage)
    return this_turn(messages[:-1] if asked else messages)


def tool_messages(messages: Sequence[AnyMessage]) -> list[ToolMessage]:
    """Return this turn's tool results, in order, failed ones included."""
    return [m for m in this_turn(messages) if isinstance(m, ToolMessage)]
