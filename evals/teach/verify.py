"""A row is kept if its calls run, come out the same twice, say what is true, and none is needless.

Only tools that look are run; what fits a head costs minutes, and those calls are judged by what the
template expects of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tool_use_om.agent.offline.answer import told
from tool_use_om.agent.orchestrator.protocol import PlannedCall
from tool_use_om.agent.orchestrator.steps import complete
from tool_use_om.agent.record.replay import difference
from tool_use_om.agent.record.trace import stable
from tool_use_om.data.catalog import datasets_folder
from tool_use_om.data.errors import TuomError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.synthetic.sets.drawn import convert
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.suites.questions.examples import Filled
from tool_use_om.evals.suites.questions.truth import KNOWN, Truth, truth_of
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.registry import run_tool

LOOKING = frozenset({
    "list_datasets", "show_session_stats", "show_channel_stats", "measure_amounts",
    "select_channels",
    "filter_by_time", "check_data", "select_tokenizer", "configure_tokenizer",
    "select_channels_for_encoding", "select_task_head", "configure_head",
})  # fmt: skip
"""Tools that are quick enough to be run for every row."""
_NONE = re.compile(r"\b(?:no|none|0)\b", re.IGNORECASE)
_IN_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}


def simulated(seed: int, workspace: Workspace, name: str) -> DataSet:
    """Return the drawn set of a seed, made in the workspace where it is not there yet."""
    folder = datasets_folder(workspace) / name
    if not (folder / "manifest.json").is_file():
        convert(folder, seed=seed)
    return DataSet.open(folder)


def problem(
    one: Filled, calls: Sequence[PlannedCall], understood: Mapping[str, Any], place: Workspace
) -> str:
    """Return why a row must not be learnt from, or "" where it may.

    Parameters
    ----------
    understood : what the question asks, for the words of the answer
    """
    whole = complete(calls)
    if any(c.tool not in LOOKING or _late(c) for c in whole):
        return _needless(whole)
    name = str(one.card["name"])
    dataset = simulated(int(name.rpartition("-")[2]), place, name)
    try:
        first, again = (list(_observed(whole, place, name)) for _ in range(2))
    except TuomError as error:
        return f"a call fails: {str(error)[:120]}"
    if apart := difference(*(stable([r["content"] for r in run]) for run in (first, again))):
        return f"a replay differs {apart}"
    truth = truth_of(one.phrasing.template, dataset, one.meant, _statistic(whole))
    if truth is not None and not says(truth, first, understood):
        return f"the answer does not say {truth.value!r}"
    return _needless(whole)


def _observed(
    calls: Sequence[PlannedCall], place: Workspace, dataset: str
) -> Iterator[dict[str, Any]]:
    context, working_set = ToolContext(workspace=place, dataset=dataset), WorkingSet()
    for call in calls:
        outcome = run_tool(call.tool, dict(call.args), context, working_set)
        working_set = outcome.working_set
        yield {
            "result_id": outcome.result.id,
            "tool": call.tool,
            "args": dict(call.args),
            "content": outcome.content,
        }


def says(truth: Truth, results: Sequence[Mapping[str, Any]], understood: Mapping[str, Any]) -> bool:
    """Say whether our own answer to these results holds the true value, in its unit."""
    checked = told({"results": results, "understood": dict(understood)})
    found = [(f.get("value"), str(f.get("unit") or "")) for f in checked.findings]
    if isinstance(truth.value, float):
        none = truth.value == 0 and _NONE.search(checked.prose) is not None
        return none or any(_same(truth.value, truth, *one) for one in found)
    if isinstance(truth.value, Mapping):
        return all(
            str(name) in checked.prose and any(_same(value, truth, *one) for one in found)
            for name, value in truth.value.items()
        )
    if isinstance(truth.value, tuple) and any(v == len(truth.value) for v, _ in found):
        return True  # asked how many, not which
    wanted = truth.value if isinstance(truth.value, tuple) else (truth.value,)
    return all(str(name) in checked.prose for name in wanted)


def _same(want: float, truth: Truth, value: object, unit: str) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    got = float(value)
    if truth.unit == "%" and unit != "%":  # results keep shares of one
        got *= 100
    if truth.unit in _IN_SECONDS and unit in _IN_SECONDS:
        got *= _IN_SECONDS[unit] / _IN_SECONDS[truth.unit]
    return math.isclose(got, want, rel_tol=max(truth.tolerance, 1e-6), abs_tol=1e-9)


def _needless(calls: Sequence[PlannedCall]) -> str:
    """Return what is called twice with the same arguments, as a reason."""
    seen: list[PlannedCall] = []
    for call in calls:
        if call in seen and call.tool not in {"interpret_results", "configure_tokenizer"}:
            return f"{call.tool} is called twice with the same arguments"
        seen.append(call)
    return ""


def _late(call: PlannedCall) -> bool:
    return any(str(v).startswith("@") for v in call.args.values())


def _statistic(calls: Sequence[PlannedCall]) -> str:
    """Return the statistic that is computed: "usual" may be the median or the mean."""
    named = [str(c.args["statistic"]) for c in calls if "statistic" in c.args]
    return named[-1] if named and named[-1] in KNOWN else "mean"
