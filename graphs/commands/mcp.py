"""`tuom mcp`: the agent for Claude Desktop, VS Code, Cursor and other clients of the protocol."""

from __future__ import annotations

import hmac
import json
import os
import secrets
import socket
import sys
from pathlib import Path
from typing import Any, Literal

import typer

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Client = Literal["claude", "cursor", "vscode"]
_WORKSPACE = typer.Option(
    None, "--workspace", help="Folder of data sets [$TUOM_WORKSPACE, else ./.tuom]."
)
_CONFIG = typer.Option(None, "--config", help="Print what a client's settings need, and end.")
_FILES: dict[str, str] = {
    "claude": "claude_desktop_config.json",
    "cursor": ".cursor/mcp.json",
    "vscode": ".vscode/mcp.json",
}


@app.command()
def mcp(
    *,
    tools: Literal["ask", "eda", "all"] = typer.Option(
        "ask", help="ask: one question tool; eda: also tools that look; all: also those that run."
    ),
    http: bool = typer.Option(False, "--http", help="Streamable HTTP in place of stdin/stdout."),
    host: str = typer.Option("127.0.0.1", help="With --http: the address to listen at."),
    port: int = typer.Option(8722, min=1, max=65535, help="With --http."),
    model: str = typer.Option("offline", "--model", "-m", help="Who answers questions."),
    workspace: Path | None = _WORKSPACE,
    config: Client | None = _CONFIG,
) -> None:
    """Serve the agent over the Model Context Protocol."""
    place = Workspace.at(workspace)
    if config is not None:
        typer.echo(f"# {_FILES[config]}", err=True)
        typer.echo(json.dumps(settings_for(config, place, tools), indent=2))
        return
    server = _server(place, model, tools)
    if http:
        _serve_http(server, host, port)
    else:
        server.run("stdio")


def settings_for(client: str, place: Workspace, tools: str = "ask") -> dict[str, Any]:
    """Return the settings that make a client start this server."""
    arguments = ["-m", "tool_use_om.graphs.commands.main", "mcp", "--workspace", str(place.root)]
    if tools != "ask":
        arguments += ["--tools", tools]
    entry = {"command": sys.executable, "args": arguments}
    if client == "vscode":
        return {"servers": {"time-series": {"type": "stdio", **entry}}}
    return {"mcpServers": {"time-series": entry}}


def _server(place: Workspace, model: str, tools: Literal["ask", "eda", "all"]) -> Any:  # noqa: ANN401 - a class of an extra
    try:
        from tool_use_om.graphs.mcp import Desk, build_server
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] != "mcp":
            raise
        raise DataError(
            "The protocol's SDK is not installed. Install it: pip install 'tool-use-om[mcp]'"
        ) from error
    return build_server(Desk(place, model=model), tools)


def _serve_http(server: Any, host: str, port: int) -> None:  # noqa: ANN401 - as above
    import uvicorn
    from mcp.server.transport_security import TransportSecuritySettings

    _check_free(host, port)
    token = os.environ.get("TUOM_SERVER_TOKEN") or secrets.token_urlsafe(24)
    if not os.environ.get("TUOM_SERVER_TOKEN"):
        typer.echo(f"token for clients (Authorization: Bearer …): {token}", err=True)
    names = [f"{name}:{port}" for name in {host, "127.0.0.1", "localhost"}]
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=True, allowed_hosts=names, allowed_origins=[]
    )
    inner = server.streamable_http_app(host=host, transport_security=security)
    typer.echo(f"http://{host}:{port}/mcp", err=True)
    uvicorn.run(with_token(inner, token), host=host, port=port, log_level="warning")


def with_token(inner: Any, token: str) -> Any:  # noqa: ANN401 - ASGI applications have no type of their own
    """Return an application that lets through only those who show the token."""

    async def guarded(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - as ASGI has it
        headers = dict(scope.get("headers") or ())
        shown = headers.get(b"authorization", b"").removeprefix(b"Bearer ").strip()
        if scope["type"] != "http" or hmac.compare_digest(shown, token.encode()):
            await inner(scope, receive, send)
            return
        body = b'{"detail": "Send Authorization: Bearer <token>, the token printed at the start."}'
        kind = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 401, "headers": kind})
        await send({"type": "http.response.body", "body": body})

    return guarded


def _check_free(host: str, port: int) -> None:
    """Refuse a port that something else listens at."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise DataError(
                f"Cannot listen at {host}:{port} ({error.strerror}). Give another --port."
            ) from error
