"""Every form of question: one line each. A form brings its plan and its words."""

from __future__ import annotations

from collections.abc import Sequence

from tool_use_om.agent.offline.forms import (
    compare,
    data,
    data_check,
    described,
    encode,
    find,
    forecast,
    labels,
    search,
    stats,
    trust,
    why,
)
from tool_use_om.agent.offline.forms.described import tell_described
from tool_use_om.agent.offline.forms.form import Form, Plan, Tell
from tool_use_om.agent.offline.forms.search import tell_anomalies, tell_motifs, tell_retrieved
from tool_use_om.agent.offline.forms.trust import tell_drift, tell_gate
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.planner import Planner, Step
from tool_use_om.agent.offline.writer import Answer, Result, ref

FORMS: tuple[Form, ...] = (
    data.FORM,
    stats.FORM,
    data_check.FORM,
    encode.FORM,
    find.FORM,
    described.FORM,
    forecast.FORM,
    search.FORM,
    compare.FORM,
    trust.FORM,
    why.FORM,
    labels.FORM,
)


def plan_steps(query: Query, names: Names, tools: Sequence[str] = ()) -> list[Step]:
    """Return the tool calls that answer `query`, only of `tools` if any are named."""
    planner = Planner(query, names)
    for ask in query.asks:
        PLANS[ask.kind](planner, ask)
    return [s for s in planner.steps if not tools or s.tool in tools]


def tell_run(answer: Answer, result: Result, query: Query) -> None:
    """Tell what run_task found, by what was asked of it, else by its task."""
    if any(ask.kind == "drift" for ask in query.asks):
        tell_drift(answer, result)
        return
    if "motifs" in result.content:
        tell_motifs(answer, result, query)
    elif "described" in result.content:
        tell_described(answer, result)
    else:
        _RUNS.get(str(result.content.get("task")), _tell_by_shape)(answer, result, query)
        tell_gate(answer, result)
    for note in result.content.get("notes") or []:
        answer.note(f"*{note}*")


def _tell_by_shape(answer: Answer, result: Result, query: Query) -> None:
    """Results that do not name their task are told by what they hold."""
    for key, tell in (
        ("neighbours", tell_retrieved),
        ("ranking", tell_retrieved),
        ("windows", tell_anomalies),
    ):
        if key in result.content:
            tell(answer, result, query)
            return


def tell_generic(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    """List the plain values of a result that has no words of its own."""
    answer.note(f"`{result.tool}` returned:")
    for key, value in result.content.items():
        if key != "result_id" and isinstance(value, int | float | str):
            answer.say(result, f"- {key}: {{v}}", v=ref(f"/{key}", key, "unit"))


PLANS: dict[str, Plan] = {kind: plan for form in FORMS for kind, plan in form.plans.items()}
_RUNS: dict[str, Tell] = {task: tell for form in FORMS for task, tell in form.runs.items()}
TELLS: dict[str, Tell] = {
    **{tool: tell for form in FORMS for tool, tell in form.tells.items()},
    "run_task": tell_run,
}
