"""Words for the results of interpret_results: why a run came out as it did."""

from __future__ import annotations

from typing import Any

from tool_use_om.agent.offline_answer import Answer, Result, ref
from tool_use_om.agent.parse_query import Query

_SHOWN = 3


def tell_explained(answer: Answer, result: Result, query: Query) -> None:
    """Tell the computed explanation of the run before."""
    _rhythm(answer, result)
    _salient(answer, result, asked=any(ask.kind == "channels" for ask in query.asks))
    _examples(answer, result)
    _forecast(answer, result)
    _set_apart(answer, result)
    if note := result.content.get("note"):
        answer.note(str(note))


def _rhythm(answer: Answer, result: Result) -> None:
    label = result.content.get("target_label") or result.content.get("label")
    of = f" of {label}" if label else ""
    for key, lead in (("cadence_hz", f"The cadence{of}"), ("season_hz", f"The rhythm{of}")):
        answer.say(
            result, lead + " is **{median}** (interval {lower} to {upper}, {n} windows).",
            median=ref(f"/{key}/median", f"{lead[4:]}, median", "unit"),
            lower=ref(f"/{key}/lower", f"{lead[4:]}, lower end", "unit"),
            upper=ref(f"/{key}/upper", f"{lead[4:]}, upper end", "unit"),
            n=ref(f"/{key}/n", "windows with a rhythm"),
        )  # fmt: skip
    answer.say(result, "One cycle takes {p}.", p=ref("/period_s", "period", "unit"))
    if why_not := result.content.get("why_not"):
        answer.note(f"No rhythm is given: {why_not}.")


def _salient(answer: Answer, result: Result, *, asked: bool) -> None:
    rows = result.content.get("salient_channels") or []
    rows = rows if asked or "note" not in result.content else []
    if rows:
        answer.note("Channels by how far the probability of the right activity falls without them:")
    for i, row in enumerate(rows if asked else rows[:_SHOWN]):
        answer.say(
            result, f"- `{row['channel']}`: {{drop}}",
            drop=ref(f"/salient_channels/{i}/probability_drop", f"drop without {row['channel']}"),
        )  # fmt: skip


def _examples(answer: Answer, result: Result) -> None:
    rows: list[dict[str, Any]] = result.content.get("nearest_prototypes") or []
    example = result.content.get("example") or {}
    if rows:
        of = f" to `{example['session_id']}`" if example.get("session_id") else ""
        answer.note(f"Nearest training examples{of}:")
    for i in range(min(_SHOWN, len(rows))):
        _stretch(answer, result, f"/nearest_prototypes/{i}", rows[i])
    if change := result.content.get("what_would_change"):
        answer.note("The nearest example of another activity:")
        _stretch(answer, result, "/what_would_change", change)


def _stretch(answer: Answer, result: Result, pointer: str, row: dict[str, Any]) -> None:
    name, label = row["session_id"], f" ({row['label']})" if row.get("label") else ""
    answer.say(
        result, f"- `{name}` from {{start}} to {{end}}{label}, distance {{d}}",
        start=ref(f"{pointer}/start_s", f"start in {name}", "unit"),
        end=ref(f"{pointer}/end_s", f"end in {name}", "unit"),
        d=ref(f"{pointer}/distance", f"distance to {name}"),
    )  # fmt: skip


def _forecast(answer: Answer, result: Result) -> None:
    rows = result.content.get("trend") or []
    if rows:
        answer.note("Trend of the forecast:")
    for i, row in enumerate(rows[: 2 * _SHOWN]):
        answer.say(
            result, f"- `{row['channel']}`, in {row['unit']}: {{slope}}",
            slope=ref(f"/trend/{i}/value", f"trend of {row['channel']} in {row['unit']}"),
        )  # fmt: skip


def _set_apart(answer: Answer, result: Result) -> None:
    rows = result.content.get("set_apart_by") or []
    if rows:
        answer.note(f"What sets `{result.content.get('session_id', 'it')}` apart:")
    for i, row in enumerate(rows[:_SHOWN]):
        what = f"{row['feature']} of {row['channel']}"
        answer.say(
            result, f"- {row['feature']} of `{row['channel']}`: {{own}}, elsewhere {{others}}",
            own=ref(f"/set_apart_by/{i}/value", what, "unit"),
            others=ref(f"/set_apart_by/{i}/others_median", f"{what}, elsewhere", "unit"),
        )  # fmt: skip
