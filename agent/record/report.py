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

from tool_use_om.agent.record.report_links import anchor, link_numbers

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
    """

    question: str
    answer: str
    findings: Sequence[Mapping[str, Any]] = ()
    steps: Sequence[Step] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    verification: Mapping[str, Any] = field(default_factory=dict)


def leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any JSON
    """Yield (JSON pointer, scalar) of every leaf of a JSON value, in order."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            step = str(key).replace("~", "~0").replace("/", "~1")
            yield from leaves(inner, f"{pointer}/{step}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{pointer}/{index}")
    else:
        yield pointer, value


def _prose(markdown: str, findings: Sequence[Mapping[str, Any]]) -> str:
    from markdown_it import MarkdownIt

    rendered = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    return link_numbers(str(rendered), findings)


def _cell(value: Any) -> str:  # noqa: ANN401 - any JSON scalar
    shown = f"{value:.6g}" if isinstance(value, float) else str(value)
    return html.escape(shown)


def _finding_row(finding: Mapping[str, Any]) -> str:
    source = finding.get("source") or {}
    where = f"{source.get('result_id', '')}{source.get('pointer', '')}"
    target = anchor(source.get("result_id", ""), source.get("pointer", ""))
    value = _cell(finding.get("value"))
    if isinstance(finding.get("value"), int | float):
        value = f"{value} {html.escape(finding.get('unit') or '')}"
    return (
        f"<tr><td>{html.escape(str(finding.get('statement', '')))}</td>"
        f'<td class="value">{value}</td>'
        f'<td><a href="#{target}"><code>{html.escape(where)}</code></a></td></tr>'
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
    name = html.escape(path.stem.replace("_", " ").replace("-", " "))
    link = f'<a href="#{anchor(step.result_id or "")}"><code>{step.result_id}</code></a>'
    return (
        f'<figure><img alt="{name}" src="data:image/png;base64,{data}">'
        f"<figcaption>{name} · {html.escape(step.tool)} · {link}</figcaption></figure>"
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
            f'<tr id="{anchor(step.result_id or "", pointer)}"><td><code>{html.escape(pointer)}'
            f'</code></td><td class="value">{_cell(value)}</td></tr>'
        )
    if left_out:
        rows.append(
            f'<tr><td class="soft" colspan="2">… {left_out} more values in '
            f"<code>results/{step.result_id}/result.json</code></td></tr>"
        )
    return "".join(rows)


def _step(number: int, step: Step, cited: set[str]) -> str:
    arguments = html.escape(json.dumps(dict(step.arguments), ensure_ascii=False))
    mark = "" if step.ok else ' <span class="bad">not possible</span>'
    body = (
        f'<div class="wide"><table>{_value_rows(step, cited)}</table></div>'
        if isinstance(step.content, Mapping)
        else f"<p>{html.escape(str(step.content))}</p>"
    )
    return (
        f'<details id="{anchor(step.result_id or f"step-{number}")}"><summary>{number}. '
        f"<b>{html.escape(step.tool)}</b> <code>{arguments}</code>{mark} "
        f'<span class="soft">{step.result_id or ""}</span></summary>{body}</details>'
    )


def _facts(report: Report) -> str:
    items = [f"<li><b>{html.escape(k)}</b> {html.escape(v)}</li>" for k, v in report.facts.items()]
    rejected = report.verification.get("rejected") or []
    verdict = (
        f'<li class="bad"><b>{len(rejected)} statement(s) cut</b>: not supported by a result</li>'
        if rejected
        else '<li class="good"><b>Every number checked</b> against its tool result</li>'
    )
    return f'<ul class="facts">{"".join(items)}{verdict}</ul>'


def _rejected(report: Report) -> str:
    rejected = report.verification.get("rejected") or []
    rows = "".join(
        f"<li>{html.escape(str(r.get('text', r)))} — "
        f'<span class="soft">{html.escape(str(r.get("reason", "")))}</span></li>'
        for r in rejected
    )
    return f"<h2>Cut by the verifier</h2><ul>{rows}</ul>" if rejected else ""


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
    title = html.escape(report.question)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{css}</style></head><body><main>"
        f'<p class="eyebrow">tool-use-om · a sourced answer</p><h1>{title}</h1>'
        f'<div class="answer">{_prose(report.answer, report.findings)}</div>{_facts(report)}'
        f"{_rejected(report)}{_figures(report.steps)}{_findings(report.findings)}"
        f"<h2>What was done, step by step</h2>{steps}</main></body></html>\n"
    )
