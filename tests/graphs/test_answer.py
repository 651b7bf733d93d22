"""The narrow graph: typed in, typed out, progress passed on."""

from __future__ import annotations

from typing import Any

from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.graph import build_graph
from tool_use_om.graphs.answer import answer, build_answer


def test_answer_gives_exactly_its_typed_output(
    scripted: Any, tools: Any, context: Any, says: Any
) -> None:
    """A question in; answer, findings, verification, result ids and what was missed out."""
    model = scripted(says.honest([says.call("measure", height=2.5)]))
    graph = build_answer(build_graph(model=model, tools=tools))
    result = graph.invoke({"question": "How high?"}, context=context)
    assert set(result) == {
        "answer", "outcome", "findings", "verification", "result_ids", "not_understood",
    }  # fmt: skip
    assert result["answer"] == "It is 2.5 m."
    assert result["result_ids"]
    events = list(graph.stream({"question": "?"}, context=context, stream_mode="custom"))
    assert any("progress" in event for event in events)


def test_answer_takes_the_data_set_from_its_input(
    scripted: Any, tools: Any, context: Any, says: Any, monkeypatch: Any
) -> None:
    """`dataset` replaces the context's for this question."""
    seen: list[AgentContext] = []
    monkeypatch.setattr(
        "tool_use_om.agent.nodes.dataset_cards", lambda context, *_: seen.append(context) or []
    )
    model = scripted(says.honest([says.call("measure", height=2.5)]))
    graph = build_answer(build_graph(model=model, tools=tools))
    graph.invoke({"question": "How high?", "dataset": "other"}, context=context)
    assert [c.dataset for c in seen] == ["other"]


def test_answer_replies_clearly_when_the_question_is_empty(context: Any) -> None:
    """No crash, no model."""
    result = answer.invoke({"question": " "}, context=context)
    assert result["answer"].startswith("The question is empty.")


def test_answer_schemas_are_narrow() -> None:
    """What a caller over MCP sees: a question, perhaps a data set, and five fields back."""
    taken = answer.get_input_jsonschema()
    assert set(taken["properties"]) == {"question", "dataset"}
    assert taken["required"] == ["question"]
    assert "answer" in answer.get_output_jsonschema()["properties"]
