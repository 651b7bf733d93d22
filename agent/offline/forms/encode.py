"""Questions about how the signal is read: tokenizer, windows, head."""

from __future__ import annotations

from tool_use_om.agent.offline.forms.form import Form
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Result, _spaced, braces, ref


def _plan_head(p: Planner, ask: Ask) -> None:
    p.open()
    p.head(ask, ask.task, shots=ask.shots)


def _plan_tokenizer(p: Planner, ask: Ask) -> None:
    p.open()
    ask = p.told = p.as_told(ask)
    p.add("select_tokenizer", "choose the frozen encoder", tokenizer=ask.tokenizer)
    p.configure(ask, "see which windows fit the data")


def _plan_window(p: Planner, ask: Ask) -> None:
    p.open()
    ask = p.told = p.as_told(ask)
    p.configure(ask, "set the windows as asked")


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


FORM = Form(
    plans={"head": _plan_head, "tokenizer": _plan_tokenizer, "window": _plan_window},
    tells={
        "select_tokenizer": _tell_tokenizer,
        "configure_tokenizer": _tell_windows,
        "select_channels_for_encoding": _tell_encoding,
        "select_task_head": _tell_head,
        "configure_head": _tell_settings,
    },
)
