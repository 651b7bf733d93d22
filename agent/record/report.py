"""One self-contained HTML page a run: the answer, its figures, and where each number is from.

Nothing in the page comes from outside it: figures are inlined, there is no script. Text that came
from a model or a data set is escaped, and Markdown is rendered with raw HTML switched off.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonpointer
from langchain_core.messages import AIMessage, ToolMessage

from tool_use_om.agent.record.trace import Trace
from tool_use_om.agent.state import this_turn
from tool_use_om.agent.verify.facts import rounds_to
from tool_use_om.data.errors import TuomError
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
    """

    question: str
    answer: str
    findings: Sequence[Mapping[str, Any]] = ()
    steps: Sequence[Step] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    verification: Mapping[str, Any] = field(default_factory=dict)


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


def _prose(markdown: str, findings: Sequence[Mapping[str, Any]]) -> str:
    from markdown_it import MarkdownIt

    rendered = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    return link_numbers(str(rendered), findings)


def _cell(value: Json) -> str:
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


_NUMBER = re.compile(r"(?<![\w.#/-])[-+−]?\d+(?:\.\d+)?(?![\w/])")


_WORD = re.compile(r"[^\W\d_][\w-]*")


_CLAUSE_END = re.compile(r"[.;:,!?](?:\s|$)|\(|\)")


# Markup, and entities, are never searched for numbers; these tags end what is read together.
_MARKUP = re.compile(r"(<[^>]*>|&[a-z#0-9]+;)")


_BLOCK_END = re.compile(r"</(?:p|li|tr|h\d)>")


def anchor(result_id: str, pointer: str = "") -> str:
    """Return the page anchor of a value: the result's id and its JSON pointer."""
    return html.escape(f"{result_id}{pointer}", quote=True)


def link_numbers(rendered: str, findings: Sequence[Mapping[str, Any]]) -> str:
    """Return HTML in which each number that a finding states links to that finding's source.

    Where several findings state the same number, the one whose statement has most words in common
    with the clause is meant, then with the paragraph or table row, then one not linked to so far.
    """
    linker = _Linker(findings)
    start, parts = 0, []
    for end in (*(m.end() for m in _BLOCK_END.finditer(rendered)), len(rendered)):
        parts.append(linker.block(rendered[start:end]))
        start = end
    return "".join(parts)


class _Linker:
    def __init__(self, findings: Sequence[Mapping[str, Any]]) -> None:
        self.findings = [f for f in findings if (f.get("source") or {}).get("result_id")]
        self.words = [_words(f"{f.get('statement')} {f['source']['pointer']}") for f in findings]
        self.used: set[int] = set()

    def block(self, rendered: str) -> str:
        pieces = _MARKUP.split(rendered)
        plain = " ".join(pieces[::2])
        around, linked, at = _words(plain), [], 0
        for i, piece in enumerate(pieces):
            if i % 2:
                linked.append(piece)
                continue
            linked.append(
                _NUMBER.sub(
                    lambda m, at=at: self.link(m.group(), _clause(plain, at + m.start()), around),
                    piece,
                )
            )
            at += len(piece) + 1
        return "".join(linked)

    def link(self, text: str, clause: set[str], around: set[str]) -> str:
        fitting = [i for i, f in enumerate(self.findings) if _states(f.get("value"), text)]
        if not fitting:
            return text

        def closeness(i: int) -> tuple[int, int, bool, int]:
            words = self.words[i]
            return len(words & clause), len(words & around), i not in self.used, -i

        best = max(fitting, key=closeness)
        self.used.add(best)
        finding = self.findings[best]
        source = finding["source"]
        target = anchor(source["result_id"], source["pointer"])
        said = f"{finding.get('statement')} · {source['result_id']}{source['pointer']}"
        title = html.escape(f"{said} = {finding['value']!r}", quote=True)
        return f'<a class="num" href="#{target}" title="{title}">{text}</a>'


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}


def _clause(plain: str, position: int) -> set[str]:
    """Return the words of the clause around a position: nearer than its neighbours' words."""
    start = max((m.end() for m in _CLAUSE_END.finditer(plain, 0, position)), default=0)
    end = _CLAUSE_END.search(plain, position)
    return _words(plain[start : end.start() if end else len(plain)])


def _states(value: Json, text: str) -> bool:
    """Tell whether `text` is `value` rounded to the digits `text` shows (per cent allowed)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    said, decimals = float(text.replace("−", "-")), len(text.partition(".")[2])
    return rounds_to(said, decimals, value) or rounds_to(said, decimals, value * 100)


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
