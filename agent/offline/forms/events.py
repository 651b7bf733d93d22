"""Which model could tell that a level is reached within a time, and whether any could."""

from __future__ import annotations

from typing import Any

from tool_use_om.agent.offline.forms.form import Form
from tool_use_om.agent.offline.language.measures import in_unit
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Result, ref
from tool_use_om.tools.run.compared_events import EventModelsCompared


def _plan(p: Planner, ask: Ask) -> None:
    p.open()
    p.fresh()
    channels = p.names.meant(ask.channels or p.names.channels)
    p.add(
        "compare_event_models", "let a few kinds of model try, and judge them on later time",
        channel=channels[0] if channels else None, horizon_s=ask.horizon_s,
        **_level(p.names, ask, channels),
    )  # fmt: skip


def _level(names: Names, ask: Ask, channels: tuple[str, ...]) -> dict[str, Any]:
    """Return the level in the channel's unit; percent of what is not in percent is a change."""
    if ask.level is None or not channels:
        return {}
    value = in_unit(ask.level, names.unit_of(channels[0]))
    relative = value is None and ask.level.unit == "%"
    return {
        "threshold": ask.level.value if value is None else value,
        "relative": relative or None,
        "direction": "above" if ask.level.above else "below",
    }


def _tell(answer: Answer, result: Result, query: Query) -> None:
    del query
    found = result.found(EventModelsCompared)
    _headline(answer, result, found)
    answer.section("Models")
    answer.table(("model", "AUC", "interval", "skill over the base rate"), _rows(result, found))
    answer.section("How sure")
    answer.say(
        result, "Judged on {n} later windows, in {m} of which it came; before, it came in {base} "
        "of {k}.",
        n=ref(found.n_windows, "later windows judged"), m=ref(found.n_events, "of them with it"),
        base=ref(found.base_rate, "share of earlier windows in which it came"),
        k=ref(found.n_train, "earlier windows learnt from"),
    )  # fmt: skip
    answer.note(
        "AUC is how often a window with the event is ranked above one without; a half is chance. "
        "Intervals are over blocks of time, as neighbouring windows are alike. Skill above zero: "
        "the probabilities err less than always saying how often it came."
    )
    for name in found.failed:
        answer.note(f"Not measured: `{name}`; the result says why.")


def _headline(answer: Answer, result: Result, found: EventModelsCompared) -> None:
    way = "rises to at least" if str(found.direction) == "above" else "falls to at most"
    of = " away from its last value" if found.relative else ""
    event = f"`{found.channel}` {way} {{level}}{of} within {{time}}"
    refs = {
        "level": ref(found.threshold, "level asked about"),
        "time": ref(found.horizon_s, "time asked about"),
    }
    best = next((row for row in found.rows if row.model == found.best), None)
    if best is None:
        answer.head(
            result, f"nothing beats the base rate: no model tried can tell whether {event}",
            **refs,
        )  # fmt: skip
        return
    alike = " and ".join(f"`{name}`" for name in found.as_good)
    also = f"; within its uncertainty: {alike}" if alike else ""
    answer.head(
        result,
        f"of the models tried, `{{best}}` could best tell whether {event}: AUC {{auc}}{also}",
        best=ref(found.best, "best model"), auc=ref(best.auc.value, f"AUC of {best.model}"), **refs,
    )  # fmt: skip


def _rows(result: Result, found: EventModelsCompared) -> list[tuple[Result, tuple[Cell, ...]]]:
    return [
        (
            result,
            (
                f"`{row.model}`",
                ref(row.auc.value, f"AUC of {row.model}"),
                (
                    ref(row.auc.lower, f"AUC of {row.model}, lower end"),
                    ref(row.auc.upper, f"AUC of {row.model}, upper end"),
                ),
                ref(row.skill, f"skill of {row.model}"),
            ),
        )
        for row in found.rows
    ]


FORM = Form(plans={"events": _plan}, tells={"compare_event_models": _tell})
