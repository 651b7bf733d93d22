"""Parts of the nodes and of the state that need no graph."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from tool_use_om.agent.nodes import one_call, results_of, take_question
from tool_use_om.agent.replies import InterpretReply, PlanReply, read_reply
from tool_use_om.agent.state import append_unique, this_turn
from tool_use_om.data.errors import DataError

IDS = st.lists(st.sampled_from("abcdef"), max_size=8)


@given(IDS, IDS)
def test_state_append_unique_keeps_order_and_repeats_nothing(
    old: list[str], new: list[str]
) -> None:
    """What was there stays first and in order; adding twice is adding once."""
    old = list(dict.fromkeys(old))
    both = append_unique(old, new)
    assert both[: len(old)] == old
    assert len(set(both)) == len(both)
    assert set(both) == {*old, *new}
    assert append_unique(both, new) == both


def test_state_this_turn_begins_at_the_last_human_message() -> None:
    """Earlier questions and their results are not this turn's."""
    messages = [HumanMessage("a"), AIMessage("b"), HumanMessage("c"), AIMessage("d")]
    assert [m.text for m in this_turn(messages)] == ["c", "d"]
    assert this_turn([]) == []


def test_nodes_question_is_the_unanswered_human_message_before_the_field() -> None:
    """A human message at the end is asked; else the field, which joins the conversation."""
    assert take_question({"messages": [HumanMessage(" new ")], "question": "old"}) == ("new", [])
    question, added = take_question({"messages": [AIMessage("x")], "question": "next"})
    assert question == "next"
    assert [m.text for m in added] == ["next"]
    assert take_question({}) == ("", [])


def test_nodes_question_is_read_from_content_blocks() -> None:
    """A chat interface may send text as blocks."""
    message = HumanMessage([{"type": "text", "text": "How many?"}])
    assert take_question({"messages": [message]})[0] == "How many?"


def test_nodes_one_call_drops_the_others_everywhere() -> None:
    """A second call leaves no trace in calls, content blocks or provider fields."""
    reply = AIMessage(
        [{"type": "text", "text": "hm"}, {"type": "tool_use", "id": "2", "name": "b", "input": {}}],
        tool_calls=[{"name": n, "args": {}, "id": i} for n, i in (("a", "1"), ("b", "2"))],
        additional_kwargs={"tool_calls": ["raw"], "signature": "kept"},
    )
    one = one_call(reply, [])
    assert [c["id"] for c in one.tool_calls] == ["1"]
    assert one.content == [{"type": "text", "text": "hm"}]
    assert one.additional_kwargs == {"signature": "kept"}


def test_nodes_one_call_gives_new_ids_when_a_model_repeats_them() -> None:
    """Ids of messages and calls are unique in a conversation."""
    reply = AIMessage("", tool_calls=[{"name": "a", "args": {}, "id": "1"}], id="m")
    again = one_call(reply, [reply])
    assert again.id != "m"
    assert again.tool_calls[0]["id"] != "1"


def test_nodes_results_pair_calls_with_what_came_back() -> None:
    """A result has its id apart from its content; a failed call has an error and no id."""
    call = AIMessage("", tool_calls=[{"name": "a", "args": {"x": 1}, "id": "1"}])
    good = ToolMessage('{"value": 2, "result_id": "r-1"}', name="a", tool_call_id="1")
    bad = ToolMessage("Error: no", name="a", tool_call_id="1", status="error")
    assert results_of([HumanMessage("q"), call, good, bad]) == [
        {"result_id": "r-1", "tool": "a", "args": {"x": 1}, "content": {"value": 2}},
        {"result_id": None, "tool": "a", "args": {"x": 1}, "content": {"error": "Error: no"}},
    ]


@pytest.mark.parametrize(
    "text",
    ['{"steps": []}', '```json\n{"steps": []}\n```', 'Here:\n{"steps": [], "extra": 1} done {x'],
)
def test_replies_are_read_with_fences_and_words_around_them(text: str) -> None:
    """The first JSON object counts."""
    assert read_reply(text, PlanReply) == PlanReply()


@pytest.mark.parametrize(
    ("text", "says"),
    [("none", "no '{'"), ("{steps}", "character"), ('{"prose": ""}', "prose"), ("[1]", "no '{'")],
)
def test_replies_say_what_is_wrong_when_they_are_no_json(text: str, says: str) -> None:
    """The error is short and meant for the model."""
    with pytest.raises(DataError, match=says):
        read_reply(text, InterpretReply)
