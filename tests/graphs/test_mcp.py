"""The protocol's own client asks our server: in memory, over pipes, over HTTP."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace
from tool_use_om.graphs.commands.mcp import _check_free, settings_for, with_token

mcp = pytest.importorskip("mcp")

Talk = Callable[[Any], Awaitable[None]]


def talk(place: Path, what: Talk, surface: Any = "ask") -> None:
    """Run a client against a server over the sample's workspace."""
    from tool_use_om.graphs.mcp import Desk, build_server

    async def run() -> None:
        async with mcp.Client(build_server(Desk(Workspace.at(place)), surface)) as client:
            await what(client)

    anyio.run(run)


def test_question_gets_structured_findings_and_the_next_leans_on_it(sample_workspace: Path) -> None:
    async def run(client: Any) -> None:
        asked = {"dataset": "basic-motions", "conversation": "one"}
        question = "What is the mean of accelerometer.x while walking?"
        first = await client.call_tool("ask_time_series", {"question": question, **asked})
        found = first.structured_content
        assert not first.is_error
        assert found["outcome"] == "answer"
        assert found["sourced"]
        assert found["findings"][1]["value"] == pytest.approx(0.766, abs=1e-3)
        second = await client.call_tool("ask_time_series", {"question": "and running?", **asked})
        assert "while running" in second.structured_content["answer"]
        page = await client.read_resource(found["report"])
        assert "<html" in page.contents[0].text

    talk(sample_workspace, run)


@pytest.mark.parametrize(
    ("surface", "fewest", "most"), [("ask", 2, 2), ("eda", 6, 14), ("all", 14, 24)]
)
def test_surface_is_small_unless_asked_for(
    sample_workspace: Path, surface: str, fewest: int, most: int
) -> None:
    async def run(client: Any) -> None:
        names = [tool.name for tool in (await client.list_tools()).tools]
        assert fewest <= len(names) <= most
        assert {"ask_time_series", "list_data_sets"} <= set(names)

    talk(sample_workspace, run, surface)


def test_tools_of_one_conversation_build_on_each_other(sample_workspace: Path) -> None:
    async def run(client: Any) -> None:
        own = {"conversation": "tools"}
        await client.call_tool("show_session_stats", {"dataset": "basic-motions", **own})
        await client.call_tool("select_channels", {"channels": ["accelerometer.x"], **own})
        stats = await client.call_tool("show_channel_stats", {"statistic": "mean", **own})
        assert [r["channel"] for r in stats.structured_content["rows"]] == ["accelerometer.x"]
        other = await client.call_tool("show_channel_stats", {"statistic": "mean"})
        assert other.is_error or len(other.structured_content["rows"]) != 1

    talk(sample_workspace, run, "all")


def test_figures_come_as_images(sample_workspace: Path) -> None:
    async def run(client: Any) -> None:
        asked = {"question": "Plot accelerometer.x of bm-test-012", "dataset": "basic-motions"}
        reply = await client.call_tool("ask_time_series", asked)
        images = [c for c in reply.content if c.type == "image"]
        assert images
        assert images[0].mime_type == "image/png"

    talk(sample_workspace, run)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"question": "How many?", "dataset": "no-such"}, "no-such"),
        ({"question": ""}, "question"),
        ({}, "question"),
        (
            {"question": "How many?", "dataset": "basic-motions", "conversation": "../x"},
            "conversation",
        ),
    ],
)
def test_bad_input_is_an_error_that_says_what_came(
    sample_workspace: Path, arguments: dict[str, Any], told: str
) -> None:
    async def run(client: Any) -> None:
        reply = await client.call_tool("ask_time_series", arguments)
        assert reply.is_error
        assert told in reply.content[0].text
        assert "Traceback" not in reply.content[0].text

    talk(sample_workspace, run)


def test_prompts_and_resources_are_there(sample_workspace: Path) -> None:
    async def run(client: Any) -> None:
        names = {p.name for p in (await client.list_prompts()).prompts}
        assert {"overview", "unusual", "forecast"} <= names
        card = await client.read_resource("tuom://datasets/basic-motions")
        assert json.loads(card.contents[0].text)["labels"]["activity"]
        with pytest.raises(Exception, match=r"[Uu]nknown|no report|not"):
            await client.read_resource("tuom://reports/..%2f..")

    talk(sample_workspace, run)


def test_run_stops_when_the_client_leaves(sample_workspace: Path) -> None:
    """A cancelled call ends its run at the next step: the thread does not go on to the end."""
    from tool_use_om.graphs import mcp as server

    seen: list[str] = []
    answered = server._answered

    def watched(*arguments: Any) -> Any:
        try:
            return answered(*arguments)
        except BaseException as error:
            seen.append(type(error).__name__)
            raise

    async def run(client: Any) -> None:
        asked = {"question": "Classify the labels with moment-tiny", "dataset": "basic-motions"}
        with anyio.move_on_after(1.0):
            await client.call_tool("ask_time_series", asked)
        for _ in range(100):
            if seen:
                break
            await anyio.sleep(0.1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "_answered", watched)
        talk(sample_workspace, run)
    assert seen == ["_GoneError"]


@pytest.mark.slow
@pytest.mark.parametrize("client_name", ["claude", "cursor", "vscode"])
def test_settings_of_each_client_start_a_server_that_answers(
    sample_workspace: Path, client_name: str
) -> None:
    """The snippet that is printed is run as the client would run it."""
    settings = settings_for(client_name, Workspace.at(sample_workspace))
    ((_, servers),) = settings.items()
    entry = servers["time-series"]
    assert entry["command"] == sys.executable

    async def run() -> None:
        env = {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), "TUOM_READER": "off"}
        started = mcp.StdioServerParameters(
            command=entry["command"], args=entry["args"], env={**os.environ, **env}
        )
        async with mcp.Client(mcp.stdio_client(started)) as client:
            asked = {"question": "How many sessions are there?", "dataset": "basic-motions"}
            reply = await client.call_tool("ask_time_series", asked)
            assert "80" in reply.structured_content["answer"]

    anyio.run(run)


def test_http_needs_the_token() -> None:
    """Without the token nothing behind it is reached."""
    reached: list[str] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["path"])

    async def status(headers: list[tuple[bytes, bytes]]) -> int:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "path": "/mcp", "headers": headers}
        await with_token(inner, "secret")(scope, None, send)
        return int(sent[0]["status"]) if sent else 200

    assert anyio.run(status, []) == 401
    assert anyio.run(status, [(b"authorization", b"Bearer wrong")]) == 401
    assert not reached
    assert anyio.run(status, [(b"authorization", b"Bearer secret")]) == 200
    assert reached == ["/mcp"]


def test_port_in_use_is_one_clear_line() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(DataError, match="--port"):
            _check_free("127.0.0.1", taken.getsockname()[1])
