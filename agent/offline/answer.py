"""Our own answer: each result in a few plain sentences, each value by reference."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tool_use_om.agent.offline.forms.registry import TELLS, tell_generic
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.writer import Answer, Result, _spaced
from tool_use_om.agent.verify.check import Checked, check
from tool_use_om.agent.verify.facts import Sources
from tool_use_om.data.units import duration_text
from tool_use_om.tools.encode.found import EncodedChannels
from tool_use_om.tools.look.found import SessionsCounted

_ARGUMENTS = re.compile(
    r"`?\b(labels_per_class|query_session|target_label|target_channels|max_sessions)\b`?"
)


def interpret(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the reply to an interpret prompt, in the form of answers."""
    return {"prose": compose(facts).prose(), "claims": []}


def told(facts: Mapping[str, Any]) -> Checked:
    """Return what the results of an interpret prompt say, in our own words, rendered."""
    ours = compose(facts).ours()
    return check(ours.prose, (), Sources.of(facts.get("results") or ()), ours)


def compose(facts: Mapping[str, Any]) -> Answer:
    """Return our own answer to an interpret prompt: fixed words, and references to the results.

    What was asked is read from `understood`; without it each result is told as it is.
    """
    results = Result.all_of(facts.get("results") or ())
    query = Query.from_json(facts.get("understood") or {})
    if any(ask.kind in {"rhythm", "channels", "why"} for ask in query.asks):
        results.sort(key=lambda r: r.tool != "interpret_results")  # what was asked comes first
    answer = Answer(results)
    for index, result in enumerate(results):
        answer.note("")
        if result.foreign:
            answer.note(f"*The step `{result.tool}` was made with values of the model's own.*")
        elif "error" in result.content:
            _tell_error(answer, result, results[index + 1 :])
        elif _worth_telling(result, results, query):
            answer.title = None
            TELLS.get(result.tool, tell_generic)(answer, result, query)
    _explain_units(answer)
    _explain_tail(answer, query)
    if query.by == "orchestrator":
        answer.note("")
        answer.note("*Planned by the trained orchestrator, as the reader was not sure of it.*")
    if query.read_as:
        answer.note("")
        answer.note(f'*I read your question as: "{query.read_as}"*')
    if not any(answer.lines) and not answer.clauses:
        answer.note("No result came back, so there is nothing to report.")
    return answer


def _explain_units(answer: Answer) -> None:
    if any("a.u." in unit for unit in answer.units):
        answer.note("")
        answer.note("*The data set gives no units for these values.*")


def _explain_tail(answer: Answer, query: Query) -> None:
    """Say so where "the last n seconds" was asked for, but no one stretch of time is that."""
    asked = any(ask.tail_s is not None for ask in query.asks)
    if asked and not any({"start_s", "tail_s"} & r.args.keys() for r in answer.results):
        answer.note("")
        answer.note(
            "*The sessions differ in length, so their last seconds could not be cut out: this is "
            "about whole sessions.*"
        )


def _worth_telling(result: Result, results: Sequence[Result], query: Query) -> bool:
    """Say whether a result is part of the answer, not only a step on the way to it."""
    kinds = {ask.kind for ask in query.asks}
    if result.tool == "show_session_stats" and _only_context(result, results):
        return False
    asked = {
        "show_session_stats": bool(kinds & {"sessions", "facts"})
        or len(results) == 1
        or "label_times" in result.content,
        "select_channels": False,
        "filter_by_time": len(results) == 1 or "note" in result.content,
        "select_tokenizer": "tokenizer" in kinds,
        "configure_tokenizer": bool(kinds & {"tokenizer", "window"})
        and result is [r for r in results if r.tool == result.tool][-1],
        "select_channels_for_encoding": _leaves_out(result),
        "select_task_head": "head" in kinds,
        "configure_head": True,
    }
    last = (
        not any(r.tool in {"run_task", "compare_heads"} for r in results) and result is results[-1]
    )
    return asked.get(result.tool, True) or last


def _only_context(result: Result, results: Sequence[Result]) -> bool:
    """Tell whether a count of all sessions only says what a count that found none was out of."""
    return result.args.keys() <= {"dataset"} and any(
        (counted := r.if_found(SessionsCounted)) is not None and counted.n_sessions == 0
        for r in results
    )


def _leaves_out(result: Result) -> bool:
    """Tell whether the encoder does not see some of the channels."""
    found = result.if_found(EncodedChannels)
    return found is not None and bool(found.dropped)


def _tell_error(answer: Answer, result: Result, later: Sequence[Result]) -> None:
    mended = any(r.tool == result.tool and "error" not in r.content for r in later[:1])
    reason = _in_words(str(result.content["error"]).removeprefix("Error: ").strip())
    lead = "Mended on the way" if mended else f"The step `{result.tool}` could not be done"
    answer.note(f"*{lead}: {reason}*")


_HORIZON = re.compile(
    r"`?horizon_s`? must be in \(0, (?P<high>[\d.e+]*\d)\], got (?P<got>[\d.e+]*\d)"
)


def _in_words(error: str) -> str:
    """Return a tool's error without the names of arguments: "a window of 16 s", not window_s=16."""
    text = error.replace(" or a lower low_hz", "")
    text = _HORIZON.sub(
        lambda m: (
            f"the horizon can be at most {duration_text(float(m['high']))}, "
            f"not {duration_text(float(m['got']))}"
        ),
        text,
    )
    for unit, written in (("s", "s"), ("hz", "Hz")):
        name = rf"`?\b(?P<name>[a-z]+(?:_[a-z]+)*)_{unit}"
        text = re.sub(rf"{name}=(?P<value>[\d.]*\d)`?", rf"\g<name> \g<value> {written}", text)
        text = re.sub(rf"{name}\b`?", lambda m: _spaced(m[1]), text)
    return _ARGUMENTS.sub(lambda m: _spaced(m[1]), text)
