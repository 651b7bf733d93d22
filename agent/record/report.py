"""One self-contained HTML page a run: the answer, its figures, and where each number is from.

Nothing in the page comes from outside it: figures are inlined, there is no script. Text that came
from a model or a data set is escaped, and Markdown is rendered with raw HTML switched off.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonpointer
from langchain_core.messages import AIMessage, ToolMessage

from tool_use_om.agent.record.trace import Trace
from tool_use_om.agent.state import this_turn
from tool_use_om.agent.verify.check import OWN_END, OWN_START, VALUE_BAR, VALUE_END, VALUE_START
from tool_use_om.data.errors import TuomError
from tool_use_om.data.plain import plain_text
from tool_use_om.data.values import Json
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.results import ResultStore

MAX_ROWS = 60  # of a result's values; every value that the answer cites is shown all the same
_BULK = "/detail/"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One tool call as the report shows it; `figures` are files to inline."""

    tool: str
    arguments: Mapping[str, Any]
    content: Any
    result_id: str | None
    ok: bool
    figures: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a page is made of.

    Parameters
    ----------
    question, answer : str; the answer in Markdown
    findings : dicts as in `AgentState["findings"]`
    steps : the tool calls in order
    facts : short name and value pairs shown under the answer (data set, model, seconds …)
    verification : as in `AgentState["verification"]`
    outcome : as in `AgentState["outcome"]`
    """

    question: str
    answer: str
    findings: Sequence[Mapping[str, Any]] = ()
    steps: Sequence[Step] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    verification: Mapping[str, Any] = field(default_factory=dict)
    outcome: str = ""


def leaves(value: Json, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (JSON pointer, scalar) of every leaf of a JSON value, in order."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, f"{pointer}/{jsonpointer.escape(str(key))}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{pointer}/{index}")
    else:
        yield pointer, value


def _prose(report: Report) -> str:
    """Return the answer as HTML: each value links to its source, a model's own words are marked."""
    from markdown_it import MarkdownIt

    marked = report.verification.get("marked")
    markdown = str(marked) if marked else plain_text(report.answer)
    rendered = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    return link_values(str(rendered), report.findings)


def link_values(rendered: str, findings: Sequence[Mapping[str, Any]]) -> str:
    """Return HTML in which each marked value links to the finding that it was rendered from.

    Parameters
    ----------
    rendered : HTML with the marks of `verify.check`
    """
    first, *parts = rendered.split(VALUE_START)
    linked = [first]
    for part in parts:
        index, _, rest = part.partition(VALUE_BAR)
        shown, _, after = rest.partition(VALUE_END)
        linked.append(_link(index, shown, findings) + after)
    own = '<mark class="own" title="the model\'s own words">'
    return "".join(linked).replace(OWN_START, own).replace(OWN_END, "</mark>")


def _link(index: str, shown: str, findings: Sequence[Mapping[str, Any]]) -> str:
    if not index.isdecimal() or int(index) >= len(findings):
        return shown
    finding = findings[int(index)]
    source = finding["source"]
    target = anchor(source["result_id"], source["pointer"])
    said = f"{finding.get('statement')} · {source['result_id']}{source['pointer']}"
    title = _text(f"{said} = {finding['value']!r}")
    return f'<a class="num" href="#{target}" title="{title}">{shown}</a>'


def _text(value: object) -> str:
    """Return text of a model or of the data as HTML: escaped, without control characters."""
    return html.escape(plain_text(str(value)), quote=True)


def _cell(value: Json) -> str:
    shown = f"{value:.6g}" if isinstance(value, float) else str(value)
    return _text(shown)


def _finding_row(finding: Mapping[str, Any]) -> str:
    source = finding.get("source") or {}
    where = f"{source.get('result_id', '')}{source.get('pointer', '')}"
    target = anchor(source.get("result_id", ""), source.get("pointer", ""))
    value = _cell(finding.get("value"))
    if isinstance(finding.get("value"), int | float):
        value = f"{value} {_text(finding.get('unit') or '')}"
    return (
        f"<tr><td>{_text(finding.get('statement', ''))}</td>"
        f'<td class="value">{value}</td>'
        f'<td><a href="#{target}"><code>{_text(where)}</code></a></td></tr>'
    )


def _findings(findings: Sequence[Mapping[str, Any]]) -> str:
    if not findings:
        return ""
    rows = "".join(_finding_row(f) for f in findings)
    head = "<tr><th>Finding</th><th>Value</th><th>Source</th></tr>"
    return (
        f"<h2>Findings and their sources</h2><details><summary>{len(findings)} values the answer "
        f'rests on</summary><div class="wide"><table>{head}{rows}</table></div></details>'
    )


def _figure(path: Path, step: Step) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    name = _text(path.stem.replace("_", " ").replace("-", " "))
    link = f'<a href="#{anchor(step.result_id or "")}"><code>{step.result_id}</code></a>'
    return (
        f'<figure><img alt="{name}" src="data:image/png;base64,{data}">'
        f"<figcaption>{name} · {_text(step.tool)} · {link}</figcaption></figure>"
    )


def _figures(steps: Sequence[Step]) -> str:
    drawn = [_figure(path, step) for step in steps for path in step.figures]
    return f"<h2>Figures</h2>{''.join(drawn)}" if drawn else ""


def _value_rows(step: Step, cited: set[str]) -> str:
    rows: list[str] = []
    left_out = 0
    for pointer, value in leaves(step.content):
        if (len(rows) >= MAX_ROWS or pointer.startswith(_BULK)) and pointer not in cited:
            left_out += 1
            continue
        rows.append(
            f'<tr id="{anchor(step.result_id or "", pointer)}"><td><code>{_text(pointer)}'
            f'</code></td><td class="value">{_cell(value)}</td></tr>'
        )
    if left_out:
        rows.append(
            f'<tr><td class="soft" colspan="2">… {left_out} more values in '
            f"<code>results/{step.result_id}/result.json</code></td></tr>"
        )
    return "".join(rows)


def _step(number: int, step: Step, cited: set[str]) -> str:
    arguments = _text(json.dumps(dict(step.arguments), ensure_ascii=False))
    mark = "" if step.ok else ' <span class="bad">not possible</span>'
    body = (
        f'<div class="wide"><table>{_value_rows(step, cited)}</table></div>'
        if isinstance(step.content, Mapping)
        else f"<p>{_text(step.content)}</p>"
    )
    return (
        f'<details id="{anchor(step.result_id or f"step-{number}")}"><summary>{number}. '
        f"<b>{_text(step.tool)}</b> <code>{arguments}</code>{mark} "
        f'<span class="soft">{step.result_id or ""}</span></summary>{body}</details>'
    )


def _facts(report: Report) -> str:
    items = [f"<li><b>{_text(k)}</b> {_text(v)}</li>" for k, v in report.facts.items()]
    return f'<ul class="facts">{"".join(items)}{"".join(_verdicts(report))}</ul>'


_ENDS = {
    "refusal": "Not answered: the text above says why",
    "question": "Not answered yet: the text above asks what was meant",
    "unreadable": "Not answered by the model: its reply could not be read",
    "partial": "Answered in part: something is missing, was cut or not understood",
}


def _verdicts(report: Report) -> list[str]:
    """Return what may be promised about this answer, and what may not, as list items."""
    said = []
    if end := _ENDS.get(report.outcome):
        said.append(f'<li class="bad"><b>{end}</b></li>')
    rejected = report.verification.get("rejected") or []
    own = report.verification.get("own") or []
    if rejected:
        said.append(
            f'<li class="bad"><b>{len(rejected)} statement(s) cut</b>: no result supports them</li>'
        )
    if own:
        said.append(
            f'<li class="own"><b>{len(own)} sentence(s) in the model\'s own words</b>, marked; '
            "the values in them are from tool results</li>"
        )
    elif report.verification.get("sourced") and report.outcome in {"answer", "partial"}:
        said.append('<li class="good"><b>Every number from a tool result</b></li>')
    return said


def _rejected(report: Report) -> str:
    rejected = report.verification.get("rejected") or []
    rows = "".join(
        f"<li>{_text(r.get('text', r))} — "
        f'<span class="soft">{_text(r.get("reason", ""))}</span></li>'
        for r in rejected
    )
    return f"<h2>Cut by the verifier</h2><ul>{rows}</ul>" if rejected else ""


_EYEBROWS = {
    "answer": "a sourced answer",
    "partial": "part of an answer",
    "refusal": "no answer",
    "question": "a question back",
    "unreadable": "an unreadable reply",
}


def render(report: Report) -> str:
    """Return the page as HTML text."""
    css = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
    cited: dict[str, set[str]] = {}
    for finding in report.findings:
        source = finding.get("source") or {}
        cited.setdefault(source.get("result_id", ""), set()).add(source.get("pointer", ""))
    steps = "".join(
        _step(n, s, cited.get(s.result_id or "", set())) for n, s in enumerate(report.steps, 1)
    )
    title = _text(report.question)
    kind = _EYEBROWS.get(report.outcome, "a run")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{css}</style></head><body><main>"
        f'<p class="eyebrow">tool-use-om · {kind}</p><h1>{title}</h1>'
        f'<div class="answer {_text(report.outcome)}">{_prose(report)}</div>{_facts(report)}'
        f"{_rejected(report)}{_figures(report.steps)}{_findings(report.findings)}"
        f"<h2>What was done, step by step</h2>{steps}</main></body></html>\n"
    )


def anchor(result_id: str, pointer: str = "") -> str:
    """Return the page anchor of a value: the result's id and its JSON pointer."""
    return _text(f"{result_id}{pointer}")


def report_of(state: Mapping[str, Any], place: Workspace, trace: Trace) -> Report:
    """Return the page's contents for the question a state answers."""
    messages = this_turn(list(state.get("messages") or []))
    replies = {m.tool_call_id: m for m in messages if isinstance(m, ToolMessage)}
    requests = [r for m in messages if isinstance(m, AIMessage) for r in m.tool_calls]
    return Report(
        question=trace.query,
        answer=trace.answer,
        findings=state.get("findings") or [],
        steps=[_step_of(r, replies[r["id"]], place) for r in requests if r["id"] in replies],
        facts=_facts_of(trace, place),
        verification=state.get("verification") or {},
        outcome=str(state.get("outcome") or ""),
    )


def _step_of(request: Mapping[str, Any], reply: ToolMessage, place: Workspace) -> Step:
    artifact = reply.artifact if isinstance(reply.artifact, Mapping) else {}
    result_id = artifact.get("result_id")
    return Step(
        tool=request["name"],
        arguments=request["args"],
        content=ResultStore(place).get(result_id).data if result_id else reply.content,
        result_id=result_id,
        ok=reply.status != "error",
        figures=tuple(_stored_figures(artifact, place)),
    )


def _stored_figures(artifact: Mapping[str, Any], place: Workspace) -> list[Path]:
    paths = [(place.root / name).resolve() for name in artifact.get("figures") or []]
    return [p for p in paths if p.is_relative_to(place.root) and p.is_file()]


def _facts_of(trace: Trace, place: Workspace) -> dict[str, str]:
    facts = {
        "model": trace.model,
        "seed": str(trace.seed),
        "seconds": f"{trace.seconds:.1f}" if trace.seconds is not None else "not measured",
        "version": trace.package_version,
        "trace": trace.id,
    }
    return {**_data_facts_of(trace, place), **facts}


def _data_facts_of(trace: Trace, place: Workspace) -> dict[str, str]:
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
