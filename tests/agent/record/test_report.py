"""The report page: self-contained, escaped, each number linked to where it is from."""

from __future__ import annotations

import html.parser
from pathlib import Path

import pytest

from tool_use_om.agent.record.report import Report, Step, anchor, leaves, link_numbers, render

FINDING = {
    "statement": "Accuracy on held-out sessions",
    "value": 0.98765,
    "unit": None,
    "source": {"result_id": "r-0123456789ab", "pointer": "/metrics/accuracy/value"},
    "compare": None,
}
STEP = Step(
    tool="run_task",
    arguments={"target_label": "walking"},
    content={"metrics": {"accuracy": {"value": 0.98765}}, "segments": [{"start_s": 1.5}]},
    result_id="r-0123456789ab",
    ok=True,
)


class Page(html.parser.HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        values = dict(attrs)
        if values.get("id"):
            self.ids.append(str(values["id"]))
        if values.get("href"):
            self.links.append(str(values["href"]))
        if values.get("src"):
            self.sources.append(str(values["src"]))


def page(answer: str = "Accuracy is 0.99.", **changes: object) -> str:
    fields = {"question": "How good?", "answer": answer, "findings": [FINDING], "steps": [STEP]}
    return render(Report(**{**fields, **changes}))  # type: ignore[arg-type]  # a test's shorthand


@pytest.mark.parametrize("shown", ["0.99", "0.988", "99", "98.8"])
def test_number_in_prose_links_to_the_value_it_rounds(shown: str) -> None:
    """A rounded number, or the same in per cent, points to its tool result."""
    text = page(f"Accuracy is {shown}.")
    assert f'href="#{anchor("r-0123456789ab", "/metrics/accuracy/value")}"' in text.split("<h2>")[0]


@pytest.mark.parametrize("shown", ["0.98", "0.97", "1000", "0.9"])
def test_number_that_is_no_rounding_is_not_linked(shown: str) -> None:
    """0.98 is no rounding of 0.98765; a link would lend it a source it does not have."""
    assert 'class="num"' not in page(f"Accuracy is {shown}.")


def test_every_link_leads_to_an_anchor_on_the_page() -> None:
    """No number points into nothing."""
    parsed = Page(page())
    assert parsed.links
    assert {link.removeprefix("#") for link in parsed.links} <= set(parsed.ids)


def test_anchors_are_unique() -> None:
    """Two values never share an anchor."""
    ids = Page(page()).ids
    assert len(ids) == len(set(ids))


def test_page_needs_nothing_from_outside(tmp_path: Path) -> None:
    """Figures are inlined; there is no script and no address."""
    figure = tmp_path / "segments.png"
    figure.write_bytes(b"\x89PNG\r\n\x1a\n")
    step = Step(
        tool="run_task", arguments={}, content={}, result_id="r-0123456789ab", ok=True,
        figures=(figure,),
    )  # fmt: skip
    parsed = Page(page(steps=[step], findings=[]))
    assert "script" not in parsed.tags
    assert parsed.sources
    assert all(source.startswith("data:image/png;base64,") for source in parsed.sources)


@pytest.mark.parametrize("where", ["question", "answer", "statement", "content", "error"])
def test_text_from_models_and_data_is_escaped(where: str) -> None:
    """A hostile label or answer stays text."""
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    changes: dict[str, object] = {}
    if where in ("question", "answer"):
        changes[where] = hostile
    elif where == "statement":
        changes["findings"] = [{**FINDING, "statement": hostile}]
    else:
        content = {"label": hostile} if where == "content" else hostile
        changes["steps"] = [
            Step(tool="t", arguments={"label": hostile}, content=content, result_id=None, ok=False)
        ]
    parsed = Page(page(**changes))  # type: ignore[arg-type]  # a test's shorthand
    assert not parsed.tags & {"script", "img"}


def test_leaves_escape_pointer_steps() -> None:
    """Keys with `/` and `~` follow RFC 6901, so that a pointer resolves again."""
    assert dict(leaves({"a/b": {"m~n": 1}, "c": [2]})) == {"/a~1b/m~0n": 1, "/c/0": 2}


def test_cut_statements_are_shown() -> None:
    """What the verifier cut is reported, not hidden."""
    text = page(verification={"rejected": [{"text": "It rained.", "reason": "no result says so"}]})
    assert "It rained." in text
    assert "no result says so" in text


def test_number_links_to_the_finding_its_row_speaks_of() -> None:
    """Two sessions with the same value: each row's number is that row's session."""
    findings = [
        {**FINDING, "statement": f"Confidence of {name}", "value": 0.5,
         "source": {"result_id": "r-0123456789ab", "pointer": f"/segments/{i}/confidence"}}
        for i, name in enumerate(["walk-a", "walk-b"])
    ]  # fmt: skip
    text = link_numbers("<p>walk-b has 0.5</p><p>walk-a has 0.5</p>", findings)
    assert text.index("/segments/1/confidence") < text.index("/segments/0/confidence")


def test_number_links_to_the_finding_its_clause_speaks_of() -> None:
    """Of two equal numbers in one paragraph each links to its own source."""
    findings = [
        {**FINDING, "statement": name, "value": 1.0,
         "source": {"result_id": "r-0123456789ab", "pointer": f"/{name}/value"}}
        for name in ("accuracy", "recall")
    ]  # fmt: skip
    text = link_numbers("<p>The recall is 100 %; the accuracy is 100 %.</p>", findings)
    assert text.index("/recall/value") < text.index("/accuracy/value")
