"""What the trained orchestrator reads and writes: a few lines in, one line of JSON out.

In: the names of the data set, what is set, the last result, the question. Out, one of::

    {"calls":[["select_channels",{"channels":["heart.rate"]}],["show_channel_stats",{}]]}
    {"ask":"session"}                 what the question leaves open
    {"ask":"walking","of":["slow walking","fast walking"]}
    {"lacks":"blood pressure"}        words of the question that the data have nothing for
    {"refuse":"advice"}               what no tool of ours does

An argument "@found_sessions" is taken from an earlier result when the call is made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tool_use_om.data.errors import DataError
from tool_use_om.tools.registry import TOOLS, tool_def

Refusal = Literal["irrelevant", "action", "lacking", "cause", "advice"]
OPEN = ("label", "channel", "session", "subject", "time", "dataset")
"""What a question may leave open."""
MAX_NAMES = 10
"""Names of one kind in the prompt; those the question may mean come first."""
MAX_CALLS = 12


class PlannedCall(BaseModel):
    """One tool call of a plan.

    Attributes
    ----------
    args : as the tool takes them; "@source" for what an earlier result will say
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: str
    args: dict[str, Any] = Field(default_factory=dict)


class Plan(BaseModel):
    """What the orchestrator wrote: calls, or why there are none.

    Attributes
    ----------
    ask : a word of `OPEN`, or the words of the question that fit each of `options`
    lacks : words of the question that the data have nothing for
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    calls: tuple[PlannedCall, ...] = ()
    ask: str | None = None
    options: tuple[str, ...] = ()
    lacks: str | None = None
    refuse: Refusal | None = None


def write_plan(plan: Plan) -> str:
    """Return the plan as the orchestrator writes it: one line, nothing needless."""
    found: dict[str, Any]
    if plan.calls:
        found = {"calls": [[c.tool, c.args] for c in map(in_order, plan.calls)]}
    elif plan.ask:
        found = {"ask": plan.ask} | ({"of": list(plan.options)} if plan.options else {})
    elif plan.lacks:
        found = {"lacks": plan.lacks}
    else:
        found = {"refuse": plan.refuse}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def read_plan(text: str) -> Plan:
    """Return the plan in `text`.

    Raises
    ------
    DataError : it is none; the message says what to mend
    """
    try:
        found, _ = json.JSONDecoder().raw_decode(text.strip())
    except ValueError as error:
        raise DataError(f"The plan is no JSON: {error}.") from error
    if not isinstance(found, dict) or len({"calls", "ask", "lacks", "refuse"} & found.keys()) != 1:
        raise DataError("A plan has one of the keys calls, ask, lacks, refuse.")
    calls = tuple(_call(item) for item in found.get("calls") or ())
    if "calls" in found and not 1 <= len(calls) <= MAX_CALLS:
        raise DataError(f"A plan has 1 to {MAX_CALLS} calls, got {len(calls)}.")
    try:
        return Plan(
            calls=calls,
            ask=found.get("ask"),
            options=tuple(found.get("of") or ()),
            lacks=found.get("lacks"),
            refuse=found.get("refuse"),
        )
    except ValidationError as error:
        raise DataError(f"The plan cannot be read: {error.errors()[0]['msg']}.") from error


def _call(item: object) -> PlannedCall:
    """Return a call of a plan, its tool known and its arguments checked."""
    if not (isinstance(item, list) and len(item) == 2 and isinstance(item[1], dict)):
        raise DataError(f'A call is ["tool",{{arguments}}], got {json.dumps(item)[:80]}.')
    tool, args = str(item[0]), dict(item[1])
    now = {k: v for k, v in args.items() if not _late(v)}
    required = set(tool_def(tool).schema()["required"])
    if required <= now.keys():
        tool_def(tool).checked(now)
    return PlannedCall(tool=tool, args=args)


def _late(value: object) -> bool:
    return isinstance(value, str) and value.startswith("@")


def in_order(call: PlannedCall) -> PlannedCall:
    """Return the call with its arguments in the order of the tool's schema, numbers short."""
    known = _arguments(call.tool)
    place = {name: i for i, name in enumerate(known)}
    names = sorted(call.args, key=lambda n: place.get(n, len(known)))
    return PlannedCall(tool=call.tool, args={n: _short(call.args[n]) for n in names})


@cache
def _arguments(tool: str) -> tuple[str, ...]:
    """Return the arguments of a tool in the order of its schema; none of a tool there is not."""
    return tuple(TOOLS[tool].schema()["properties"]) if tool in TOOLS else ()


def _short(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, (list, tuple)):
        return [_short(item) for item in value]
    return value


def prompt_of(
    question: str,
    card: Mapping[str, Any],
    *,
    set_already: Mapping[str, Any] | None = None,
    last: str = "",
) -> str:
    """Return what the orchestrator reads.

    Parameters
    ----------
    card : of the data set asked about, as `agent.cards` writes it
    set_already : what earlier calls have set, as the working set holds it; nothing else is shown
    last : a digest of the last result or error, see `digest`
    """
    lines = [_channels(card, question)]
    labels = [str(v) for group in (card.get("labels") or {}).values() for v in group]
    for kind, names in (
        ("labels", near(question, labels)),
        ("sessions", sessions_in(question, card)),
        ("subjects", subjects_in(question, card)),
    ):
        if names:
            lines.append(f"{kind}: {', '.join(names)}")
    if shown := _shown(set_already or {}):
        lines.append(f"set: {shown}")
    if last:
        lines.append(f"last: {last}")
    return "\n".join([*lines, f"Q: {' '.join(question.split())}", ""])


def sessions_in(question: str, card: Mapping[str, Any]) -> list[str]:
    """Return what is written in the question as the set writes its sessions."""
    pattern = str(card.get("id_pattern") or "")
    if "\\d" not in pattern:  # any word would do: only those the card lists
        return _listed(question, card.get("session_ids") or ())
    whole = rf"(?<![A-Za-z0-9_.-])(?:{pattern})(?![A-Za-z0-9_-])"
    found = re.findall(whole, question, re.IGNORECASE)
    return list(dict.fromkeys(map(str, found)))


def subjects_in(question: str, card: Mapping[str, Any]) -> list[str]:
    """Return the subjects of the card that the question names."""
    return _listed(question, card.get("subject_ids") or ())


def _listed(question: str, names: Iterable[object]) -> list[str]:
    folded = question.casefold()
    return [
        str(name)
        for name in names
        if re.search(rf"(?<![a-z0-9]){re.escape(str(name).casefold())}(?![a-z0-9])", folded)
    ]


def _channels(card: Mapping[str, Any], question: str) -> str:
    """Return the channels by modality: ``accelerometer: x y z; heart: rate``."""
    ids = [str(c["id"]) for c in card.get("channels") or ()]
    grouped: dict[str, list[str]] = {}
    for channel in near(question, ids, most=2 * MAX_NAMES):
        modality, _, own = channel.partition(".")
        grouped.setdefault(modality, []).append(own or modality)
    return "; ".join(f"{m}: {' '.join(own)}" for m, own in grouped.items())


def near(question: str, names: Sequence[str], most: int = MAX_NAMES) -> list[str]:
    """Return at most `most` of the names in their order, those with words of the question first."""
    if len(names) <= most:
        return list(names)
    said = set(_words(question))
    ranked = sorted(range(len(names)), key=lambda i: (-len(said & set(_words(names[i]))), i))
    return [names[i] for i in sorted(ranked[:most])]


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]{2,}|\d+", text.casefold())


_SHOWN = ("channels", "sessions", "labels", "subjects", "start_s", "end_s", "tokenizer", "task",
          "head")  # fmt: skip


def _shown(working_set: Mapping[str, Any]) -> str:
    found = {k: working_set[k] for k in _SHOWN if working_set.get(k)}
    return " ".join(f"{k}={_flat(v)}" for k, v in found.items())


def _flat(value: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value[:4])) + ("…" if len(value) > 4 else "")
    return str(value)


def digest(tool: str, content: Mapping[str, Any] | str) -> str:
    """Return a result in one short line: its tool, its first numbers and names; or its error."""
    if isinstance(content, str):
        return f"{tool} failed: {' '.join(content.split())[:160]}"
    return f"{tool} " + " ".join(_facts(content))[:120]


def _facts(content: Mapping[str, Any]) -> Iterable[str]:
    for name, value in content.items():
        if name == "result_id" or value is None:
            continue
        if isinstance(value, (str, int, float)):
            yield f"{name}={value}"
        elif isinstance(value, list):
            yield f"{name}:{len(value)}"
