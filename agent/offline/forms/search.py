"""Words for the results of searches: what is alike, what is unlike, what is unusual."""

from __future__ import annotations

from collections.abc import Sequence

from tool_use_om.agent.offline.forms.form import Form, tell_zone
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Result, braces, named, plain, ref
from tool_use_om.tools.call.arguments import RunTask
from tool_use_om.tools.run.search.found import (
    MotifsFound,
    NeighboursFound,
    Outlier,
    Scan,
    SessionsRanked,
    Stretch,
    UnusualFound,
)

_SHOWN_RANKS = 5

_SHOWN = 5


def tell_retrieved(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    """Tell what is most like a stretch, or which session is least like the others."""
    if result.if_found(SessionsRanked):
        _ranked(answer, result)
        return
    found = result.found(NeighboursFound)
    rows = found.neighbours
    if rows:
        label = f" ({named(rows[0].label)})" if rows[0].label else ""
        answer.head(
            result, "the closest match to `{session}` from {start} to {end} is "
            f"`{rows[0].session_id}` from {{from_s}} to {{to_s}}{label}",
            session=ref(found.query.session_id, "session searched from"),
            start=ref(found.query.start_s, "start of the stretch searched for"),
            end=ref(found.query.end_s, "end of the stretch searched for"),
            from_s=ref(rows[0].start_s, "start of the most similar stretch"),
            to_s=ref(rows[0].end_s, "end of the most similar stretch"),
        )  # fmt: skip
    told: list[tuple[Result, Sequence[Cell]]] = []
    for row in rows:
        cells: tuple[Cell, ...] = (
            f"`{row.session_id}`",
            ref(row.start_s, f"start of the similar stretch in {row.session_id}"),
            ref(row.end_s, f"end of the similar stretch in {row.session_id}"),
            plain(str(row.label or "")),
            ref(row.distance, f"distance of the stretch in {row.session_id}"),
        )
        told.append((result, cells))
    answer.section("Closest matches")
    answer.table(("session", "from", "to", "activity", "distance"), told)
    answer.section("How to read it")
    answer.say(
        result, "The distance says how differently the encoder sees two stretches; zero means "
        "identical, and only the ranking matters. {windows} windows in {sessions} sessions were "
        "searched.",
        windows=ref(found.n_searched.windows, "windows searched"),
        sessions=ref(found.n_searched.sessions, "sessions searched"),
    )  # fmt: skip


def _ranked(answer: Answer, result: Result) -> None:
    found = result.found(SessionsRanked)
    label = result.asked(RunTask).target_label or found.target_label
    whose = f"the {named(label)} in `{{most}}` looks" if label else "`{most}` looks"
    answer.head(
        result, f"{whose} least like the others: its distance to them is {{d}}, against {{low}} "
        "for the most typical session, `{typical}`",
        most=ref(found.most_unlike.session_id, "session least like the others"),
        d=ref(found.most_unlike.distance, "its distance to the others"),
        typical=ref(found.most_typical.session_id, "most typical session"),
        low=ref(found.most_typical.distance, "distance of the most typical session"),
    )  # fmt: skip
    told: list[tuple[Result, Sequence[Cell]]] = []
    for row in found.ranking[:_SHOWN_RANKS]:
        what = f"distance of {row.session_id} to the others"
        told.append((result, (f"`{row.session_id}`", ref(row.distance, what))))
    answer.section("Least like the others")
    answer.table(("session", "distance"), told)
    answer.section("How to read it")
    of = f" of {named(label)}" if label else ""
    answer.say(
        result, "This is the median distance to the other sessions"
        f"{of}, as the encoder sees the signal; {{n}} were compared.",
        n=ref(found.n_sessions, "sessions compared"),
    )  # fmt: skip


Unusual = tuple[Result, UnusualFound]


def tell_anomalies(answer: Answer, result: Result, query: Query) -> None:
    """Tell what is unusual, all checked sessions together."""
    checked = [(r, found) for r in answer.results if (found := r.if_found(UnusualFound))]
    checked = checked or [(result, result.found(UnusualFound))]
    if result is not checked[0][0]:
        return  # one table holds all of them
    for each, found in checked:
        if found.scan is not None:
            _tell_scan(answer, each, found, found.scan)
    unscanned = [(each, found) for each, found in checked if found.scan is None]
    for each, found in unscanned:
        if found.n_unusual != 0:
            _unusual_headline(answer, each, found)
    _usual_headline(answer, [(each, found) for each, found in unscanned if found.n_unusual == 0])
    answer.section("Most unusual stretch")
    told = [(each, _strangest(found)) for each, found in checked]
    answer.table(("session", "from", "to", "score", "threshold", "p-value"), told)
    answer.section("How to read it")
    found = checked[0][1]
    held_out = result.look("/coverage/measured_on") == "test"
    how = "{empirical} of held-out ones do." if held_out else (
        "{empirical} of these windows, each left out in turn, do."
    )  # fmt: skip
    score = _SCORES.get(str(result.content.get("head")), _SCORES["discord"])
    answer.say(
        result, score.replace("training", "training" if held_out else "usual")
        + " The threshold is set so that {nominal} of usual windows stay below it; " + how,
        n=ref("/compared_with/n_windows", "windows compared with"),
        nominal=ref("/coverage/nominal", "usual windows meant to stay within it", "percent"),
        empirical=ref("/coverage/empirical", "windows that stay within it", "percent"),
    )  # fmt: skip
    _tell_parts(answer, checked)
    _tell_irregular(answer, checked)
    answer.note("The p-value is the share of usual windows that are at least as unusual.")
    if not any(ask.sessions for ask in query.asks):
        answer.note("You named no session, so only these were checked.")


def _strangest(found: UnusualFound) -> tuple[Cell, ...]:
    top = found.most_unusual
    name = str(found.query_session or top.session_id)
    return (
        f"`{name}`",
        ref(top.start_s, f"start of the strangest stretch of {name}"),
        ref(top.end_s, f"end of the strangest stretch of {name}"),
        ref(top.score, f"score of the strangest stretch of {name}"),
        ref(found.threshold, f"threshold for {name}"),
        ref(top.p_value, f"p-value of the strangest stretch of {name}"),
    )


_SCORES = {
    "discord": "The score is the distance to the most similar of {n} training windows.",
    "reconstruction": "The score is how badly a model of {n} training windows reproduces the worst "
    "patch.",
    "ensemble": "The score averages three measures: how far a stretch is from the usual level, how "
    "far it is from the most similar of {n} training windows, and how badly a model of these "
    "reproduces its worst patch. Each is measured against what is usual.",
}


def _tell_irregular(answer: Answer, checked: Sequence[Unusual]) -> None:
    """Tell where time stamps are irregular, and how they were read."""
    for each, found in checked:
        if found.irregular is not None:
            name = str(found.query_session)
            answer.say(
                each, f"The time stamps of `{name}` are irregular: {{empty}} of an even grid would "
                "be empty. Samples up to {far} apart were joined by straight lines.",
                empty=ref(found.irregular.empty, f"share of an even grid empty in {name}"),
                far=ref(found.irregular.bridged_s, f"widest gap joined in {name}"),
            )  # fmt: skip


_VIEWS = {"deviation": "level", "discord": "distance", "reconstruction": "worst patch"}


def _tell_parts(answer: Answer, checked: Sequence[Unusual]) -> None:
    """Tell what each view says of the strangest stretches, where there are several views."""
    several = [(each, found, found.parts) for each, found in checked if found.parts]
    if not several:
        return
    views = [_VIEWS[part.view] for part in several[0][2]]
    told: list[tuple[Result, Sequence[Cell]]] = []
    for each, found, parts in several:
        name = str(found.query_session)
        cells = [
            ref(part.score, f"score by {view} of the strangest stretch of {name}")
            for part, view in zip(parts, views, strict=True)
        ]
        told.append((each, (f"`{name}`", *cells)))
    answer.section("What the score consists of")
    answer.table(("session", *(f"by {view}" for view in views)), told)


_KINDS = {
    "value": "a value far from its neighbours",
    "level": "a stretch at another level",
    "spread": "a stretch livelier than the others",
    "move": "a step larger than the others",
}


def _tell_scan(answer: Answer, result: Result, found: UnusualFound, scan: Scan) -> None:
    """Tell what stands out in a long series, value by value, and where."""
    name, rows = found.query_session, scan.found
    if not rows:
        answer.head(
            result, f"nothing stands out in the {{n}} samples of `{name}`",
            n=ref(scan.n_samples, f"samples of {name} that were scanned"),
        )  # fmt: skip
        return
    many = scan.n_found > 1
    if rows[0].kind == "move":
        _tell_moves(answer, result, scan)
        return
    answer.head(
        result, f"`{braces(str(rows[0].channel))}` is unusual at {{at}}: it reaches {{value}}, "
        "while it usually lies between {low} and {high}"
        + ("; {n} places stand out in total" if many else ""),
        at=ref(_moment(rows[0]), "where it stands out most"),
        value=ref(rows[0].value, "the value furthest out"),
        low=ref(rows[0].usual_low, "first percentile of the other values"),
        high=ref(rows[0].usual_high, "last percentile of the other values"),
        **({"n": ref(scan.n_found, "places that stand out")} if many else {}),
    )  # fmt: skip
    told: list[tuple[Result, Sequence[Cell]]] = []
    for number, row in enumerate(rows, 1):
        what = f"place {number} that stands out"
        cells: tuple[Cell, ...] = (
            f"`{row.channel}`",
            ref(_moment(row), f"where {what} is"),
            ref(row.value, f"value of {what}"),
            (ref(row.start_s, f"start of {what}"), ref(row.end_s, f"end of {what}")),
            _KINDS[row.kind],
        )
        told.append((result, cells))
    answer.section("What stands out")
    answer.table(("channel", "at", "value", "from, to", "what"), told)
    tell_zone(answer, result, scan.zone)


def _tell_moves(answer: Answer, result: Result, scan: Scan) -> None:
    """Tell the steps of a price-like series that are larger than the others, in percent."""
    rows, many = scan.found, scan.n_found > 1
    answer.head(
        result, f"`{braces(str(rows[0].channel))}` makes an unusual move at {{at}}: {{change}} in "
        "one step, to {value}, while steps usually lie between {low} and {high}"
        + ("; {n} steps stand out in total" if many else ""),
        at=ref(_moment(rows[0]), "where it moves most"),
        change=ref(rows[0].change_frac, "the step, of the value before"),
        value=ref(rows[0].value, "the value behind the step"),
        low=ref(rows[0].step_low_frac, "first percentile of the other steps"),
        high=ref(rows[0].step_high_frac, "last percentile of the other steps"),
        **({"n": ref(scan.n_found, "steps that stand out")} if many else {}),
    )  # fmt: skip
    told: list[tuple[Result, Sequence[Cell]]] = []
    for number, row in enumerate(rows, 1):
        what = f"step {number} that stands out"
        cells: tuple[Cell, ...] = (
            f"`{row.channel}`",
            ref(_moment(row), f"where {what} is"),
            ref(row.change_frac, f"size of {what}"),
            ref(row.value, f"value behind {what}"),
        )
        told.append((result, cells))
    answer.section("What stands out")
    answer.table(("channel", "at", "step", "value after it"), told)
    answer.note(
        "The series behaves like a price: its level says nothing about what comes next, so each "
        "step is judged relative to the value before it."
    )
    tell_zone(answer, result, scan.zone)


def _moment(row: Outlier) -> str | float:
    """Return where a value stands: its date where there is one, else its second."""
    return row.at_s if row.date is None else row.date


def _usual_headline(answer: Answer, results: Sequence[Unusual]) -> None:
    names = [f"`{found.query_session or 'the held-out sessions'}`" for _, found in results]
    if not results:
        return
    lead = f"nothing unusual was found in {', '.join(names)}"
    result, found = results[0]
    windows = ref(found.n_windows, f"stretches of {names[0]} that were scored")
    why = ": none of its {n} stretches scores above the threshold"
    if len(results) > 1 or not answer.head(result, lead + why, n=windows):
        answer.head(result, lead)


def _unusual_headline(answer: Answer, result: Result, found: UnusualFound) -> None:
    verb = "is" if found.n_unusual == 1 else "are"
    name = found.query_session or "the held-out sessions"
    top = found.most_unusual
    answer.head(
        result, f"{{n}} of the {{all}} stretches of `{name}` {verb} unusual, most of all from "
        "{start} to {end}",
        n=ref(found.n_unusual, f"unusual windows of {name}"),
        all=ref(found.n_windows, f"windows of {name} that were scored"),
        start=ref(top.start_s, f"start of the strangest stretch of {name}"),
        end=ref(top.end_s, f"end of the strangest stretch of {name}"),
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
    found = result.found(MotifsFound)
    if not found.motifs:
        return
    first, second = found.motifs[0].first, found.motifs[0].second
    one_session = first.session_id == second.session_id
    again = "" if one_session else f" in `{braces(str(second.session_id))}`"
    answer.head(
        result, "the closest repeat, {length} long, is "
        f"`{braces(str(first.session_id))}` from {{a}} to {{b}}, which recurs{again} from {{c}} to "
        "{d}",
        length=ref(found.length_s, "length of what repeats"),
        a=ref(first.start_s, "start of what repeats best"),
        b=ref(first.end_s, "end of what repeats best"),
        c=ref(second.start_s, "start of its repetition"),
        d=ref(second.end_s, "end of its repetition"),
    )  # fmt: skip
    told = []
    for row in found.motifs[:_SHOWN]:
        what = f"distance of the pair that ends in {row.second.session_id}"
        ends = (*_end(row.first, "first"), *_end(row.second, "second"))
        told.append((result, (*ends, ref(row.distance, what))))
    answer.section("What repeats")
    answer.table(("session", "from", "again in", "from", "distance"), told)
    answer.section("How to read it")
    if any(ask.window_s not in (None, found.length_s) for ask in query.asks):
        answer.note("Lengths are whole samples, so this is the closest to what you asked for.")
    answer.say(
        result, "A distance of zero means the same shape, whatever its level and size. "
        f"{{n}} {'session was' if found.n_searched.sessions == 1 else 'sessions were'} searched.",
        n=ref(found.n_searched.sessions, "sessions searched"),
    )  # fmt: skip


def _end(part: Stretch, end: str) -> tuple[Cell, Cell]:
    label = f" ({plain(str(part.label))})" if part.label else ""
    start = ref(part.start_s, f"start in {part.session_id}, {end} of its pair")
    return f"`{part.session_id}`{label}", start


FORM = Form(
    plans={
        "similar": _plan_similar,
        "motif": _plan_motif,
        "unlike": _plan_unlike,
        "anomaly": _plan_anomaly,
    },
    runs={"retrieve": tell_retrieved, "anomaly": tell_anomalies},
)
