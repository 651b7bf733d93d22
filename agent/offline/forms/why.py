"""Words for the results of interpret_results: why a run came out as it did."""

from __future__ import annotations

from typing import Any

from tool_use_om.agent.offline.forms.form import Form
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.writer import Answer, Cell, Result, braces, named, ref

_SHOWN = 3
_WORTH = 0.01  # a smaller fall of a probability is nothing to tell
_SHOWN_FALL = 1e-3
_GAITS = ("walk", "run", "jog", "stairs", "march")
_ARM_HZ, _STEP_HZ = 1.2, 1.4  # slower is an arm's pace, faster a foot's; between, it is left open
_FEATURES = {"std": "spread (standard deviation)", "mean": "mean"}


def tell_explained(answer: Answer, result: Result, query: Query) -> None:
    """Tell the computed explanation of the run before."""
    kinds = {ask.kind for ask in query.asks}
    if "drift" in kinds:
        return  # of a run made for its test of drift, nothing else was asked
    answer.section("Why")
    if "why" in kinds:
        _why_asked(answer, result, query)
    _rhythm(answer, result, asked="rhythm" in kinds)
    _salient(answer, result, asked="channels" in kinds)
    _examples(answer, result)
    _forecast(answer, result)
    _set_apart(answer, result)
    answer.title = None


def _rhythm(answer: Answer, result: Result, *, asked: bool) -> None:
    label = result.content.get("target_label") or result.content.get("label")
    if result.content.get("task") == "forecast" and any(
        r.content.get("cadence_hz") and r.content.get("target_label") == label
        for r in answer.results
    ):
        return  # told already, from more windows
    if label is None and not asked:
        return  # of all activities together there is no one rhythm
    label = label or "the signal"
    cycle = _cycle(str(label), result)
    for key in ("cadence_hz", "season_hz"):
        refs = {
            "hz": ref(f"/{key}/median", f"cycles of {label} in a second, median", "unit"),
            "lower": ref(f"/{key}/lower", f"cycles of {label} in a second, lower end", "unit"),
            "upper": ref(f"/{key}/upper", f"cycles of {label} in a second, upper end", "unit"),
            "period": ref("/period_s", f"length of a cycle of {label}", "unit"),
        }
        if asked and answer.head(
            result,
            f"the cadence of {named(label)} is {{hz}}, {cycle} each {{period}}".replace(",,", ","),
            hz=refs["hz"],
            period=refs["period"],
        ):
            n = ref(f"/{key}/n", "windows with a rhythm")
            answer.say(
                result,
                f"The rhythm of {named(label)} lies within {{lower}} to {{upper}} ({{n}} windows).",
                lower=refs["lower"],
                upper=refs["upper"],
                n=n,
            )
        else:
            answer.say(
                result, f"{_capital(named(label))} repeats at {{hz}} "
                f"({{lower}} to {{upper}}): {cycle} each {{period}}.", **refs,
            )  # fmt: skip
    if why_not := result.content.get("why_not"):
        answer.note(f"No rhythm is given: {why_not}.")


def _cycle(label: str, result: Result) -> str:
    """Return what one cycle is; of gaits, arms swing about half as often as feet step."""
    hz = result.look("/cadence_hz/median") or result.look("/season_hz/median")
    if hz is None or not any(word in label.casefold() for word in _GAITS):
        return "one cycle"
    if hz < _ARM_HZ:
        return "one cycle, such as an arm swing,"
    return "one cycle, such as a step," if hz > _STEP_HZ else "one cycle"


def _salient(answer: Answer, result: Result, *, asked: bool) -> None:
    rows: list[dict[str, Any]] = result.content.get("salient_channels") or []
    note = result.content.get("note")
    if asked and rows:
        _salient_table(answer, result, rows, str(note or ""))
    elif note:
        answer.note(str(note))
    elif rows and (rows[0].get("probability_drop") or 0) >= _WORTH:
        answer.say(
            result, f"It rests most on `{rows[0]['channel']}`: without it, the probability of the "
            "right activity falls by {drop}.",
            drop=ref("/salient_channels/0/probability_drop",
                     f"fall of the probability without {rows[0]['channel']}"),
        )  # fmt: skip


def _salient_table(answer: Answer, result: Result, rows: list[dict[str, Any]], note: str) -> None:
    label = result.content.get("target_label") or "the activity"
    if note:
        answer.head(result, f"no single channel decides about {named(label)}")
        answer.note(note)
    else:
        channel = braces(rows[0]["channel"])
        answer.head(result, f"the channel that matters most for {named(label)} is `{channel}`")
    answer.note("How far the probability of the right activity falls without a channel:")
    told = []
    for i, row in enumerate(rows):
        if abs(row.get("probability_drop") or 0.0) < _SHOWN_FALL:
            continue
        what = f"fall of the probability of {label} without {row['channel']}"
        cells: tuple[Cell, ...] = (
            f"`{row['channel']}`", ref(f"/salient_channels/{i}/probability_drop", what),
        )  # fmt: skip
        told.append((result, cells))
    answer.table(("channel", "fall"), told)
    if len(told) < len(rows):
        answer.note("Without any other channel it stays as it is.")


def _why_asked(answer: Answer, result: Result, query: Query) -> None:
    """Tell what was asked in the headline: whether the explanation holds, what would change it."""
    asked = " ".join(ask.topic for ask in query.asks)
    if "faithful" in asked or "counterfactual" not in asked:
        _faithful(answer, result)
    if "counterfactual" in asked or "faithful" not in asked:
        _change(answer, result)


def _faithful(answer: Answer, result: Result) -> None:
    """Tell whether losing the salient channel hurts more than losing another."""
    found = result.content.get("faithfulness") or {}
    if found.get("faithful") is None:
        if why_not := found.get("why_not"):
            answer.note(f"Whether the salient channels decide was not tested: {why_not}")
        return
    lead = (
        "yes, the explanation is faithful" if found["faithful"]
        else "the explanation is not shown to be faithful"
    )  # fmt: skip
    answer.head(
        result, f"{lead}: without the channel it calls salient the probability falls by "
        "{salient}, without one drawn at random by {random}",
        salient=ref("/faithfulness/salient_drop", "fall without the salient channel"),
        random=ref("/faithfulness/random_drop", "fall without a channel drawn at random"),
    )  # fmt: skip
    answer.say(
        result, "The difference is {value} ({lower} to {upper}), over {n} held-out sessions; the "
        "channel is chosen on other sessions than those it is checked on.",
        value=ref("/faithfulness/difference/value", "difference of these falls"),
        lower=ref("/faithfulness/difference/lower", "difference of the falls, lower end"),
        upper=ref("/faithfulness/difference/upper", "difference of the falls, upper end"),
        n=ref("/faithfulness/n_sessions", "sessions checked"),
    )  # fmt: skip


def _change(answer: Answer, result: Result) -> None:
    """Tell the nearest window of another activity: what the surest one would have to become."""
    change = result.content.get("what_would_change")
    if not change:
        return
    answer.head(
        result, f"the nearest other answer is {named(change['label'])}: the window would have to "
        f"become like `{braces(str(change['session_id']))}` from {{start}} to {{end}}, which is "
        "{times} times as far off as the nearest one of its own activity",
        start=ref("/what_would_change/start_s", "start of the nearest of another label", "unit"),
        end=ref("/what_would_change/end_s", "end of the nearest of another label", "unit"),
        times=ref("/what_would_change/times_farther", "times as far as its own nearest"),
    )  # fmt: skip


def _examples(answer: Answer, result: Result) -> None:
    """Tell the nearest training example, and the nearest one of another activity."""
    rows: list[dict[str, Any]] = result.content.get("nearest_prototypes") or []
    if not rows:
        return
    example = result.content.get("example") or {}
    it = f"`{example['session_id']}`" if example.get("session_id") else "It"
    _example(answer, result, "/nearest_prototypes/0", rows[0], f"{it} is most like")
    others = [
        (float(row["distance"]), f"/nearest_prototypes/{i}", row)
        for i, row in enumerate(rows)
        if row.get("label") != rows[0].get("label")
    ]
    if change := result.content.get("what_would_change"):
        others.append((float(change["distance"]), "/what_would_change", change))
    if others:
        _, pointer, row = min(others, key=lambda other: other[0])
        _example(answer, result, pointer, row, "The nearest of another activity is")


def _example(answer: Answer, result: Result, pointer: str, row: dict[str, Any], lead: str) -> None:
    name, label = row["session_id"], f"{named(row['label'])}, " if row.get("label") else ""
    answer.say(
        result, f"{lead} `{name}`, {{start}} to {{end}} ({label}distance {{d}}).",
        start=ref(f"{pointer}/start_s", f"start of the example in {name}", "unit"),
        end=ref(f"{pointer}/end_s", f"end of the example in {name}", "unit"),
        d=ref(f"{pointer}/distance", f"distance to the example in {name}"),
    )  # fmt: skip


def _forecast(answer: Answer, result: Result) -> None:
    """Tell a trend only where it moves the forecast by a good part of its interval."""
    widths = {row["channel"]: row for row in result.content.get("interval_width") or []}
    horizon = result.look("/horizon_s") or 0.0
    for i, row in enumerate(result.content.get("trend") or []):
        width = (widths.get(row["channel"]) or {}).get("last")
        if width is None or row["value"] is None or abs(row["value"]) * horizon < width / 2:
            continue
        course = "rises" if row["value"] > 0 else "falls"
        answer.say(
            result, f"`{row['channel']}` {course} over the forecast, by {{slope}}.",
            slope=ref(f"/trend/{i}/value", f"trend of {row['channel']}", "unit"),
        )  # fmt: skip


def _set_apart(answer: Answer, result: Result) -> None:
    rows: list[dict[str, Any]] = result.content.get("set_apart_by") or []
    if not rows or result.content.get("unusual") is False:
        return  # nothing is set apart where nothing is unusual
    name = result.content.get("session_id", "it")
    answer.section(f"What sets {name} apart")
    told = []
    for i, row in enumerate(rows[:_SHOWN]):
        feature = _FEATURES.get(row["feature"], row["feature"])
        what, at = f"{feature} of {row['channel']}", f"/set_apart_by/{i}"
        cells: tuple[Cell, ...] = (
            f"`{row['channel']}`",
            feature,
            ref(f"{at}/value", f"{what} in {name}", "unit"),
            ref(f"{at}/others_median", f"{what} elsewhere, median", "unit"),
        )
        told.append((result, cells))
    answer.table(("channel", "what", "here", "elsewhere"), told)


def _capital(text: object) -> str:
    return str(text)[:1].upper() + str(text)[1:]


FORM = Form(
    tells={"interpret_results": tell_explained},
)
