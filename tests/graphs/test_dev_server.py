"""`langgraph dev` for real: what Studio and an SDK client see of both graphs."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest

pytest.importorskip("langgraph_cli")
pytest.importorskip("langgraph_api")

from langgraph_sdk import get_client  # the server's client, there when the server is

ROOT = Path(__file__).parents[2]
TOKEN = "open-sesame"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}  # as in conftest.py
STUDIO = {"Origin": "https://smith.langchain.com", "x-auth-scheme": "langsmith"}
JSON = {"Content-Type": "application/json"}
QUESTION = "Find walking activities and predict the next 5 seconds of accelerometer data"
OFFLINE = {
    "LANGSMITH_TRACING": "false",
    "LANGGRAPH_CLI_NO_ANALYTICS": "1",
    "LANGGRAPH_NO_VERSION_CHECK": "true",
    "OMP_NUM_THREADS": "1",
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def url(served: Any) -> str:
    """Return the address of a running server."""
    address: str = served.url
    return address


def test_dev_server_langgraph_json_is_valid() -> None:
    """The command line tool accepts the file, and nothing in it is misspelt."""
    langgraph = Path(sys.executable).with_name("langgraph")
    done = subprocess.run(
        [str(langgraph), "validate", "--config", str(ROOT / "langgraph.json")],
        capture_output=True, text=True, check=False, env={**os.environ, **OFFLINE},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 graphs" in done.stdout + done.stderr
    config = json.loads((ROOT / "langgraph.json").read_text())
    assert config["checkpointer"]["serde"]["pickle_fallback"] is False
    assert "*" not in config["http"]["cors"]["allow_origins"]


def test_dev_server_answers_the_demo_question_with_updates_and_progress(url: str) -> None:
    """A client streams nodes and progress, and ends with a checked answer as the last message."""
    parts = asyncio.run(
        _stream(url, "graph", {"messages": [{"role": "user", "content": QUESTION}]})
    )
    errors = [p.data for p in parts if p.event == "error"]
    assert errors == []
    nodes = [next(iter(p.data)) for p in parts if p.event == "updates"]
    assert nodes[0] == "plan"
    assert nodes[-1] == "verify"
    assert "tools" in nodes
    custom = [p.data for p in parts if p.event == "custom"]
    assert any("progress" in c for c in custom)
    assert any(c.get("step", {}).get("tool") == "run_task" for c in custom)
    state = [p.data for p in parts if p.event == "values"][-1]
    assert "walking" in state["answer"]
    assert state["messages"][-1]["content"] == state["answer"]
    assert state["findings"]
    assert state["verification"]["cut"] == []


def test_dev_server_answers_narrowly_with_context(url: str) -> None:
    """`answer` takes a question and the run's context, and gives its typed output only."""
    context = {"model": "offline", "max_tool_calls": 5}
    asked = {"question": "How many sessions are there?"}
    result = asyncio.run(_wait(url, "answer", asked, context=context))
    assert set(result) == {
        "answer", "outcome", "findings", "verification", "result_ids", "not_understood",
    }  # fmt: skip
    assert "80" in result["answer"]


def test_dev_server_reports_bad_input_as_an_error(url: str) -> None:
    """An unknown data set comes back as an error that names the nearest ones."""
    asked = {"question": "How many sessions?", "dataset": "basic-motion"}
    result = asyncio.run(_wait(url, "answer", asked, raise_error=False))
    assert "basic-motions" in result["__error__"]["message"]


def test_dev_server_schemas_show_input_output_and_context(url: str) -> None:
    """What Studio builds its forms from: messages and question in, the context's five fields."""
    whole = asyncio.run(_schemas(url, "graph"))
    assert set(whole["input_schema"]["properties"]) == {"messages", "question"}
    assert {"messages", "answer", "findings"} <= set(whole["output_schema"]["properties"])
    context = whole["context_schema"]["properties"]
    assert set(context) == {"model", "dataset", "workspace", "seed", "max_tool_calls"}
    assert context["model"]["langgraph_nodes"] == ["plan", "act", "interpret"]
    narrow = asyncio.run(_schemas(url, "answer"))
    assert set(narrow["input_schema"]["properties"]) == {"question", "dataset"}


def test_dev_server_shows_both_graphs_as_tools_over_mcp(url: str) -> None:
    """An MCP client finds `answer` under its graph's name, with description and arguments."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    request = urllib.request.Request(
        f"{url}/mcp",
        data=json.dumps(body).encode(),
        headers={**JSON, **SHOWN, "Accept": "application/json, text/event-stream"},
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        text = reply.read().decode()
    found = json.loads(text.removeprefix("data: ") if text.startswith("data: ") else text)
    tools = {tool["name"]: tool for tool in found["result"]["tools"]}
    assert {"tool-use-om", "ask_time_series"} <= set(tools)
    assert "question" in tools["ask_time_series"]["inputSchema"]["properties"]
    assert "time-series" in tools["ask_time_series"]["description"]


def asked(url: str, method: str, headers: dict[str, str], **body: Any) -> tuple[int, Any, Any]:
    """Send one plain HTTP request, as a browser or a script would; (status, headers, text)."""
    data = json.dumps({"assistant_id": "answer", **body}).encode() if method == "POST" else None
    request = urllib.request.Request(f"{url}/runs/wait", data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=120) as reply:
            return reply.status, reply.headers, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


COUNT = {"input": {"question": "How many sessions are there?"}}


def test_dev_server_lets_studio_post_from_a_browser(url: str) -> None:
    """The preflight that a browser sends for Studio is granted, and so is the POST after it."""
    preflight = {
        "Origin": STUDIO["Origin"],
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-auth-scheme",
    }
    status, headers, _ = asked(url, "OPTIONS", preflight)
    assert status == 200
    assert headers["access-control-allow-origin"] == STUDIO["Origin"]
    assert "POST" in headers["access-control-allow-methods"]
    assert "x-auth-scheme" in headers["access-control-allow-headers"]
    status, headers, text = asked(url, "POST", {**JSON, **STUDIO}, **COUNT)
    assert (status, "80" in text) == (200, True)
    assert headers["access-control-allow-origin"] == STUDIO["Origin"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (JSON, 401),
        ({**JSON, "Authorization": "Bearer guessed"}, 401),
        ({**SHOWN, "Content-Type": "text/plain"}, 415),
        ({**JSON, **STUDIO, "Origin": "https://evil.example"}, 403),
        ({**JSON, **STUDIO, "Host": "evil.example"}, 403),
        ({**JSON, **SHOWN, "Host": "evil.example:2024"}, 403),
    ],
)
def test_dev_server_takes_nothing_from_a_foreign_page(
    url: str, headers: dict[str, str], status: int
) -> None:
    """No token, a form's content type, another origin, or a name rebound to this machine."""
    assert asked(url, "POST", headers, **COUNT)[0] == status


@pytest.mark.parametrize(
    "more",
    [
        {"context": {"workspace": "/elsewhere"}},
        {"config": {"configurable": {"workspace": "/elsewhere"}}},
        {"context": {"model": "local:/elsewhere"}},
    ],
)
def test_dev_server_fixes_workspace_and_models(url: str, more: dict[str, Any]) -> None:
    """A caller names neither a folder of this machine nor a model to load, token or not."""
    status, _, text = asked(url, "POST", {**JSON, **SHOWN}, **COUNT, **more)
    assert status == 403
    assert "/elsewhere" not in text or "not allowed" in text


PUBLIC = {"GET /ok", "GET /info", "GET /docs", "GET /openapi.json", "GET /metrics", "GET /"}


def test_dev_server_opens_no_door_without_the_token(url: str) -> None:
    """Every path the server itself lists, by every method, but for those that tell nothing."""
    with urllib.request.urlopen(f"{url}/openapi.json", timeout=30) as reply:
        paths = json.load(reply)["paths"]
    assert len(paths) > 20
    opened = set()
    for path, methods in paths.items():
        asked_path = re.sub(r"\{\w+\}", "00000000-0000-0000-0000-000000000000", path)
        for method in {m.upper() for m in methods} & {"GET", "POST", "PUT", "PATCH", "DELETE"}:
            data = None if method == "GET" else b"{}"
            request = urllib.request.Request(
                f"{url}{asked_path}", data=data, headers=JSON, method=method
            )
            try:
                urllib.request.urlopen(request, timeout=30).close()
            except urllib.error.HTTPError as refused:
                if refused.code in {401, 403, 404, 405, 422}:
                    continue
            opened.add(f"{method} {path}")
    assert opened <= PUBLIC


def test_dev_server_calls_no_address(url: str) -> None:
    """A webhook is refused, by us or by the server's own check of where it leads."""
    body = {**COUNT, "webhook": "https://192.0.2.1/elsewhere"}
    assert asked(url, "POST", {**JSON, **SHOWN}, **body)[0] in {403, 422}


def test_dev_server_names_a_missing_question(url: str) -> None:
    """An API user who misspelt the field reads which one is missing."""
    _, _, text = asked(url, "POST", {**JSON, **SHOWN}, input={"frage": "How many?"})
    assert "`question` is missing" in text


async def _stream(url: str, graph: str, given: dict[str, Any]) -> list[Any]:
    async with get_client(url=url, timeout=300, headers=SHOWN) as client:
        thread = await client.threads.create()
        stream = client.runs.stream(
            thread["thread_id"], graph, input=given, stream_mode=["updates", "custom", "values"]
        )
        return [part async for part in stream]


async def _wait(url: str, graph: str, given: dict[str, Any], **more: Any) -> Any:
    async with get_client(url=url, timeout=300, headers=SHOWN) as client:
        return await client.runs.wait(None, graph, input=given, **more)


async def _schemas(url: str, graph: str) -> Any:
    async with get_client(url=url, headers=SHOWN) as client:
        found = await client.assistants.search(graph_id=graph)
        return await client.assistants.get_schemas(found[0]["assistant_id"])


def busy_s(pid: int) -> float:
    """Return the processor seconds a process and its children have used."""
    found = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(p.cpu_times().user + p.cpu_times().system for p in found)


def test_dev_server_cancelled_run_stops_its_work(url: str, served: Any) -> None:
    """Within two seconds of the cancellation the processors are idle again."""
    worked, left = asyncio.run(_cancelled(url, served.pid))
    assert worked > 0.2, "the run was not at work when it was cancelled"
    assert left < 0.4, f"{left:.1f} s of work in the second after the two"


async def _cancelled(url: str, pid: int) -> tuple[float, float]:
    """Cancel a run at work; return its work just before, and in the third second after."""
    asked = {"question": "Compare all heads for classifying the labels"}
    async with get_client(url=url, timeout=300, headers=SHOWN) as client:
        thread = await client.threads.create()
        run = await client.runs.create(thread["thread_id"], "answer", input=asked)
        await asyncio.sleep(0.7)
        before = busy_s(pid)
        await asyncio.sleep(0.7)
        worked = busy_s(pid) - before
        await client.runs.cancel(thread["thread_id"], run["run_id"])
        await asyncio.sleep(2)
        after = busy_s(pid)
        await asyncio.sleep(1)
        return worked, busy_s(pid) - after
