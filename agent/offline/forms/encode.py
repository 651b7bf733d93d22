"""Questions about how the signal is read: tokenizer, windows, head."""

from __future__ import annotations

from tool_use_om.agent.offline.forms.form import Form
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Result, _spaced, braces, ref
from tool_use_om.tools.call.arguments import ConfigureHead
from tool_use_om.tools.encode.found import (
    EncodedChannels,
    HeadConfigured,
    HeadSelected,
    TokenizerSelected,
    WindowsConfigured,
)


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
    found = result.found(TokenizerSelected)
    answer.head(
        result, "the tokenizer that fits is `{name}`", name=ref(found.tokenizer, "tokenizer")
    )
    answer.say(
        result, "It has {parameters} parameters and reads {size} samples a patch; {why}.",
        parameters=ref(found.parameters, "parameters"),
        size=ref(found.patch_len, "samples a patch"), why=ref(found.why, "why this one"),
    )  # fmt: skip
    for other in found.alternatives:
        answer.note(f"- `{other.name}`: {other.why_not or 'also available'}")


def _tell_windows(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    found = result.found(WindowsConfigured)
    answer.head(
        result, "windows are {window} long, one every {stride}, at {rate}; a patch covers {patch}",
        window=ref(found.window_s, "window"), stride=ref(found.stride_s, "stride"),
        rate=ref(found.rate_hz, "rate"), patch=ref(found.patch_s, "patch"),
    )  # fmt: skip
    special = {
        "Patches overlap: one begins every {v}.": ref(found.patch_stride_s, "patch stride"),
        "Super-patches summarise {v} each.": ref(found.super_s, "super"),
        "Channels of several rates: {v}.": ref(found.fusion, "fusion", "unit"),
        "Each window is encoded at {v} resolutions.": ref(found.resolutions, "resolutions", "unit"),
    }
    for text, value in special.items():
        answer.say(result, text, v=value)
    features = found.context_features
    if isinstance(features, list):
        answer.note(f"Heads also get: {', '.join(map(_spaced, features))}.")
    elif features is False:
        answer.note("Heads get tokens only, without the mean and scale of a window.")
    if found.why:
        answer.note(f"Why: {found.why.rstrip('.')}.")


def _tell_encoding(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    found = result.found(EncodedChannels)
    dropped = ", ".join(f"`{c}`" for c in found.dropped)
    answer.note(f"The encoder does not see {dropped}: {found.why or ''}.")


def _tell_head(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    found = result.found(HeadSelected)
    why = str(found.why or "chosen by rule").rstrip(".")
    answer.head(result, f"the head is `{braces(str(found.head))}`")
    answer.note(f"Why: {why}.")


def _tell_settings(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    found = result.found(HeadConfigured)
    for name in result.asked(ConfigureHead).params or {}:
        answer.say(
            result, f"The head `{found.head}` uses {name} = {{value}}.",
            value=ref(found.params.get(name), f"setting {name}"),
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
