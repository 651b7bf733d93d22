"""The offline model's answer: each result in a few plain sentences, numbers copied and cited."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tool_use_om.agent.cards import id_pattern
from tool_use_om.agent.offline_answer import Answer, Result, ref
from tool_use_om.agent.offline_interpret_runs import tell_compared, tell_run
from tool_use_om.agent.offline_interpret_why import tell_explained
from tool_use_om.agent.parse import parse
from tool_use_om.agent.parse_query import Ask, Query

_SHOWN_ROWS = 12
_STATISTICS = {
    "std": "standard deviation",
    "max": "maximum",
    "min": "minimum",
    "rms": "root mean square",
}


def interpret(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return findings and prose for the results of an interpret prompt."""
    results = [Result.of(raw) for raw in facts.get("results") or ()]
    query = parse(str(facts.get("question", "")), _cards(results))
    if any(ask.kind in {"rhythm", "channels"} for ask in query.asks):
        results.sort(key=lambda r: r.tool != "interpret_results")  # what was asked comes first
    answer = Answer()
    for index, result in enumerate(results):
        answer.note("")
        if "error" in result.content:
            _tell_error(answer, result, results[index + 1 :])
        elif _worth_telling(result, results, query):
            _TELL.get(result.tool, _tell_generic)(answer, result, query)
    missed = list(facts.get("not_understood") or ())
    if missed:
        answer.note("")
        answer.note("*Not understood: " + ", ".join(f'"{p}"' for p in missed) + ".*")
    answer = answer.without([str(r.get("text", "")) for r in facts.get("rejected") or ()])
    if not any(answer.lines):
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


def _worth_telling(result: Result, results: Sequence[Result], query: Query) -> bool:
    """Say whether a result is part of the answer, not only a step on the way to it."""
    kinds = {ask.kind for ask in query.asks}
    asked = {
        "show_session_stats": bool(kinds & {"sessions"}) or len(results) == 1,
        "select_channels": False,
        "filter_by_time": len(results) == 1 or "note" in result.content,
        "select_tokenizer": "tokenizer" in kinds,
        "configure_tokenizer": bool(kinds & {"tokenizer", "window"}),
        "select_channels_for_encoding": bool(result.content.get("dropped")),
        "select_task_head": bool(kinds & {"head", "fewlabels"}),
        "configure_head": True,
    }
    last = (
        not any(r.tool in {"run_task", "compare_heads"} for r in results) and result is results[-1]
    )
    return asked.get(result.tool, True) or last


def _tell_error(answer: Answer, result: Result, later: Sequence[Result]) -> None:
    mended = any(r.tool == result.tool and "error" not in r.content for r in later[:1])
    reason = str(result.content["error"]).removeprefix("Error: ").strip()
    lead = "Mended on the way" if mended else f"The step `{result.tool}` could not be done"
    answer.note(f"*{lead}: {reason}*")


def _sessions_ask(query: Query) -> Ask:
    found = [ask for ask in query.asks if ask.kind == "sessions"]
    return found[0] if found else Ask(kind="sessions", topic="describe")


def _tell_sessions(answer: Answer, result: Result, query: Query) -> None:
    ask = _sessions_ask(query)
    topics = set(ask.topic.split())
    every = not topics - {"session", "only", "label"} or "describe" in topics
    clause, refs = _filters(result, ask)
    if clause:
        answer.say(
            result, "**{n}** of the {total} sessions in {name} " + clause + ".",
            n=ref("/n_sessions", "sessions that fit"),
            total=ref("/n_sessions_total", "sessions in all"),
            name=ref("/dataset", "data set"), **refs,
        )  # fmt: skip
    else:
        answer.say(
            result, "**{name}** has {n} sessions.",
            n=ref("/n_sessions", "sessions"), name=ref("/dataset", "data set"),
        )  # fmt: skip
    if every or topics & {"subject"}:
        _tell_subjects(answer, result)
    if result.look("/n_sessions") and (every or topics & {"duration", "session"}):
        _tell_durations(answer, result)
    if every or topics & {"channel", "units"}:
        _tell_channels(answer, result)
    if every or topics & {"class", "labels"}:
        _tell_groups(answer, result, "sessions_per_label", "Sessions for each label")
    if every or topics & {"split", "splits"}:
        _tell_groups(answer, result, "sessions_per_split", "Sessions in each split")


def _filters(result: Result, ask: Ask) -> tuple[str, dict[str, Any]]:
    """Return the clause that says what the sessions were filtered by, with its references."""
    parts: list[str] = []
    refs: dict[str, Any] = {}
    low, high = result.args.get("min_duration_s"), result.args.get("max_duration_s")
    if low is not None:
        parts.append(("last longer than" if ask.strict_min else "last at least") + " {low}")
        refs["low"] = ref("/args/min_duration_s", "shortest length asked for", "unit")
    if high is not None:
        parts.append(("last less than" if ask.strict_max else "last at most") + " {high}")
        refs["high"] = ref("/args/max_duration_s", "longest length asked for", "unit")
    if result.args.get("labels"):
        parts.append("hold " + " or ".join(result.args["labels"]))
    if result.args.get("subjects"):
        parts.append("are of subject " + " or ".join(result.args["subjects"]))
    if result.args.get("split"):
        parts.append(f"are in the {result.args['split']} split")
    if result.args.get("sessions"):
        parts.append("are " + ", ".join(result.args["sessions"]))
    return " and ".join(parts), refs


def _tell_subjects(answer: Answer, result: Result) -> None:
    if result.look("/n_subjects"):
        answer.say(result, "They are of {n} subjects.", n=ref("/n_subjects", "subjects"))
    elif result.look("/n_subjects") == 0:
        answer.note("The data set does not say who the subjects are.")


def _tell_durations(answer: Answer, result: Result) -> None:
    total = ref("/duration_s/total", "length of all sessions together", "unit")
    if result.look("/duration_s/min") == result.look("/duration_s/max"):
        answer.say(
            result, "Each lasts {each}, {total} in all.",
            each=ref("/duration_s/max", "length of a session", "unit"), total=total,
        )  # fmt: skip
    else:
        answer.say(
            result, "They last from {low} to {high} (median {middle}), {total} in all.",
            low=ref("/duration_s/min", "shortest session", "unit"),
            high=ref("/duration_s/max", "longest session", "unit"),
            middle=ref("/duration_s/median", "median length", "unit"), total=total,
        )  # fmt: skip


def _tell_channels(answer: Answer, result: Result) -> None:
    channels = result.content.get("channels") or []
    modalities: dict[str, list[int]] = {}
    for index, channel in enumerate(channels):
        modalities.setdefault(str(channel["id"]).partition(".")[0], []).append(index)
    answer.note("")
    answer.note("Channels:")
    for modality, places in modalities.items():
        names = ", ".join(f"`{channels[i]['id']}`" for i in places)
        answer.say(
            result, "- " + names + " in {unit}, at {rate}",
            unit=ref(f"/channels/{places[0]}/unit", f"unit of {modality}"),
            rate=ref(f"/channels/{places[0]}/rate_hz", f"rate of {modality}", "unit"),
        )  # fmt: skip


def _tell_groups(answer: Answer, result: Result, key: str, title: str) -> None:
    groups = result.content.get(key) or {}
    refs = {
        f"v{i}": ref(f"/{key}/{_escaped(name)}", f"{title}, {name}")
        for i, name in enumerate(groups)
    }
    if refs:
        listed = ", ".join(f"{_braces(name)} {{v{i}}}" for i, name in enumerate(groups))
        answer.say(result, f"{title}: {listed}.", **refs)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _braces(name: str) -> str:
    return name.replace("{", "{{").replace("}", "}}")


def _tell_statistics(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form as the others
    statistic = _STATISTICS.get(result.content["statistic"], result.content["statistic"])
    labels = result.content.get("labels") or []
    where = " while " + " or ".join(map(str, labels)) if labels else ""
    if len(result.content["rows"]) == 1:
        answer.say(
            result,
            f"The {statistic} of `{{channel}}`{where} is **{{value}}**, over {{n}} samples.",
            channel=ref("/rows/0/channel", "channel"), n=ref("/rows/0/n", "samples"),
            value=ref("/rows/0/value", statistic, "unit"),
        )  # fmt: skip
        return
    if len({row.get("unit") for row in result.content["rows"]}) == 1:
        _tell_extremes(answer, result, statistic, where)
    else:
        answer.note(f"The {statistic} of each channel{where}:")
    for index, row in enumerate(result.content["rows"][:_SHOWN_ROWS]):
        name, what = f"`{row['channel']}`{_group(row)}", f"{row['channel']}{_group(row)}"
        answer.say(
            result, f"- {_braces(name)}: {{value}}",
            value=ref(f"/rows/{index}/value", f"{statistic} of {what}", "unit"),
        )  # fmt: skip
    if len(result.content["rows"]) > _SHOWN_ROWS:
        answer.note("The other rows are in the result.")


def _tell_extremes(answer: Answer, result: Result, statistic: str, where: str) -> None:
    """Tell the highest and the lowest row, and how far apart they are."""
    group_h, group_l = _group(result.content["highest"]), _group(result.content["lowest"])
    answer.say(
        result,
        f"The {statistic}{where} is highest for `{{top}}`{group_h} at **{{high}}** and lowest for "
        f"`{{bottom}}`{group_l} at **{{low}}** ({{n}} sessions).",
        top=ref("/highest/channel", f"channel with the highest {statistic}"),
        high=ref("/highest/value", f"highest {statistic}", "unit", "/lowest/value"),
        bottom=ref("/lowest/channel", f"channel with the lowest {statistic}"),
        low=ref("/lowest/value", f"lowest {statistic}", "unit"),
        n=ref("/n_sessions", "sessions behind it"),
    )
    answer.say(
        result, "The highest is {r} times the lowest.", r=ref("/ratio", "highest over lowest")
    )


def _group(row: Mapping[str, Any]) -> str:
    return f", {row['group']}" if row.get("group") else ""


def _tell_filter(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    answer.say(
        result, "Selected {n} sessions, {total} in all.",
        n=ref("/n_sessions", "sessions selected"), total=ref("/total_s", "length selected", "unit"),
    )  # fmt: skip
    if note := result.content.get("note"):
        answer.note(f"*{note}*")


def _tell_datasets(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    answer.note("These data sets can be asked about:")
    for index, row in enumerate(result.content.get("datasets") or []):
        kind = " (synthetic)" if row.get("synthetic") else ""
        answer.say(
            result, f"- **{{name}}**{kind}: {{n}} sessions, {{total}} in all",
            name=ref(f"/datasets/{index}/name", "data set"),
            n=ref(f"/datasets/{index}/n_sessions", f"sessions of {row['name']}"),
            total=ref(f"/datasets/{index}/duration_s", f"length of {row['name']}", "unit"),
        )  # fmt: skip


def _tell_plot(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    sessions = ", ".join(map(str, result.content.get("sessions") or []))
    channels = ", ".join(f"`{c}`" for c in result.content.get("channels") or [])
    answer.note(f"Drew {sessions}: {channels}.")


def _tell_tokenizer(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    answer.say(
        result, "Tokenizer: **{name}**, {parameters} parameters, {size} samples a patch; {why}.",
        name=ref("/tokenizer", "tokenizer"), parameters=ref("/parameters", "parameters"),
        size=ref("/patch_len", "samples a patch"), why=ref("/why", "why this one"),
    )  # fmt: skip
    for other in result.content.get("alternatives") or []:
        answer.note(f"- `{other['name']}`: {other.get('why_not') or 'also available'}")


def _tell_windows(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    answer.say(
        result, "Windows of {window}, one every {stride}, at {rate}; a patch covers {patch}.",
        window=ref("/window_s", "window", "unit"), stride=ref("/stride_s", "stride", "unit"),
        rate=ref("/rate_hz", "rate", "unit"), patch=ref("/patch_s", "patch", "unit"),
    )  # fmt: skip
    if why := result.content.get("why"):
        answer.note(f"Why: {why.rstrip('.')}.")


def _tell_encoding(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    dropped = ", ".join(f"`{c}`" for c in result.content["dropped"])
    answer.note(f"The encoder does not see {dropped}: {result.content.get('why', '')}.")


def _tell_head(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    why = str(result.content.get("why") or "chosen by rule").rstrip(".")
    answer.note(f"Head: **{result.content['head']}** ({why}).")


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
    "list_datasets": _tell_datasets,
    "show_session_stats": _tell_sessions,
    "show_channel_stats": _tell_statistics,
    "filter_by_time": _tell_filter,
    "plot_sessions": _tell_plot,
    "select_tokenizer": _tell_tokenizer,
    "configure_tokenizer": _tell_windows,
    "select_channels_for_encoding": _tell_encoding,
    "select_task_head": _tell_head,
    "configure_head": _tell_settings,
    "run_task": tell_run,
    "compare_heads": tell_compared,
    "interpret_results": tell_explained,
}
