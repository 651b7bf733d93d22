"""The trained orchestrator as a chat model of the graph: `--model orchestrator`.

It plans and chooses the calls; the answer's words are written by the rules, from the results alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

from tool_use_om.agent.offline.answer import interpret
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.model import Prompt, capabilities, read_prompt
from tool_use_om.agent.offline.next_call import next_call
from tool_use_om.agent.offline.planner import Step
from tool_use_om.agent.offline.reader.forms import REFUSED
from tool_use_om.agent.orchestrator.grammar import plan_schema
from tool_use_om.agent.orchestrator.protocol import Plan, digest, prompt_of, read_plan
from tool_use_om.agent.orchestrator.steps import complete, why
from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Untyped
from tool_use_om.tools.registry import TOOLS


class Writer(Protocol):
    """What writes plans: a `Decoder`, or another runtime of the same weights."""

    tokens_in: int
    tokens_out: int

    def write(self, prompt: str, schema: Mapping[str, Any] | None) -> Iterator[str]:
        """Yield the answer to a prompt piece by piece, held to the schema."""
        ...


class OrchestratorModel(BaseChatModel):
    """Plans by a small fine-tuned model, held to the tools and to the data's own names.

    Parameters
    ----------
    writer : what writes plans
    model : its name, as runs record it
    """

    model: str = "orchestrator"
    writer: Any = Field(exclude=True, repr=False)
    plans: dict[str, Plan] = Field(default_factory=dict, exclude=True, repr=False)

    @property
    def _llm_type(self) -> str:
        return "tuom-orchestrator"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Untyped,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with `tools` to call; no other can be written."""
        if tool_choice not in (None, "auto"):
            raise DataError(f"The orchestrator cannot be forced to call a tool: {tool_choice!r}.")
        return self.bind(tools=[convert_to_openai_tool(t) for t in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - JSON ends by itself
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Untyped,
    ) -> ChatResult:
        del kwargs
        told = run_manager.on_llm_new_token if run_manager else None
        return ChatResult(generations=[ChatGeneration(message=self._reply(messages, told))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - as in _generate
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Untyped,
    ) -> Iterator[ChatGenerationChunk]:
        del kwargs
        told = run_manager.on_llm_new_token if run_manager else None
        whole = self._reply(messages, told)
        yield ChatGenerationChunk(
            message=AIMessageChunk(
                content=whole.content,
                id=whole.id,
                tool_calls=whole.tool_calls,
                usage_metadata=whole.usage_metadata,
                chunk_position="last",
            )
        )

    def _reply(
        self, messages: Sequence[BaseMessage], told: Callable[[str], Any] | None
    ) -> AIMessage:
        prompt = read_prompt(messages)
        if prompt.phase == "interpret":
            return _message(messages, json.dumps(interpret(prompt.facts), ensure_ascii=False))
        if prompt.phase == "act":
            return self._act(prompt, messages, told)
        if prompt.phase == "plan":
            plan = self._plan(prompt, told=told)
            found = as_reply(plan, prompt.question, _cards(prompt))
            said = json.dumps(found, ensure_ascii=False)
            return _message(messages, said, usage=self._usage())
        return _message(messages, capabilities([], ()))

    def _act(
        self, prompt: Prompt, messages: Sequence[BaseMessage], told: Callable[[str], Any] | None
    ) -> AIMessage:
        """Return the next call; after an error that names alone do not mend, one of a new plan."""
        steps = steps_of(self._plan(prompt, told=told))
        call = next_call(steps, messages)
        failed = _failed(messages)
        if call is None and len(failed) == 1:
            last = messages[-1]
            tool, text = str(last.name), str(last.content)
            again = self._plan(prompt, last=digest(tool, text), told=told)
            call = next((c for c in _calls(again) if c[0] == tool and c[1] != failed[0]), None)
        if call is None:
            return _message(messages, "")
        made = {"name": call[0], "args": call[1], "id": f"call_{_digest(messages, str(call))}"}
        return _message(messages, "", calls=[made], usage=self._usage())

    def _plan(
        self, prompt: Prompt, *, last: str = "", told: Callable[[str], Any] | None = None
    ) -> Plan:
        cards = about(prompt.question, _cards(prompt))
        asked = prompt_of(prompt.question, cards[0] if cards else {}, last=last)
        if asked not in self.plans:
            tools = [t for t in prompt.facts.get("tools") or TOOLS if t in TOOLS]
            schema = plan_schema(prompt.question, cards, tools)
            pieces = []
            for piece in self.writer.write(asked, schema):
                pieces.append(piece)
                if told:
                    told(piece)
            self.plans.clear()  # one question at a time; the next has other cards
            self.plans[asked] = read_plan("".join(pieces))
        return self.plans[asked]

    def _usage(self) -> UsageMetadata:
        inward, outward = int(self.writer.tokens_in), int(self.writer.tokens_out)
        return UsageMetadata(
            input_tokens=inward, output_tokens=outward, total_tokens=inward + outward
        )


def about(question: str, cards: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the cards, that of the set the question names first."""
    named = Names.of(cards).dataset_named(question) if cards else None
    return sorted(cards, key=lambda card: card.get("name") != named) if named else list(cards)


def steps_of(plan: Plan) -> list[Step]:
    """Return the steps of a plan, those that say nothing of the question put back."""
    return [
        Step(
            tool=call.tool,
            why=why(call.tool),
            args={k: v for k, v in call.args.items() if not _late(v)},
            late={k: str(v)[1:] for k, v in call.args.items() if _late(v)},
        )
        for call in complete(plan.calls)
    ]


def _calls(plan: Plan) -> list[tuple[str, dict[str, Any]]]:
    return [(s.tool, s.args) for s in steps_of(plan) if not s.late]


def _late(value: object) -> bool:
    return isinstance(value, str) and value.startswith("@")


def as_reply(plan: Plan, question: str, cards: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the plan in the form of the plan phase: steps, or why there are none.

    What is said instead of an answer is in our own words; the model only chose among them.
    """
    if plan.calls:
        return {"steps": [{"tool": s.tool, "why": s.why} for s in steps_of(plan)]}
    said = words_of(plan, cards)
    query = Query(refused=(said,), choices=choices(plan, question))
    return {
        "steps": [],
        "reply": said,
        "asks_back": bool(plan.ask),
        "understood": query.to_json(),
    }


def choices(plan: Plan, question: str) -> tuple[str, ...]:
    """Return the question with each name that may be meant in the place of the word that fits."""
    word = re.escape(plan.ask or "")
    if not plan.options or not re.search(word, question, re.IGNORECASE):
        return ()
    return tuple(
        re.sub(word, lambda _, name=name: name, question, count=1, flags=re.IGNORECASE)  # type: ignore[misc]
        for name in plan.options
    )


def words_of(plan: Plan, cards: Sequence[Mapping[str, Any]]) -> str:
    """Return what is said instead of an answer: the question back, what is lacking, a refusal."""
    if plan.lacks:
        return f'The data hold nothing called "{plan.lacks}". {_held(cards)}'.strip()
    if plan.options:
        return f'"{plan.ask}" may mean {" or ".join(plan.options)}: which one is meant?'
    if plan.ask:
        return f"Which {plan.ask} is meant? {_held(cards)}".strip()
    return REFUSED[plan.refuse or "irrelevant"]


def _held(cards: Sequence[Mapping[str, Any]]) -> str:
    names = Names.of(cards)
    parts = [
        f"{kind}: {', '.join(known[:6])}{' …' if len(known) > 6 else ''}"
        for kind, known in (("channels", names.channels), ("labels", names.labels))
        if known
    ]
    return f"There are {'; '.join(parts)}." if parts else ""


def _cards(prompt: Prompt) -> list[Mapping[str, Any]]:
    return list(prompt.facts.get("datasets") or [])


def _failed(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """Return the arguments of the calls at the end of the conversation that failed in a row."""
    found: list[dict[str, Any]] = []
    made = {
        str(c["id"]): dict(c["args"])
        for m in messages
        if isinstance(m, AIMessage)
        for c in m.tool_calls
    }
    for message in reversed(messages):
        if isinstance(message, ToolMessage):
            if message.status != "error":
                break
            found.append(made.get(str(message.tool_call_id), {}))
    return found


def _message(
    messages: Sequence[BaseMessage],
    text: str,
    *,
    calls: Sequence[Mapping[str, Any]] = (),
    usage: UsageMetadata | None = None,
) -> AIMessage:
    return AIMessage(
        content=text,
        tool_calls=[{**c, "type": "tool_call"} for c in calls],
        id=f"orchestrator-{_digest(messages, text + str(calls))}",
        usage_metadata=usage or UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0),
        response_metadata={"model_name": "orchestrator", "model_provider": "tool-use-om"},
    )


def _digest(messages: Sequence[BaseMessage], text: str) -> str:
    told = [(m.type, str(m.text), str(m.id)) for m in messages if m.type != "system"]
    return hashlib.sha256(json.dumps([told, text]).encode()).hexdigest()[:16]
