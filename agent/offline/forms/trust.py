"""Words for chances, repeats, described activities, drift, fallbacks and requests for labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.writer import Answer, Cell, Result, braces, named, plain, ref

_SHOWN = 5
_STAYS = {True: "stays below", False: "stays above"}  # a level asked about from above, below
_DESCRIBED = {  # attribute → value → words
    "intensity": {"still": "still", "low": "calm", "medium": "moderate", "high": "vigorous"},
    "regularity": {"none": "without rhythm", "some": "fairly regular", "strong": "rhythmic"},
}


def tell_event(answer: Answer, result: Result, query: Query) -> bool:
    """Tell how likely a level is reached, and how well such chances were known before."""
    event = result.content.get("event")
    if not event:
        return False
    above = event["direction"] == "above"
    channel = f"`{braces(str(event['channel']))}`"
    many = (result.look("/n_forecasts") or 1) > 1
    stays = any("stay" in ask.topic.split() for ask in query.asks)
    verb = _STAYS[above] if stays else "rises above" if above else "falls below"
    chance = ref("/event/probability", "chance that the level is reached", "percent")
    if stays:
        chance = ref("/event/probability_not", "chance that the level is not reached", "percent")
    which = _which(result) if many else ""
    when = "for the next" if stays else "within the next"
    answer.head(
        result, f"the chance that {channel} {verb} {{level}} {when} {{horizon}} is {{chance}}"
        + (f", averaged over {which} held-out sessions" if many else ""),
        level=ref("/event/threshold", "level asked about", "unit"),
        horizon=ref("/event/horizon_s", "time within which it may come", "unit"),
        chance=chance,
        **({"n": ref("/n_forecasts", "stretches forecast from")} if many else {}),
        **({"m": ref("/judged_on/n_sessions", "held-out sessions")} if "{m}" in which else {}),
    )  # fmt: skip
    if stays:
        answer.say(
            result, "The chance that it reaches the level at least once is {chance}; both together "
            "are the whole.",
            chance=ref("/event/probability", "chance that the level is reached", "percent"),
        )  # fmt: skip
    rows: list[dict[str, Any]] = result.content.get("forecasts") or []
    told: list[tuple[Result, tuple[Cell, ...]]] = [
        (
            result,
            (
                f"`{row['session_id']}`",
                ref(f"/forecasts/{i}/probability", f"chance in {row['session_id']}", "percent"),
            ),
        )
        for i, row in enumerate(rows[:_SHOWN])
        if row.get("probability") is not None
    ]
    all_told = (result.look("/n_forecasts") or 0) <= len(told)
    answer.section("Chance by session" + ("" if all_told else ", the first of them"))
    answer.table(("session", "chance to reach it"), told if many else [])
    answer.section("How good are such chances")
    answer.say(
        result, "In held-out windows the level was reached in {base} of cases. The Brier score "
        "there is {brier} ({lower} to {upper}), where zero is perfect; always saying how often it "
        "was reached in the calibration windows scores {plain}.",
        base=ref("/event/base_rate", "share of cases in which it came", "percent"),
        brier=ref("/event/brier/value", "Brier score of the chances"),
        lower=ref("/event/brier/lower", "Brier score, lower end"),
        upper=ref("/event/brier/upper", "Brier score, upper end"),
        plain=ref("/event/brier_of_base_rate", "Brier score of the base rate"),
    )  # fmt: skip
    return True


def _which(result: Result) -> str:
    """Return which sessions were forecast: the tool goes on from the first of many."""
    fewer = (result.look("/n_forecasts") or 0) < (result.look("/judged_on/n_sessions") or 0)
    return "the first {n} of {m}" if fewer else "{n}"


def tell_motifs(answer: Answer, result: Result, query: Query) -> None:
    """Tell which stretches repeat each other, the closest pair first."""
    rows: list[dict[str, Any]] = result.content.get("motifs") or []
    if not rows:
        return
    first, second = (braces(str(rows[0][end]["session_id"])) for end in ("first", "second"))
    answer.head(
        result, f"what repeats best, {{length}} long, is `{first}` from {{a}} to {{b}}, which "
        "comes " + ("again" if first == second else f"again in `{second}`") + " from {c} to {d}",
        length=ref("/length_s", "length of what repeats", "unit"),
        a=ref("/motifs/0/first/start_s", "start of what repeats best", "unit"),
        b=ref("/motifs/0/first/end_s", "end of what repeats best", "unit"),
        c=ref("/motifs/0/second/start_s", "start of its repetition", "unit"),
        d=ref("/motifs/0/second/end_s", "end of its repetition", "unit"),
    )  # fmt: skip
    told = []
    for i in range(len(rows[:_SHOWN])):
        cells: list[Cell] = []
        for end in ("first", "second"):
            name, at = str(rows[i][end]["session_id"]), f"/motifs/{i}/{end}"
            label = rows[i][end].get("label")
            cells += [
                f"`{name}`" + (f" ({plain(str(label))})" if label else ""),
                ref(f"{at}/start_s", f"start in {name}, {end} of its pair", "unit"),
            ]
        cells.append(
            ref(
                f"/motifs/{i}/distance",
                f"distance of the pair that ends in {rows[i]['second']['session_id']}",
            )
        )
        told.append((result, cells))
    answer.section("What repeats")
    answer.table(("session", "from", "again in", "from", "distance"), told)
    answer.section("How to read it")
    if any(ask.window_s not in (None, result.look("/length_s")) for ask in query.asks):
        answer.note("Lengths are whole samples, so this is the nearest to what was asked for.")
    one = result.look("/n_searched/sessions") == 1
    answer.say(
        result, "A distance of zero is the same shape, whatever its level and size. The samples of "
        f"{{n}} {'session was' if one else 'sessions were'} searched.",
        n=ref("/n_searched/sessions", "sessions searched"),
    )  # fmt: skip


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


def tell_drift(answer: Answer, result: Result) -> bool:
    """Tell whether the held-out sessions differ from those calibrated on."""
    drift = result.content.get("drift")
    if not drift:
        return answer.head(result, "drift could not be tested: no sessions are set apart for it")
    first, second = (named(name) for name in drift["between"])
    if drift.get("p_value") is None:
        answer.head(result, f"drift between the {first} and the {second} sessions was not tested")
        answer.note(f"Why: {str(drift.get('why_not', '')).rstrip('.')}.")
        return True
    lead = "yes, there is drift" if drift["drifted"] else "no drift was found"
    answer.head(
        result, f"{lead}: between {{n}} {first} and {{m}} {second} sessions p is {{p}}",
        n=ref("/drift/n_sessions/0", f"{drift['between'][0]} sessions compared"),
        m=ref("/drift/n_sessions/1", f"{drift['between'][1]} sessions compared"),
        p=ref("/drift/p_value", "p-value of the test for drift"),
    )  # fmt: skip
    answer.note(
        "The p-value is the share of random exchanges of whole sessions that set the two parts at "
        "least as far apart in what the encoder makes of them."
    )
    if drift["between"][0] == "calibration":
        answer.note(
            "The calibration sessions stand in for the training ones: intervals and sets are "
            "calibrated on them, and no head is fitted on them."
        )
    return True


def tell_gate(answer: Answer, result: Result) -> None:
    """Tell who answers, with what each candidate reached and what it costs to keep."""
    gate = result.content.get("gate")
    rows: list[dict[str, Any]] = (gate or {}).get("rows") or []
    if not gate or not rows:
        return
    share = gate.get("metric") == "accuracy"
    style, metric = ("percent" if share else "plain"), str(gate["metric"])
    told = []
    for i, row in enumerate(rows):
        if "test" not in row:
            continue
        name, at = str(row["model"]), f"/gate/rows/{i}"
        test = f"{at}/test/value" if isinstance(row["test"], dict) else f"{at}/test"
        cells: tuple[Cell, ...] = (
            f"`{name}`",
            ref(f"{at}/folds/value", f"{metric} of {name} on held-out folds", style),
            (
                ref(f"{at}/folds/lower", f"{metric} of {name}, lower end", style),
                ref(f"{at}/folds/upper", f"{metric} of {name}, upper end", style),
            ),
            ref(test, f"{metric} of {name} on the test sessions", style),
            ref(f"{at}/memory_mb", f"memory of {name}", "unit"),
        )
        told.append((result, cells))
    answer.section("Who answers")
    answer.note(f"`{braces(str(gate['answered_by']))}` answers; decided on the training sessions:")
    answer.table(("model", f"{metric} on folds", "interval", "on test", "memory"), told)


def head_abstained(answer: Answer, result: Result, query: Query) -> bool:
    """Put into the headline how often no answer is given, where that was asked for."""
    if not any("abstain" in ask.topic.split() for ask in query.asks):
        return False
    return answer.head(
        result, "{share} of the held-out windows are left open, and of the others {right} are "
        "named rightly",
        share=ref("/abstention/abstained_frac", "held-out windows left open", "percent"),
        right=ref("/abstention/accuracy_answered/value",
                  "windows named rightly where an answer is given", "percent"),
    )  # fmt: skip


def tell_abstained(answer: Answer, result: Result, query: Query) -> None:
    """Tell how much was left open, where something was or somebody asked."""
    asked = any("abstain" in ask.topic.split() for ask in query.asks)
    share = result.look("/abstention/abstained_frac")
    if share is None or not (share or asked):
        return
    refs = {
        "share": ref("/abstention/abstained_frac", "held-out windows left open", "percent"),
        "size": ref("/abstention/max_set_size", "activities that may remain for an answer"),
    }
    empty = result.look("/coverage/empty_frac") or 0.0
    text = "{share} of held-out windows are left open, as "
    if not empty:
        text += "more than {size} activity stays possible"
    elif empty >= share:
        text += "no activity is likely enough"
    else:
        text += "no activity is likely enough ({empty}) or more than {size} stays possible"
        refs["empty"] = ref("/coverage/empty_frac", "windows without a likely activity", "percent")
    if "{size}" not in text:
        del refs["size"]
    if result.look("/abstention/accuracy_answered/value") is not None:
        text += "; of the others {right} are named rightly"
        what = "windows named rightly where an answer is given"
        refs["right"] = ref("/abstention/accuracy_answered/value", what, "percent")
    answer.say(result, f"{text}.", **refs)


def tell_requested(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    """Tell how many windows a person was asked about, and what came back."""
    answer.head(
        result, "{given} of the {asked} windows asked about were given a label",
        given=ref("/n_given", "labels given"), asked=ref("/n_asked", "windows asked about"),
    )  # fmt: skip
    rows: list[dict[str, Any]] = result.content.get("windows") or []
    told: list[tuple[Result, Sequence[Cell]]] = [
        (
            result,
            (
                f"`{row['session_id']}`",
                ref(f"/windows/{i}/start_s", f"start of what was asked in {name}", "unit"),
                ref(f"/windows/{i}/end_s", f"end of what was asked in {name}", "unit"),
                plain(str(row.get("suggested") or "")),
                plain(str(row.get("given") or "skipped")),
            ),
        )
        for i, row in enumerate(rows)
        for name in [str(row["session_id"])]
    ]
    answer.section("Most worth a label")
    answer.table(("session", "from", "to", "the head says", "given"), told)
    answer.section("Why these")
    answer.note(
        "They speak for most others, or the head doubts them; one of each session before a second "
        "one of any."
    )
    if result.content.get("n_without_label") == 0:
        answer.note("Every training window has a label already, so these are to be checked.")
    if result.look("/n_given"):
        answer.note("Later runs in this conversation use the labels given.")
    if result.look("/n_given"):
        answer.say(
            result, "{n} of the labels given are what the head would have said.",
            n=ref("/n_agreeing", "labels that agree with the head"),
        )  # fmt: skip
