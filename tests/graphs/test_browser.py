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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

client = pytest.importorskip("websockets.sync.client")

from tool_use_om.data.format.schema import Channel, Modality  # noqa: E402 - skipped first
from tool_use_om.data.format.writer import DataSetWriter  # noqa: E402
from tool_use_om.data.show import interactive  # noqa: E402
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
RUN = 'script:not([type="application/json"])'
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

    def size(self, width: int, height: int = 900) -> None:
        """Give the page a screen of so many pixels."""
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height,
            deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    def media(self, kind: str) -> None:
        """Show the page as on another medium, such as print."""
        self._call("Emulation.setEmulatedMedia", media=kind)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press, move and release the mouse."""
        for kind, (x, y), held in (
            ("mouseMoved", start, 0), ("mousePressed", start, 1), ("mouseMoved", end, 1),
            ("mouseReleased", end, 0),
        ):  # fmt: skip
            self._call(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left" if held or
                kind == "mouseReleased" else "none", buttons=held, clickCount=1,
            )  # fmt: skip

    def key(self, name: str) -> None:
        """Press a key."""
        text = {"text": name} if len(name) == 1 else {}
        for kind in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, key=name, **text)

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
    assert browser.run("document.querySelectorAll('iframe,svg,object,embed').length") == 0
    ran = browser.run(f"[...document.querySelectorAll(`{RUN}`)].map(e => e.textContent)")
    assert set(ran) <= {interactive.script()}
    assert browser.run("document.body.innerText.includes('window.pwned=1')")
    acting = "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes])"
    assert browser.run(f"{acting}.filter(a => a.name.startsWith('on')).length") == 0
    assert browser.run(f"{acting}.filter(a => /^\\s*javascript:/i.test(a.value)).length") == 0


def spiked_set(root: Path) -> None:
    """Write two weeks of minutes with dates and one spike."""
    values = 0.4 + 0.1 * np.sin(np.arange(20160) / 1440 * 2 * np.pi)
    values[12097] = 14.6
    with DataSetWriter(
        root / "datasets" / "house", name="house", title="House", synthetic=True, licence="none",
        source="made", split_rule="one", debug=False,
        modalities=(
            Modality(
                name="signal", rate_hz=1 / 60, channels=(Channel(name="power", unit="kW"),)
            ),
        ),
    ) as writer:  # fmt: skip
        writer.add_session(
            "house", subject_id="house", split="train",
            start_utc=datetime(2025, 3, 1, tzinfo=UTC),
            signals={"signal": (np.arange(20160) * 60.0, values[:, None])},
        )  # fmt: skip


def report_on(root: Path, question: str, data: str) -> str:
    """Ask a question; return the address of its report."""
    where = ["--data", data, "--run", "a", "--workspace", str(root)]
    with pytest.raises(SystemExit):
        cli.main(["ask", question, *where])
    return (root / "runs" / "a" / "report.html").as_uri()


WIDER = """[...document.querySelectorAll('main *')].filter(e => !e.closest('.wide, .tall, .code')
  && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).length"""


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(
    ("question", "data"),
    [
        ("How many walking sessions are there?", "basic-motions"),
        ("What is the mean of accelerometer.x for each activity?", "basic-motions"),
        ("Plot the first 2 sessions", "basic-motions"),
        ("When is power highest?", "house"),
    ],
)
def test_nothing_is_cut_at_either_width(
    browser: Browser, tmp_path: Path, question: str, data: str, width: int
) -> None:
    """No page is wider than the screen, with everything unfolded, too; what is read first fits."""
    if data == "house":
        spiked_set(tmp_path)
    browser.size(width)
    browser.open(report_on(tmp_path, question, data))
    first = "[...document.querySelectorAll('.answer .wide, figure')]"
    assert browser.run(f"{first}.filter(e => e.scrollWidth > e.clientWidth + 1).length") == 0
    browser.run("document.querySelectorAll('details').forEach(e => e.open = true)")
    time.sleep(0.3)
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run(WIDER) == 0
    alts = browser.run("[...document.querySelectorAll('figure.whole img')].map(e => e.alt.length)")
    assert alts
    assert min(alts) > 20


def test_a_series_zooms_pans_and_tells_what_is_brushed(browser: Browser, tmp_path: Path) -> None:
    """By mouse and by keyboard; the spike is in what is told of the whole, and in its scale."""
    spiked_set(tmp_path / "ws")
    browser.size(1280)
    browser.open(report_on(tmp_path / "ws", "When is power highest?", "house"))
    told = "document.querySelector('.live output').textContent"
    browser.run("document.querySelector('.live').scrollIntoView({block: 'center'})")
    box = browser.run("(b => [b.left, b.top, b.width, b.height])"
                      "(document.querySelector('.u-over').getBoundingClientRect())")  # fmt: skip
    browser.drag((box[0] + 2, box[1] + 50), (box[0] + box[2] - 2, box[1] + 60))
    assert "to 14.6 kW" in browser.run(told)
    assert "1 Mar 2025" in browser.run(told)
    assert browser.run("getComputedStyle(document.querySelector('figure > picture')).display") == (
        "none"
    )
    browser.drag((box[0] + 2, box[1] + 50), (box[0] + box[2] / 4, box[1] + 60))
    assert "14.6" not in browser.run(told)
    browser.run("document.querySelector('.live').focus()")
    for key in ("+", "+", "ArrowRight"):
        browser.key(key)
    browser.drag((box[0] + 2, box[1] + 50), (box[0] + box[2] - 2, box[1] + 60))
    zoomed = browser.run(told)
    assert "1 Mar 2025" not in zoomed
    browser.key("0")
    browser.drag((box[0] + 2, box[1] + 50), (box[0] + box[2] - 2, box[1] + 60))
    assert "to 14.6 kW" in browser.run(told)


def test_print_shows_the_static_picture(browser: Browser, tmp_path: Path) -> None:
    """Paper does not zoom; what is folded stays folded."""
    spiked_set(tmp_path / "ws")
    browser.open(report_on(tmp_path / "ws", "When is power highest?", "house"))
    browser.media("print")
    shown = "getComputedStyle(document.querySelector('SELECTOR')).display"
    assert browser.run(shown.replace("SELECTOR", "figure > picture")) != "none"
    assert browser.run(shown.replace("SELECTOR", ".live")) == "none"


def test_overview_reaches_every_session(browser: Browser, tmp_path: Path) -> None:
    """Each session can be chosen, and is drawn when it is."""
    hostile_set(tmp_path / "ws")
    browser.size(390)
    browser.open(pages(tmp_path / "ws")["overview"]().as_uri())
    names = browser.run("[...document.querySelector('select').options].map(o => o.text)")
    assert names == [f"s{i}" for i in range(9)]
    browser.run("(s => {s.value = 8; s.dispatchEvent(new Event('change'))})"
                "(document.querySelector('select'))")  # fmt: skip
    assert "s8" in browser.run("document.querySelector('.live').getAttribute('aria-label')")
    assert browser.run("document.querySelectorAll('.live').length") == 1
    assert browser.run("document.documentElement.scrollWidth") <= 390


def test_the_browser_would_have_run_it(browser: Browser, tmp_path: Path) -> None:
    """The same text unescaped does set the mark: the test above could fail."""
    path = tmp_path / "page.html"
    path.write_text(f"<!doctype html><body>{ACTS[1]}</body>")
    browser.open(path.as_uri())
    time.sleep(0.5)
    assert browser.run("window.pwned") == 1
