"""Recorded runs as training rows in TRL's form: `messages` and `tools`.

A run gives one row for each thing the orchestrator does (the plan, each tool call, the answer),
under exactly what it was shown when it did it. The last message of a row is what is to be learnt;
`meta` says which phase it is, and of what run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from langchain_core.messages import SystemMessage

from tool_use_om.agent.models.chat_template import as_turns
from tool_use_om.agent.prompts import act_prompt, interpret_prompt, plan_prompt
from tool_use_om.agent.record.replay import replay
from tool_use_om.agent.record.trace import Trace, read_content
from tool_use_om.data.workspace import Workspace, atomic_file

Row = dict[str, Any]
# What an orchestrator says when nothing is left to call; the answer itself is `interpret`'s.
DONE = "Done."
# (outcome, tools were called) → why such a run teaches nothing; to refuse at once, or to ask back,
# is worth learning
_NOT_LEARNT = {
    ("unreadable", True): "the model's reply could not be read",
    ("unreadable", False): "the model's reply could not be read",
    ("refusal", True): "tools were called, and the answer was not reached",
    ("question", True): "tools were called, and the answer was not reached",
    ("partial", True): "the answer is only a part of one",
}


@dataclass
class Export:
    """What an export kept, and why it left the other runs out."""

    kept: list[Row] = field(default_factory=list)
    rejected: list[Row] = field(default_factory=list)
    runs_kept: int = 0


def export(
    traces: Iterable[Trace],
    workspace: Workspace,
    *,
    on_trace: Callable[[Trace], None] = lambda _: None,
) -> Export:
    """Replay each trace; return rows of those that replay, and the others with the reason."""
    out = Export()
    for trace in traces:
        on_trace(trace)
        unfitting = unfit(trace)
        found = None if unfitting else replay(trace, workspace)
        if found is None or not found.same:
            reason = found.reason if found else unfitting
            out.rejected.append({"reason": reason, "trace": trace.model_dump(mode="json")})
        else:
            out.kept.extend(rows_of(trace, found.working_sets))
            out.runs_kept += 1
    return out


def unfit(trace: Trace) -> str | None:
    """Return why a trace should not be learnt from, before replaying it; None when it may."""
    reasons = (
        (not trace.answer, "the run has no answer"),
        (why_not := _NOT_LEARNT.get((trace.outcome, bool(trace.calls)), ""), why_not),
        (
            trace.verdicts.get("ok") is False or trace.verdicts.get("cut"),
            "the answer has statements that no tool result supports",
        ),
        (trace.calls and not trace.findings, "the answer has no sourced finding"),
        (
            trace.calls and "form" not in trace.verdicts,
            "the answer was recorded before answers were made of references",
        ),
        (
            not trace.calls and trace.verdicts.get("rounds"),
            "no tool was called, and none was said to be needless",
        ),
    )
    return next((reason for wrong, reason in reasons if wrong), None)


def write_export(out: Path, found: Export) -> Path:
    """Write the kept rows to `out` and the others beside it; return the file of the others."""
    apart = out.parent / f"{out.stem}.rejected.jsonl"
    for path, rows in ((out, found.kept), (apart, found.rejected)):
        with atomic_file(path) as partial:
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            partial.write_text(lines, encoding="utf-8")
    return apart


def rows_of(trace: Trace, working_sets: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Yield a run's rows: its plan, each tool call, its answer; a direct answer has only a plan.

    Parameters
    ----------
    working_sets : the state before each call and after the last, as `replay` found them
    """
    yield _row(trace, "plan", [_plan_prompt(trace), _user(trace.query), _say(_plan(trace))])
    if not trace.calls:
        return
    for acting in _acts(trace, working_sets):
        yield _row(trace, "act", acting, tools=list(trace.tools))
    reply = dict(trace.verdicts["form"])
    answering = [_interpret_prompt(trace), _user(trace.query), _say(reply)]
    yield _row(trace, "interpret", answering)


def _acts(trace: Trace, working_sets: Sequence[Mapping[str, Any]]) -> Iterator[list[Row]]:
    """Yield the messages of each step: its prompt, the conversation till then, what was chosen."""
    turn = _this_turn(trace.messages)
    before = len(trace.messages) - len(turn)
    calling = [before + i for i, m in enumerate(turn) if m.get("tool_calls")]
    states = working_sets[len(working_sets) - len(calling) - 1 :]
    for at, state in zip(calling, states, strict=False):
        call = as_turns([trace.messages[at]])[-1]  # the words beside it would end its message
        yield [_act_prompt(trace, state), *as_turns(trace.messages[:at]), call]
    if not trace.stopped:
        seen = as_turns(trace.messages[: _end(trace.messages)])
        yield [_act_prompt(trace, states[-1]), *seen, {"role": "assistant", "content": DONE}]


def _end(messages: Sequence[Mapping[str, Any]]) -> int:
    """Return how many messages there were when the last tool had answered."""
    return max(i for i, m in enumerate(messages, start=1) if m["role"] == "tool")


def _row(trace: Trace, phase: str, messages: list[Row], tools: list[Row] | None = None) -> Row:
    meta = {"trace": trace.id, "phase": phase, "dataset": trace.dataset, **trace.tags}
    meta |= {"outcome": trace.outcome}
    return {"messages": messages, "tools": tools or [], "meta": meta}


def _system(prompt: SystemMessage) -> Row:
    return {"role": "system", "content": str(prompt.content)}


def _user(text: str) -> Row:
    return {"role": "user", "content": text}


def _say(value: Mapping[str, Any]) -> Row:
    return {"role": "assistant", "content": json.dumps(value, ensure_ascii=False)}


def _plan(trace: Trace) -> Row:
    direct = None if trace.plan else trace.answer
    missed, asks = list(trace.not_understood), trace.outcome == "question"
    said = {"steps": list(trace.plan), "not_understood": missed, "reply": direct}
    said |= {"asks_back": asks}
    return said | ({"understood": trace.understood} if trace.understood else {})


def _names(trace: Trace) -> list[str]:
    return [str(t["function"]["name"]) for t in trace.tools]


def _plan_prompt(trace: Trace) -> Row:
    return _system(
        plan_prompt(datasets=trace.cards, working_set={}, tools=_names(trace), earlier=trace.frame)
    )


def _act_prompt(trace: Trace, working_set: Mapping[str, Any]) -> Row:
    prompt = act_prompt(
        datasets=trace.cards,
        working_set=working_set,
        plan=trace.plan,
        tools=_names(trace),
        understood=trace.understood,
    )
    return _system(prompt)


def _interpret_prompt(trace: Trace) -> Row:
    prompt = interpret_prompt(
        question=trace.query,
        results=_results(trace),
        not_understood=trace.not_understood,
        understood=trace.understood,
    )
    return _system(prompt)


def _this_turn(messages: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    listed = list(messages)
    asked = [i for i, m in enumerate(listed) if m["role"] == "user"]
    return listed[asked[-1] :] if asked else listed


def _results(trace: Trace) -> list[Row]:
    """Return this turn's results as the interpret prompt shows them."""
    turn = _this_turn(trace.messages)
    replies = {m.get("tool_call_id"): m.get("content") for m in turn if m["role"] == "tool"}
    asked = [c["id"] for m in turn for c in m.get("tool_calls") or () if c["id"] in replies]
    calls = trace.calls[len(trace.calls) - len(asked) :]
    shown = []
    for call, call_id in zip(calls, asked, strict=True):
        content = read_content(replies[call_id])
        if isinstance(content, dict):
            content = {k: v for k, v in content.items() if k != "result_id"}
        else:
            content = {"error" if not call.ok else "text": content}
        row = {"result_id": call.result_id, "tool": call.tool, "args": call.arguments}
        shown.append({**row, "content": content})
    return shown
