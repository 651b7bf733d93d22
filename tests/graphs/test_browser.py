"""A real browser: Studio's page drives the server, no other page does; pages of data do not act."""

from __future__ import annotations

import base64
import itertools
import json
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

client = pytest.importorskip("websockets.sync.client")

from tool_use_om.data.format.schema import Channel, Modality  # noqa: E402 - skipped first
from tool_use_om.data.format.writer import DataSetWriter  # noqa: E402
from tool_use_om.graphs.commands import main as cli  # noqa: E402

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here"),
]
STUDIO = "https://smith.langchain.com"
EVIL = "http://evil.example"
ACTS = (
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    "<svg onload=window.pwned=1>",
    '"><iframe srcdoc="<script>parent.pwned=1</script>">',
    "</style></title></script><script>window.pwned=1</script>",
    "[x](javascript:window.pwned=1)",
    "' autofocus onfocus=window.pwned=1 x='",
)


class Browser:
    """Chromium without a window, driven over its DevTools protocol."""

    def __init__(self, folder: Path) -> None:
        command = [
            str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--remote-debugging-port=0",
            f"--user-data-dir={folder / 'profile'}",
            "--host-resolver-rules=MAP rebound.example 127.0.0.1, MAP evil.example 127.0.0.1",
            # a person is asked whether a site may reach this machine: here they have said yes
            "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
            "about:blank",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stderr is not None
        address = ""
        while not address:
            line = self._process.stderr.readline()
            assert line, "chromium ended before it listened"
            address = line.partition("listening on ")[2].strip()
        self._socket = client.connect(address, max_size=None)
        self._ids = itertools.count(1)
        self.pages: dict[str, str] = {}  # address → HTML that is served there
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session: str | None = attached["sessionId"]
        self._call("Page.enable")
        self._call("Fetch.enable", patterns=[{"urlPattern": f"{o}/page"} for o in (STUDIO, EVIL)])

    _session = None

    def _call(self, method: str, **params: Any) -> Any:
        number = next(self._ids)
        self._send(number, method, params)
        while True:
            message = json.loads(self._socket.recv(timeout=120))
            if message.get("method") == "Fetch.requestPaused":
                self._serve(message["params"])
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    def _send(self, number: int, method: str, params: dict[str, Any]) -> None:
        session = {"sessionId": self._session} if self._session else {}
        self._socket.send(json.dumps({"id": number, "method": method, "params": params} | session))

    def _serve(self, asked: dict[str, Any]) -> None:
        body = base64.b64encode(b"<!doctype html><title>a page</title>").decode()
        answer = {"requestId": asked["requestId"], "responseCode": 200, "body": body}
        headers = [{"name": "Content-Type", "value": "text/html"}]
        self._send(next(self._ids), "Fetch.fulfillRequest", {**answer, "responseHeaders": headers})

    def open(self, address: str) -> None:
        """Go to an address and wait until it is loaded."""
        self._call("Page.navigate", url=address)
        end = time.monotonic() + 60
        while self.run("document.readyState + location.href") != "complete" + address:
            assert time.monotonic() < end, self.run("document.readyState + location.href")
            time.sleep(0.05)

    def run(self, script: str) -> Any:
        """Run a script in the page as its own; return what it gives."""
        found = self._call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def close(self) -> None:
        """End the browser."""
        self._socket.close()
        self._process.terminate()
        self._process.wait(20)
        assert self._process.stderr is not None
        self._process.stderr.close()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    made = Browser(tmp_path)
    yield made
    made.close()


FETCH = """fetch(ADDRESS, {method: "POST", headers: HEADERS, body: BODY, mode: MODE})
  .then(r => r.text().then(t => r.status + " " + t), e => "stopped: " + e)"""


def posted(
    browser: Browser, address: str, headers: dict[str, str], body: object, mode: str = "cors"
) -> str:
    """POST from the page the browser is on, as its script would."""
    values = {"ADDRESS": address, "HEADERS": headers, "BODY": json.dumps(body), "MODE": mode}
    script = re.sub(r"\b(ADDRESS|HEADERS|BODY|MODE)\b", lambda m: json.dumps(values[m[0]]), FETCH)
    return str(browser.run(script))


JSON = {"Content-Type": "application/json"}
STUDIOS = {**JSON, "x-auth-scheme": "langsmith"}
ASK = {"assistant_id": "answer", "input": {"question": "How many sessions are there?"}}


def threads(served: Any) -> int:
    """Return how many threads the server keeps."""
    request = urllib.request.Request(
        f"{served.url}/threads/search", data=b'{"limit": 1000}', headers={**JSON, **served.shown}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return len(json.load(reply))


def test_a_page_of_studios_asks_the_server_and_reads_the_answer(
    browser: Browser, served: Any
) -> None:
    """Preflight and POST of a real browser, from Studio's origin."""
    browser.open(f"{STUDIO}/page")
    reply = posted(browser, f"{served.url}/runs/wait", STUDIOS, ASK)
    assert reply.startswith("200"), reply
    assert "80" in reply


@pytest.mark.parametrize("headers", [STUDIOS, JSON, {"Content-Type": "text/plain"}, {}])
@pytest.mark.parametrize("mode", ["cors", "no-cors"])
def test_a_foreign_page_can_drive_nothing(
    browser: Browser, served: Any, headers: dict[str, str], mode: str
) -> None:
    """With and without preflight, reading the reply or not: no thread is made."""
    before = threads(served)
    browser.open(f"{EVIL}/page")
    reply = posted(browser, f"{served.url}/threads", headers, {}, mode)
    assert reply.startswith("stopped" if mode == "cors" else ("0 ", "stopped")), reply
    assert threads(served) == before


def test_a_form_of_a_foreign_page_can_drive_nothing(browser: Browser, served: Any) -> None:
    """A form needs no leave to be sent; its kind of content is not taken."""
    before = threads(served)
    browser.open(f"{EVIL}/page")
    browser.run(
        f"""document.body.innerHTML = '<form method=post enctype="text/plain" target=out '
        + 'action="{served.url}/threads"><input name=\\'{{"a":"\\' value=\\'"}}\\'></form>'
        + '<iframe name=out></iframe>'; document.forms[0].submit(); 1"""
    )
    time.sleep(2)
    assert threads(served) == before


def test_a_page_whose_name_is_rebound_to_this_machine_can_drive_nothing(
    browser: Browser, served: Any
) -> None:
    """Of one origin with the server in the browser's eyes; its Host gives it away."""
    address = f"http://rebound.example:{served.url.rpartition(':')[2]}"
    browser.open(f"{address}/ok")
    assert "not this server" in browser.run("document.body.innerText")
    reply = posted(browser, f"{address}/threads", STUDIOS, {})
    assert reply.startswith("403"), reply


def hostile_set(root: Path) -> None:
    """Write a set whose every free text tries to run a script."""
    text = " ".join(ACTS)
    channels = (Channel(name="x", unit="g"), Channel(name="y", unit="g"))
    rng = np.random.default_rng(0)
    with DataSetWriter(
        root / "datasets" / "set", name="set", title=text, synthetic=True, licence=text,
        source=text, split_rule=text, notes=ACTS, debug=False,
        modalities=(Modality(name="motion", rate_hz=10.0, channels=channels),),
    ) as writer:  # fmt: skip
        for i in range(9):
            writer.add_session(
                f"s{i}", subject_id=f"{ACTS[i % 7]}{i}",
                split=("train", "calibration", "test")[i % 3],
                signals={"motion": (np.arange(60) / 10, rng.normal(size=(60, 2)))},
                labels=[(0.0, 6.0, ACTS[i % 7], "activity")],
            )  # fmt: skip


def pages(root: Path) -> dict[str, Callable[[], Path]]:
    """Return how each page of a set of data is made."""
    where = ["--workspace", str(root)]

    def asked(question: str, run: str) -> Path:
        with pytest.raises(SystemExit) if "swim" in question else nothing():
            cli.main(["ask", question, "--data", "set", "--run", run, *where])
        return root / "runs" / run / "report.html"

    def overview() -> Path:
        with pytest.raises(SystemExit):
            cli.main(["data", "overview", "set", "--out", str(root / "out"), *where])
        return next((root / "out").glob("*.html"))

    return {
        "answer": lambda: asked("Which channel has the highest variance of each label?", "a"),
        "plot": lambda: asked(f"Plot the sessions {ACTS[1]}", "b"),
        "overview": overview,
    }


def nothing() -> Any:
    from contextlib import suppress

    return suppress(SystemExit)


@pytest.mark.parametrize("page", ["answer", "plot", "overview"])
def test_no_script_of_the_data_runs_in_a_page(browser: Browser, tmp_path: Path, page: str) -> None:
    """Opened for real: nothing set the mark, and the page holds no element that could."""
    hostile_set(tmp_path / "ws")
    made = pages(tmp_path / "ws")[page]()
    browser.open(made.as_uri())
    time.sleep(0.5)
    assert browser.run("typeof window.pwned") == "undefined"
    assert browser.run("document.querySelectorAll('script,iframe,svg,object,embed').length") == 0
    assert browser.run("document.body.innerText.includes('window.pwned=1')")
    acting = "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes])"
    assert browser.run(f"{acting}.filter(a => a.name.startsWith('on')).length") == 0
    assert browser.run(f"{acting}.filter(a => /^\\s*javascript:/i.test(a.value)).length") == 0


def test_the_browser_would_have_run_it(browser: Browser, tmp_path: Path) -> None:
    """The same text unescaped does set the mark: the test above could fail."""
    path = tmp_path / "page.html"
    path.write_text(f"<!doctype html><body>{ACTS[1]}</body>")
    browser.open(path.as_uri())
    time.sleep(0.5)
    assert browser.run("window.pwned") == 1
