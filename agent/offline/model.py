"""The offline chat model: deterministic, no network, no key.

It reads the phase prompts of `prompts` (plan, act, interpret): the plan comes from a real parser
(`parse`), the next call from the plan and the results so far, the answer from the results alone.
Anything else it is asked is answered with what it can do.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from tool_use_om.agent.offline.answer import interpret
from tool_use_om.agent.offline.forms.registry import plan_steps, unused_slots
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.next_call import next_call
from tool_use_om.agent.offline.planner import Step
from tool_use_om.agent.offline.reader.understand import understand
from tool_use_om.agent.offline.talk.follow import follow
from tool_use_om.agent.offline.talk.frame import Frame
from tool_use_om.agent.used import unmet
from tool_use_om.data.values import Untyped

_CHARS_A_TOKEN = 4
EXAMPLES = (
    "How many sessions are longer than 30 seconds and what channels are there?",
    "Compare the variance of the channels while running",
    "Find walking activities and predict the next 5 seconds of accelerometer data",
)


class OfflineModel(BaseChatModel):
    """Plans, calls tools and explains results by rules; the default model of the agent.

    Usage figures count four characters as a token, as this model has no text tokenizer.

    Parameters
    ----------
    model : its name, as runs record it
    version : of the rules; part of the identity of a run
    """

    model: str = "offline"
    version: str = "1"

    @property
    def _llm_type(self) -> str:
        return "tuom-offline"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model, "version": self.version}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Untyped,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with `tools` to call; it calls only those its plan needs."""
        formatted = [convert_to_openai_tool(tool) for tool in tools]
        chosen = {"tool_choice": tool_choice} if tool_choice else {}
        return self.bind(tools=formatted, **chosen, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - the text is JSON or short; nothing to stop
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - nothing to report
        **kwargs: Untyped,
    ) -> ChatResult:
        message = _reply(messages, kwargs.get("tools") or ())
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - as in _generate
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Untyped,
    ) -> Iterator[ChatGenerationChunk]:
        whole = _reply(messages, kwargs.get("tools") or ())
        for chunk in _chunks(whole):
            if run_manager:
                run_manager.on_llm_new_token(
                    str(chunk.content), chunk=ChatGenerationChunk(message=chunk)
                )
            yield ChatGenerationChunk(message=chunk)


def plan_of(
    question: str,
    cards: Sequence[Mapping[str, Any]],
    tools: Sequence[str] = (),
    frame: Mapping[str, Any] | None = None,
) -> tuple[Query, list[Step]]:
    """Return what a question was understood to ask, and the tool calls that answer it.

    Parameters
    ----------
    frame : what the turn before leaves to lean on, see `talk.frame`; None = a first question
    """
    if frame:
        query = follow(question, cards, Frame.from_json(frame), understand)
    else:
        query = understand(question, cards)
    return query, steps_of(query, cards, tools)


def steps_of(
    query: Query, cards: Sequence[Mapping[str, Any]], tools: Sequence[str] = ()
) -> list[Step]:
    """Return the tool calls that answer `query`; none where something asked for is not there."""
    if query.refused:
        return []  # an answer about something else would be worse than none
    return plan_steps(query, Names.of(cards, query.dataset), tools)


def _reply(messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]]) -> AIMessage:
    prompt = read_prompt(messages)
    calls: list[dict[str, Any]] = []
    if prompt.phase == "plan":
        text = json.dumps(_plan(prompt), ensure_ascii=False)
    elif prompt.phase == "interpret":
        text = json.dumps(interpret(prompt.facts), ensure_ascii=False)
    elif prompt.phase == "act":
        text, calls = "", _act(prompt, messages, tools)
    else:
        text = capabilities([], ())
    return _message(messages, text, calls)


def _plan(prompt: Prompt) -> dict[str, Any]:
    cards = prompt.facts.get("datasets") or []
    tools = prompt.facts.get("tools") or ()
    query, steps = plan_of(prompt.question, cards, tools, prompt.facts.get("earlier"))
    if steps:
        idle = unused_slots(query, Names.of(cards, query.dataset))
        query = replace(query, not_understood=(*query.not_understood, *idle))
    return {
        "steps": [{"tool": s.tool, "why": s.why} for s in steps],
        "not_understood": list(query.not_understood),
        "reply": None if steps else direct_words(query, cards),
        "asks_back": not steps and (bool(query.choices) or not query.refused),
        "understood": query.to_json(),
    }


def direct_reply(
    question: str, cards: Sequence[Mapping[str, Any]], tools: Sequence[str] = ()
) -> str:
    """Return our own words to a question that no tool is called for; empty if one is."""
    query, steps = plan_of(question, cards, tools)
    return "" if steps else direct_words(query, cards)


def direct_words(query: Query, cards: Sequence[Mapping[str, Any]]) -> str:
    """Return why a question is not answered, and what may be asked instead."""
    return unmet(query) or capabilities(cards, query.not_understood)


def _act(
    prompt: Prompt, messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    bound = [str(tool["function"]["name"]) for tool in tools if "function" in tool]
    allowed = bound or prompt.facts.get("tools") or ()
    cards = prompt.facts.get("datasets") or []
    carried = prompt.facts.get("understood")
    query = Query.from_json(carried) if carried else understand(prompt.question, cards)
    call = next_call(steps_of(query, cards, allowed), messages)
    if call is None:
        return []
    made = json.dumps(call, sort_keys=True)
    return [{"name": call[0], "args": call[1], "id": f"call_{_digest(messages, made)}"}]


def capabilities(cards: Sequence[Mapping[str, Any]], not_understood: Sequence[str]) -> str:
    """Return what to say when a question asks nothing these tools can answer."""
    about = (
        f"about the data set {cards[0]['name']}" if cards else "about recorded sessions of signals"
    )
    missed = ", ".join(f'"{phrase}"' for phrase in not_understood)
    lead = f"I did not understand {missed}. " if missed else ""
    examples = " ".join(f'"{example}"' for example in _examples(cards))
    return (
        f"{lead}I answer questions {about}: count and compare sessions and channels, find "
        "activities, forecast channels, search for similar or unusual stretches, compare heads. "
        f"For example: {examples}"
    )


def _examples(cards: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return questions that the data at hand can answer, as they stand."""
    names = Names.of(cards)
    if not names.channels:
        return EXAMPLES
    channel = names.channels[0]
    asked = (
        "How many sessions are there and what channels do they have?",
        f"What is the mean of {channel}?",
        *(f"Find {label}" for label in names.labels[:1]),
        f"Predict the next 5 seconds of {channel}",
    )
    return tuple(q for q in asked if plan_of(q, cards)[1])


def _message(
    messages: Sequence[BaseMessage], text: str, calls: Sequence[Mapping[str, Any]]
) -> AIMessage:
    said = text + "".join(json.dumps(c["args"]) + c["name"] for c in calls)
    return AIMessage(
        content=text,
        tool_calls=[{**c, "type": "tool_call"} for c in calls],
        id=f"offline-{_digest(messages, said)}",
        usage_metadata=_usage(messages, said),
        response_metadata={"model_name": "offline", "model_provider": "tool-use-om"},
    )


def _usage(messages: Sequence[BaseMessage], said: str) -> UsageMetadata:
    given = sum(len(str(message.text)) for message in messages)
    inward, outward = -(-given // _CHARS_A_TOKEN), -(-len(said) // _CHARS_A_TOKEN)
    return UsageMetadata(input_tokens=inward, output_tokens=outward, total_tokens=inward + outward)


def _digest(messages: Sequence[BaseMessage], text: str) -> str:
    """Return an id: the same for the same conversation and text, new for a longer one."""
    told = [(m.type, str(m.text), str(m.id)) for m in messages if m.type != "system"]
    return hashlib.sha256(json.dumps([told, text]).encode()).hexdigest()[:16]


def _chunks(message: AIMessage) -> Iterator[AIMessageChunk]:
    """Yield the message in pieces: its text word by word, then its calls, then the usage."""
    for piece in str(message.text).splitlines(keepends=True):
        yield AIMessageChunk(content=piece, id=message.id)
    for index, call in enumerate(message.tool_calls):
        chunk = tool_call_chunk(
            name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=index
        )
        yield AIMessageChunk(content="", id=message.id, tool_call_chunks=[chunk])
    yield AIMessageChunk(
        content="",
        id=message.id,
        usage_metadata=message.usage_metadata,
        response_metadata=message.response_metadata,
        chunk_position="last",
    )


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
