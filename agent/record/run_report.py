"""From a finished run to what its report page is made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, ToolMessage

from tool_use_om.agent.record.report import Report, Step
from tool_use_om.agent.record.trace import Trace
from tool_use_om.agent.state import this_turn
from tool_use_om.data.errors import TuomError
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.results import ResultStore


def report_of(state: Mapping[str, Any], place: Workspace, trace: Trace) -> Report:
    """Return the page's contents for the question a state answers."""
    messages = this_turn(list(state.get("messages") or []))
    replies = {m.tool_call_id: m for m in messages if isinstance(m, ToolMessage)}
    requests = [r for m in messages if isinstance(m, AIMessage) for r in m.tool_calls]
    return Report(
        question=trace.query,
        answer=trace.answer,
        findings=state.get("findings") or [],
        steps=[_step(r, replies[r["id"]], place) for r in requests if r["id"] in replies],
        facts=_facts(trace, place),
        verification=state.get("verification") or {},
    )


def _step(request: Mapping[str, Any], reply: ToolMessage, place: Workspace) -> Step:
    artifact = reply.artifact if isinstance(reply.artifact, Mapping) else {}
    result_id = artifact.get("result_id")
    return Step(
        tool=request["name"],
        arguments=request["args"],
        content=ResultStore(place).get(result_id).data if result_id else reply.content,
        result_id=result_id,
        ok=reply.status != "error",
        figures=tuple(_figures(artifact, place)),
    )


def _figures(artifact: Mapping[str, Any], place: Workspace) -> list[Path]:
    paths = [(place.root / name).resolve() for name in artifact.get("figures") or []]
    return [p for p in paths if p.is_relative_to(place.root) and p.is_file()]


def _facts(trace: Trace, place: Workspace) -> dict[str, str]:
    facts = {
        "model": trace.model,
        "seed": str(trace.seed),
        "seconds": f"{trace.seconds:.1f}" if trace.seconds is not None else "not measured",
        "version": trace.package_version,
        "trace": trace.id,
    }
    return {**_data_facts(trace, place), **facts}


def _data_facts(trace: Trace, place: Workspace) -> dict[str, str]:
    from tool_use_om.data.catalog import open_dataset

    if trace.dataset is None:
        return {}
    try:
        manifest = open_dataset(trace.dataset, place).manifest
    except TuomError as error:
        return {"data": f"{trace.dataset} (no longer readable: {error})"}
    kind = "synthetic" if manifest.synthetic else "real"
    return {
        "data": f"{manifest.title} ({kind}; hash {manifest.content_hash[:12]})",
        "licence": manifest.licence,
    }
