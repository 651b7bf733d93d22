"""What a described activity is told apart from: the same attributes, each turned round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tool_use_om.agent.offline.forms.form import Form
from tool_use_om.agent.offline.language.query import Ask
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Result, braces, named, ref

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


_DESCRIBED = {  # attribute → value → words
    "intensity": {"still": "still", "low": "calm", "medium": "moderate", "high": "vigorous"},
    "regularity": {"none": "without rhythm", "some": "fairly regular", "strong": "rhythmic"},
}


def tell_described(answer: Answer, result: Result) -> None:
    """Tell which windows are as described, what was measured of them, and what labels say."""
    target = str(result.content.get("target_label") or result.content["described"][0])
    refs = {"all": ref("/n_windows", "windows scored"), "m": ref("/n_sessions", "sessions scored")}
    # a slow walk is not all walking, whatever the label's name
    whose = "these words" if target == "as described" else f"{named(target)} as described"
    found = result.look("/matching/n_windows")
    if found:
        answer.head(
            result, f"{{n}} of the {{all}} windows of {{m}} sessions fit {whose}",
            n=ref("/matching/n_windows", "windows that are as described"), **refs,
        )  # fmt: skip
    else:
        answer.head(result, f"none of the {{all}} windows of {{m}} sessions fits {whose}", **refs)
    _what_was_said(answer, result)
    _closest(answer, result)
    answer.section("How sure")
    answer.note("No label was used: windows were measured, not learnt.")
    shares = {
        "labelled": ref("/matching/n_labelled", f"windows labelled {target}"),
        "right": ref(
            "/matching/labelled_found_frac", f"windows labelled {target} that fit", "percent"
        ),
    }
    answer.say(
        result, f"Of the {{labelled}} windows labelled {named(target)}, {{right}} fit the "
        "description.", **shares,
    )  # fmt: skip
    answer.say(
        result, f"Of the windows that fit, {{share}} are labelled {named(target)}.",
        share=ref(
            "/matching/found_labelled_frac", f"fitting windows labelled {target}", "percent"
        ),
    )  # fmt: skip
    told = answer.say(
        result, f"Those labelled {named(target)} repeat at {{rate}} (median).",
        rate=ref("/matching/labelled_cadence_hz", f"median rate of {target}", "unit"),
    )  # fmt: skip
    if told and any(word in target.casefold() for word in ("walk", "run", "jog")):
        answer.note("A sensor on a wrist sees the arm swing, once in two steps.")


def _closest(answer: Answer, result: Result) -> None:
    rows: list[dict[str, Any]] = result.content.get("closest") or []
    fitting = any(row.get("matches") for row in rows)
    told = []
    for i, row in enumerate(rows):
        if (fitting and not row.get("matches")) or row.get("cadence_hz") is None:
            continue
        name, at = str(row["session_id"]), f"/closest/{i}"
        cells: tuple[Cell, ...] = (
            f"`{name}`",
            ref(f"{at}/start_s", f"start of a window of {name}", "unit"),
            ref(f"{at}/end_s", f"end of a window of {name}", "unit"),
            ref(f"{at}/cadence_hz", f"rate at which a window of {name} repeats", "unit"),
            ref(f"{at}/regularity", f"how well a window of {name} repeats"),
        )
        told.append((result, cells))
    answer.section("Fits best" if fitting else "Nearest to it")
    answer.table(("session", "from", "to", "repeats at", "regularity"), told[:_SHOWN])
    if told:
        answer.note("Regularity is one for what repeats exactly, near zero for what never does.")


def _what_was_said(answer: Answer, result: Result) -> None:
    described: list[dict[str, Any]] = result.args.get("descriptions") or []
    if not described:
        return
    said, at = described[0], "/args/descriptions/0"
    parts, refs = [], {}
    if said.get("cadence_hz"):
        parts.append("repeating at {low} to {high}")
        refs = {
            "low": ref(f"{at}/cadence_hz/0", "lowest rate described", "unit"),
            "high": ref(f"{at}/cadence_hz/1", "highest rate described", "unit"),
        }
    parts += [words[said[name]] for name, words in _DESCRIBED.items() if said.get(name)]
    for channel, share in (said.get("posture") or {}).items():
        parts.append(f"with `{braces(channel)}` pointing {'up' if share > 0 else 'down'}")
    answer.section("Looked for")
    answer.say(result, f"Windows that are {', '.join(parts)}.", **refs)


FORM = Form(
    plans={"described": _plan_described},
)
