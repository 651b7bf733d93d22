"""What a described activity is told apart from: the same attributes, each turned round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tool_use_om.agent.offline.forms.form import Form
from tool_use_om.agent.offline.language.query import Ask
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Result, braces, named, ref
from tool_use_om.tools.call.arguments import RunTask
from tool_use_om.tools.run.classify.found import BorneOut, ClosestWindow, Described

_WORDS = {
    "intensity": {"still": "still", "low": "calm", "medium": "moderate", "high": "vigorous"},
    "regularity": {"none": "without rhythm", "some": "fairly regular", "strong": "rhythmic"},
}
_FASTEST = 4.0  # the band above a described one ends at so many times its upper end

_SHOWN = 5


def contraries(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return descriptions that each differ from `attributes` in one of them; at least one.

    Parameters
    ----------
    attributes : cadence_hz, intensity, regularity, posture, as a description names them
    """
    found: list[dict[str, Any]] = []
    if band := attributes.get("cadence_hz"):
        low, high = band
        found += [{"name": "slower", "cadence_hz": [0.0, low]}] if low > 0 else []
        found.append({"name": "faster", "cadence_hz": [high, _FASTEST * high]})
    for attribute, words in _WORDS.items():
        if said := attributes.get(attribute):
            found += [
                {"name": name, attribute: word}
                for word, name in words.items()
                if _apart(word, said)
            ]
    if posture := attributes.get("posture"):
        found.append({"name": "turned over", "posture": {c: -v for c, v in posture.items()}})
    return found


def _apart(word: str, said: str) -> bool:
    """Say whether two words exclude each other; "still" is part of "low"."""
    return word != said and not (word == "still" and said == "low")


def _plan_described(p: Planner, ask: Ask) -> None:
    p.open()
    p.fresh()
    if ask.start_s is not None or ask.end_s is not None or ask.split:
        p.narrow(ask, labels=False)
    p.encode(ask)
    if p.names.labels:  # without labels there is no head to choose, and none is needed
        p.head(ask, "classify")
    name = ask.labels[0] if len(ask.labels) == 1 else "as described"
    p.add(
        "run_task", "score windows against what was described, and against its contrary",
        target_label=name, sessions=list(ask.sessions),
        descriptions=[{"name": name, **dict(ask.attributes)}, *contraries(dict(ask.attributes))],
    )  # fmt: skip


def tell_described(answer: Answer, result: Result) -> None:
    """Tell which windows are as described, what was measured of them, and what labels say."""
    found = result.found(Described)
    target = str(found.target_label or found.described[0])
    refs = {"all": ref(found.n_windows, "windows scored"),
            "m": ref(found.n_sessions, "sessions scored")}  # fmt: skip
    # a slow walk is not all walking, whatever the label's name
    whose = "these words" if target == "as described" else f"{named(target)} as described"
    if found.matching is not None and found.matching.n_windows:
        answer.head(
            result, f"{{n}} of the {{all}} windows of {{m}} sessions fit {whose}",
            n=ref(found.matching.n_windows, "windows that are as described"), **refs,
        )  # fmt: skip
    else:
        answer.head(result, f"none of the {{all}} windows of {{m}} sessions fits {whose}", **refs)
    _what_was_said(answer, result)
    _closest(answer, result, found.closest or [])
    answer.section("How sure")
    answer.note("No labels were used: the windows were measured, not learned from.")
    if isinstance(found.matching, BorneOut):
        _borne_out(answer, result, found.matching, target)


def _borne_out(answer: Answer, result: Result, found: BorneOut, target: str) -> None:
    """Tell how far labels of that name agree."""
    answer.say(
        result, f"Of the {{labelled}} windows labelled {named(target)}, {{right}} fit the "
        "description.",
        labelled=ref(found.n_labelled, f"windows labelled {target}"),
        right=ref(found.labelled_found_frac, f"windows labelled {target} that fit"),
    )  # fmt: skip
    answer.say(
        result, f"Of the windows that fit, {{share}} are labelled {named(target)}.",
        share=ref(found.found_labelled_frac, f"fitting windows labelled {target}"),
    )  # fmt: skip
    told = answer.say(
        result, f"Those labelled {named(target)} repeat at {{rate}} (median).",
        rate=ref(found.labelled_cadence_hz, f"median rate of {target}"),
    )  # fmt: skip
    if told and any(word in target.casefold() for word in ("walk", "run", "jog")):
        answer.note("A sensor on a wrist sees the arm swing, once in two steps.")


def _closest(answer: Answer, result: Result, rows: Sequence[ClosestWindow]) -> None:
    fitting = any(row.matches for row in rows)
    told = []
    for row in rows:
        if (fitting and not row.matches) or row.cadence_hz is None:
            continue
        name = row.session_id
        cells: tuple[Cell, ...] = (
            f"`{name}`",
            ref(row.start_s, f"start of a window of {name}"),
            ref(row.end_s, f"end of a window of {name}"),
            ref(row.cadence_hz, f"rate at which a window of {name} repeats"),
            ref(row.regularity, f"how well a window of {name} repeats"),
        )
        told.append((result, cells))
    answer.section("Fits best" if fitting else "Nearest to it")
    answer.table(("session", "from", "to", "repeats at", "regularity"), told[:_SHOWN])
    if told:
        answer.note("Regularity is one for exact repetition and near zero for none.")


def _what_was_said(answer: Answer, result: Result) -> None:
    described = result.asked(RunTask).descriptions
    if not described:
        return
    said = described[0]
    parts, refs = [], {}
    if said.cadence_hz:
        parts.append("repeating at {low} to {high}")
        refs = {
            "low": ref(said.cadence_hz[0], "lowest rate described", "unit"),
            "high": ref(said.cadence_hz[1], "highest rate described", "unit"),
        }
    given = {"intensity": said.intensity, "regularity": said.regularity}
    parts += [_WORDS[name][word] for name, word in given.items() if word]
    for channel, share in (said.posture or {}).items():
        parts.append(f"with `{braces(channel)}` pointing {'up' if share > 0 else 'down'}")
    answer.section("Looked for")
    answer.say(result, f"Windows that are {', '.join(parts)}.", **refs)


FORM = Form(
    plans={"described": _plan_described},
)
