"""An answer as a plain Python script: the same tool calls, no agent, the same numbers.

The script needs this package and the data set. It fits and measures everything again and prints
each value the answer shows, by the pointer it was taken from.
"""

from __future__ import annotations

import json
import pprint
from collections.abc import Mapping, Sequence
from typing import Any

from tool_use_om.agent.answering import results_of
from tool_use_om.data.plain import plain_text

_WIDTH = 96
_HEAD = '''"""{question}

Made by tool-use-om {version} from {dataset} (content hash {hash}).
"""

from jsonpointer import resolve_pointer

from tool_use_om.data.catalog import open_dataset
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.registry import run_tool

workspace = Workspace.at({workspace!r})  # where the data set is; None: $TUOM_WORKSPACE, else .tuom
context = ToolContext(workspace=workspace, dataset={dataset!r}, seed={seed}{ask})
chosen = WorkingSet()
results = []


def step(name, **arguments):
    """Run one tool on what the steps before have chosen; keep what it found."""
    global chosen
    outcome = run_tool(name, arguments, context, chosen)
    chosen = outcome.working_set
    results.append(outcome.result.data)


def show(what, number, pointer, unit=""):
    """Print one value of the answer."""
    print(f"{{what}}: {{resolve_pointer(results[number], pointer)}} {{unit}}".rstrip())

'''
_CHECK = """
if open_dataset({dataset!r}, workspace).content_hash != {hash!r}:
    print("note: the data set is not as it was when the question was answered")
"""


def script_of(
    state: Mapping[str, Any],
    *,
    dataset: str | None,
    content_hash: str | None,
    seed: int,
    version: str,
    workspace: str | None = None,
) -> str:
    """Return the script that computes a state's answer again.

    Parameters
    ----------
    state : of a run that is done
    dataset, content_hash : what the run was asked about; None where it opened no data set
    workspace : the folder written into the script; None = the reader's own default

    Returns
    -------
    Python source; without steps where the answer called no tool
    """
    made = [r for r in results_of(state.get("messages") or []) if r["result_id"]]
    numbers = {r["result_id"]: i for i, r in enumerate(made)}
    head = _HEAD.format(
        question=_one_line(state.get("question") or ""), version=version, dataset=dataset,
        hash=content_hash, workspace=workspace, seed=seed, ask=_labels_given(made),
    )  # fmt: skip
    check = _CHECK.format(dataset=dataset, hash=content_hash) if content_hash else ""
    lines = [f"step({_arguments(r['tool'], r['args'])})" for r in made]
    shown = [_show(f, numbers) for f in state.get("findings") or []]
    return head + check + "\n" + "\n".join(lines) + "\n\n" + "\n".join(filter(None, shown)) + "\n"


def _one_line(text: str) -> str:
    """Return text that can stand in a docstring: one line, no quotes that end it."""
    return plain_text(" ".join(text.split())).replace("\\", "\\\\").replace('"', "'")


def _labels_given(made: Sequence[Mapping[str, Any]]) -> str:
    """Return what answers the questions to a person as they were answered in the run."""
    given: dict[str, str] = {}
    for result in made:
        if result["tool"] == "request_labels":
            given |= result["content"].get("labels") or {}
    if not given:
        return ""
    wanted = (
        "{w['window_id']: labels[w['window_id']] for w in q['windows'] if w['window_id'] in labels}"
    )
    return f", ask=lambda q, labels={given!r}: {wanted}"


def _arguments(tool: str, arguments: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in arguments.items() if value is not None}
    return ", ".join([repr(tool), *(f"{n}={_literal(v)}" for n, v in kept.items())])


def _literal(value: object) -> str:
    """Return a value as Python writes it; JSON values only, so nothing of it can run."""
    plain = json.loads(json.dumps(value, ensure_ascii=False))
    return pprint.pformat(plain, width=_WIDTH, compact=True, sort_dicts=False)


def _show(finding: Mapping[str, Any], numbers: Mapping[str, int]) -> str:
    source = finding.get("source") or {}
    number = numbers.get(str(source.get("result_id")))
    if number is None:
        return ""
    what = plain_text(str(finding.get("statement"))).partition(": ")[0]
    unit = finding.get("unit") if isinstance(finding.get("value"), int | float) else None
    unit_said = f", {unit!r}" if unit else ""
    return f"show({what!r}, {number}, {source['pointer']!r}{unit_said})"
