"""The saved record of a run: one JSON line, enough to replay it and to train on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ToolMessage,
    convert_to_openai_messages,
)
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tool_use_om.data.errors import DataError, TuomError
from tool_use_om.data.jsonl import append_line, read_lines
from tool_use_om.data.values import Json
from tool_use_om.data.version import package_version
from tool_use_om.data.workspace import Workspace

FORMAT_VERSION = 1
# What may differ between two honest executions of one call: how long it took, and the result ids
# that hash it.
VOLATILE_KEYS = frozenset({"seconds", "timing", "result_id", "fit_s", "encode_s", "predict_s"})


class Call(BaseModel):
    """One tool call of a run and what came back.

    `observation` is the digest of the tool's JSON without what `VOLATILE_KEYS` names; `seconds` is
    None where the run did not measure the call; `ok` is False for an error the model could mend.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: str
    arguments: dict[str, Any]
    observation: str
    result_id: str | None = None
    ok: bool = True
    seconds: float | None = None


class Trace(BaseModel):
    """One run: what was asked, every message and call, the verdicts, and what it ran on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int = FORMAT_VERSION
    created_utc: str
    query: str
    dataset: str | None
    dataset_hash: str | None
    messages: tuple[dict[str, Any], ...] = Field(description="OpenAI form, as they happened")
    tools: tuple[dict[str, Any], ...] = Field(description="schemas offered, OpenAI form")
    cards: tuple[dict[str, Any], ...] = Field(default=(), description="data sets as offered")
    plan: tuple[dict[str, Any], ...] = ()
    understood: dict[str, Any] = Field(default_factory=dict, description="the question, parsed")
    frame: dict[str, Any] = Field(default_factory=dict, description="what the turn before left")
    not_understood: tuple[str, ...] = ()
    stopped: str = Field(default="", description="which limit ended the calls, if one did")
    calls: tuple[Call, ...] = ()
    findings: tuple[dict[str, Any], ...] = ()
    answer: str = ""
    outcome: str = Field(default="", description="answer, partial, refusal, question, unreadable")
    verdicts: dict[str, Any] = Field(default_factory=dict, description="what verify said")
    model: str
    seed: int
    seconds: float | None = None
    package_version: str
    tags: dict[str, str] = Field(default_factory=dict, description='such as {"template": "…"}')

    @property
    def id(self) -> str:
        """Short digest of what was asked, on what, by whom, and what was called."""
        parts = [self.query, self.dataset_hash, self.model, self.seed, self.created_utc]
        return "t-" + digest([*parts, [c.model_dump() for c in self.calls]])[:12]


def stable(value: Json) -> Json:
    """Return `value` without what `VOLATILE_KEYS` names, at every depth."""
    if isinstance(value, Mapping):
        return {str(k): stable(v) for k, v in value.items() if k not in VOLATILE_KEYS}
    if isinstance(value, list | tuple):
        return [stable(v) for v in value]
    return value


def digest(value: Json) -> str:
    """Return the sha256 of the canonical JSON of `value` without its volatile keys."""
    text = json.dumps(stable(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def read_content(text: Json) -> Json:
    """Return the JSON value a tool message carries, or its text where it is not JSON."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def tool_schemas() -> list[dict[str, Any]]:
    """Return every tool's schema in OpenAI form, as the model is shown them."""
    from langchain_core.utils.function_calling import convert_to_openai_tool

    from tool_use_om.tools.langchain import build_tools

    return [convert_to_openai_tool(tool) for tool in build_tools()]


def _openai_form(messages: Sequence[BaseMessage]) -> tuple[dict[str, Any], ...]:
    return tuple(convert_to_openai_messages(m) for m in messages)


def _artifact(message: ToolMessage) -> Mapping[str, Any]:
    return message.artifact if isinstance(message.artifact, Mapping) else {}


def _call(request: Mapping[str, Any], reply: ToolMessage) -> Call:
    artifact = _artifact(reply)
    content = read_content(reply.content)
    named = content.get("result_id") if isinstance(content, dict) else None
    return Call(
        tool=str(request["name"]),
        arguments=dict(request["args"]),
        observation=digest(content),
        result_id=artifact.get("result_id") or named,
        ok=reply.status != "error",
        seconds=artifact.get("seconds"),
    )


def calls_of(messages: Sequence[BaseMessage]) -> tuple[Call, ...]:
    """Return the answered tool calls of `messages`, in order."""
    replies = {m.tool_call_id: m for m in messages if isinstance(m, ToolMessage)}
    requests = [r for m in messages if isinstance(m, AIMessage) for r in m.tool_calls]
    return tuple(_call(r, replies[r["id"] or ""]) for r in requests if r["id"] in replies)


def _dataset_of(state: Mapping[str, Any]) -> str | None:
    """Return the data set a run was about: the one it chose, else the one it was offered first."""
    cards = list(state.get("datasets") or [])
    chosen = (state.get("working_set") or {}).get("dataset")
    return chosen or (cards[0].get("name") if cards else None)


def _hash_of(dataset: str | None, workspace: Workspace) -> str | None:
    if dataset is None:
        return None
    from tool_use_om.data.catalog import open_dataset

    try:
        return open_dataset(dataset, workspace).content_hash
    except TuomError:
        return None


def trace_from_state(
    state: Mapping[str, Any],
    *,
    workspace: Workspace,
    model: str = "offline",
    seed: int = 0,
    seconds: float | None = None,
    tools: Sequence[Mapping[str, Any]] | None = None,
    tags: Mapping[str, str] | None = None,
) -> Trace:
    """Return the record of a finished run.

    Parameters
    ----------
    state : the graph's final state (`AgentState`)
    workspace : Workspace, where the run's data set lives; its content hash is recorded
    model : str, as given to the model resolver
    seed : int, the run's seed
    seconds : float, wall time of the run, seconds
    tools : tool schemas in OpenAI form; None = those of `tool_schemas()`
    tags : what training splits by, such as the template of a generated question
    """
    messages = list(state.get("messages", []))
    dataset = _dataset_of(state)
    return Trace(
        created_utc=datetime.now(UTC).isoformat(timespec="milliseconds"),
        query=str(state.get("question") or ""),
        dataset=dataset,
        dataset_hash=_hash_of(dataset, workspace),
        messages=_openai_form(messages),
        tools=tuple(dict(t) for t in (tool_schemas() if tools is None else tools)),
        cards=tuple(state.get("datasets") or ()),
        plan=tuple(state.get("plan") or ()),
        understood=dict(state.get("understood") or {}),
        not_understood=tuple(state.get("not_understood") or ()),
        stopped=str(state.get("stopped") or ""),
        calls=calls_of(messages),
        findings=tuple(state.get("findings") or ()),
        answer=str(state.get("answer") or ""),
        outcome=str(state.get("outcome") or ""),
        frame=dict(state.get("frame") or {}),
        verdicts=dict(state.get("verification") or {}),
        model=model,
        seed=seed,
        seconds=seconds,
        package_version=package_version(),
        tags=dict(tags or {}),
    )


def traces_path(workspace: Workspace) -> Path:
    """Return the file that a workspace's traces are appended to."""
    return workspace.path("traces", "traces.jsonl")


def append_trace(workspace: Workspace, trace: Trace) -> Path:
    """Append `trace` to the workspace's traces; return the file."""
    path = traces_path(workspace)
    append_line(path, trace.model_dump_json())
    return path


def read_traces(source: Workspace | Path) -> list[Trace]:
    """Return the traces of a workspace (none yet: an empty list) or of a JSONL file.

    Raises
    ------
    DataError : the file is missing, or a whole line of it is not a trace
    """
    path = traces_path(source) if isinstance(source, Workspace) else source
    if not path.exists():
        if isinstance(source, Workspace):
            return []
        raise DataError(f"No traces at {path}. Record some with `tuom ask`.")
    return [_parse(path, number, value) for number, value in read_lines(path)]


def _parse(path: Path, number: int, value: Json) -> Trace:
    try:
        return Trace.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise DataError(
            f"{path} line {number} is not a trace of format {FORMAT_VERSION}: {where}: "
            f"{first['msg']}. Move that line away to read the rest."
        ) from None
