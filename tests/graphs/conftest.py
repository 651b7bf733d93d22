"""A scripted chat model, a small tool that stores real results, a stand-in for data-set cards."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool, ToolException, tool
from langgraph.prebuilt import ToolRuntime
from langgraph.types import Command
from pydantic import Field

from tool_use_om.agent.context import AgentContext, coerce_context
from tool_use_om.agent.prompts import prompt_facts
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.results import ResultStore

Script = Callable[[str, dict[str, Any], list[BaseMessage]], AIMessage | str]

PLAN = {"steps": [{"tool": "measure", "why": "to know"}], "not_understood": [], "reply": None}


class ScriptedModel(BaseChatModel):
    """Answers by a function of (phase, the prompt's facts, the messages)."""

    script: Any
    asked: list[Any] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        return self.bind(tools=[t.name for t in tools], **kwargs)

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        facts = prompt_facts(messages[0])  # type: ignore[arg-type]  # the first is the system one
        self.asked.append((facts["phase"], messages))
        reply = self.script(facts["phase"], facts, messages)
        message = AIMessage(reply) if isinstance(reply, str) else reply
        return ChatResult(generations=[ChatGeneration(message=message)])


def call(name: str, **arguments: Any) -> AIMessage:
    """Return a message with one tool call."""
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": f"c-{name}"}])


def done(messages: Sequence[BaseMessage]) -> int:
    """Return how many tool results follow the last human message."""
    last = max(i for i, m in enumerate(messages) if isinstance(m, HumanMessage))
    return sum(isinstance(m, ToolMessage) for m in messages[last:])


def honest(calls: Sequence[AIMessage], prose: str = "It is {r1#/value}.") -> Script:
    """Return a script that plans, makes `calls` in order, and writes `prose`."""

    def script(phase: str, facts: dict[str, Any], messages: list[BaseMessage]) -> AIMessage | str:
        if phase == "plan":
            return json.dumps(PLAN)
        if phase == "act":
            n = done(messages)
            return calls[n].model_copy() if n < len(calls) else "done"
        return json.dumps({"prose": prose, "claims": []})

    return script


@tool
def measure(height: float, runtime: ToolRuntime[AgentContext, dict[str, Any]]) -> Command[Any]:
    """Measure a height in metres."""
    if height < 0:
        raise ToolException("`height` must be >= 0, got -1.0.")
    if height > 1e6:
        raise RuntimeError("the instrument broke: secret detail")
    runtime.stream_writer({"progress": {"phase": "measure", "done": 1, "total": 1, "unit": "m"}})
    context = coerce_context(runtime.context)
    content = {"value": height, "unit": "m", "n": 3, "share_frac": 0.25, "length_s": 12.0}
    result = ResultStore(Workspace.at(context.workspace)).put("measure", content)
    message = ToolMessage(
        json.dumps({**content, "result_id": result.id}),
        name="measure",
        tool_call_id=runtime.tool_call_id or "",
        artifact=result.artifact,
    )
    working_set = {**(runtime.state.get("working_set") or {}), "last_result_id": result.id}
    return Command(
        update={"working_set": working_set, "result_ids": [result.id], "messages": [message]}
    )


@pytest.fixture
def tools() -> list[BaseTool]:
    """Return the one small tool."""
    return [measure]


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the data-set cards, so that no data set is opened."""
    card = {"name": "towers", "title": "Towers", "channels": [], "n_sessions": 7}
    monkeypatch.setattr("tool_use_om.agent.nodes.dataset_cards", lambda *_a: [card])


@pytest.fixture
def context(tmp_path: Path, cards: None) -> AgentContext:
    """Return a context with a workspace of its own."""
    return AgentContext(workspace=str(tmp_path / "ws"))


@pytest.fixture
def scripted() -> Callable[[Script], ScriptedModel]:
    """Return what makes a model from a script."""
    return lambda script: ScriptedModel(script=script, asked=[])


@pytest.fixture
def says() -> Any:
    """Return the helpers of this file: call, done, honest."""
    return SimpleNamespace(call=call, done=done, honest=honest, PLAN=PLAN)


ROOT = Path(__file__).parents[2]
TOKEN = "open-sesame"
OFFLINE = {
    "LANGSMITH_TRACING": "false",
    "LANGGRAPH_CLI_NO_ANALYTICS": "1",
    "LANGGRAPH_NO_VERSION_CHECK": "true",
    "OMP_NUM_THREADS": "1",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/ok", timeout=2) as reply:
            return bool(json.load(reply)["ok"])
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@pytest.fixture(scope="session")
def served(
    sample_workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SimpleNamespace]:
    """Start the server with the repository's langgraph.json; stop all of it at the end."""
    folder = tmp_path_factory.mktemp("server")
    log = (folder / "log").open("w+")
    port = free_port()
    command = [
        str(Path(sys.executable).with_name("langgraph")), "dev", "--no-browser", "--no-reload",
        "--host", "127.0.0.1", "--port", str(port), "--config", str(ROOT / "langgraph.json"),
    ]  # fmt: skip
    env = {
        **os.environ,
        **OFFLINE,
        "TUOM_WORKSPACE": str(sample_workspace),
        "TUOM_SERVER_TOKEN": TOKEN,
    }
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True
    )
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 120
        while not is_up(address):
            log.seek(0)
            assert process.poll() is None, log.read()
            assert time.monotonic() < end, log.read()
            time.sleep(0.2)
        shown = {"Authorization": f"Bearer {TOKEN}"}
        yield SimpleNamespace(url=address, shown=shown, pid=process.pid)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)
        log.close()
