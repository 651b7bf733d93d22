"""The nodes of the agent's graph: plan, act, tools, interpret, verify.

What an answer is, and what becomes of a model's draft of one, is in `answering`.

All are synchronous on purpose: a server runs such nodes in threads, so that torch never blocks its
event loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage, ToolMessage
from langchain_core.tools import BaseTool
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.prebuilt import ToolNode
from langgraph.runtime import Runtime
from langgraph.types import Command

from tool_use_om.agent.answering import (
    EMPTY_QUESTION,
    check_draft,
    final_update,
    report_of,
    results_of,
    too_long,
)
from tool_use_om.agent.cards import dataset_cards
from tool_use_om.agent.context import AgentContext, coerce_context
from tool_use_om.agent.models.resolve import ask, resolve_model
from tool_use_om.agent.offline.model import OfflineModel
from tool_use_om.agent.offline.talk.frame import next_frame
from tool_use_om.agent.prompts import act_prompt, interpret_prompt, plan_prompt
from tool_use_om.agent.replies import InterpretReply, PlanReply, ask_for
from tool_use_om.agent.state import AgentState, answered, earlier_turn, tool_messages
from tool_use_om.agent.used import leftover, unmet
from tool_use_om.data.values import Untyped
from tool_use_om.tools.langchain import handle_tool_error

# interpret, verify, and once more both: what must still be possible after the last tool call
_STEPS_TO_ANSWER = 6
# models of ours, whose plans hold what rules parsed; of another model these would be its own words
_PARSING = frozenset({"tuom-offline", "tuom-orchestrator"})
MAX_ROUNDS = 2
MAX_QUESTION = 10_000  # characters; a longer one is no question but a document


class Nodes:
    """The agent's steps, over one set of tools.

    Parameters
    ----------
    tools : the tools the model may call
    model : BaseChatModel or None; None = the model the run's context names
    """

    def __init__(
        self,
        tools: Sequence[BaseTool],
        *,
        model: BaseChatModel | None = None,
    ) -> None:
        self._tools = list(tools)
        self._names = [tool.name for tool in tools]
        self._model = model
        self._tool_node = ToolNode(self._tools, handle_tool_errors=handle_tool_error)

    def plan(self, state: AgentState, runtime: Runtime[AgentContext]) -> dict[str, Any]:
        """Take the question, forget the last one's answer, and have the steps written."""
        report = _progress(runtime)
        report({"phase": "plan", "done": 0, "total": None, "unit": "steps"})  # before what is slow
        question, messages = take_question(state)
        frame = next_frame(state, earlier_turn(state.get("messages") or [])).to_json()
        update: dict[str, Any] = {**_FRESH, "question": question, "messages": messages}
        if mended := answered(state.get("messages") or []):
            update["messages"] = [RemoveMessage(REMOVE_ALL_MESSAGES), *mended, *messages]
        update["frame"] = frame
        if not question:
            return update | {"answer": EMPTY_QUESTION, "outcome": "question"}
        if len(question) > MAX_QUESTION:
            return update | {
                "question": question[:MAX_QUESTION],
                **too_long(question, MAX_QUESTION),
            }
        context = coerce_context(runtime.context)
        cards = dataset_cards(context, question, report)
        prompt = plan_prompt(datasets=cards, working_set={}, tools=self._names, earlier=frame)
        asked = [prompt, HumanMessage(question)]
        reply, _ = ask_for(self._model_for(context), asked, PlanReply, phase="plan")
        reply = reply or PlanReply()  # a model that cannot write a plan may still call tools well
        if self._model_for(context)._llm_type not in _PARSING:  # noqa: SLF001 - how models are told apart
            reply = reply.model_copy(update={"understood": None})
        steps = [s.model_dump() for s in reply.steps if s.tool in self._names]
        return update | {"datasets": cards} | judged(question, cards, reply, steps)

    def act(self, state: AgentState, runtime: Runtime[AgentContext]) -> dict[str, Any]:
        """Have one tool call chosen, or none when the model is done or a limit is reached."""
        context = coerce_context(runtime.context)
        if stopped := _limit(state, context):
            return {"stopped": stopped}
        prompt = act_prompt(
            datasets=state.get("datasets") or [],
            working_set=state.get("working_set") or {},
            plan=state.get("plan") or [],
            tools=self._names,
            understood=state.get("understood") or {},
        )
        messages = state["messages"]
        model = self._model_for(context)
        reply = ask(model, [prompt, *messages], phase="act", tools=self._tools)
        return {"messages": [one_call(reply, messages)]} if reply.tool_calls else {}

    def tools(self, state: AgentState, runtime: Runtime[AgentContext]) -> dict[str, Any]:
        """Run the tool call; an error the model can mend becomes its result, others stop it all."""
        call = _last_call(state)
        runtime.stream_writer({"step": {"tool": call["name"], "args": call["args"]}})
        started = time.perf_counter()
        output = self._tool_node.invoke(state)
        return _timed(_merged(output), time.perf_counter() - started)

    def interpret(self, state: AgentState, runtime: Runtime[AgentContext]) -> dict[str, Any]:
        """Have the results explained as findings and prose."""
        rejected = (state.get("verification") or {}).get("rejected") or []
        prompt = interpret_prompt(
            question=state["question"],
            results=results_of(state["messages"]),
            rejected=rejected,
            not_understood=state.get("not_understood") or [],
            understood=state.get("understood") or {},
        )
        model = self._model_for(coerce_context(runtime.context))
        asked = [prompt, HumanMessage(state["question"])]
        reply, _ = ask_for(model, asked, InterpretReply, phase="interpret")
        draft = {
            "prose": reply.prose if reply else "",
            "claims": list(reply.claims) if reply else [],
            "readable": reply is not None,
            "by_rules": isinstance(model, OfflineModel),
        }
        return {"draft": draft, "rounds": state.get("rounds", 0) + 1}

    def verify(self, state: AgentState, runtime: Runtime[AgentContext]) -> dict[str, Any]:  # noqa: ARG002 - a node's signature
        """Resolve and check the draft; send what is refused back once, then cut it and finish."""
        checked = check_draft(state, results_of(state["messages"]), self._names)
        rounds = state.get("rounds", 0)
        if not checked.ok and 0 < rounds < MAX_ROUNDS:
            return {"verification": report_of(checked, rounds=rounds), "answer": ""}
        return final_update(state, checked, results_of(state["messages"]))

    def _model_for(self, context: AgentContext) -> BaseChatModel:
        return self._model or resolve_model(context.model, context.workspace)


# What a question starts from: also the working set, so that no filter of an earlier question is
# left on unseen, and so that a recorded run replays from nothing.
_FRESH: dict[str, Any] = {
    "working_set": {},
    "plan": [],
    "understood": {},
    "not_understood": [],
    "choices": [],
    "datasets": [],
    "findings": [],
    "draft": {},
    "answer": "",
    "verification": {},
    "rounds": 0,
    "stopped": "",
}


def judged(
    question: str,
    cards: Sequence[Mapping[str, Any]],
    reply: PlanReply,
    steps: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """Return what becomes of a plan: carried out, or not where the question cannot be met.

    What is asked for and not there stops any model's plan; words that nothing has used yet are kept
    for the answer's first sentence.
    """
    query = reply.understood
    stopped = unmet(query)
    plan = [] if stopped else list(steps)
    asks = reply.asks_back or bool(query and stopped and (query.choices or query.anew))
    return {
        "plan": plan,
        "understood": query.to_json() if query else {},
        "not_understood": leftover(question, cards, query, reply.not_understood),
        "choices": list(query.choices) if query else [],
        "outcome": "" if plan else "question" if asks else "refusal",
        "answer": "" if plan else stopped or (reply.reply or "").strip(),
    }


def after_plan(state: AgentState) -> Literal["act", "verify"]:
    """Go on to the tools, unless the plan was a direct answer."""
    return "verify" if state.get("answer") else "act"


def after_act(state: AgentState) -> Literal["tools", "interpret"]:
    """Run the call that was chosen, or explain when none was."""
    last = state["messages"][-1]
    chosen = isinstance(last, AIMessage) and last.tool_calls and not state.get("stopped")
    return "tools" if chosen else "interpret"


def after_verify(state: AgentState) -> Literal["interpret", "__end__"]:
    """Ask for the answer again after a refusal; the answer is empty only then."""
    return "__end__" if state.get("answer") else "interpret"


def _limit(state: AgentState, context: AgentContext) -> str:
    if len(tool_messages(state["messages"])) >= context.max_tool_calls:
        return f"the limit of {context.max_tool_calls} tool calls (max_tool_calls) was reached"
    if state["remaining_steps"] <= _STEPS_TO_ANSWER:
        return "the run's recursion limit was reached"
    return ""


def _last_call(state: AgentState) -> Untyped:
    last = state["messages"][-1]
    return last.tool_calls[0] if isinstance(last, AIMessage) else {"name": "", "args": {}}


def _merged(output: Untyped) -> dict[str, Any]:
    if isinstance(output, dict):
        return output
    merged: dict[str, Any] = {}
    for part in output:
        update = part.update if isinstance(part, Command) else part
        if not isinstance(update, dict):
            raise TypeError(f"A tool's update must be a dict, got {type(update).__name__}.")
        merged |= update
    return merged


def _timed(update: dict[str, Any], seconds: float) -> dict[str, Any]:
    for message in update.get("messages") or []:
        if isinstance(message, ToolMessage) and isinstance(message.artifact, dict):
            message.artifact = {**message.artifact, "seconds": round(seconds, 4)}
    return update


def _progress(runtime: Runtime[AgentContext]) -> Callable[[Mapping[str, Any]], None]:
    return lambda event: runtime.stream_writer({"progress": dict(event)})


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
