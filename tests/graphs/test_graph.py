"""The graph with a scripted model and a small tool: what each node guarantees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, ToolMessage

from tool_use_om.agent.graph import build_graph
from tool_use_om.agent.models.resolve import ModelError


@pytest.fixture
def run(scripted: Any, tools: Any, context: Any) -> Any:
    def go(script: Any, question: str = "How high is it?", **fields: Any) -> Any:
        model = scripted(script)
        graph = build_graph(model=model, tools=tools)
        state = graph.invoke({"question": question}, context=context.model_copy(update=fields))
        return state, model

    return go


def test_graph_answers_with_the_prose_findings_and_a_last_message(run: Any, says: Any) -> None:
    """A run ends with the checked prose as an AI message, and with sourced findings."""
    state, _ = run(says.honest([says.call("measure", height=2.5)]))
    assert state["answer"] == "It is 2.5 m."
    assert isinstance(state["messages"][-1], AIMessage)
    assert state["messages"][-1].text == state["answer"]
    assert state["findings"][0]["value"] == 2.5
    verdict = {"ok": True, "sourced": True, "checked": 1, "own": [], "rounds": 1, "rejected": []}
    assert verdict.items() <= state["verification"].items()
    assert state["outcome"] == "answer"
    assert state["result_ids"] == [state["findings"][0]["source"]["result_id"]]


def test_graph_takes_the_question_from_the_last_human_message(
    run: Any, scripted: Any, tools: Any, context: Any, says: Any
) -> None:
    """Messages in, messages out: what a chat interface sends is enough."""
    model = scripted(says.honest([says.call("measure", height=2.5)]))
    graph = build_graph(model=model, tools=tools)
    state = graph.invoke({"messages": [("user", "How high?")]}, context=context)
    assert state["question"] == "How high?"
    assert sum(m.type == "human" for m in state["messages"]) == 1


@pytest.mark.parametrize("question", ["", "   ", "\n"])
def test_graph_replies_clearly_when_the_question_is_empty(
    run: Any, says: Any, question: Any
) -> None:
    """An empty question is answered in words, without asking any model."""
    state, model = run(says.honest([]), question)
    assert state["answer"].startswith("The question is empty.")
    assert model.asked == []


def test_graph_replies_clearly_when_there_is_no_input_at_all(
    scripted: Any, tools: Any, context: Any, says: Any
) -> None:
    """Neither messages nor question: the same clear reply."""
    graph = build_graph(model=scripted(says.honest([])), tools=tools)
    state = graph.invoke({"messages": []}, context=context)
    assert state["messages"][-1].text.startswith("The question is empty.")


def test_graph_keeps_only_the_first_call_when_a_model_makes_several(run: Any, says: Any) -> None:
    """One call at a time: a second call of the same message is dropped, not run."""
    two = says.call("measure", height=2.5)
    two.tool_calls.append({**two.tool_calls[0], "args": {"height": 9.0}, "id": "second"})
    state, _ = run(says.honest([two]))
    assert len([m for m in state["messages"] if isinstance(m, ToolMessage)]) == 1
    assert all(len(m.tool_calls) <= 1 for m in state["messages"] if isinstance(m, AIMessage))


def test_graph_gives_mendable_errors_back_to_the_model(run: Any, says: Any) -> None:
    """A ToolException becomes the call's result; the model's second try counts."""
    calls = [says.call("measure", height=-1.0), says.call("measure", height=2.5)]
    state, _ = run(says.honest(calls))
    first, second = [m for m in state["messages"] if isinstance(m, ToolMessage)]
    assert first.status == "error"
    assert first.text == "Error: `height` must be >= 0, got -1.0."
    assert second.status == "success"
    assert state["verification"]["ok"]


@pytest.mark.parametrize("bad", [{"height": "tall"}, {}])
def test_graph_gives_wrong_arguments_back_to_the_model(run: Any, says: Any, bad: Any) -> None:
    """Arguments that do not fit the tool's schema are mendable, too."""
    state, _ = run(says.honest([says.call("measure", **bad), says.call("measure", height=2.5)]))
    first = next(m for m in state["messages"] if isinstance(m, ToolMessage))
    assert first.status == "error"
    assert "height" in first.text


def test_graph_gives_an_unknown_tool_back_to_the_model(run: Any, says: Any) -> None:
    """A tool that does not exist is answered with the names that do."""
    state, _ = run(says.honest([says.call("fly"), says.call("measure", height=2.5)]))
    first = next(m for m in state["messages"] if isinstance(m, ToolMessage))
    assert "measure" in first.text


def test_graph_stops_loudly_on_any_other_error_of_a_tool(run: Any, says: Any) -> None:
    """A defect is not the model's to mend: the run stops, and nothing of it reaches the model."""
    with pytest.raises(RuntimeError, match="instrument broke"):
        run(says.honest([says.call("measure", height=1e7)]))


def test_graph_asks_once_more_when_the_plan_is_no_json(run: Any, says: Any) -> None:
    """One repair round, with what was wrong; the second reply counts."""
    honest = says.honest([says.call("measure", height=2.5)])
    replies = iter(["I would measure it.", json.dumps(says.PLAN)])
    state, model = run(lambda p, f, m: next(replies) if p == "plan" else honest(p, f, m))
    assert [phase for phase, _ in model.asked][:3] == ["plan", "plan", "act"]
    assert "not the JSON object" in model.asked[1][1][-1].text
    assert state["plan"] == says.PLAN["steps"]


def test_graph_goes_on_without_a_plan_when_it_stays_unreadable(run: Any, says: Any) -> None:
    """A model that cannot write a plan may still call tools."""
    honest = says.honest([says.call("measure", height=2.5)])
    state, _ = run(lambda p, f, m: "hm" if p == "plan" else honest(p, f, m))
    assert state["plan"] == []
    assert state["answer"] == "It is 2.5 m."


def test_graph_leaves_unknown_tools_out_of_the_plan(run: Any, says: Any) -> None:
    """Steps name tools that exist."""
    missed = ["blue", "accuracy 99 %"]
    plan = {"steps": [{"tool": "fly"}, {"tool": "measure"}], "not_understood": missed}
    honest = says.honest([says.call("measure", height=2.5)])
    state, _ = run(
        lambda p, f, m: json.dumps(plan) if p == "plan" else honest(p, f, m), "Is it blue?"
    )
    assert [s["tool"] for s in state["plan"]] == ["measure"]
    assert state["answer"].startswith('*Not used from your question: "blue"')
    assert state["outcome"] == "partial"


def test_graph_lets_no_fact_into_a_direct_reply(run: Any, says: Any) -> None:
    """Without a tool call there is no source: what asserts is cut; rules say what can be asked."""
    reply = 'There are 7 sessions. This is about the data. Try "forecast 5 s". It is 99 m high.'
    plan = {"steps": [], "reply": reply}
    state, model = run(lambda p, f, m: json.dumps(plan))
    assert len(model.asked) == 1
    assert "99" not in state["answer"]
    assert "7 sessions" not in state["answer"]
    assert "could be traced" in state["answer"]
    assert state["outcome"] == "refusal"
    assert state["verification"]["own"] == []


def test_graph_takes_no_parsed_question_from_a_model_that_does_not_parse(run: Any) -> None:
    """What only rules may say of a question is dropped from another model's plan."""
    understood = {"asks": [], "refused": ["The tower is 99 m high."], "taken": "it is 77 m"}
    plan = {"steps": [], "reply": None, "understood": understood}
    state, _ = run(lambda p, f, m: json.dumps(plan))
    assert "99" not in state["answer"]
    assert "77" not in state["answer"]


def test_graph_never_shows_a_reply_it_could_not_read(run: Any, says: Any) -> None:
    """No raw JSON, no text beside the form: the end is typed, and rules tell the results."""
    honest = says.honest([says.call("measure", height=2.5)])
    raw = '{"answer": "It is 99 m."'
    script = lambda p, f, m: raw if p == "interpret" else honest(p, f, m)  # noqa: E731
    state, _ = run(script, "Is it 2.5 m high?")
    assert state["outcome"] == "unreadable"
    assert "could not be read" in state["answer"]
    assert "99" not in state["answer"]
    assert "{" not in state["answer"]
    assert "value: 2.5 m" in state["answer"]


def test_graph_refuses_an_answer_longer_than_the_limit(run: Any, says: Any) -> None:
    """A megabyte of words is refused at once, and the limit is named."""
    honest = says.honest([says.call("measure", height=2.5)], "a-" * 500_000)
    state, model = run(honest)
    assert state["outcome"] == "unreadable"
    assert any("the limit is" in m[-1].text for _, m in model.asked)


def test_graph_refuses_a_question_longer_than_the_limit(run: Any, says: Any) -> None:
    """A document is no question: the limit is named, no model is asked."""
    state, model = run(says.honest([]), "a-" * 500_000)
    assert "the limit is 10000" in state["answer"]
    assert state["outcome"] == "refusal"
    assert model.asked == []


def test_graph_sends_a_wrong_number_back_once_and_takes_the_mended_answer(
    run: Any, says: Any
) -> None:
    """The model hears what was refused and why; a mended answer passes whole."""
    lie = says.honest([says.call("measure", height=2.5)], "It is 3.5 m.")
    truth = says.honest([says.call("measure", height=2.5)])
    state, model = run(lambda p, f, m: (truth if f.get("rejected") else lie)(p, f, m))
    assert state["answer"] == "It is 2.5 m."
    assert state["verification"]["rounds"] == 2
    assert state["verification"]["rejected"] == []
    assert state["verification"]["sent_back"][0]["text"] == "It is 3.5 m."
    rejected = [f for phase, f in model.asked if phase == "interpret"]
    assert "3.5" in rejected[1][0].text


def test_graph_cuts_what_stays_wrong_and_reports_it(run: Any, says: Any) -> None:
    """After one round a sentence that no result supports is cut, and the cut is told."""
    prose = "It is {r1#/value}. It weighs 80 g."
    state, _ = run(says.honest([says.call("measure", height=2.5)], prose))
    assert state["answer"].startswith("It is 2.5 m.")
    assert "80" not in state["answer"]
    assert "1 statement(s) were cut" in state["answer"]
    assert state["verification"]["cut"][0]["text"] == "It weighs 80 g."
    assert state["verification"]["rounds"] == 2


def test_graph_stops_calling_tools_at_the_limit_and_says_so(run: Any, says: Any) -> None:
    """max_tool_calls bounds a model that never stops; the answer tells."""
    endless = [says.call("measure", height=2.5)] * 50
    state, _ = run(says.honest(endless), max_tool_calls=3)
    assert len([m for m in state["messages"] if isinstance(m, ToolMessage)]) == 3
    assert "limit of 3 tool calls" in state["answer"]


def test_graph_still_answers_when_the_recursion_limit_is_near(
    scripted: Any, tools: Any, context: Any, says: Any
) -> None:
    """The loop is left while there are steps enough for the answer: no GraphRecursionError."""
    endless = says.honest([says.call("measure", height=2.5)] * 50)
    graph = build_graph(model=scripted(endless), tools=tools)
    state = graph.invoke({"question": "How?"}, {"recursion_limit": 16}, context=context)
    assert "recursion limit" in state["answer"]


def test_graph_runs_at_most_a_hundred_calls_within_its_own_limit(
    scripted: Any, tools: Any, context: Any, says: Any
) -> None:
    """The recursion limit that ships is enough for the highest max_tool_calls."""
    many = says.honest([says.call("measure", height=2.5)] * 200)
    graph = build_graph(model=scripted(many), tools=tools)
    most = context.model_copy(update={"max_tool_calls": 100})
    state = graph.invoke({"question": "How?"}, context=most)
    assert "limit of 100 tool calls" in state["answer"]


def test_graph_reports_a_failing_model_in_one_line_without_the_key(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a provider raises becomes a ModelError that hides keys."""
    monkeypatch.setenv("GOOGLE_API_KEY", "very-secret")

    def fail(*_: Any) -> str:
        raise ConnectionError("401 for\nkey very-secret")

    with pytest.raises(ModelError, match="failed while asked to plan") as error:
        run(fail)
    assert "very-secret" not in str(error.value)
    assert "\n" not in str(error.value)


def test_graph_streams_progress_and_steps_as_custom_events(
    scripted: Any, tools: Any, context: Any, says: Any
) -> None:
    """A tool's progress and the calls themselves reach whoever streams "custom"."""
    model = scripted(says.honest([says.call("measure", height=2.5)]))
    graph = build_graph(model=model, tools=tools)
    events = list(graph.stream({"question": "?"}, context=context, stream_mode="custom"))
    assert {"step": {"tool": "measure", "args": {"height": 2.5}}} in events
    assert events[0]["progress"]["phase"] == "plan"
    assert any(e.get("progress", {}).get("phase") == "measure" for e in events)


def test_graph_gives_updates_as_one_mapping_a_node(
    scripted: Any, tools: Any, context: Any, says: Any
) -> None:
    """Whoever streams "updates" can read each node's update by key, tools included."""
    model = scripted(says.honest([says.call("measure", height=2.5)]))
    graph = build_graph(model=model, tools=tools)
    updates = list(graph.stream({"question": "?"}, context=context, stream_mode="updates"))
    nodes = [next(iter(u)) for u in updates]
    assert nodes == ["plan", "act", "tools", "act", "interpret", "verify"]
    assert updates[2]["tools"]["messages"][0].artifact["seconds"] >= 0


def test_graph_runs_asynchronously_too(scripted: Any, tools: Any, context: Any, says: Any) -> None:
    """Sync nodes serve an async caller (a server) through threads."""
    import asyncio

    model = scripted(says.honest([says.call("measure", height=2.5)]))
    graph = build_graph(model=model, tools=tools)
    state = asyncio.run(graph.ainvoke({"question": "How high?"}, context=context))
    assert state["answer"] == "It is 2.5 m."


def test_graph_starts_each_question_of_a_thread_afresh(
    scripted: Any, tools: Any, context: Any, says: Any
) -> None:
    """A second question in a thread keeps its messages, not the first one's answer or filters."""
    from langgraph.checkpoint.memory import InMemorySaver

    model = scripted(says.honest([says.call("measure", height=2.5)]))
    graph = build_graph(model=model, tools=tools, checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "t"}}
    graph.invoke({"question": "How high?"}, config, context=context)
    state = graph.invoke({"question": "And now?"}, config, context=context)
    assert state["question"] == "And now?"
    assert [m.type for m in state["messages"]] == ["human", "ai", "tool", "ai"] * 2
    ids = [c["id"] for m in state["messages"] if m.type == "ai" for c in m.tool_calls]
    assert len(set(ids)) == 2
    assert len(state["findings"]) == 1
    direct = json.dumps({"steps": [], "reply": "Hello."})
    graph = build_graph(
        model=scripted(lambda *_: direct), tools=tools, checkpointer=graph.checkpointer
    )
    state = graph.invoke({"question": "Hi"}, config, context=context)
    assert state["working_set"] == {}


def test_graph_has_no_checkpointer_compiled_in() -> None:
    """A server brings its own, and refuses to start with another."""
    from tool_use_om.graphs.answer import answer
    from tool_use_om.graphs.graph import graph

    assert graph.checkpointer is None
    assert answer.checkpointer is None


def test_graph_import_stays_light() -> None:
    """Importing the graph loads none of the libraries that take seconds; `make bench` times it."""
    code = (
        "import sys; import tool_use_om.graphs.graph; "
        "heavy = {'torch', 'pandas', 'sklearn', 'transformers', 'matplotlib', 'scipy', 'aeon'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "[]"


def test_graph_values_survive_strict_msgpack_in_sqlite(tmp_path: Any) -> None:
    """Every value of a finished run's state is read back equal when only safe types may be."""
    code = _STRICT.format(path=str(tmp_path), tests=Path(__file__).parent)
    env = {**os.environ, "LANGGRAPH_STRICT_MSGPACK": "true"}
    ran = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", code],
        capture_output=True, text=True, check=False, env=env,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "same"
    assert "unregistered" not in ran.stderr.lower()
    assert "blocked" not in ran.stderr.lower()


_STRICT = """
import importlib.util, sqlite3, sys
spec = importlib.util.spec_from_file_location("helpers", "{tests}/conftest.py")
h = sys.modules["helpers"] = importlib.util.module_from_spec(spec); spec.loader.exec_module(h)
import tool_use_om.agent.nodes as nodes
nodes.dataset_cards = lambda *a: [{{"name": "towers", "n_sessions": 7}}]
from langgraph.checkpoint.sqlite import SqliteSaver
from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.graph import build_graph
model = h.ScriptedModel(script=h.honest([h.call("measure", height=2.5)]), asked=[])
config = {{"configurable": {{"thread_id": "t"}}}}
with sqlite3.connect("{path}/c.sqlite", check_same_thread=False) as c:
    graph = build_graph(model=model, tools=[h.measure], checkpointer=SqliteSaver(c))
    state = graph.invoke(
        {{"question": "?"}}, config, context=AgentContext(workspace="{path}/ws")
    )
with sqlite3.connect("{path}/c.sqlite", check_same_thread=False) as c:
    graph = build_graph(model=model, tools=[h.measure], checkpointer=SqliteSaver(c))
    read = graph.get_state(config).values
print("same" if {{k: read[k] for k in state}} == state else (read, state))
"""
