"""One self-contained HTML page a run: the answer, its figures, and where each number is from.

The answer comes first, then the figure that shows it, then how sure it is; the rest is folded.
Nothing in the page comes from outside it: figures are inlined, and the only script is the kept one
that zooms them. Text that came from a model or a data set is escaped, and Markdown is rendered with
raw HTML switched off.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonpointer
from langchain_core.messages import AIMessage, ToolMessage

from tool_use_om.agent.record.layout import Kept, Layout, arranged, sources_in, spoken
from tool_use_om.agent.record.trace import Trace
from tool_use_om.agent.state import this_turn
from tool_use_om.agent.verify.check import OWN_END, OWN_START, VALUE_BAR, VALUE_END, VALUE_START
from tool_use_om.data.errors import TuomError
from tool_use_om.data.plain import plain_text
from tool_use_om.data.show import page
from tool_use_om.data.show.figure import ENDING, Figure, read_figure
from tool_use_om.data.values import Json
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.results import ResultStore

if TYPE_CHECKING:
    from markupsafe import Markup

MAX_ROWS = 60  # of a result's values; every value that the answer cites is shown all the same
_BULK = "/detail/"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One tool call as the report shows it."""

    tool: str
    arguments: Mapping[str, Any]
    content: Any
    result_id: str | None
    ok: bool
    figures: tuple[Figure, ...] = ()


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
    code : the script that computes the answer again
    """

    question: str
    answer: str
    findings: Sequence[Mapping[str, Any]] = ()
    steps: Sequence[Step] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    verification: Mapping[str, Any] = field(default_factory=dict)
    outcome: str = ""
    code: str = ""


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


def _prose(markdown: str, findings: Sequence[Mapping[str, Any]]) -> Markup:
    """Return Markdown as HTML: each value links to its source, a model's own words are marked."""
    from markdown_it import MarkdownIt
    from markupsafe import Markup

    rendered = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    rendered = str(rendered).replace("<table>", '<div class="wide"><table>')
    whole = rendered.replace("</table>", "</table></div>")
    return Markup(link_values(whole, findings))  # noqa: S704 - Markdown without raw HTML


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
    target = _text(anchor(source["result_id"], source["pointer"]))
    said = f"{finding.get('statement')} · {source['result_id']}{source['pointer']}"
    title = _text(f"{said} = {finding['value']!r}")
    return f'<a class="num" href="#{target}" title="{title}">{shown}</a>'


def _text(value: object) -> str:
    """Return text of a model or of the data as HTML: escaped, without control characters."""
    return html.escape(plain_text(str(value)), quote=True)


def _shown(value: Json) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _finding(finding: Mapping[str, Any]) -> dict[str, str]:
    source = finding.get("source") or {}
    value = _shown(finding.get("value"))
    if isinstance(finding.get("value"), int | float):
        value = f"{value} {finding.get('unit') or ''}"
    where = anchor(source.get("result_id", ""), source.get("pointer", ""))
    return {"statement": str(finding.get("statement", "")), "value": value, "where": where}


def _figures(report: Report, headline: str) -> dict[str, list[dict[str, object]]]:
    """Return the figures as the page shows them, by where they stand."""
    from tool_use_om.data.show.interactive import shown

    kept = [Kept(s.result_id or "", s.tool, f) for s in report.steps for f in s.figures]
    if report.outcome not in {"answer", "partial", ""}:
        return {"figures": [], "checks": [], "others": [shown(k.figure) for k in kept]}
    answers, checks, others = arranged(kept, sources_in(headline, report.findings))
    finding = spoken(headline)
    return {
        "figures": [shown(k.figure, finding=finding) for k in answers],
        "checks": [shown(k.figure, small=True) for k in checks],
        "others": [shown(k.figure) for k in others],
    }


def _step(number: int, step: Step, cited: set[str]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "anchor": anchor(step.result_id or f"step-{number}"),
        "tool": step.tool,
        "arguments": json.dumps(dict(step.arguments), ensure_ascii=False),
        "ok": step.ok,
        "result_id": step.result_id,
    }
    if not isinstance(step.content, Mapping):
        return shown | {"rows": None, "said": str(step.content)}
    every = list(leaves(step.content))
    rows = [
        {"anchor": anchor(step.result_id or "", at), "pointer": at, "value": _shown(value)}
        for at, value in _chosen(every, cited)
    ]
    return shown | {"rows": rows, "left_out": len(every) - len(rows)}


def _chosen(every: Sequence[tuple[str, Json]], cited: set[str]) -> Iterator[tuple[str, Json]]:
    """Yield the first `MAX_ROWS` values that are not bulk, and each that the answer cites."""
    taken = 0
    for at, value in every:
        if at in cited or (taken < MAX_ROWS and not at.startswith(_BULK)):
            taken += 1
            yield at, value


_ENDS = {
    "refusal": "Not answered: the text above says why",
    "question": "Not answered yet: the text above asks what was meant",
    "unreadable": "Not answered by the model: its reply could not be read",
    "partial": "Answered in part: something is missing, was cut or not understood",
}


def _verdicts(report: Report) -> Iterator[dict[str, str]]:
    """Yield what may be promised about this answer, and what may not."""
    if end := _ENDS.get(report.outcome):
        yield {"kind": "bad", "text": end, "why": ""}
    if any(step.tool == "describe_signal" and step.ok for step in report.steps):
        why = ", in words, of facts computed of the signal; no head was fitted and nothing learnt"
        yield {"kind": "own", "text": "A description", "why": why}
    if rejected := report.verification.get("rejected"):
        cut = f"{len(rejected)} statement(s) cut"
        yield {"kind": "bad", "text": cut, "why": ": no result supports them"}
    if own := report.verification.get("own"):
        words = f"{len(own)} sentence(s) in the model's own words"
        why = ", marked; the values in them are from tool results"
        yield {"kind": "own", "text": words, "why": why}
    elif report.verification.get("sourced") and report.outcome in {"answer", "partial"}:
        yield {"kind": "good", "text": "Every number from a tool result", "why": ""}


def _rejected(report: Report) -> Iterator[dict[str, str]]:
    for cut in report.verification.get("rejected") or []:
        said = cut if isinstance(cut, Mapping) else {"text": cut}
        yield {"text": str(said.get("text", cut)), "reason": str(said.get("reason", ""))}


_EYEBROWS = {
    "answer": "a sourced answer",
    "partial": "part of an answer",
    "refusal": "no answer",
    "question": "a question back",
    "unreadable": "an unreadable reply",
}


def render(report: Report) -> str:
    """Return the page as HTML text."""
    cited: dict[str, set[str]] = {}
    for finding in report.findings:
        source = finding.get("source") or {}
        cited.setdefault(source.get("result_id", ""), set()).add(source.get("pointer", ""))
    steps = [
        _step(n, s, cited.get(s.result_id or "", set())) for n, s in enumerate(report.steps, 1)
    ]
    marked = report.verification.get("marked")
    layout = Layout.of(str(marked) if marked else plain_text(report.answer))
    figures = _figures(report, layout.headline)
    parts = {
        name: _prose(getattr(layout, name), report.findings)
        for name in ("before", "headline", "lead", "table", "after")
    }
    sections = [
        {"title": s.title, "is_open": s.is_open, "text": _prose(s.text, report.findings)}
        for s in layout.sections
    ]
    values = {
        "runs": any(f["data"] for each in figures.values() for f in each),
        "title": report.question,
        "eyebrow": f"tool-use-om · {_EYEBROWS.get(report.outcome, 'a run')}",
        "outcome": report.outcome,
        **parts,
        "sections": sections,
        "facts": report.facts,
        "verdicts": list(_verdicts(report)),
        "rejected": list(_rejected(report)),
        **figures,
        "findings": [_finding(f) for f in report.findings],
        "steps": steps,
        "code": plain_text(report.code) if report.steps else "",
    }
    return page.render(Path(__file__).parent / "report.html.j2", values)


def anchor(result_id: str, pointer: str = "") -> str:
    """Return the page anchor of a value: the result's id and its JSON pointer, not escaped."""
    return f"{result_id}{pointer}"


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
        figures=tuple(map(read_figure, _stored(artifact, place))),
    )


def figure_files(state: Mapping[str, Any], place: Workspace) -> list[Path]:
    """Return the kept figures of the question a state answers, the answer's own first."""
    paths: dict[int, Path] = {}
    held = []
    for message in this_turn(list(state.get("messages") or [])):
        artifact: Mapping[str, Any] = getattr(message, "artifact", None) or {}
        for path in _stored(artifact, place):
            figure = read_figure(path)
            paths[id(figure)] = path
            held.append(Kept(str(artifact.get("result_id")), str(message.name), figure))
    marked = str((state.get("verification") or {}).get("marked") or "")
    cited = sources_in(Layout.of(marked).headline, state.get("findings") or [])
    return [paths[id(k.figure)] for part in arranged(held, cited) for k in part]


def _stored(artifact: Mapping[str, Any], place: Workspace) -> list[Path]:
    paths = [(place.root / name).resolve() for name in artifact.get("figures") or []]
    kept = [p for p in paths if p.is_relative_to(place.root) and p.is_file()]
    return [p for p in kept if p.name.endswith(ENDING)]


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
