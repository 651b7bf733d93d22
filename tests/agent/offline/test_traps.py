"""Questions that a hasty reader answers wrongly: from the question to the answer's text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.graph import build_graph
from tool_use_om.agent.offline.model import plan_of

MOTIONS, DAYS = "basic-motions", "synthetic-days"
NO_CHANNEL, NO_LABEL = 'has no channel "{}"', 'has no label "{}"'


def ask(question: str, dataset: str, workspace: Path) -> dict[str, Any]:
    context = AgentContext(dataset=dataset, workspace=str(workspace))
    return dict(build_graph().invoke({"question": question}, context=context))


MISSING = [
    # what is not measured
    (MOTIONS, "average heart rate while walking", NO_CHANNEL, "heart rate"),
    (MOTIONS, "What is the mean pulse of bm-test-003?", NO_CHANNEL, "pulse"),
    (MOTIONS, "max temperature during running", NO_CHANNEL, "temperature"),
    (MOTIONS, "Plot the ECG of bm-test-003", NO_CHANNEL, "ECG"),
    (MOTIONS, "Predict the humidity for the next 5 seconds", NO_CHANNEL, "humidity"),
    (MOTIONS, "mean of accelerometer.w", NO_CHANNEL, "accelerometer.w"),
    (MOTIONS, "mean of gyroscope.temperature", NO_CHANNEL, "gyroscope.temperature"),
    (MOTIONS, "What is the standard deviation of the barometer?", NO_CHANNEL, "barometer"),
    (MOTIONS, "Compare the mean of accelerometer and barometer", NO_CHANNEL, "barometer"),
    (MOTIONS, "Plot the wuzzle of bm-test-003", NO_CHANNEL, "wuzzle"),
    (MOTIONS, "average wuzzle while walking", NO_CHANNEL, "wuzzle"),
    (MOTIONS, "Is there a gap in the magnetometer?", NO_CHANNEL, "magnetometer"),
    (MOTIONS, "How does the blood pressure vary while running?", NO_CHANNEL, "blood pressure"),
    (DAYS, "mean gyroscope while walking", NO_CHANNEL, "gyroscope"),
    (DAYS, "Plot the EEG of person 2", NO_CHANNEL, "EEG"),
    (DAYS, "average cpu usage while resting", NO_CHANNEL, "cpu usage"),
    (DAYS, "What is the mean price?", NO_CHANNEL, "price"),
    # what nobody did
    (MOTIONS, "sessions of swimming", NO_LABEL, "swimming"),
    (MOTIONS, "How many swimming sessions are there?", NO_LABEL, "swimming"),
    (MOTIONS, "Find swimming", NO_LABEL, "swimming"),
    (MOTIONS, "Find walking and swimming", NO_LABEL, "swimming"),
    (MOTIONS, "mean of accelerometer.x while cycling", NO_LABEL, "cycling"),
    (MOTIONS, "std of gyroscope.y during yoga", NO_LABEL, "yoga"),
    (MOTIONS, "Plot the sessions of rowing", NO_LABEL, "rowing"),
    (DAYS, "Find badminton", NO_LABEL, "badminton"),
    (DAYS, "mean heart rate while swimming", NO_LABEL, "swimming"),
]  # fmt: skip


@pytest.mark.parametrize(("dataset", "question", "says", "name"), MISSING)
def test_trap_of_something_missing_is_named_with_what_there_is(
    dataset: str, question: str, says: str, name: str, sample_workspace: Path
) -> None:
    """No number is given for it: the first sentence says what is missing."""
    state = ask(question, dataset, sample_workspace)
    assert says.format(name) in state["answer"].split(". ")[0] + "."
    assert state["outcome"] in {"refusal", "question"}
    assert not state["result_ids"]
    assert not re.search(r"(?<![\w.-])\d", state["answer"].split("Did you mean")[0])


IRRELEVANT = [
    "delete session bm-test-003",
    "delete all sessions longer than 5 s",
    "erase the walking sessions",
    "email me the report",
    "please send the plot of bm-test-003 to my boss",
    "rename bm-test-003 to bm-test-004",
    "upload the data to the cloud",
    "export walking as csv",
    "translate the report into French",
    "what will the weather be",
    "write me a poem",
    "who won the match?",
    "What is the capital of France?",
    "Tell me a joke.",
    "Should I buy bitcoin?",
    "how old are you",
    "normalise accelerometer.x and plot it",
    "rotate accelerometer.x and plot it",
    "Leave out bm-test-003 and give the mean of accelerometer.x",
    "mean of accelerometer.x without seconds 3 to 5",
    "frobnicate the gyroscope",
]


@pytest.mark.parametrize("question", IRRELEVANT)
def test_trap_of_another_matter_is_refused(question: str, sample_workspace: Path) -> None:
    """What no tool does is not done, and nothing else is done in its place."""
    state = ask(question, MOTIONS, sample_workspace)
    assert state["outcome"] in {"refusal", "question"}, state["answer"]
    assert not state["result_ids"]
    assert not state["findings"]


def called(question: str, cards: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return tool → the arguments it is called with."""
    query, steps = plan_of(question, cards)
    assert not query.refused, query.refused
    return {step.tool: step.args for step in steps}


@pytest.mark.parametrize(
    ("question", "tool", "args"),
    [
        ("skip the opening two secs", "filter_by_time", {"start_s": 2.0}),
        ("Skip the first 2 s and plot accelerometer.x", "filter_by_time", {"start_s": 2.0}),
        ("mean of accelerometer.x without the first 3 seconds", "filter_by_time", {"start_s": 3.0}),
        ("mean of accelerometer.x ignoring the last 4 s", "filter_by_time", {"end_s": 6.0}),
        ("mean of accelerometer.x in the first 3 seconds", "filter_by_time", {"end_s": 3.0}),
        ("which ten windows should I label", "request_labels", {"budget": 10}),
        ("mean of accelerometer.x while runing", "filter_by_time", {"labels": ["running"]}),
        ("plot the acelerometer of bm-test-003", "plot_sessions", {"channels": ["accelerometer"]}),
        ("std of gyroscpoe.y", "select_channels", {"channels": ["gyroscope.y"]}),
        ("mean of accelerometer.x except standing", "filter_by_time",
         {"labels": ["badminton", "running", "walking"]}),
        ("Drop walking and compute the std of accelerometer.x", "filter_by_time",
         {"labels": ["badminton", "running", "standing"]}),
        ("sessions of walking", "show_session_stats", {"labels": ["walking"]}),
    ],
)  # fmt: skip
def test_trap_that_can_be_met_is_met(
    question: str, tool: str, args: dict[str, Any], cards: list[dict[str, Any]]
) -> None:
    """What is to be left out is left out, what is misspelt is found."""
    assert args.items() <= called(question, cards)[tool].items()


OTHER_SETS = ("cycle", "match", "season", "power", "walking")


@pytest.mark.parametrize("name", OTHER_SETS)
def test_trap_of_a_word_that_names_another_set(name: str, cards: list[dict[str, Any]]) -> None:
    """It is read as the word it is, unless it is said to be a data set."""
    offered = [*cards, {"name": name}]
    question = f"What is the mean of accelerometer.x in one {name}?"
    assert plan_of(question, offered)[0].dataset == MOTIONS
    assert plan_of(f"Describe the data set {name}", offered)[0].dataset == name
    assert plan_of(f'Describe "{name}"', offered)[0].dataset == name


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        (("signal.power_kW", "signal.power_W"), "power"),
        (("room.temp_in", "room.temp_out"), "temp"),
        (("pump.flow_1", "pump.flow_2"), "flow"),
        (("a.load_mean", "b.load_total"), "load"),
    ],
)
def test_trap_of_a_name_of_two_things_is_asked_back(channels: tuple[str, ...], said: str) -> None:
    """Neither is taken for the other; each choice runs as it stands."""
    card = {"name": "one", "channels": [{"id": c, "unit": "a.u."} for c in channels]}
    query, steps = plan_of(f"What is the mean of {said}?", [card])
    assert steps == []
    assert f'"{said}" may be' in query.refused[0]
    assert len(query.choices) == 2
    for choice, channel in zip(query.choices, channels, strict=True):
        assert {"channels": [channel]} in [s.args for s in plan_of(choice, [card])[1]]


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("Show the mean of accelerometer.x while running, in purple", ["purple"]),
        ("Plot the marvellous bm-test-003", ["marvellous"]),
        ("How many walking sessions did the twins make?", ["twins"]),
        ("Predict the next 2 s of accelerometer.x for subject 2", ["subject 2"]),
        ("Predict the next 2 s of accelerometer.x in the training split", ["split train"]),
    ],
)
def test_trap_of_a_word_not_used_is_named_first(
    question: str, left: list[str], sample_workspace: Path
) -> None:
    """The answer begins with what of the question it does not use."""
    state = ask(question, MOTIONS, sample_workspace)
    assert state["not_understood"] == left
    assert state["outcome"] == "partial"
    first = state["answer"].splitlines()[0]
    assert all(f'"{phrase}"' in first for phrase in left)


@pytest.mark.parametrize(
    "question",
    [
        "What is the mean of accelerometer.x while running?",
        "Could you please tell me how many sessions there are?",
        "std of gyroscope.y per label, thanks",
        "skip the opening two secs",
    ],
)
def test_trap_of_a_note_without_need(question: str, sample_workspace: Path) -> None:
    """Words that the answer did use, and politeness, are never said to be left over."""
    state = ask(question, MOTIONS, sample_workspace)
    assert state["not_understood"] == []
    assert state["outcome"] == "answer"
    assert "Not used" not in state["answer"]
