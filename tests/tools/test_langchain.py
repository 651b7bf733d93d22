"""The LangChain tools in a small graph, as any host would run them."""

from __future__ import annotations

import operator
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph, add_messages
from langgraph.prebuilt import ToolNode
from langgraph.types import Command

from tool_use_om.data import catalog
from tool_use_om.tools import registry
from tool_use_om.tools.langchain import build_tools, handle_tool_error


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    working_set: dict[str, Any]
    result_ids: Annotated[list[str], operator.add]


class Context(TypedDict, total=False):
    workspace: str
    dataset: str


def graph() -> Any:
    builder = StateGraph(State, context_schema=Context)
    builder.add_node("tools", ToolNode(build_tools(), handle_tool_errors=handle_tool_error))
    builder.add_edge(START, "tools")
    builder.add_edge("tools", END)
    return builder.compile(checkpointer=InMemorySaver())


def ask(*calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    made = [{"name": n, "args": a, "id": str(i)} for i, (n, a) in enumerate(calls)]
    return {"messages": [AIMessage("", tool_calls=made)]}


@pytest.fixture
def context(sample_workspace: Path) -> Context:
    return {"workspace": str(sample_workspace), "dataset": "basic-motions"}


THREAD: Any = {"configurable": {"thread_id": "1"}}


def test_tools_update_the_working_set_and_answer_their_call(context: Context) -> None:
    """A call leaves its choice in the state, its id in the list, and one matching message."""
    out = graph().invoke(ask(("select_channels", {"channels": ["gyro"]})), THREAD, context=context)
    message = out["messages"][-1]
    assert out["working_set"]["channels"] == ["gyroscope.x", "gyroscope.y", "gyroscope.z"]
    assert message.tool_call_id == "0"
    assert message.artifact["result_id"] == out["result_ids"][0]
    assert out["result_ids"][0] in message.content


def test_mendable_errors_come_back_as_messages(context: Context) -> None:
    """Bad arguments, unknown names and unknown tools are answered, and change nothing."""
    calls = ask(
        ("select_channels", {"channels": ["magnetometer"]}),
        ("run_task", {"horizonn": 5}),
        ("fly", {}),
    )
    out = graph().invoke(calls, THREAD, context=context)
    messages = out["messages"][-3:]
    assert [m.status for m in messages] == ["error"] * 3
    assert "Did you mean" in messages[0].content
    assert "did you mean 'horizon_s'" in messages[1].content
    assert "result_ids" not in out or not out["result_ids"]


def test_other_errors_stop_the_run(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody can mend by asking again is raised, not told to the model."""

    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(registry.ToolDef, "call", broken)
    with pytest.raises(ZeroDivisionError):
        graph().invoke(ask(("list_datasets", {})), THREAD, context=context)


def test_request_labels_interrupts_and_resumes(context: Context) -> None:
    """A person is asked in the middle of the run; the answer goes on from there."""
    app = graph()
    stopped = app.invoke(ask(("request_labels", {"budget": 2})), THREAD, context=context)
    question = stopped["__interrupt__"][0].value
    answer = {w["window_id"]: "standing" for w in question["windows"]}
    out = app.invoke(Command(resume=answer), THREAD, context=context)
    assert out["working_set"]["given_labels"] == out["result_ids"][0]


def test_progress_is_streamed(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long work tells how far it is on the custom stream."""
    monkeypatch.setattr(catalog, "available", lambda _workspace: ["basic-motions"])
    events = list(
        graph().stream(ask(("list_datasets", {})), THREAD, context=context, stream_mode="custom")
    )
    assert events[0]["progress"]["unit"] == "data sets"


def test_schemas_hide_what_is_injected() -> None:
    """A model sees the arguments only, never the runtime."""
    for tool in build_tools():
        schema = convert_to_openai_tool(tool)["function"]["parameters"]
        assert "runtime" not in schema["properties"]


def test_importing_the_tools_stays_light() -> None:
    """Listing the tools loads no encoder, no data frames and no plotting."""
    code = (
        "import sys, tool_use_om.tools.langchain;"
        "import tool_use_om.tools.look.tools, tool_use_om.tools.run.tools;"
        "heavy = {'torch', 'pandas', 'sklearn', 'matplotlib', 'transformers'} & set(sys.modules);"
        "print(*heavy)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "")
