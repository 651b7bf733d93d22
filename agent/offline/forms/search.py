"""Words for the results of searches: what is alike, what is unlike, what is unusual."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tool_use_om.agent.offline.forms.form import Form, tell_zone
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Result, braces, named, plain, ref

_SHOWN_RANKS = 5

_SHOWN = 5


def tell_retrieved(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    """Tell what is most like a stretch, or which session is least like the others."""
    if result.content.get("ranking"):
        _ranked(answer, result)
        return
    rows: list[dict[str, Any]] = result.content.get("neighbours") or []
    if rows:
        label = f" ({named(rows[0]['label'])})" if rows[0].get("label") else ""
        answer.head(
            result, "the stretch most like {start} to {end} of `{session}` is "
            f"`{rows[0]['session_id']}` from {{from_s}} to {{to_s}}{label}",
            session=ref("/query/session_id", "session searched from"),
            start=ref("/query/start_s", "start of the stretch searched for", "unit"),
            end=ref("/query/end_s", "end of the stretch searched for", "unit"),
            from_s=ref("/neighbours/0/start_s", "start of the most similar stretch", "unit"),
            to_s=ref("/neighbours/0/end_s", "end of the most similar stretch", "unit"),
        )  # fmt: skip
    told = []
    for i, row in enumerate(rows):
        name, at = row["session_id"], f"/neighbours/{i}"
        cells: tuple[Cell, ...] = (
            f"`{name}`",
            ref(f"{at}/start_s", f"start of the similar stretch in {name}", "unit"),
            ref(f"{at}/end_s", f"end of the similar stretch in {name}", "unit"),
            plain(str(row.get("label") or "")),
            ref(f"{at}/distance", f"distance of the stretch in {name}"),
        )
        told.append((result, cells))
    answer.section("Most alike")
    answer.table(("session", "from", "to", "activity", "distance"), told)
    answer.section("How to read it")
    answer.say(
        result, "A distance compares what the encoder makes of two stretches: zero is the same, and"
        " only its order means something. {windows} windows of {sessions} sessions were searched.",
        windows=ref("/n_searched/windows", "windows searched"),
        sessions=ref("/n_searched/sessions", "sessions searched"),
    )  # fmt: skip


def _ranked(answer: Answer, result: Result) -> None:
    label = result.args.get("target_label") or result.content.get("target_label")
    whose = f"whose {named(label)} looks" if label else "that looks"
    answer.head(
        result, f"`{{most}}` is the session {whose} least like the others: its distance to them is "
        "{d}, that of the most typical one, `{typical}`, {low}",
        most=ref("/most_unlike/session_id", "session least like the others"),
        d=ref("/most_unlike/distance", "its distance to the others"),
        typical=ref("/most_typical/session_id", "most typical session"),
        low=ref("/most_typical/distance", "distance of the most typical session"),
    )  # fmt: skip
    told: list[tuple[Result, Sequence[Cell]]] = []
    for i, row in enumerate(result.content["ranking"][:_SHOWN_RANKS]):
        what = f"distance of {row['session_id']} to the others"
        told.append((result, (f"`{row['session_id']}`", ref(f"/ranking/{i}/distance", what))))
    answer.section("Least like the others")
    answer.table(("session", "distance"), told)
    answer.section("How to read it")
    of = f" of {named(label)}" if label else ""
    answer.say(
        result, "The distance is the median one, in what the encoder makes of the signal, to the "
        f"other sessions{of}; {{n}} were compared.",
        n=ref("/n_sessions", "sessions compared"),
    )  # fmt: skip


def tell_anomalies(answer: Answer, result: Result, query: Query) -> None:
    """Tell what is unusual, all checked sessions together."""
    checked = [r for r in answer.results if "n_unusual" in r.content] or [result]
    if result is not checked[0]:
        return  # one table holds all of them
    scanned = [r for r in checked if r.content.get("scan")]
    for each in scanned:
        _tell_scan(answer, each)
    usual = [r for r in checked if r.content.get("n_unusual") == 0 and r not in scanned]
    for each in checked:
        if each not in usual and each not in scanned:
            _unusual_headline(answer, each)
    _usual_headline(answer, usual)
    answer.section("Strangest stretch")
    told = []
    for each in checked:
        name = str(each.content.get("query_session") or each.look("/most_unusual/session_id"))
        cells: tuple[Cell, ...] = (
            f"`{name}`",
            ref("/most_unusual/start_s", f"start of the strangest stretch of {name}", "unit"),
            ref("/most_unusual/end_s", f"end of the strangest stretch of {name}", "unit"),
            ref("/most_unusual/score", f"score of the strangest stretch of {name}"),
            ref("/threshold", f"threshold for {name}"),
            ref("/most_unusual/p_value", f"p-value of the strangest stretch of {name}"),
        )
        told.append((each, cells))
    answer.table(("session", "from", "to", "score", "threshold", "p-value"), told)
    answer.section("How to read it")
    answer.say(
        result, _SCORES.get(str(result.content.get("head")), _SCORES["discord"]) + " The "
        "threshold is set for {nominal} of usual windows to stay within it; of held-out ones "
        "{empirical} do.",
        n=ref("/compared_with/n_windows", "training windows compared with"),
        nominal=ref("/coverage/nominal", "usual windows meant to stay within it", "percent"),
        empirical=ref("/coverage/empirical", "held-out windows that stay within it", "percent"),
    )  # fmt: skip
    _tell_parts(answer, checked)
    _tell_irregular(answer, checked)
    answer.note("The p-value is the share of usual windows that are at least as strange.")
    if not any(ask.sessions for ask in query.asks):
        answer.note("No session was named, so only these were checked.")


_SCORES = {
    "discord": "A score is the distance to the most similar of {n} training windows.",
    "reconstruction": "A score is what a model of {n} training windows leaves of the worst patch.",
    "ensemble": "A score is the mean of three: how far a stretch reaches from the usual level, its "
    "distance to the most similar of {n} training windows, and what a model of these leaves of its "
    "worst patch; each is counted in usual spreads from its usual median.",
}


def _tell_irregular(answer: Answer, checked: Sequence[Result]) -> None:
    """Tell where time stamps are irregular, and how they were read."""
    for each in checked:
        if each.content.get("irregular"):
            name = str(each.content.get("query_session"))
            answer.say(
                each, f"The time stamps of `{name}` are irregular: {{empty}} of an even grid is "
                "empty. Samples up to {far} apart were joined by straight lines.",
                empty=ref("/irregular/empty", f"share of an even grid empty in {name}", "percent"),
                far=ref("/irregular/bridged_s", f"widest gap joined in {name}", "unit"),
            )  # fmt: skip


_VIEWS = {"deviation": "level", "discord": "distance", "reconstruction": "worst patch"}


def _tell_parts(answer: Answer, checked: Sequence[Result]) -> None:
    """Tell what each view says of the strangest stretches, where there are several views."""
    several = [r for r in checked if r.content.get("parts")]
    if not several:
        return
    views = [str(part["view"]) for part in several[0].content["parts"]]
    told: list[tuple[Result, Sequence[Cell]]] = []
    for each in several:
        name = str(each.content.get("query_session"))
        cells = [
            ref(f"/parts/{i}/score", f"score by {_VIEWS[view]} of the strangest stretch of {name}")
            for i, view in enumerate(views)
        ]
        told.append((each, (f"`{name}`", *cells)))
    answer.section("What its score is made of")
    answer.table(("session", *(f"by {_VIEWS[view]}" for view in views)), told)


_KINDS = {
    "value": "a value far from its neighbours",
    "level": "a stretch at another level",
    "spread": "a stretch livelier than the others",
    "move": "a step larger than the others",
}


def _tell_scan(answer: Answer, result: Result) -> None:
    """Tell what stands out in a long series, value by value, and where."""
    name = result.content.get("query_session")
    rows: list[dict[str, Any]] = result.content["scan"]["found"]
    if not rows:
        answer.head(
            result, f"nothing stands out in the {{n}} samples of `{name}`",
            n=ref("/scan/n_samples", f"samples of {name} that were scanned"),
        )  # fmt: skip
        return
    at = "date" if "date" in rows[0] else "at_s"
    style = "plain" if at == "date" else "unit"
    if rows[0]["kind"] == "move":
        _tell_moves(answer, result, at, style)
        return
    channel = braces(str(rows[0]["channel"]))
    many = result.content["scan"]["n_found"] > 1
    answer.head(
        result, f"`{channel}` is unusual at {{at}}: {{value}}, where it usually lies between "
        "{low} and {high}" + ("; {n} places stand out in all" if many else ""),
        at=ref(f"/scan/found/0/{at}", "where it stands out most", style),
        value=ref("/scan/found/0/value", "the value furthest out", "unit"),
        low=ref("/scan/found/0/usual_low", "first percentile of the other values", "unit"),
        high=ref("/scan/found/0/usual_high", "last percentile of the other values", "unit"),
        **({"n": ref("/scan/n_found", "places that stand out")} if many else {}),
    )  # fmt: skip
    told: list[tuple[Result, Sequence[Cell]]] = []
    for i, row in enumerate(rows):
        place = f"/scan/found/{i}"
        what = f"place {i + 1} that stands out"
        cells: tuple[Cell, ...] = (
            f"`{row['channel']}`",
            ref(f"{place}/{at}", f"where {what} is", style),
            ref(f"{place}/value", f"value of {what}", "unit"),
            (ref(f"{place}/start_s", f"start of {what}", "unit"),
             ref(f"{place}/end_s", f"end of {what}", "unit")),
            _KINDS[row["kind"]],
        )  # fmt: skip
        told.append((result, cells))
    answer.section("What stands out")
    answer.table(("channel", "at", "value", "from, to", "what"), told)
    tell_zone(answer, result, "/scan/zone")


def _tell_moves(answer: Answer, result: Result, at: str, style: str) -> None:
    """Tell the steps of a price-like series that are larger than the others, in percent."""
    rows: list[dict[str, Any]] = result.content["scan"]["found"]
    many = result.content["scan"]["n_found"] > 1
    answer.head(
        result, f"`{braces(str(rows[0]['channel']))}` moves unusually at {{at}}: by {{change}} "
        "in one step, to {value}, where steps usually lie between {low} and {high}"
        + ("; {n} steps stand out in all" if many else ""),
        at=ref(f"/scan/found/0/{at}", "where it moves most", style),
        change=ref("/scan/found/0/change_frac", "the step, of the value before", "percent"),
        value=ref("/scan/found/0/value", "the value behind the step", "unit"),
        low=ref("/scan/found/0/usual_low", "first percentile of the other steps", "percent"),
        high=ref("/scan/found/0/usual_high", "last percentile of the other steps", "percent"),
        **({"n": ref("/scan/n_found", "steps that stand out")} if many else {}),
    )  # fmt: skip
    told: list[tuple[Result, Sequence[Cell]]] = []
    for i, row in enumerate(rows):
        place, what = f"/scan/found/{i}", f"step {i + 1} that stands out"
        cells: tuple[Cell, ...] = (
            f"`{row['channel']}`",
            ref(f"{place}/{at}", f"where {what} is", style),
            ref(f"{place}/change_frac", f"size of {what}", "percent"),
            ref(f"{place}/value", f"value behind {what}", "unit"),
        )
        told.append((result, cells))
    answer.section("What stands out")
    answer.table(("channel", "at", "step", "value after it"), told)
    answer.note(
        "The series goes like a price: its level says nothing of what comes, so its steps relative "
        "to the value before are judged."
    )
    tell_zone(answer, result, "/scan/zone")


def _usual_headline(answer: Answer, results: Sequence[Result]) -> None:
    names = [f"`{r.content.get('query_session') or 'the held-out sessions'}`" for r in results]
    if not results:
        return
    lead = f"nothing unusual was found in {', '.join(names)}"
    windows = ref("/n_windows", f"windows of {names[0]} that were scored")
    why = ": none of its {n} windows scores over the threshold"
    if len(results) > 1 or not answer.head(results[0], lead + why, n=windows):
        answer.head(results[0], lead)


def _unusual_headline(answer: Answer, result: Result) -> None:
    verb = "is" if result.content.get("n_unusual") == 1 else "are"
    name = result.content.get("query_session") or "the held-out sessions"
    answer.head(
        result, f"{{n}} of the {{all}} windows of `{name}` {verb} unusual, most of all {{start}} "
        "to {end}",
        n=ref("/n_unusual", f"unusual windows of {name}"),
        all=ref("/n_windows", f"windows of {name} that were scored"),
        start=ref("/most_unusual/start_s", f"start of the strangest stretch of {name}", "unit"),
        end=ref("/most_unusual/end_s", f"end of the strangest stretch of {name}", "unit"),
    )  # fmt: skip


_SURVEYED = 5  # sessions checked when none is named


def _plan_motif(p: Planner, ask: Ask) -> None:
    p.open()
    p.narrow(ask)
    if ask.channels:
        p.add("select_channels", "look at these channels only", channels=list(ask.channels))
    p.encode(ask)
    p.add("select_task_head", "search for what repeats", task="retrieve", head="motif")
    p.add("run_task", "find the stretches that repeat best", k=ask.k or ask.count)


def _plan_similar(p: Planner, ask: Ask) -> None:
    p.open()
    p.fresh()
    p.encode(ask)
    p.head(ask, "retrieve")
    if ask.approximate:
        p.add("configure_head", "search the nearest cells only", params={"index": "approximate"})
    p.add(
        "run_task", "search for what is most like it",
        query_session=ask.sessions[0] if ask.sessions else None,
        query_start_s=ask.start_s, query_end_s=ask.end_s, k=ask.k or ask.count,
    )  # fmt: skip


def _plan_unlike(p: Planner, ask: Ask) -> None:
    """Rank a label's sessions by what the encoder makes of them; without one, by statistics.

    Of a single long series, and where days are asked about, days are compared.
    """
    p.open()
    p.fresh()
    if not ask.labels or ask.by is not None:
        single = len(p.names.session_ids) == 1
        p.narrow(ask)
        if ask.channels:
            p.add("select_channels", "look at these channels only", channels=list(ask.channels))
        p.add(
            "show_channel_stats", "compare them with each other by their statistics",
            statistic="unlike", by=ask.by or ("date" if single else "session"),
        )  # fmt: skip
        return
    p.encode(ask)
    p.head(ask, "retrieve")
    for label in ask.labels[:4] or (None,):
        p.add("run_task", "rank the sessions by how unlike the others they are", target_label=label)
        p.add("interpret_results", "see what sets the odd one apart")


def _plan_anomaly(p: Planner, ask: Ask) -> None:
    p.open()
    p.fresh()
    p.encode(ask)
    p.head(ask, "anomaly")
    for session in ask.sessions[:4]:
        p.add(
            "run_task", "score each stretch against the usual ones",
            query_session=session, query_start_s=ask.start_s, query_end_s=ask.end_s,
            coverage=ask.coverage,
        )  # fmt: skip
        p.add("interpret_results", "see what sets the strangest stretch apart")
    if not ask.sessions:
        _survey(p, ask)


def _survey(p: Planner, ask: Ask) -> None:
    """Check the first held-out sessions where no session is named: a check takes one at a time."""
    p.add(
        "show_session_stats", "no session is named: take held-out ones",
        labels=list(ask.labels), subjects=list(ask.subjects), split=ask.split or "test",
    )  # fmt: skip
    for place in range(_SURVEYED):
        late = {"query_session": f"session_{place}"}
        p.add("run_task", "score each stretch against the usual ones", late=late)


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


FORM = Form(
    plans={
        "similar": _plan_similar,
        "motif": _plan_motif,
        "unlike": _plan_unlike,
        "anomaly": _plan_anomaly,
    },
    runs={"retrieve": tell_retrieved, "anomaly": tell_anomalies},
)
