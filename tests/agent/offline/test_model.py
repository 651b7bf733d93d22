"""The offline model: plans, calls and answers from protocol messages alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from tool_use_om.agent.offline.answer import compose, told
from tool_use_om.agent.offline.model import OfflineModel, plan_of
from tool_use_om.agent.offline.next_call import mend
from tool_use_om.agent.offline.writer import number
from tool_use_om.agent.prompts import act_prompt, interpret_prompt, plan_prompt
from tool_use_om.agent.replies import InterpretReply, PlanReply
from tool_use_om.agent.verify.check import check
from tool_use_om.agent.verify.facts import Sources

Cards = list[dict[str, Any]]
DEMO = "Find walking activities and predict the next 5 seconds of accelerometer data"
TOOLS = (
    "list_datasets", "show_session_stats", "show_channel_stats", "select_channels",
    "filter_by_time", "plot_sessions", "select_tokenizer", "configure_tokenizer",
    "select_channels_for_encoding", "select_task_head", "configure_head", "run_task",
    "compare_heads", "interpret_results", "request_labels",
)  # fmt: skip
FOUND = {
    "result_id": "r-0000000000aa",
    "task": "classify",
    "target_label": "walking",
    "n_segments": 2,
    "n_sessions_found": 2,
    "judged_on": {"split": "test", "n_sessions": 40},
    "segments": [
        {"session_id": "bm-test-020", "start_s": 0.0, "end_s": 10.0, "confidence": 0.98765},
        {"session_id": "bm-test-021", "start_s": 2.0, "end_s": 10.0, "confidence": 0.5},
    ],
    "metrics": {"accuracy": {"value": 0.99375, "lower": 0.98125, "upper": 1.0, "n": 160}},
    "chance": {"accuracy": 0.25},
    "target": {"precision": 0.97561, "recall": 1.0, "n_windows": 40},
    "coverage": {"nominal": 0.9, "empirical": 1.0, "n": 160},
}
VARIANCES = {
    "result_id": "r-0000000000bb",
    "statistic": "variance",
    "by": "channel",
    "n_sessions": 20,
    "labels": ["running"],
    "rows": [
        {"channel": "accelerometer.x", "value": 117.708, "unit": "(a.u.)^2", "n": 2000},
        {"channel": "gyroscope.y", "value": 2.95412, "unit": "(a.u.)^2", "n": 2000},
    ],
    "highest": {"channel": "accelerometer.x", "value": 117.708, "unit": "(a.u.)^2", "n": 2000},
    "lowest": {"channel": "gyroscope.y", "value": 2.95412, "unit": "(a.u.)^2", "n": 2000},
    "ratio": 39.845,
}


def plan_reply(question: str, cards: Cards) -> PlanReply:
    prompt = plan_prompt(datasets=cards, working_set={}, tools=TOOLS)
    reply = OfflineModel().invoke([prompt, HumanMessage(question)])
    return PlanReply.model_validate_json(str(reply.content))


def act(question: str, cards: Cards, done: Sequence[BaseMessage] = ()) -> AIMessage:
    prompt = act_prompt(datasets=cards, working_set={}, plan=[], tools=TOOLS)
    return OfflineModel().invoke([prompt, HumanMessage(question), *done])


def run(question: str, cards: Cards, answers: Mapping[str, Sequence[str]]) -> list[AIMessage]:
    """Let the model act until it is done; a tool gives its answers in turn, the last for good."""
    left = {tool: list(given) for tool, given in answers.items()}
    done: list[BaseMessage] = []
    calls: list[AIMessage] = []
    while (message := act(question, cards, done)).tool_calls:
        (call,) = message.tool_calls
        given = left.get(call["name"], ["{}"])
        content = given.pop(0) if len(given) > 1 else given[0]
        status = "error" if content.startswith("Error") else "success"
        done += [message, ToolMessage(content, tool_call_id=str(call["id"]), status=status)]
        calls.append(message)
        assert len(calls) < 40
    return calls


def answer(question: str, results: list[dict[str, Any]], **more: Any) -> InterpretReply:
    prompt = interpret_prompt(question=question, results=results, **more)
    reply = OfflineModel().invoke([prompt, HumanMessage(question)])
    return InterpretReply.model_validate_json(str(reply.content))


def result(tool: str, content: Mapping[str, Any], **args: Any) -> dict[str, Any]:
    shown = {k: v for k, v in content.items() if k != "result_id"}
    return {"result_id": content["result_id"], "tool": tool, "args": args, "content": shown}


def test_plan_of_the_demo_explores_then_classifies_then_forecasts(cards: Cards) -> None:
    """The main question gets the whole path, in order."""
    tools = [step.tool for step in plan_reply(DEMO, cards).steps]
    assert tools[0] == "show_session_stats"
    assert [t for t in tools if t in {"select_task_head", "run_task"}] == [
        "select_task_head",
        "run_task",
    ] * 2
    assert set(tools) <= set(TOOLS)


@pytest.mark.parametrize("question", ["", "What is the capital of France?", "Hello!"])
def test_plan_replies_directly_when_nothing_is_in_scope(question: str, cards: Cards) -> None:
    """Without a question for the tools there are no steps but a word on what can be asked."""
    reply = plan_reply(question, cards)
    assert reply.steps == ()
    assert "basic-motions" in str(reply.reply)


def test_plan_reports_what_was_not_understood(cards: Cards) -> None:
    """Unknown words are named."""
    reply = plan_reply("Plot the neatly drawn bm-test-003", cards)
    assert reply.not_understood == ("neatly drawn",)


def test_act_follows_the_plan_one_call_at_a_time(cards: Cards) -> None:
    """The calls made are those planned, each once, then none."""
    calls = run(DEMO, cards, {})
    planned = [step.tool for step in plan_reply(DEMO, cards).steps]
    assert [c.tool_calls[0]["name"] for c in calls] == planned


def test_act_fills_in_what_a_search_found(cards: Cards) -> None:
    """A plot after a search draws the sessions that were found."""
    calls = run("Find walking and plot it", cards, {"run_task": [json.dumps(FOUND)]})
    assert calls[-1].tool_calls[0]["args"]["sessions"] == ["bm-test-020", "bm-test-021"]


def test_act_stops_when_nothing_was_found_to_go_on_with(cards: Cards) -> None:
    """A step that needs sessions found earlier is not called without any."""
    none = json.dumps({"segments": []})
    calls = run("Find walking and plot it", cards, {"run_task": [none]})
    assert calls[-1].tool_calls[0]["name"] != "plot_sessions"


def test_act_mends_an_unknown_name_by_the_nearest_one(cards: Cards) -> None:
    """The first name an error offers replaces the wrong one, and the plan goes on."""
    error = "Error: Unknown label 'walking'. Did you mean 'walk'? Valid: sit, walk."
    calls = run("Show the std while walking", cards, {"filter_by_time": [error, "{}"]})
    labels = [c.tool_calls[0]["args"].get("labels") for c in calls]
    assert labels == [None, ["walking"], ["walk"], None]


def test_act_never_goes_on_with_another_number(cards: Cards) -> None:
    """Subject 9 is not mended to another subject: the answer would be about somebody else."""
    error = "Error: Unknown subject '9'. Did you mean 'f1'? Valid: f1, m2."
    calls = run("Show the min for subject 9", [cards[1]], {"filter_by_time": [error]})
    subjects = [c.tool_calls[0]["args"].get("subjects") for c in calls]
    assert subjects == [None, ["9"]]


def test_act_stops_after_one_mend(cards: Cards) -> None:
    """A call that fails again after mending ends the run of calls."""
    error = "Error: Unknown label 'walking'. Did you mean 'walk'?"
    calls = run("Show the std while walking", cards, {"filter_by_time": [error]})
    assert [c.tool_calls[0]["name"] for c in calls].count("filter_by_time") == 2


def test_act_stops_when_an_error_offers_nothing(cards: Cards) -> None:
    """Without a way to mend, no further call is made."""
    calls = run("Show the std while walking", cards, {"filter_by_time": ["Error: disk full"]})
    assert calls[-1].tool_calls[0]["name"] == "filter_by_time"


@pytest.mark.parametrize(
    ("args", "error", "fixed"),
    [
        ({"horizon_s": 45}, "`horizon_s` must be in (0, 30], got 45.", {"horizon_s": 30}),
        ({"horizon_s": 45.0}, "`horizon_s` must be at most 6.5 s.", {"horizon_s": 6.5}),
        ({"a": 1, "b": 2}, "t: unknown argument 'b'. Its arguments: a.", {"a": 1}),
        ({"horizon_s": 3}, "`horizon_s` must be in (5, 30], got 3.", None),
        ({"a": "wlak"}, "Unknown label 'wlak'. Did you mean 'walk'?", {"a": "walk"}),
        ({"a": "t-9"}, "Unknown session 't-9'. Did you mean 't-8'?", None),
        ({"a": "day-01"}, "Error: Unknown session 'day-01'. Did you mean 'run-01'?", None),
        ({"a": "dya-01"}, "Unknown session 'dya-01'. Did you mean 'day-01'?", {"a": "day-01"}),
    ],
)
def test_mend_follows_the_error(
    args: dict[str, Any], error: str, fixed: dict[str, Any] | None
) -> None:
    """A value over its limit becomes the limit, an unknown argument goes, the rest is left."""
    assert mend(("t", args), error) == (("t", fixed) if fixed else None)


def test_model_is_deterministic_and_ids_grow_with_the_conversation(cards: Cards) -> None:
    """The same conversation gives the same ids; each call of a run has its own."""
    first, second = run(DEMO, cards, {}), run(DEMO, cards, {})
    ids = [c.tool_calls[0]["id"] for c in first]
    assert ids == [c.tool_calls[0]["id"] for c in second]
    assert len(set(ids)) == len({c.id for c in first}) == len(ids)


def test_model_counts_usage(cards: Cards) -> None:
    """Usage is there and adds up."""
    usage = act(DEMO, cards).usage_metadata
    assert usage is not None
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0


def test_stream_gives_the_same_message_as_invoke(cards: Cards) -> None:
    """Pieces add up to the whole, calls and usage included."""
    for prompt in (
        act_prompt(datasets=cards, working_set={}, plan=[], tools=TOOLS),
        plan_prompt(datasets=cards, working_set={}, tools=TOOLS),
    ):
        messages = [prompt, HumanMessage(DEMO)]
        whole = OfflineModel().invoke(messages)
        pieces = list(OfflineModel().stream(messages))
        joined = pieces[0]
        for piece in pieces[1:]:
            joined = joined + piece
        assert joined.content == whole.content
        assert joined.tool_calls == whole.tool_calls
        assert (joined.id, joined.usage_metadata) == (whole.id, whole.usage_metadata)


def test_bound_tools_limit_the_calls(cards: Cards) -> None:
    """A plan step whose tool is not bound is left out."""
    schema = {"name": "run_task", "description": "run", "parameters": {"type": "object"}}
    model = OfflineModel().bind_tools([schema])
    prompt = act_prompt(datasets=cards, working_set={}, plan=[], tools=TOOLS)
    assert model.invoke([prompt, HumanMessage(DEMO)]).tool_calls[0]["name"] == "run_task"


def test_model_answers_without_a_phase_prompt() -> None:
    """Asked as a plain chat model, it says what it can do."""
    assert "sessions" in str(OfflineModel().invoke("Hi").content)


@pytest.mark.parametrize(
    ("question", "results"),
    [
        ("Find walking", [result("run_task", FOUND, target_label="walking")]),
        ("Compare the variance while running", [result("show_channel_stats", VARIANCES)]),
    ],
)
def test_answers_stand_whole_after_the_check(question: str, results: list[dict[str, Any]]) -> None:
    """The model's reply is in the form of answers; each reference resolves, nothing is refused."""
    reply = answer(question, results)
    ours = compose({"question": question, "results": results}).ours()
    checked = check(reply.prose, reply.claims, Sources.of(results), ours)
    assert checked.rejected == ()
    assert checked.own == ()
    assert len(checked.findings) > 5
    assert "{" not in checked.prose


def test_answers_copy_values_exactly() -> None:
    """A finding has the result's own value; only the prose rounds."""
    facts = {"question": "Compare the variance while running",
             "results": [result("show_channel_stats", VARIANCES)]}  # fmt: skip
    checked = told(facts)
    values = {f["source"]["pointer"]: f["value"] for f in checked.findings}
    assert values["/highest/value"] == 117.708
    assert "117.7" in checked.prose
    assert "117.7" not in answer(facts["question"], facts["results"]).prose


def test_answers_say_what_failed() -> None:
    """Errors are part of the answer."""
    failed = {"result_id": None, "tool": "run_task", "args": {}, "content": {"error": "too short"}}
    assert "too short" in answer("Find walking", [failed]).prose


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (40, "40"),
        (40.0, "40"),
        (117.708, "117.7"),
        (0.98765, "0.988"),
        (1.3, "1.3"),
        (-0.0327, "-0.0327"),
        (0.99996, "1.0"),
    ],
)
def test_number_keeps_three_figures(value: float, text: str) -> None:
    """Numbers are rounded to three figures; what is no integer keeps a decimal."""
    assert number(value) == text


def test_strict_limits_leave_out_sessions_of_exactly_that_length(cards: Cards) -> None:
    """ "Longer than 10 s" must not count sessions of 10 s, "at least 10 s" must."""
    for words, least in (("longer than", 10.001), ("of at least", 10.0)):
        _, steps = plan_of(f"How many sessions are {words} 10 s?", cards)
        assert steps[-1].args["min_duration_s"] == pytest.approx(least)


def test_plan_searches_once_for_what_two_parts_ask_of_one_activity(cards: Cards) -> None:
    """Cadence and salient channels of the same activity come from one run."""
    question = "What is the cadence of running and which channels matter most for it?"
    tools = [step.tool for step in plan_reply(question, cards).steps]
    assert tools.count("run_task") == tools.count("interpret_results") == 1
