"""What the orchestrator reads and writes."""

from __future__ import annotations

from typing import Any

import pytest

from tool_use_om.agent.orchestrator.protocol import (
    Plan,
    PlannedCall,
    digest,
    near,
    prompt_of,
    read_plan,
    write_plan,
)
from tool_use_om.agent.orchestrator.steps import bare, complete
from tool_use_om.data.errors import TuomError

PLANS = (
    Plan(calls=(PlannedCall(tool="run_task", args={"target_label": "walking", "horizon_s": 5.0}),)),
    Plan(calls=(PlannedCall(tool="run_task", args={"sessions": "@found_sessions"}),)),
    Plan(ask="session"),
    Plan(ask="walking", options=("slow walking", "fast walking")),
    Plan(lacks="Blutdruck"),
    Plan(refuse="advice"),
)


@pytest.mark.parametrize("plan", PLANS)
def test_protocol_reads_what_it_writes(plan: Plan) -> None:
    """A plan comes back as it was; whole numbers are written short."""
    assert read_plan(write_plan(plan)) == plan


def test_protocol_writes_one_line_in_the_order_of_the_schema() -> None:
    """The order of arguments is the tool's own, so that decoding can be held to it."""
    call = PlannedCall(tool="run_task", args={"horizon_s": 5.0, "target_label": "walking"})
    want = '{"calls":[["run_task",{"target_label":"walking","horizon_s":5}]]}'
    assert write_plan(Plan(calls=(call,))) == want


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"calls":[["run_task",{"target_label":"wal', "no JSON"),
        ('{"calls":[]}', "1 to 12"),
        ('{"calls":[["run_tusk",{}]]}', "run_tusk"),
        ('{"calls":[["run_task",{"gap_s":3}]]}', "gap_s"),
        ('{"calls":[["run_task",{"horizon_s":-1}]]}', "horizon_s"),
        ('{"calls":[{"name":"run_task"}]}', "A call is"),
        ('{"ask":"session","lacks":"x"}', "one of the keys"),
        ('{"refuse":"because"}', "cannot be read"),
        ("[]", "one of the keys"),
    ],
)
def test_protocol_says_what_to_mend(text: str, said: str) -> None:
    """What is no plan is told in words that a model can mend it by, never with a traceback."""
    with pytest.raises(TuomError, match=said.replace("[", r"\[")):
        read_plan(text)


def test_prompt_holds_names_of_the_data_and_little_else(cards: list[dict[str, Any]]) -> None:
    """Channels by sensor, labels, what the question names, the question: a few dozen words."""
    text = prompt_of("plot bm-test-012 of the accelerometer", cards[0])
    assert text.splitlines() == [
        "accelerometer: x y z; gyroscope: x y z",
        "labels: badminton, running, standing, walking",
        "sessions: bm-test-012",
        "Q: plot bm-test-012 of the accelerometer",
    ]


def test_prompt_shows_what_is_set_and_what_failed(cards: list[dict[str, Any]]) -> None:
    """The working set and the last error are one line each."""
    failed = digest("run_task", "Error: Unknown label 'wlking'.\nDid you mean 'walking'?")
    text = prompt_of("again", cards[0], set_already={"labels": ["walking"]}, last=failed)
    assert "set: labels=walking" in text
    assert "last: run_task failed: Error: Unknown label 'wlking'. Did you mean 'walking'?" in text


def test_prompt_finds_a_session_beside_chinese_words() -> None:
    """Chinese puts no space between a name and the next word."""
    card = {"session_ids": ["rec01"], "id_pattern": r"rec\d+"}
    assert "sessions: rec18" in prompt_of("rec18第3秒在做什么?", card)


def test_near_keeps_the_names_a_question_means() -> None:
    """Of many names those with words of the question stay, in the order of the data."""
    names = [f"label {i}" for i in range(100)]
    kept = near("how long is label 97", names, most=5)
    assert "label 97" in kept
    assert kept == sorted(kept, key=names.index)


def test_steps_bare_and_complete_are_inverse() -> None:
    """What says nothing of the question is left out and comes back in its place."""
    whole = tuple(
        PlannedCall(tool=tool, args=args)
        for tool, args in (
            ("show_session_stats", {"dataset": "walks"}),
            ("select_tokenizer", {}),
            ("configure_tokenizer", {}),
            ("select_channels_for_encoding", {}),
            ("select_task_head", {"task": "classify"}),
            ("run_task", {"target_label": "walking"}),
        )
    )
    short = bare(whole, "walks")
    assert [c.tool for c in short] == ["select_task_head", "run_task"]
    assert [c.tool for c in complete(short)] == [c.tool for c in whole]


def test_steps_keep_what_was_asked_of_the_encoder() -> None:
    """A window that the question gives is not put back: it stays."""
    whole = (
        PlannedCall(tool="show_session_stats"),
        PlannedCall(tool="configure_tokenizer", args={"window_s": 4}),
    )
    assert [c.tool for c in bare(whole, "walks")] == ["configure_tokenizer"]
