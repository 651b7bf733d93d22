"""The offline model's answer: each result in a few plain sentences, numbers copied and cited."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tool_use_om.agent.cards import id_pattern
from tool_use_om.agent.offline.forms.compare import tell_compared
from tool_use_om.agent.offline.forms.data import (
    tell_datasets,
    tell_filter,
    tell_plot,
    tell_sessions,
    tell_statistics,
)
from tool_use_om.agent.offline.forms.data_check import tell_check
from tool_use_om.agent.offline.forms.find import tell_run
from tool_use_om.agent.offline.forms.trust import tell_requested
from tool_use_om.agent.offline.forms.why import tell_explained
from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.writer import Answer, Result, braces, ref

_ARGUMENTS = re.compile(
    r"`?\b(labels_per_class|query_session|target_label|target_channels|max_sessions)\b`?"
)


def interpret(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return findings and prose for the results of an interpret prompt."""
    results = [Result.of(raw) for raw in facts.get("results") or ()]
    query = parse(str(facts.get("question", "")), _cards(results))
    if any(ask.kind in {"rhythm", "channels", "why"} for ask in query.asks):
        results.sort(key=lambda r: r.tool != "interpret_results")  # what was asked comes first
    answer = Answer(results)
    for index, result in enumerate(results):
        answer.note("")
        if "error" in result.content:
            _tell_error(answer, result, results[index + 1 :])
        elif _worth_telling(result, results, query):
            answer.title = None
            _TELL.get(result.tool, _tell_generic)(answer, result, query)
    _explain_units(answer)
    _explain_tail(answer, query)
    missed = list(facts.get("not_understood") or ())
    if missed:
        answer.note("")
        answer.note("*Not understood: " + ", ".join(f'"{p}"' for p in missed) + ".*")
    answer = answer.without([str(r.get("text", "")) for r in facts.get("rejected") or ()])
    if not any(answer.lines) and not answer.clauses:
        answer.note("No result came back, so there is nothing to report.")
    return {"findings": answer.findings, "prose": answer.prose()}


def _cards(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return what the results tell about the data set, in the form of a card, for the parser."""
    for result in results:
        if result.tool == "show_session_stats" and "dataset" in result.content:
            content = result.content
            return [
                {
                    "name": content["dataset"],
                    "channels": content.get("channels") or [],
                    "labels": {"labels": list(content.get("sessions_per_label") or {})},
                    "session_ids": content.get("sessions") or [],
                    "id_pattern": id_pattern(_session_ids(results)),
                }
            ]
    return []


def _session_ids(results: Sequence[Result]) -> list[str]:
    """Return the session ids that results and arguments name."""
    found: list[str] = []
    for result in results:
        found += [str(s) for s in result.content.get("sessions") or []]
        found += [str(s) for s in result.args.get("sessions") or []]
        found += [str(result.args["query_session"])] if "query_session" in result.args else []
    return found


def _explain_units(answer: Answer) -> None:
    if any("a.u." in text for text in (*answer.lines, *answer.clauses)):
        answer.note("")
        answer.note("*a.u.: the source of the data does not document its units.*")


def _explain_tail(answer: Answer, query: Query) -> None:
    """Say so where "the last n seconds" was asked for, but no one stretch of time is that."""
    asked = any(ask.tail_s is not None for ask in query.asks)
    if asked and not any("start_s" in r.args for r in answer.results):
        answer.note("")
        answer.note(
            "*The sessions differ in length, so the last seconds could not be cut out: this is "
            "about whole sessions.*"
        )


def _worth_telling(result: Result, results: Sequence[Result], query: Query) -> bool:
    """Say whether a result is part of the answer, not only a step on the way to it."""
    kinds = {ask.kind for ask in query.asks}
    if result.tool == "show_session_stats" and _only_context(result, results):
        return False
    asked = {
        "show_session_stats": bool(kinds & {"sessions"}) or len(results) == 1,
        "select_channels": False,
        "filter_by_time": len(results) == 1 or "note" in result.content,
        "select_tokenizer": "tokenizer" in kinds,
        "configure_tokenizer": bool(kinds & {"tokenizer", "window"})
        and result is [r for r in results if r.tool == result.tool][-1],
        "select_channels_for_encoding": bool(result.content.get("dropped")),
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
        r.tool == "show_session_stats" and r.content.get("n_sessions") == 0 for r in results
    )


def _tell_error(answer: Answer, result: Result, later: Sequence[Result]) -> None:
    mended = any(r.tool == result.tool and "error" not in r.content for r in later[:1])
    reason = _in_words(str(result.content["error"]).removeprefix("Error: ").strip())
    lead = "Mended on the way" if mended else f"The step `{result.tool}` could not be done"
    answer.note(f"*{lead}: {reason}*")


def _in_words(error: str) -> str:
    """Return a tool's error without the names of arguments: "a window of 16 s", not window_s=16."""
    text = error.replace(" or a lower low_hz", "")
    for unit, written in (("s", "s"), ("hz", "Hz")):
        name = rf"`?\b(?P<name>[a-z]+(?:_[a-z]+)*)_{unit}"
        text = re.sub(rf"{name}=(?P<value>[\d.]*\d)`?", rf"\g<name> \g<value> {written}", text)
        text = re.sub(rf"{name}\b`?", lambda m: _spaced(m[1]), text)
    return _ARGUMENTS.sub(lambda m: _spaced(m[1]), text)


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _tell_tokenizer(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    answer.head(result, "the tokenizer that fits is `{name}`", name=ref("/tokenizer", "tokenizer"))
    answer.say(
        result, "It has {parameters} parameters and reads {size} samples a patch; {why}.",
        parameters=ref("/parameters", "parameters"), size=ref("/patch_len", "samples a patch"),
        why=ref("/why", "why this one"),
    )  # fmt: skip
    for other in result.content.get("alternatives") or []:
        answer.note(f"- `{other['name']}`: {other.get('why_not') or 'also available'}")


def _tell_windows(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    answer.head(
        result, "windows are {window} long, one every {stride}, at {rate}; a patch covers {patch}",
        window=ref("/window_s", "window", "unit"), stride=ref("/stride_s", "stride", "unit"),
        rate=ref("/rate_hz", "rate", "unit"), patch=ref("/patch_s", "patch", "unit"),
    )  # fmt: skip
    for key, text in _SPECIAL.items():
        answer.say(result, text, v=ref(f"/{key}", _spaced(key.removesuffix("_s")), "unit"))
    features = result.content.get("context_features")
    if isinstance(features, list):
        answer.note(f"Heads also get: {', '.join(map(_spaced, features))}.")
    elif features is False:
        answer.note("Heads get tokens only, without the mean and scale of a window.")
    if why := result.content.get("why"):
        answer.note(f"Why: {why.rstrip('.')}.")


_SPECIAL = {
    "patch_stride_s": "Patches overlap: one begins every {v}.",
    "super_s": "Super-patches summarise {v} each.",
    "fusion": "Channels of several rates: {v}.",
    "resolutions": "Each window is encoded at {v} resolutions.",
}


def _tell_encoding(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    dropped = ", ".join(f"`{c}`" for c in result.content["dropped"])
    answer.note(f"The encoder does not see {dropped}: {result.content.get('why', '')}.")


def _tell_head(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    why = str(result.content.get("why") or "chosen by rule").rstrip(".")
    answer.head(result, f"the head is `{braces(str(result.content['head']))}`")
    answer.note(f"Why: {why}.")


def _tell_settings(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    for name in result.args.get("params") or {}:
        answer.say(
            result, f"The head `{result.content['head']}` uses {name} = {{value}}.",
            value=ref(f"/params/{name}", f"setting {name}"),
        )  # fmt: skip


def _tell_generic(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    """List the plain values of a result that has no words of its own."""
    answer.note(f"`{result.tool}` returned:")
    for key, value in result.content.items():
        if key != "result_id" and isinstance(value, int | float | str):
            answer.say(result, f"- {key}: {{v}}", v=ref(f"/{key}", key))


_TELL: dict[str, Callable[[Answer, Result, Query], None]] = {
    "list_datasets": tell_datasets,
    "show_session_stats": tell_sessions,
    "show_channel_stats": tell_statistics,
    "filter_by_time": tell_filter,
    "plot_sessions": tell_plot,
    "check_data": tell_check,
    "select_tokenizer": _tell_tokenizer,
    "configure_tokenizer": _tell_windows,
    "select_channels_for_encoding": _tell_encoding,
    "select_task_head": _tell_head,
    "configure_head": _tell_settings,
    "run_task": tell_run,
    "compare_heads": tell_compared,
    "interpret_results": tell_explained,
    "request_labels": tell_requested,
}
