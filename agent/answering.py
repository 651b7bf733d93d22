"""What an answer is: a draft in the form of answers, checked, rendered, and said as what it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage

from tool_use_om.agent.offline.answer import compose
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.model import direct_reply, direct_words
from tool_use_om.agent.offline.writer import braces
from tool_use_om.agent.state import AgentState, this_turn, tool_messages
from tool_use_om.agent.used import first_sentence, unused
from tool_use_om.agent.verify.check import NOTHING_LEFT, Checked, Ours, check
from tool_use_om.agent.verify.facts import Sources, is_source
from tool_use_om.data.errors import DataError
from tool_use_om.data.plain import plain_text
from tool_use_om.data.values import Json, Untyped

EMPTY_QUESTION = (
    "The question is empty. Ask something about the data, for example: "
    '"How many sessions are there, and what channels do they have?"'
)
UNREADABLE = (
    "The model's reply could not be read, twice in a row, so nothing of it is shown. Ask again, or "
    "use another model."
)
NOT_REACHED = "*This is not the answer: the step that would give it could not be made.*"
IN_OUR_WORDS = "What follows is written by rules from the same results."
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_SETTING = re.compile(r"[A-Za-z_]{1,40}")
_READ = 200_000  # characters of question and cards that are searched for numbers
# tools whose result is an answer, not a step on the way to one
ANSWERING = frozenset({
    "run_task", "compare_heads", "compare_event_models", "check_data", "show_channel_stats",
    "measure_amounts",
})  # fmt: skip


def too_long(question: str, limit: int) -> dict[str, Any]:
    """Return the update that refuses a question of more than `limit` characters."""
    said = f"The question has {len(question)} characters; the limit is {limit}. Shorten it."
    return {"answer": said, "outcome": "refusal"}


def results_of(messages: Sequence[AnyMessage]) -> list[dict[str, Any]]:
    """Return this turn's tool calls with what came back, as the interpret prompt shows them."""
    calls = {
        call["id"]: call
        for message in this_turn(messages)
        if isinstance(message, AIMessage)
        for call in message.tool_calls
    }
    return [_result(calls.get(m.tool_call_id), m) for m in tool_messages(messages)]


def _result(call: Untyped, message: ToolMessage) -> dict[str, Any]:
    text = message.text
    try:
        content = json.loads(text)
    except ValueError:
        content = {"error": text} if message.status == "error" else {"text": text}
    if message.status == "error" and isinstance(content, dict):
        content = {"error": content.get("error", text)}
    artifact = message.artifact if isinstance(message.artifact, dict) else {}
    named = content.pop("result_id", None) if isinstance(content, dict) else None
    return {
        "result_id": artifact.get("result_id") or named,
        "tool": message.name or (call or {}).get("name"),
        "args": (call or {}).get("args") or {},
        "content": content,
    }


def ours_of(
    state: Mapping[str, Any], results: Sequence[Mapping[str, Any]], tools: Sequence[str]
) -> Ours:
    """Return what our own writer says to this question: of the results, or directly."""
    question = str(state.get("question") or "")
    if results:
        if not (state.get("draft") or {}).get("by_rules"):
            results = guarded(results, question, state.get("datasets") or [])
        carried = state.get("understood") or {}
        facts: dict[str, Any] = {
            "question": question,
            "results": results,
            "understood": carried,
        }
        return compose(facts).ours()
    if state.get("answer") == EMPTY_QUESTION or state.get("outcome") == "refusal":
        said = str(state.get("answer") or "")
        if said == EMPTY_QUESTION or said.startswith("The question has "):
            return Ours(prose=braces(said))
    cards = state.get("datasets") or []
    if carried := state.get("understood"):
        return Ours(prose=braces(direct_words(Query.from_json(carried), cards)))
    return Ours(prose=braces(direct_reply(question, cards, tools)))


def guarded(
    results: Sequence[Mapping[str, Any]], question: str, cards: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the results, those marked "foreign" whose calls hold values of a model's own.

    Our own words tell what a call was asked for ("last longer than 30 s"), and what it failed of;
    a model could put anything there. Numbers must stand in the question or the cards, texts too,
    but for plain names of settings.
    """
    known = f"{question} {json.dumps(list(cards), ensure_ascii=False)}".casefold()
    numbers = set(_NUMBER.findall(known[:_READ]))
    told, foreign = [], False
    for result in results:
        own = _is_foreign(result.get("args") or {}, known, numbers)
        foreign = foreign or (own and is_source(result))  # what follows rests on it
        told.append({**result, "foreign": own or foreign})
    return told


def _is_foreign(value: Json, known: str, numbers: set[str]) -> bool:
    if isinstance(value, Mapping):
        inner: list[Json] = [*value.values(), *value]
        return any(_is_foreign(one, known, numbers) for one in inner)
    if isinstance(value, list):
        return any(_is_foreign(one, known, numbers) for one in value)
    if isinstance(value, str):
        return value.casefold() not in known and _SETTING.fullmatch(value) is None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return f"{value:g}" not in numbers and f"{float(value):.1f}" not in numbers


def check_draft(
    state: AgentState, results: Sequence[Mapping[str, Any]], tools: Sequence[str]
) -> Checked:
    """Check what the model wrote last against this turn's results.

    A draft over the limits of length is refused as a whole, with the limit as the reason.
    """
    direct = {"prose": braces(str(state.get("answer") or "")), "claims": []}
    draft = state.get("draft") or direct
    sources = Sources.of(results, state.get("datasets") or [])
    ours = ours_of(state, results, tools)
    try:
        return check(str(draft["prose"]), draft["claims"], sources, ours)
    except DataError as error:
        return check("", (), sources).refusing(str(error))


def report_of(
    checked: Checked,
    *,
    rounds: int,
    sent_back: Sequence[Mapping[str, Any]] = (),
    final: bool = False,
) -> dict[str, Any]:
    """Return what the state keeps of a check, builtins only.

    Parameters
    ----------
    rounds : how often the model has written an answer
    sent_back : what was refused in an earlier round
    final : what is refused now is cut, and not sent back
    """
    rejected = [{"text": r.text, "reason": r.reason} for r in checked.rejected]
    return {
        "ok": checked.ok,
        "sourced": checked.sourced,
        "checked": checked.sentences,
        "own": list(checked.own),
        "rounds": rounds,
        "rejected": rejected,
        "sent_back": list(sent_back),
        "cut": rejected if final else [],
    }


def final_update(
    state: AgentState,
    checked: Checked,
    results: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the update that ends the run: what stands, what was cut, what kind of end."""
    draft = state.get("draft") or {}
    left = list(state.get("not_understood") or [])
    if results:
        left = unused(left, [r for r in results if is_source(r)])
    shown, lead = checked, ""
    if not checked.prose:
        shown = _in_our_words(state, results)
        lead = _lead(draft) if results else f"*{NOTHING_LEFT}*" if shown.prose else ""
    outcome = _outcome(state, shown, checked, results, left)
    notes = _notes(state, checked)
    if results and outcome == "refusal":
        notes.insert(0, NOT_REACHED)
    body = shown.prose or ("" if lead else NOTHING_LEFT)
    first = first_sentence([plain_text(p) for p in left]) if results else ""
    heads = [taken_over(state), first, lead]
    answer = "\n\n".join(part for part in [*heads, body, *notes] if part)
    parts = [*heads, shown.marked or body, *notes]
    marked = "\n\n".join(part for part in parts if part)
    earlier = (state.get("verification") or {}).get("rejected") or []
    kept = {"form": {"prose": shown.form, "claims": list(draft.get("claims") or [])}}
    report = report_of(checked, rounds=state.get("rounds", 0), sent_back=earlier, final=True)
    return {
        "findings": list(shown.findings),
        "answer": answer,
        "not_understood": left,
        "outcome": outcome,
        "verification": report | kept | {"marked": marked, "sourced": shown.sourced},
        "messages": [AIMessage(answer)],
    }


def taken_over(state: Mapping[str, Any]) -> str:
    """Return the line that tells what a question took over from the one before; "" if nothing."""
    told = str((state.get("understood") or {}).get("taken") or "")
    return f"*{plain_text(told[:1].upper() + told[1:])}*" if told else ""


def _in_our_words(state: AgentState, results: Sequence[Mapping[str, Any]]) -> Checked:
    ours = ours_of(state, results, ())
    return check(ours.prose, (), Sources.of(results), ours)


def _lead(draft: Mapping[str, Any]) -> str:
    first = UNREADABLE if draft.get("readable") is False else NOTHING_LEFT
    return f"*{first} {IN_OUR_WORDS}*"


def _outcome(
    state: AgentState,
    shown: Checked,
    checked: Checked,
    results: Sequence[Mapping[str, Any]],
    left: Sequence[str],
) -> str:
    """Return what kind of end this is; an answer is one only if nothing is missing from it."""
    if (state.get("draft") or {}).get("readable") is False:
        return "unreadable"
    if not results:
        return state.get("outcome") or "refusal"
    if not any(map(is_source, results)) or not _did(state, results, every=False):
        return "refusal"
    whole = checked.ok and (bool(shown.findings) or not shown.own)
    whole = whole and not state.get("stopped") and not left
    return "answer" if whole and _did(state, results, every=True) else "partial"


def _did(state: AgentState, results: Sequence[Mapping[str, Any]], *, every: bool) -> bool:
    """Tell whether the planned tools that answer were called with success: all of them, or any."""
    planned = {str(step.get("tool")) for step in state.get("plan") or []} & ANSWERING
    done = {str(r["tool"]) for r in results if is_source(r)}
    return not planned or (planned <= done if every else bool(planned & done))


def _notes(state: AgentState, checked: Checked) -> list[str]:
    notes = []
    if state.get("stopped"):
        notes.append(f"*Stopped early: {state['stopped']}; this rests on what was found by then.*")
    if checked.rejected:
        notes.append(
            f"*{len(checked.rejected)} statement(s) were cut: no tool result supports them.*"
        )
    return notes
