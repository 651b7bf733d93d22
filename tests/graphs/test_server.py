"""The server's door, request by request; `test_dev_server` knocks at a real one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("langgraph_sdk")

from tool_use_om.data.catalog import available, open_dataset
from tool_use_om.data.errors import NotFoundError
from tool_use_om.data.workspace import Workspace
from tool_use_om.graphs import server

HERE = {"host": "127.0.0.1:2024", "content-type": "application/json"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:2024", "[::1]:2024"])
def test_refusal_takes_requests_to_this_machine(host: str) -> None:
    """By any of its names, from Studio's origin or none."""
    assert server.refusal("POST", {**HERE, "host": host}) is None
    assert server.refusal("POST", {**HERE, "origin": "https://smith.langchain.com"}) is None
    assert server.refusal("GET", {"host": host}) is None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 403),
        ({"host": ""}, 403),
        ({"host": "127.0.0.1.evil.example:2024"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:2024"}, 403),
        ({"origin": "http://localhost:3000", "x-auth-scheme": "langsmith"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "text/plain; application/json"}, 415),
        ({"content-type": "multipart/form-data; boundary=x"}, 415),
        ({"content-type": ""}, 415),
    ],
)
def test_refusal_names_what_is_wrong(headers: dict[str, str], status: int) -> None:
    """What a foreign page can send without asking first is refused."""
    refused = server.refusal("POST", {**HERE, **headers})
    assert refused is not None
    assert refused[0] == status


def test_a_served_name_is_taken_once_the_owner_lists_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a name of one's own, the owner says which."""
    asked = {**HERE, "host": "series.example:443"}
    assert server.refusal("POST", asked) is not None
    monkeypatch.setenv(server.HOSTS, "series.example")
    assert server.refusal("POST", asked) is None


@pytest.mark.parametrize(
    "value",
    [
        {"kwargs": {"context": {"workspace": "/x"}}},
        {"kwargs": {"config": {"configurable": {"workspace": "/x"}}}},
        {"kwargs": {"config": {"context": {"workspace": "/x"}}}},
        {"context": {"workspace": "/x"}},
        {"config": {"configurable": {"workspace": "/x"}}},
        {"payload": {"kwargs": {"context": {"workspace": "/x"}}}},
    ],
)
def test_objection_finds_a_workspace_wherever_it_is_named(value: dict[str, Any]) -> None:
    """In runs, assistants and schedules, as context or as configuration."""
    assert "fixed by the server" in server.objection(value)


@pytest.mark.parametrize(
    "value",
    [
        {"webhook": "http://169.254.169.254/"},
        {"kwargs": {"webhook": "http://localhost:1"}},
        {"payload": {"webhook": "https://evil.example"}},
        {"payload": {"kwargs": {"webhook": "https://evil.example"}}},
    ],
)
def test_objection_to_calling_an_address(value: dict[str, Any]) -> None:
    """Nobody has the server send results somewhere, or knock at its neighbours."""
    assert "calls no address" in server.objection(value)


@pytest.mark.parametrize(
    ("authorization", "key", "taken"),
    [
        ("Bearer the-token", b"", True),
        (None, b"the-token", True),
        (None, b"", False),
        ("", b"", False),
        ("Bearer ", b"", False),
        ("Bearer another", b"the-token", False),
        (None, b"th\xe9-token", False),
    ],
)
def test_whoever_shows_the_token_is_taken(
    monkeypatch: pytest.MonkeyPatch, authorization: str | None, key: bytes, taken: bool
) -> None:
    """As a bearer or as an API key; an empty one never."""
    monkeypatch.setattr(server, "_token", "the-token")
    asked = server.authenticate(authorization, {b"x-api-key": key} if key else {})
    if taken:
        assert asyncio.run(asked)
        return
    with pytest.raises(server.Auth.exceptions.HTTPException) as stop:
        asyncio.run(asked)
    assert stop.value.status_code == 401


@pytest.mark.parametrize("path", ["/internal/truncate", "/deploy", "/deploy/x"])
@pytest.mark.parametrize(("key", "taken"), [("", False), ("guess", False), ("the-token", True)])
def test_paths_that_ask_nobody_are_kept_for_the_token(
    monkeypatch: pytest.MonkeyPatch, path: str, key: str, taken: bool
) -> None:
    """The development server would forget all runs, or deploy, for whoever reaches its port."""
    monkeypatch.setattr(server, "_token", "the-token")
    reached: list[str] = []
    sent: list[Any] = []

    async def inner(scope: Any, _receive: Any, _send: Any) -> None:
        reached.append(scope["path"])

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {}

    headers = [(k.encode(), v.encode()) for k, v in {**HERE, "x-api-key": key}.items()]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    asyncio.run(server.Guard(inner)(scope, receive, send))
    assert reached == ([path] if taken else [])
    assert taken or sent[0]["status"] == 401


def test_objection_lists_the_models_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the offline model, until the owner lists others."""
    asked = {"kwargs": {"context": {"model": "google_genai:x", "workspace": None}}}
    assert "there are offline" in server.objection(asked)
    assert server.objection({"kwargs": {"context": {"model": "offline"}}}) == ""
    monkeypatch.setenv(server.MODELS, "offline, google_genai:x")
    assert server.objection(asked) == ""


def test_only_listed_data_sets_can_be_asked_about(
    sample_workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list holds for questions and tools alike: a set that is not on it does not exist."""
    place = Workspace.at(sample_workspace)
    monkeypatch.setenv("TUOM_DATASETS", "basic-motions, nowhere")
    assert available(place) == ["basic-motions"]
    with pytest.raises(NotFoundError, match="synthetic-days"):
        open_dataset("synthetic-days", place)


def test_the_token_is_printed_once_and_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One is made where none is set; the next worker shows the same."""
    monkeypatch.delenv(server.TOKEN, raising=False)
    made = server.the_token()
    assert made in capsys.readouterr().err
    assert len(made) >= 32
    assert server.the_token() == made
    assert capsys.readouterr().err == ""
