"""The server's door: who may ask, from where, about what; `langgraph.json` names `auth` and `app`.

A web page that somebody has open can send requests to this machine. It may not: each request must
name this machine as its host, come from no foreign origin, carry JSON, and show the token that is
printed at the start. Studio's requests show no token; they come from `STUDIO`, and only a
development server takes them. A page of another origin in `ORIGINS` (a chat page served on this
machine) may ask with the token.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from typing import Any

from langgraph_sdk import Auth
from starlette.applications import Starlette
from starlette.middleware import Middleware

from tool_use_om.data.values import Json

TOKEN, HOSTS, MODELS = "TUOM_SERVER_TOKEN", "TUOM_SERVER_HOSTS", "TUOM_SERVER_MODELS"
STUDIO = "https://smith.langchain.com"
ORIGINS = frozenset({STUDIO, "http://localhost:3000"})
# paths of the development server that ask nobody who he is: one forgets all runs, one deploys
OPEN = ("/internal", "/deploy")
_BODY = frozenset({"POST", "PUT", "PATCH"})

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def listed(variable: str, default: str = "") -> frozenset[str]:
    """Return the names in a comma-separated environment variable."""
    return frozenset(filter(None, map(str.strip, os.environ.get(variable, default).split(","))))


def refusal(method: str, headers: Mapping[str, str]) -> tuple[int, str] | None:
    """Return the status and the reason why a request is not taken; None = it is.

    Parameters
    ----------
    headers : by lower-case name
    """
    host = _name(headers.get("host", ""))
    known = {"127.0.0.1", "localhost", "[::1]", *listed(HOSTS)}
    if host not in known:
        return 403, f"Host {host[:60]!r} is not this server. To serve it, name it in ${HOSTS}."
    origin = headers.get("origin")
    if origin is not None and origin not in ORIGINS:
        return 403, f"Requests from {origin[:60]!r} are not taken."
    if origin not in {None, STUDIO} and "x-auth-scheme" in headers:
        return 403, f"Only {STUDIO} is let in without the token: send it as x-api-key."
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if method in _BODY and kind != "application/json" and headers.get("content-length") != "0":
        return 415, f"Content-Type must be application/json, got {kind[:40]!r}."
    return None


def _name(host: str) -> str:
    """Return a Host header without its port."""
    return host[: host.index("]") + 1] if "]" in host else host.partition(":")[0]


class Guard:
    """Turns away what `refusal` names, before anything else looks at the request."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with the reason why not."""
        inner = str(scope.get("root_path", "")).startswith("/noauth")  # the server's own calls
        if scope["type"] not in {"http", "websocket"} or inner:
            await self._app(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        refused = refusal(str(scope.get("method", "GET")), headers)
        if refused is None and str(scope["path"]).startswith(OPEN):
            key = headers.get("authorization") or headers.get("x-api-key", "")
            refused = None if holds(key) else (401, _SHOW_IT)
        if refused is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refused[1]})
        else:
            await _answer(send, *refused)


async def _answer(send: Send, status: int, reason: str) -> None:
    body = json.dumps({"detail": reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def the_token() -> str:
    """Return the token callers must show: `$TUOM_SERVER_TOKEN`, else a new one, printed once."""
    given = os.environ.get(TOKEN)
    if given:
        return given
    made = secrets.token_urlsafe(24)
    os.environ[TOKEN] = made  # a reloaded worker keeps it
    print(f"token for callers (Authorization: Bearer …): {made}", file=sys.stderr, flush=True)
    return made


def holds(shown: str) -> bool:
    """Say whether a header shows the token."""
    key = shown.removeprefix("Bearer ").strip()
    return hmac.compare_digest(key.encode(), _token.encode())


_SHOW_IT = (
    "Send 'Authorization: Bearer <token>' (or 'x-api-key: <token>') with the token printed at the "
    f"start, or set ${TOKEN}."
)
auth = Auth()
app = Starlette(middleware=[Middleware(Guard)])
_token = the_token()


@auth.authenticate
async def authenticate(authorization: str | None, headers: Mapping[bytes, bytes]) -> str:
    """Take whoever shows the token, as a bearer or as an API key; refuse all others."""
    key = headers.get(b"x-api-key", b"").decode("latin-1")
    if not holds(authorization or key):
        raise Auth.exceptions.HTTPException(status_code=401, detail=_SHOW_IT)
    return "holder-of-the-token"


@auth.on
async def allowed(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> None:  # noqa: ARG001 - the form of a handler
    """Refuse a run or an assistant that asks for more than this server gives.

    Raises
    ------
    HTTPException : a workspace (the server's own is used), or a model that is not on its list
    """
    wrong = objection(value)
    if wrong:
        raise Auth.exceptions.HTTPException(status_code=403, detail=wrong)


def objection(value: Json) -> str:
    """Return what a request asks for that it may not have, in one sentence; empty = nothing."""
    models = listed(MODELS, "offline")
    for asked in _levels(value):
        if asked.get("webhook"):
            return "This server calls no address: leave `webhook` out."
    for asked in _settings(value):
        if asked.get("workspace"):
            return "The workspace is fixed by the server: leave `workspace` out."
        if asked.get("model") and str(asked["model"]) not in models:
            return (
                f"Model {str(asked['model'])[:60]!r} is not allowed here; there are "
                f"{', '.join(sorted(models))}. The server's owner lists them in ${MODELS}."
            )
    return ""


def _levels(value: Json) -> Iterator[Mapping[str, Any]]:
    """Yield a request's mapping and those inside it that hold its parts."""
    if not isinstance(value, Mapping):
        return
    yield value
    for key in ("kwargs", "config", "payload"):
        yield from _levels(value.get(key))


def _settings(value: Json) -> Iterator[Mapping[str, Any]]:
    """Yield every mapping in which a request can name a workspace or a model."""
    for level in _levels(value):
        for key in ("context", "configurable", "input"):
            if isinstance(level.get(key), Mapping):
                yield level[key]
