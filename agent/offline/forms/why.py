"""Words for the results of interpret_results: why a run came out as it did."""

from __future__ import annotations

from typing import NamedTuple

from tool_use_om.agent.offline.forms.form import Form
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.writer import Answer, Cell, Result, braces, named, ref
from tool_use_om.tools.run.explained import (
    Cadence,
    ClassificationExplained,
    Counterfactual,
    Faithfulness,
    ForecastExplained,
    Near,
    RankingExplained,
    SearchExplained,
    UnusualExplained,
)

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
    forecast = result.if_found(ForecastExplained)
    apart = result.if_found(RankingExplained) or result.if_found(UnusualExplained)
    if forecast is not None:
        _rhythm_of_forecast(answer, result, forecast, asked="rhythm" in kinds)
        _forecast(answer, result, forecast)
    elif apart is not None:
        _set_apart(answer, result, apart)
    elif not result.if_found(SearchExplained):
        found = result.found(ClassificationExplained)
        if "why" in kinds:
            _why_asked(answer, result, found, query)
        told = Told(found.target_label, found.cadence_hz, found.period_s, found.why_not)
        _rhythm(answer, result, told, asked="rhythm" in kinds)
        _salient(answer, result, found, asked="channels" in kinds)
        _examples(answer, result, found)
    answer.title = None


class Told(NamedTuple):
    """A rhythm and what it is of."""

    label: str | None
    hz: Cadence | None
    period_s: float | None
    why_not: str | None


def _rhythm_of_forecast(
    answer: Answer, result: Result, found: ForecastExplained, *, asked: bool
) -> None:
    earlier = (r.if_found(ClassificationExplained) for r in answer.results)
    if any(e and e.cadence_hz and e.target_label == found.label for e in earlier):
        return  # told already, from more windows
    told = Told(found.label, found.season_hz, found.period_s, found.why_not)
    _rhythm(answer, result, told, asked=asked)


def _rhythm(answer: Answer, result: Result, found: Told, *, asked: bool) -> None:
    if found.label is None and not asked:
        return  # of all activities together there is no one rhythm
    label, hz = str(found.label or "the signal"), found.hz
    if hz is not None:
        cycle = _cycle(label, hz)
        refs = {
            "hz": ref(hz.median, f"cycles of {label} in a second, median"),
            "lower": ref(hz.lower, f"cycles of {label} in a second, lower end"),
            "upper": ref(hz.upper, f"cycles of {label} in a second, upper end"),
            "period": ref(found.period_s, f"length of a cycle of {label}"),
        }
        if asked and answer.head(
            result,
            f"the cadence of {named(label)} is {{hz}}: one cycle every {{period}}{cycle}",
            hz=refs["hz"],
            period=refs["period"],
        ):
            answer.say(
                result,
                "From session to session it ranges from {lower} to {upper} ({n} sessions).",
                lower=refs["lower"],
                upper=refs["upper"],
                n=ref(hz.n_sessions, "sessions with a rhythm"),
            )
        else:
            answer.say(
                result, f"{_capital(named(label))} repeats every {{period}}{cycle} ({{hz}}, "
                "ranging from {lower} to {upper}).", **refs,
            )  # fmt: skip
    if found.why_not:
        answer.note(f"No rhythm is given: {found.why_not}.")


def _cycle(label: str, found: Cadence) -> str:
    """Return what a cycle may be; of gaits, arms swing about half as often as feet step."""
    hz = found.median
    if not any(word in label.casefold() for word in _GAITS):
        return ""
    if hz < _ARM_HZ:
        return ", about the pace of an arm swing"
    return ", about the pace of a step" if hz > _STEP_HZ else ""


def _salient(
    answer: Answer, result: Result, found: ClassificationExplained, *, asked: bool
) -> None:
    rows = found.salient_channels
    if asked and rows:
        _salient_table(answer, result, found)
    elif found.note:
        answer.note(str(found.note))
    elif rows and (rows[0].probability_drop or 0) >= _WORTH:
        answer.say(
            result, f"`{rows[0].channel}` matters most: without it, the probability of the right "
            "activity falls by {drop}.",
            drop=ref(rows[0].probability_drop,
                     f"fall of the probability without {rows[0].channel}"),
        )  # fmt: skip


def _salient_table(answer: Answer, result: Result, found: ClassificationExplained) -> None:
    label = found.target_label or "the activity"
    rows = found.salient_channels
    if found.note:
        answer.head(result, f"no single channel decides whether it is {named(label)}")
        answer.note(str(found.note))
    else:
        channel = braces(str(rows[0].channel))
        answer.head(result, f"the channel that matters most for {named(label)} is `{channel}`")
    answer.note("How much the probability of the right activity falls without each channel:")
    told = []
    for row in rows:
        if abs(row.probability_drop or 0.0) < _SHOWN_FALL:
            continue
        what = f"fall of the probability of {label} without {row.channel}"
        cells: tuple[Cell, ...] = (f"`{row.channel}`", ref(row.probability_drop, what))
        told.append((result, cells))
    answer.table(("channel", "fall"), told)
    if len(told) < len(rows):
        answer.note("Leaving out any other channel makes no difference.")


def _why_asked(
    answer: Answer, result: Result, found: ClassificationExplained, query: Query
) -> None:
    """Tell what was asked in the headline: whether the explanation holds, what would change it."""
    asked = " ".join(ask.topic for ask in query.asks)
    if "faithful" in asked or "counterfactual" not in asked:
        _faithful(answer, result, found.faithfulness)
    if found.what_would_change and ("counterfactual" in asked or "faithful" not in asked):
        _change(answer, result, found.what_would_change)


def _faithful(answer: Answer, result: Result, found: Faithfulness) -> None:
    """Tell whether losing the salient channel hurts more than losing another."""
    if found.faithful is None:
        if found.why_not:
            answer.note(f"Whether the salient channels decide was not tested: {found.why_not}")
        return
    lead = (
        "yes, the explanation is faithful" if found.faithful
        else "the explanation is not shown to be faithful"
    )  # fmt: skip
    answer.head(
        result, f"{lead}: without the channel it calls most important the probability falls by "
        "{salient}, without a random channel by {random}",
        salient=ref(found.salient_drop, "fall without the salient channel"),
        random=ref(found.random_drop, "fall without a channel drawn at random"),
    )  # fmt: skip
    gap = found.difference
    if gap is not None:
        answer.say(
            result, "The difference is {value} ({lower} to {upper}) over {n} held-out sessions; "
            "the channel was chosen on other sessions than those used for this check.",
            value=ref(gap.value, "difference of these falls"),
            lower=ref(gap.lower, "difference of the falls, lower end"),
            upper=ref(gap.upper, "difference of the falls, upper end"),
            n=ref(found.n_sessions, "sessions checked"),
        )  # fmt: skip


def _change(answer: Answer, result: Result, change: Counterfactual) -> None:
    """Tell the nearest window of another activity: what the surest one would have to become."""
    answer.head(
        result, f"the closest other answer is {named(change.label)}: the signal would have to look "
        f"like `{braces(str(change.session_id))}` from {{start}} to {{end}}, which is {{times}} "
        "times as far away as the closest example of its own activity",
        start=ref(change.start_s, "start of the nearest of another label"),
        end=ref(change.end_s, "end of the nearest of another label"),
        times=ref(change.times_farther, "times as far as its own nearest"),
    )  # fmt: skip


def _examples(answer: Answer, result: Result, found: ClassificationExplained) -> None:
    """Tell the nearest training example, and the nearest one of another activity."""
    rows = found.nearest_prototypes or []
    if not rows:
        return
    it = f" to `{found.example.session_id}`" if found.example else ""
    _example(answer, result, rows[0], f"The training example closest{it} is")
    others = [row for row in rows if row.label != rows[0].label]
    if found.what_would_change:
        others.append(found.what_would_change)
    if others:
        nearest = min(others, key=lambda row: float(row.distance))
        _example(answer, result, nearest, "The closest one of another activity is")


def _example(answer: Answer, result: Result, row: Near, lead: str) -> None:
    name, label = row.session_id, f"{named(row.label)}, " if row.label else ""
    answer.say(
        result, f"{lead} `{name}`, {{start}} to {{end}} ({label}distance {{d}}).",
        start=ref(row.start_s, f"start of the example in {name}"),
        end=ref(row.end_s, f"end of the example in {name}"),
        d=ref(row.distance, f"distance to the example in {name}"),
    )  # fmt: skip


def _forecast(answer: Answer, result: Result, found: ForecastExplained) -> None:
    """Tell a trend only where it moves the forecast by a good part of its interval."""
    widths = {row.channel: row.last for row in found.interval_width}
    for row in found.trend:
        width = widths.get(row.channel)
        if width is None or row.value is None:
            continue
        if abs(row.value) * (found.horizon_s or 0.0) < width / 2:
            continue
        course = "rises" if row.value > 0 else "falls"
        answer.say(
            result, f"Over the forecast `{row.channel}` {course} by {{slope}}.",
            slope=ref(row.value, f"trend of {row.channel}"),
        )  # fmt: skip


def _set_apart(answer: Answer, result: Result, found: RankingExplained | UnusualExplained) -> None:
    if isinstance(found, UnusualExplained) and found.unusual is False:
        return  # nothing is set apart where nothing is unusual
    if not found.set_apart_by:
        return
    name = str(found.session_id or "it")
    answer.section(f"What sets {name} apart")
    told = []
    for row in found.set_apart_by[:_SHOWN]:
        feature = _FEATURES.get(row.feature, str(row.feature))
        what = f"{feature} of {row.channel}"
        cells: tuple[Cell, ...] = (
            f"`{row.channel}`",
            feature,
            ref(row.value, f"{what} in {name}"),
            ref(row.others_median, f"{what} elsewhere, median"),
        )
        told.append((result, cells))
    answer.table(("channel", "what", "here", "elsewhere"), told)


def _capital(text: object) -> str:
    return str(text)[:1].upper() + str(text)[1:]


FORM = Form(
    tells={"interpret_results": tell_explained},
)
