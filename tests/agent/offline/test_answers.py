"""How the offline model writes: a headline, short sections, tables, and nothing unsupported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tool_use_om.agent.offline.answer import told
from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.offline.model import capabilities, plan_of
from tool_use_om.agent.offline.writer import Answer, Result, number, ref
from tool_use_om.agent.record.layout import Layout
from tool_use_om.agent.verify.check import Checked, check
from tool_use_om.agent.verify.facts import Sources

DEMO = "Find walking activities and predict the next 5 seconds of accelerometer data"
STATS = {
    "dataset": "basic-motions",
    "n_sessions": 80,
    "n_sessions_total": 80,
    "duration_s": {"min": 10.0, "median": 10.0, "max": 10.0, "total": 800.0},
    "sessions_per_label": {"running": 40, "walking": 40},
    "channels": [{"id": f"accelerometer.{a}", "unit": "a.u.", "rate_hz": 10.0} for a in "xyz"],
    "sessions": ["bm-test-020"],
}
FOUND = {
    "task": "classify",
    "target_label": "walking",
    "n_segments": 2,
    "n_sessions_found": 2,
    "judged_on": {"split": "test", "n_sessions": 40},
    "segments": [
        {"session_id": "bm-test-020", "start_s": 0.0, "end_s": 10.0, "confidence": 0.98765},
        {"session_id": "bm-test-021", "start_s": 0.0, "end_s": 10.0, "confidence": 0.5},
    ],
    "metrics": {"accuracy": {"value": 0.9875, "lower": 0.96875, "upper": 1.0, "n": 160}},
    "chance": {"accuracy": 0.25},
    "target": {"precision": 0.9524, "recall": 1.0},
    "coverage": {"nominal": 0.9, "empirical": 0.994, "lower": 0.91, "upper": 0.999, "n": 160},
}
FORECAST = {
    "task": "forecast",
    "horizon_s": 5.0,
    "channels": ["accelerometer.x", "accelerometer.y"],
    "label": "walking",
    "judged_on": {"split": "test", "n_sessions": 10},
    "metrics": {
        "mae": {"value": 1.2968, "unit": "a.u.", "baseline": 1.76, "lower": 1.1, "upper": 1.49},
        "mase": {"value": 1.284, "unit": "1", "baseline": 1.71, "lower": 1.2, "upper": 1.37},
    },
    "beats_baseline": True,
    "coverage": {"nominal": 0.9, "empirical": 0.8922, "lower": 0.587, "upper": 0.98, "n": 6000},
    "n_forecasts": 2,
    "forecasts": [
        {"session_id": "bm-test-020", "channel": "accelerometer.x", "unit": "a.u.",
         "start_s": 10.0, "end_s": 15.0, "mean": 0.772, "lower": -1.43, "upper": 3.3},
        {"session_id": "bm-test-021", "channel": "accelerometer.x", "unit": "a.u.",
         "start_s": 10.0, "end_s": 15.0, "mean": -0.41, "lower": -2.43, "upper": 1.3},
    ],
}  # fmt: skip
WHY = {
    "task": "classify",
    "target_label": "walking",
    "cadence_hz": {"median": 0.7543, "lower": 0.738, "upper": 0.781, "n": 39},
    "period_s": 1.3257,
    "salient_channels": [{"channel": "accelerometer.x", "probability_drop": -0.0002}],
    "note": "No channel is needed by itself.",
    "example": {"session_id": "bm-test-020"},
    "nearest_prototypes": [
        {"session_id": "bm-train-023", "start_s": 6.0, "end_s": 10.0, "distance": 3.4,
         "label": "walking"},
        {"session_id": "bm-train-002", "start_s": 2.0, "end_s": 6.0, "distance": 7.3,
         "label": "running"},
    ],
    "what_would_change": {"session_id": "bm-train-003", "start_s": 4.0, "end_s": 8.0,
                          "distance": 8.2, "label": "running"},
}  # fmt: skip
WHY_FORECAST = {
    "task": "forecast",
    "label": "walking",
    "horizon_s": 5.0,
    "trend": [{"channel": "accelerometer.x", "value": -0.03, "unit": "a.u./s"}],
    "interval_width": [{"channel": "accelerometer.x", "last": 4.4, "unit": "a.u."}],
    "season_hz": {"median": 0.748, "lower": 0.71, "upper": 0.767, "n": 9},
    "period_s": 1.3375,
}
STRANGE = {
    "task": "anomaly",
    "query_session": "bm-test-003",
    "compared_with": {"n_windows": 96},
    "n_windows": 4,
    "n_unusual": 0,
    "threshold": 1.1678,
    "most_unusual": {"start_s": 0.0, "end_s": 4.0, "score": 0.9483, "p_value": 0.4},
    "coverage": {"nominal": 0.9, "empirical": 0.8846},
}
HEADS = {
    "task": "classify",
    "repeats": 10,
    "rows": [
        {"head": "prototypes", "accuracy": {"value": 0.98875, "lower": 0.9737, "upper": 0.99875}},
        {"head": "knn", "accuracy": {"value": 0.98875, "lower": 0.9237, "upper": 0.98}},
    ],
    "best": "prototypes",
    "difference": {"a": "prototypes", "b": "knn", "metric": "accuracy", "value": -1e-17,
                   "lower": -0.00625, "upper": 0.00813, "clear": False},
    "chance": {"accuracy": 0.25},
}  # fmt: skip
DEMO_RESULTS = [
    ("show_session_stats", STATS), ("run_task", FOUND), ("interpret_results", WHY),
    ("run_task", FORECAST), ("interpret_results", WHY_FORECAST),
]  # fmt: skip


def results_of(*told: tuple[str, Mapping[str, Any]], **args: Any) -> list[dict[str, Any]]:
    return [
        {"result_id": f"r-{i:012x}", "tool": tool, "args": args, "content": dict(content)}
        for i, (tool, content) in enumerate(told, 1)
    ]


CARD = {
    "name": "basic-motions",
    "channels": STATS["channels"],
    "labels": {"activity": ["running", "walking"]},
    "session_ids": STATS["sessions"],
    "id_pattern": r"bm-test-\d+",
}


def facts_of(question: str, results: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Return the facts of an interpret prompt: the question as the plan understood it, results."""
    understood = parse(question, [CARD]).to_json()
    return {"question": question, "results": results, "understood": understood, **more}


def write(
    question: str, results: list[dict[str, Any]], **more: Any
) -> tuple[dict[str, Any], Checked]:
    checked = told(facts_of(question, results, **more))
    return {"prose": checked.prose, "findings": checked.findings}, checked


def rendered(answer: Answer, content: dict[str, Any]) -> str:
    """Return an answer on one result as people read it."""
    results = [{"result_id": "r-1", "tool": "t", "args": {}, "content": content}]
    return check(answer.prose(), (), Sources.of(results), answer.ours()).prose


def prose_of(facts: dict[str, Any]) -> str:
    return told(facts).prose


def test_demo_answer_is_short_sourced_and_begins_with_what_was_asked() -> None:
    """One bold sentence answers both parts; every number stands; few findings, each once."""
    reply, checked = write(DEMO, results_of(*DEMO_RESULTS))
    assert checked.rejected == ()
    assert reply["prose"].startswith(
        "**Walking was found in 2 of the 40 held-out sessions, and the next 5 s of accelerometer "
        "x, y are forecast for each, with 90 % intervals.**\n\n"
    )
    sources = [str(f["source"]) for f in reply["findings"]]
    assert len(sources) == len(set(sources)) <= 50
    titles = (
        "**Found.**",
        "**How sure.**",
        "**Why.**",
        "**Forecast.**",
        "**How sure is the forecast.**",
    )
    assert [t for t in titles if t not in reply["prose"]] == []


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (True, "Each session (10 s) was judged as a whole. The most certain ones:"),
        (True, "more than intended, so the sets could be smaller"),
        (True, "Walking repeats every 1.33 s, about the pace of an arm swing (0.754 Hz, ranging"),
        (True, "closest to `bm-test-020` is `bm-train-023`, 6 s to 10 s (walking, distance 3.4)"),
        (True, "another activity is `bm-train-002`, 2 s to 6 s (running, distance 7.3)"),
        (True, "A MASE above one means"),
        (True, "89.2 % of the true values, as intended (measured on only 10 sessions)"),
        (True, "*The data set gives no units for these values.*"),
        (False, "a.u."),
        (False, "0.748"),
        (False, "-0.03"),
        (False, "0.0002"),
        (False, "8.2"),
    ],
)
def test_demo_answer_says_what_matters_once(told: bool, text: str) -> None:
    """Caveats in plain words; no second rhythm, negligible trend or negligible attribution."""
    reply, _ = write(DEMO, results_of(*DEMO_RESULTS))
    assert (text in reply["prose"]) is told


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("Find walking", [("run_task", FOUND), ("interpret_results", WHY)]),
        ("Predict the next 5 seconds", [("run_task", FORECAST)]),
        ("Is there anything unusual in session bm-test-003?", [("run_task", STRANGE)]),
        ("How many sessions are there?", [("show_session_stats", STATS)]),
        ("Can 5 labels a class tell these activities apart?", [("compare_heads", HEADS)]),
    ],
)
def test_what_is_read_before_the_fold_is_short_and_begins_with_the_answer(
    question: str, found: list[tuple[str, Any]]
) -> None:
    """At most 120 words are open: the headline, what follows it, how sure it is."""
    reply, _ = write(question, results_of(*found))
    layout = Layout.of(reply["prose"])
    opened = [layout.headline, layout.lead, *(s.text for s in layout.sections if s.is_open)]
    assert layout.headline
    assert len(layout.headline.split()) <= 40
    assert sum(len(part.split()) for part in opened) <= 120
    assert "a.u." not in layout.headline


@pytest.mark.parametrize(
    ("coverage", "text"),
    [
        (
            {"empirical": 0.92, "lower": 0.8, "upper": 0.97},
            "90 % of the time, include it 92 % of the time, as intended",
        ),
        ({"empirical": 0.99, "mean_set_size": 1.6}, "so the sets could be smaller"),
        (
            {"empirical": 0.99, "mean_set_size": 1.0},
            "yet with hardly more than one activity per set",
        ),
        ({"empirical": 0.71}, "less than intended, so the sets are too small"),
    ],
)
def test_coverage_is_told_for_what_it_is(coverage: dict[str, Any], text: str) -> None:
    """Over- and under-coverage are named; sets of one activity are not called too large."""
    found = {**FOUND, "coverage": {"nominal": 0.9, **coverage}}
    reply, checked = write("Find walking", results_of(("run_task", found)))
    assert text in reply["prose"]
    assert checked.ok


def test_findings_can_be_read_alone() -> None:
    """A statement names what its value is of."""
    reply, _ = write("Find walking", results_of(("run_task", FOUND)))
    said = [f["statement"] for f in reply["findings"]]
    assert "Confidence that bm-test-020 is walking, 0 s to 10 s: 98.8 %" in said


def test_a_table_without_heading_or_rows_is_left_out() -> None:
    """Neither a bare heading nor bare rows are shown."""
    answer = Answer(lines=["| a |", "| --- |", "", "| b |", "| c |", "", "Text."])
    assert answer.prose() == "Text."


def test_a_unit_stands_in_the_heading_where_a_column_shares_it() -> None:
    """One unit: once, in the heading; several: in the cells, a range has it once."""
    content = {
        "rows": [
            {"value": 1.5, "low": 1.0, "unit": "m/s^2", "t_s": 2.0},
            {"value": 2.5, "low": 1.0, "unit": "(g)^2", "t_s": 3.0},
        ]
    }
    result = Result("r1", "t", {}, content)
    answer = Answer()
    rows = [
        (
            result,
            (
                "a",
                (ref(f"/rows/{i}/low", "low", "unit"), ref(f"/rows/{i}/value", "v", "unit")),
                ref(f"/rows/{i}/t_s", "time", "unit"),
            ),
        )
        for i in range(2)
    ]
    answer.table(("name", "range", "time"), rows)
    assert rendered(answer, content).split("\n") == [
        "| name | range | time (s) |",
        "| --- | ---: | ---: |",
        "| a | 1 to 1.5 m/s² | 2 |",
        "| a | 1 to 2.5 g² | 3 |",
    ]


def test_no_session_fits_says_how_long_they_are(cards: list[dict[str, Any]]) -> None:
    """Where none is as long as asked, the answer says how long they are instead."""
    question = "How many sessions are longer than 30 seconds?"
    _, steps = plan_of(question, cards)
    assert [s.args.get("min_duration_s") for s in steps] == [None, 30.0]
    none = {**STATS, "n_sessions": 0, "duration_s": {"min": None, "max": None, "total": 0.0}}
    results = results_of(("show_session_stats", STATS), ("show_session_stats", none))
    results[0]["args"], results[1]["args"] = {"dataset": "basic-motions"}, steps[1].args
    reply, checked = write(question, results)
    assert checked.ok
    assert "**None of the 80 sessions" in reply["prose"]
    assert "last longer than 30 s (each lasts 10 s)" in reply["prose"]


def test_unusual_says_what_its_threshold_means() -> None:
    """The threshold, its coverage and the p-value are explained."""
    question = "Is there anything unusual in session bm-test-003?"
    why = {"unusual": False, "set_apart_by": [{"feature": "std", "channel": "a.x", "value": 1.0}]}
    told = results_of(("run_task", STRANGE), ("interpret_results", why))
    reply, checked = write(question, told, query_session="bm-test-003")
    assert checked.rejected == ()
    assert "none of its 4 stretches scores above the threshold.**" in reply["prose"]
    assert "set so that 90 % of usual windows stay below it" in reply["prose"]
    assert "apart" not in reply["prose"]


def test_heads_that_do_equally_well_have_no_difference() -> None:
    """A difference of rounding size is said to be none, not "-0.0"."""
    question = "Can 5 labels a class tell these activities apart?"
    reply, checked = write(question, results_of(("compare_heads", HEADS), labels_per_class=5))
    assert checked.rejected == ()
    assert reply["prose"].startswith(
        "**Yes: with 5 labels per class, `prototypes` classifies 98.9 %"
    )
    assert "`prototypes` and `knn` do not differ" in reply["prose"]
    assert number(-1e-17) == "0.0"


def test_last_seconds_that_were_not_applied_are_admitted() -> None:
    """Sessions of several lengths have no common last seconds; the answer says so."""
    row = {"channel": "accelerometer.x", "value": 1.5, "unit": "g", "n": 10}
    stats = {"statistic": "mean", "n_sessions": 3, "rows": [row], "highest": row, "lowest": row}
    question = "What is the mean of accelerometer.x in the last 20 seconds?"
    reply, _ = write(question, results_of(("show_channel_stats", stats)))
    assert "over whole sessions is 1.5 g.**" in reply["prose"]
    assert "their last seconds could not be cut out" in reply["prose"]


def test_statistics_list_every_channel_and_name_those_without_values() -> None:
    """All channels have a row; what has none is named."""
    rows = [
        {"channel": f"accelerometer.{a}", "value": v, "unit": "(a.u.)^2", "n": 9}
        for a, v in (("x", 117.708), ("y", 108.968))
    ]
    stats = {"statistic": "variance", "n_sessions": 20, "rows": rows, "highest": rows[0],
             "lowest": rows[1], "ratio": 1.0802}  # fmt: skip
    results = results_of(("show_session_stats", STATS), ("show_channel_stats", stats))
    reply, checked = write("Compare the variance of the channels", results)
    assert checked.rejected == ()
    assert "| variance |" in reply["prose"]
    assert reply["prose"].count("\n| `accelerometer") == 2
    assert "No values there: `accelerometer.z`." in reply["prose"]


def test_capabilities_read_as_a_sentence() -> None:
    """With and without a data set."""
    assert "questions about the data set a:" in capabilities([{"name": "a"}], ())
    assert "questions about recorded sessions" in capabilities([], ())


def test_answers_escape_markdown_in_names_of_the_data() -> None:
    """A label's own marks neither format the text nor break a table or a code span."""
    odd = "a|b *c* <d> `e` _f_ Brush_teeth"
    stats = {**STATS, "sessions_per_label": {odd: 40}, "dataset": "x`y"}
    results = results_of(("show_session_stats", stats))
    prose = prose_of(facts_of("Which labels are there?", results))
    assert r"a\|b \*c\* \<d> \`e\` \_f\_ Brush_teeth 40" in prose
    assert "`x'y`" in prose
    answer = Answer()
    content = {"l": odd, "n": 1}
    cells = (ref("/l", "label"), ref("/n", "n"))
    answer.table(("label", "n"), [(Result("r1", "t", {}, content), cells)])
    assert r"a\|b" in rendered(answer, content).splitlines()[-1]


def test_answers_list_the_labels_when_asked_which_there_are() -> None:
    """The labels themselves are the answer."""
    facts = facts_of("Which labels are there?", results_of(("show_session_stats", STATS)))
    assert "the activities are running, walking" in prose_of(facts)


def test_answers_say_so_when_there_is_one_held_out_group_only() -> None:
    """With one group the interval says nothing, so it is not what the answer rests on."""
    rows = [{"head": h, "accuracy": {"value": v, "lower": v, "upper": v, "n_groups": 1}}
            for h, v in (("prototypes", 0.9), ("knn", 0.8))]  # fmt: skip
    found = {**HEADS, "rows": rows,
             "difference": {**HEADS["difference"], "value": 0.1, "lower": 0.1}}  # fmt: skip
    question = "Can 2 labels a class tell the activities apart?"
    prose = prose_of(facts_of(question, results_of(("compare_heads", found))))
    assert prose.casefold().count("only one held-out group") == 2
    assert "holds zero" not in prose
    assert "yes:" not in prose.casefold()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("Choose longer windows or a lower low_hz.", "Choose longer windows."),
        ("window_s=16: 32 patches", "window 16 s: 32 patches"),
        (
            "`horizon_s` must be in (0, 280800], got 604800: a part is short.",
            "the horizon can be at most 3.25 days, not 7 days: a part is short.",
        ),
        ("Unknown label 'Brush_teeth'.", "Unknown label 'Brush_teeth'."),
    ],
)
def test_answers_tell_errors_without_names_of_arguments(error: str, said: str) -> None:
    """An error is told in words; names of the data stay as they are."""
    failed = {"result_id": None, "tool": "run_task", "args": {}, "content": {"error": error}}
    assert f": {said}*" in prose_of({"question": "Find walking", "results": [failed]})


def test_answers_keep_braces_and_bars_of_labels_as_letters() -> None:
    """A label such as `a{b}|c` is no place for a value and ends no cell, in any sentence."""
    label = "a{b}|c"
    ranked = {
        "task": "retrieve",
        "target_label": label,
        "ranking": [{"session_id": "s-1", "distance": 2.0}],
        "most_unlike": {"session_id": "s-1", "distance": 2.0},
        "most_typical": {"session_id": "s-2", "distance": 1.0},
        "n_sessions": 2,
    }
    alike = {
        "task": "retrieve",
        "query": {"session_id": "s-1", "start_s": 3.0, "end_s": 5.0},
        "neighbours": [
            {"session_id": "s-2", "start_s": 0.0, "end_s": 2.0, "distance": 0.5, "label": label}
        ],
        "n_searched": {"windows": 9, "sessions": 2},
    }
    why = {
        "task": "classify",
        "target_label": label,
        "cadence_hz": {"median": 0.75, "lower": 0.7, "upper": 0.8, "n": 4, "unit": "Hz"},
        "period_s": 1.33,
        "nearest_prototypes": [
            {"session_id": "s-3", "start_s": 0.0, "end_s": 4.0, "distance": 1.5, "label": label}
        ],
    }
    for tool, content in (("run_task", ranked), ("run_task", alike), ("interpret_results", why)):
        reply, _ = write("What is it?", results_of((tool, content)))
        prose = str(reply["prose"])
        assert "a{b}" in prose
        for row in (line for line in prose.splitlines() if line.startswith("|") and "a{b}" in line):
            assert "\\|" in row
