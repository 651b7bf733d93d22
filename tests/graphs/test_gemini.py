"""Gemini's contract: the whole graph against a loopback server that speaks its REST shape."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tool_use_om.agent.graph import build_graph
from tool_use_om.agent.models.resolve import ModelError, resolve_model

MODEL = "gemini-2.5-flash"


class Gemini(ThreadingHTTPServer):
    """Answers generateContent by `reply(request body)`, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self, says: Any) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.says = says
        self.asked: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.keys: list[str | None] = []
        self.status = 200

    def reply(self, body: dict[str, Any]) -> dict[str, Any]:
        """Play the model: plan, two calls in one turn, then nothing more, then the answer."""
        system = body["systemInstruction"]["parts"][0]["text"]
        if system.startswith("PHASE: plan"):
            return {"text": json.dumps(self.says.PLAN)}
        if system.startswith("PHASE: interpret"):
            prose = "It is {r1#/value}. It weighs 7 kg."
            return {"text": json.dumps({"prose": prose})}
        if any("functionResponse" in p for c in body["contents"] for p in c["parts"]):
            return {"text": "done"}
        return {"functionCall": {"name": "measure", "args": {"height": 2.5}}}


class _Handler(BaseHTTPRequestHandler):
    server: Gemini

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        self.server.paths.append(self.path)
        self.server.keys.append(self.headers.get("x-goog-api-key"))
        if self.server.status != 200:
            error = {"code": self.server.status, "message": "no", "status": "PERMISSION_DENIED"}
            self._send({"error": error}, self.server.status)
            return
        part = self.server.reply(body)
        parts = [part] * 2 if "functionCall" in part else [part]
        answer = {
            "candidates": [
                {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
            ],
            "usageMetadata": {
                "promptTokenCount": 10,
                "candidatesTokenCount": 5,
                "totalTokenCount": 15,
            },
            "modelVersion": MODEL,
            "responseId": f"r{len(self.server.asked)}",
        }
        self._send(answer, 200, stream="streamGenerateContent" in self.path)

    def _send(self, value: dict[str, Any], status: int, *, stream: bool = False) -> None:
        data = json.dumps(value).encode()
        if stream:
            data = b"data: " + data + b"\r\n\r\n"
        self.send_response(status)
        self.send_header("Content-Type", "text/event-stream" if stream else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(says: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gemini]:
    pytest.importorskip("langchain_google_genai")
    server = Gemini(says)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("GOOGLE_API_KEY", "dummy-key")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    server.server_close()


def run(tools: Any, context: Any) -> dict[str, Any]:
    graph = build_graph(tools=tools)
    named = context.model_copy(update={"model": f"google_genai:{MODEL}"})
    return graph.invoke({"question": "How high is it?"}, context=named)


@pytest.fixture
def state(server: Gemini, tools: Any, context: Any) -> dict[str, Any]:
    return run(tools, context)


def test_gemini_drives_the_whole_graph(server: Gemini, state: dict[str, Any]) -> None:
    """Plan, one call (of two), answer, one refusal, the cut: over real HTTP with a dummy key."""
    phases = [b["systemInstruction"]["parts"][0]["text"].split("\n")[0] for b in server.asked]
    assert [p.removeprefix("PHASE: ") for p in phases] == [
        "plan", "act", "act", "interpret", "interpret",
    ]  # fmt: skip
    assert state["answer"].startswith("It is 2.5 m.")
    assert state["verification"]["cut"][0]["text"] == "It weighs 7 kg."
    assert [m.type for m in state["messages"]] == ["human", "ai", "tool", "ai"]


def test_gemini_is_asked_at_its_own_path_with_the_key_in_a_header(
    server: Gemini, state: dict[str, Any]
) -> None:
    """The key never stands in a URL, where logs would keep it."""
    assert all(
        p.partition("?")[0].endswith(f"models/{MODEL}:generateContent") for p in server.paths
    )
    assert set(server.keys) == {"dummy-key"}
    assert not any("dummy-key" in p for p in server.paths)


def test_gemini_gets_the_tools_as_function_declarations(
    server: Gemini, state: dict[str, Any]
) -> None:
    """Only the act phase offers tools; injected arguments are not among their parameters."""
    offered = [bool(body.get("tools")) for body in server.asked]
    assert offered == [False, True, True, False, False]
    [declaration] = server.asked[1]["tools"][0]["functionDeclarations"]
    assert declaration["name"] == "measure"
    schema = declaration.get("parameters") or declaration["parametersJsonSchema"]
    assert set(schema["properties"]) == {"height"}


def test_gemini_gets_roles_and_parts_in_its_own_form(server: Gemini, state: dict[str, Any]) -> None:
    """User text, the model's call, the call's response, in that order and paired by name."""
    contents = server.asked[2]["contents"]
    assert contents[0]["role"] == "user"
    assert contents[0]["parts"][0]["text"] == "How high is it?"
    assert contents[1]["role"] == "model"
    assert [p["functionCall"]["name"] for p in contents[1]["parts"] if "functionCall" in p] == [
        "measure"
    ]
    response = contents[2]["parts"][0]["functionResponse"]
    assert response["name"] == "measure"
    assert '"value": 2.5' in json.dumps(response["response"]).replace("\\", "")


def test_gemini_takes_every_tool_of_this_package(server: Gemini, context: Any) -> None:
    """The schemas of all real tools can be sent as function declarations."""
    from tool_use_om.tools.langchain import build_tools
    from tool_use_om.tools.registry import TOOLS

    model = resolve_model(f"google_genai:{MODEL}").bind_tools(build_tools())
    server.reply = lambda _body: {"text": "none"}  # type: ignore[method-assign]  # no phase here
    model.invoke("Which tools are there?")
    declared = [
        d for tool in server.asked[0]["tools"] for d in tool.get("functionDeclarations", [])
    ]
    assert [d["name"] for d in declared] == list(TOOLS)
    assert all(d.get("description") for d in declared)
    assert not any("runtime" in json.dumps(d) for d in declared)
    assert [where for d in declared for where in _refused(d.get("parameters"), d["name"])] == []


def _refused(schema: Any, where: str) -> Iterator[str]:
    """Yield where the API would refuse a schema: objects without properties, arrays of nothing."""
    if schema is None:
        return
    if schema.get("type") == "OBJECT" and not schema.get("properties"):
        yield f"{where} is an object without properties"
    if schema.get("type") == "ARRAY" and not (schema.get("items") or {}).get("type"):
        yield f"{where} is an array of nothing"
    if schema.get("enum") and schema.get("type") != "STRING":
        yield f"{where} is an enum that is no text"
    for name, field in (schema.get("properties") or {}).items():
        yield from _refused(field, f"{where}.{name}")
    yield from _refused(schema.get("items"), f"{where}[]")


def test_gemini_failing_is_a_clear_error_without_the_key(
    server: Gemini, tools: Any, context: Any
) -> None:
    """A refused key: one line, what to do, no key in it."""
    server.status = 403
    with pytest.raises(ModelError, match="failed while asked to plan") as error:
        run(tools, context)
    assert "dummy-key" not in str(error.value)
    assert "PERMISSION_DENIED" in str(error.value)


def test_gemini_streams_through_the_graph_too(server: Gemini, tools: Any, context: Any) -> None:
    """With stream_mode "messages" the provider streams, and the answer is the same."""
    graph = build_graph(tools=tools)
    named = context.model_copy(update={"model": f"google_genai:{MODEL}"})
    modes = ["messages", "values"]
    parts = list(graph.stream({"question": "How high is it?"}, context=named, stream_mode=modes))
    assert any("streamGenerateContent" in path for path in server.paths)
    assert parts[-1][1]["answer"].startswith("It is 2.5 m.")
