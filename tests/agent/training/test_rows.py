"""Recorded runs as training rows: what is kept, what is left out and why, and in what form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tool_use_om.agent.record.trace import Trace
from tool_use_om.agent.training.rows import DONE, export, rows_of, write_export
from tool_use_om.agent.training.sft import read_rows
from tool_use_om.agent.training.tiny_llama import make_text_tokenizer
from tool_use_om.data.workspace import Workspace

STATES = [{}, {"dataset": "basic-motions"}, {"channels": ["gyroscope.x"]}]


def test_rows_of_a_run_are_its_plan_its_calls_and_its_answer(recorded: Trace) -> None:
    """Each thing the orchestrator does is one row, under the prompt it does it with."""
    rows = list(rows_of(recorded, STATES))
    phases = [row["meta"]["phase"] for row in rows]
    assert phases == ["plan", "act", "act", "act", "interpret"]
    for phase, row in zip(phases, rows, strict=True):
        assert row["messages"][0]["content"].startswith(f"PHASE: {phase}")
    assert json.loads(rows[0]["messages"][-1]["content"])["steps"] == list(recorded.plan)
    assert json.loads(rows[-1]["messages"][-1]["content"])["prose"] == (
        "There are {r1#/n_sessions} sessions."
    )


def test_rows_of_a_run_carry_what_training_splits_by(recorded: Trace) -> None:
    """Data set and template stand in each row's meta."""
    metas = [row["meta"] for row in rows_of(recorded, STATES)]
    assert {(m["dataset"], m["template"]) for m in metas} == {("basic-motions", "count")}


def test_rows_put_text_in_its_own_message_and_arguments_as_objects(recorded: Trace) -> None:
    """The stock template drops text beside a call and encodes text arguments twice."""
    _, _, _, act, _ = rows_of(recorded, STATES)
    roles = [(m["role"], "tool_calls" in m) for m in act["messages"][1:]]
    one_call = [("assistant", False), ("assistant", True), ("tool", False)]
    assert roles == [("user", False), *one_call, *one_call, ("assistant", False)]
    assert act["messages"][-1]["content"] == DONE
    calls = [m["tool_calls"][0]["function"] for m in act["messages"] if "tool_calls" in m]
    assert calls[1] == {"name": "select_channels", "arguments": {"channels": ["gyroscope"]}}


def test_rows_render_with_the_training_template(recorded: Trace, tmp_path: Path) -> None:
    """What is exported is read back and rendered whole, with the assistant's words marked."""
    found = export([], Workspace.at(tmp_path / "empty"))
    found.kept.extend(rows_of(recorded, STATES))
    write_export(tmp_path / "rows.jsonl", found)
    tokenizer = make_text_tokenizer(["hello"], vocab_size=300)
    for row in read_rows(tmp_path / "rows.jsonl"):
        out = tokenizer.apply_chat_template(
            row["messages"],
            tools=row["tools"] or None,
            return_dict=True,
            return_assistant_tokens_mask=True,
        )
        assert 0 < sum(out["assistant_masks"]) < len(out["input_ids"])


def test_export_keeps_a_run_that_replays(recorded: Trace, sample_workspace: Path) -> None:
    """Honest runs become rows."""
    found = export([recorded], Workspace.at(sample_workspace))
    assert (found.runs_kept, len(found.kept), found.rejected) == (1, 5, [])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"dataset_hash": "0"}, "other content"),
        ({"answer": ""}, "no answer"),
        ({"verdicts": {"ok": False}}, "no tool result supports"),
        ({"findings": ()}, "no sourced finding"),
        ({"outcome": "partial"}, "a part of one"),
        ({"outcome": "refusal"}, "not reached"),
        ({"outcome": "unreadable"}, "could not be read"),
        ({"outcome": "unreadable", "calls": ()}, "could not be read"),
        ({"verdicts": {"ok": True}}, "before answers were made of references"),
        ({"calls": (), "verdicts": {"ok": True, "rounds": 1}}, "no tool was called"),
    ],
)
def test_export_keeps_others_apart_with_the_reason(
    recorded: Trace, sample_workspace: Path, change: dict[str, object], reason: str
) -> None:
    """What did not replay, has no answer, or says more than was found is not trained on."""
    found = export([recorded.model_copy(update=change)], Workspace.at(sample_workspace))
    assert not found.kept
    assert reason in found.rejected[0]["reason"]
    assert Trace.model_validate(found.rejected[0]["trace"]).query == recorded.query


def test_rows_of_a_direct_answer_are_its_plan_only(recorded: Trace) -> None:
    """Where no tool was needed, the plan's reply is the answer."""
    direct = recorded.model_copy(update={"calls": (), "plan": (), "answer": "Ask about data."})
    (row,) = rows_of(direct, [{}])
    assert json.loads(row["messages"][-1]["content"]) == {
        "steps": [],
        "not_understood": [],
        "reply": "Ask about data.",
        "asks_back": False,
    }


def test_rows_of_a_leaning_question_show_the_turn_before(recorded: Trace) -> None:
    """The plan is learnt under what it leant on; the outcome is in each row's meta."""
    frame = {"question": "Find walking", "understood": {"asks": [{"kind": "find"}]}}
    leaning = recorded.model_copy(update={"frame": frame, "outcome": "answer"})
    first, *_ = rows_of(leaning, STATES)
    assert '"earlier": {"question": "Find walking"' in first["messages"][0]["content"]
    assert first["meta"]["outcome"] == "answer"


def test_rows_of_a_run_that_a_limit_ended_have_no_last_word(recorded: Trace) -> None:
    """The model was not asked whether it was done, so that is not to be learnt."""
    stopped = recorded.model_copy(update={"stopped": "the limit of 2 tool calls was reached"})
    phases = [row["meta"]["phase"] for row in rows_of(stopped, STATES)]
    assert phases == ["plan", "act", "act", "interpret"]


def test_rows_teach_a_call_without_the_words_beside_it(recorded: Trace) -> None:
    """A Llama ends its message where the words end, and would never come to the call."""
    _, first, *_ = rows_of(recorded, STATES)
    assert [m["role"] for m in first["messages"]] == ["system", "user", "assistant"]
    assert first["messages"][-1]["tool_calls"][0]["function"]["name"] == "show_session_stats"
