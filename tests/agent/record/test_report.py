"""The report page: self-contained, escaped, each number linked to where it is from."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import re

import pytest

from tool_use_om.agent.record.report import Report, Step, anchor, leaves, render
from tool_use_om.agent.verify.check import (
    OWN_END,
    OWN_START,
    VALUE_BAR,
    VALUE_END,
    VALUE_START,
)
from tool_use_om.data.show.figure import Bar, Bars, Figure, Line, Signals

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
    if VALUE_START in answer:
        fields["verification"] = {"marked": answer}
    return render(Report(**{**fields, **changes}))  # type: ignore[arg-type]  # a test's shorthand


def marked(text: str, index: int = 0) -> str:
    """Return a value as the check marks it: rendered from the finding at `index`."""
    return f"{VALUE_START}{index}{VALUE_BAR}{text}{VALUE_END}"


def test_value_links_to_the_result_it_was_rendered_from() -> None:
    """The link comes from the reference, whatever digits the value shows."""
    text = page(f"Accuracy is {marked('98.8 %')}.")
    target = anchor("r-0123456789ab", "/metrics/accuracy/value")
    assert f'href="#{target}"' in text.split("<h2>")[0]
    assert "98.8 %</a>" in text


def test_number_that_no_reference_gave_is_not_linked() -> None:
    """A link would lend it a source it does not have."""
    assert 'class="num"' not in page("Accuracy is 0.98765.")


def test_own_words_of_a_model_are_marked_and_counted() -> None:
    """What rests on no result looks different, and the promise is not made."""
    own = {"marked": f"{OWN_START}This is so.{OWN_END}", "own": ["This is so."], "sourced": False}
    text = page(verification=own, outcome="answer")
    assert '<mark class="own"' in text
    assert "own words" in text
    assert "Every number from a tool result" not in text


@pytest.mark.parametrize("outcome", ["refusal", "question", "unreadable", "partial"])
def test_an_end_that_is_no_answer_looks_like_none(outcome: str) -> None:
    """Each kind of end has its class and its line; only an answer is called one."""
    text = page(outcome=outcome)
    assert f'class="answer {outcome}"' in text
    assert "nswered" in text
    assert "a sourced answer" not in text


def test_page_promises_sources_only_where_each_sentence_has_them() -> None:
    """The promise needs the check's word for it, not only that nothing was cut."""
    assert "Every number from a tool result" not in page(outcome="answer")
    sourced = page(outcome="answer", verification={"sourced": True})
    assert "Every number from a tool result" in sourced


@pytest.mark.parametrize("where", ["question", "answer", "content"])
def test_page_holds_no_control_character_of_the_data(where: str) -> None:
    """Escapes, bells, zero bytes, returns and right-to-left overrides become a mark."""
    hostile = "a\x1b[2J\x07\x00\r\u202e\u2066b"
    changes: dict[str, object] = {where: hostile}
    if where == "content":
        step = Step(tool="t", arguments={}, content={hostile: hostile}, result_id=None, ok=True)
        changes = {"steps": [step]}
    text = page(**changes)  # type: ignore[arg-type]  # a test's shorthand
    assert not set(text) & set("\x1b\x07\x00\r\u202e\u2066")


def test_every_link_leads_to_an_anchor_on_the_page() -> None:
    """No number points into nothing."""
    parsed = Page(page())
    assert parsed.links
    assert {link.removeprefix("#") for link in parsed.links} <= set(parsed.ids)


def test_anchors_are_unique() -> None:
    """Two values never share an anchor."""
    ids = Page(page()).ids
    assert len(ids) == len(set(ids))


def series(name: str = "power", **changes: object) -> Figure:
    fields: dict[str, object] = {"title": f"Of {name}", "alt": "It peaks at 14.6 kW."}
    lines = (Line(name=name, x=(0.0, 1.0, 2.0), y=(0.3, 14.6, 0.3)),)
    panels = (Signals(title=name, unit="kW", lines=lines),)
    return Figure(**{**fields, "panels": panels, **changes})  # type: ignore[arg-type]  # likewise


def bars(**changes: object) -> Figure:
    rows = (Bar(name="walk", value=20, text="20"), Bar(name="run", value=3, text="3"))
    fields: dict[str, object] = {"title": "How many", "alt": "walk: 20, run: 3."}
    panels = (Bars(title="sessions", rows=rows),)
    return Figure(**{**fields, "panels": panels, **changes})  # type: ignore[arg-type]  # likewise


def step(*figures: Figure, tool: str = "run_task", result_id: str = "r-0123456789ab") -> Step:
    return Step(tool=tool, arguments={}, content={}, result_id=result_id, ok=True, figures=figures)


def test_page_needs_nothing_from_outside() -> None:
    """Figures are inlined; a page whose figures do not move has no script at all."""
    text = page(steps=[step(bars())], findings=[])
    parsed = Page(text)
    assert "script" not in parsed.tags
    assert "script-src 'none'" in text.replace("&#39;", "'")
    assert parsed.sources
    assert all(source.startswith("data:image/svg+xml;base64,") for source in parsed.sources)


def test_page_with_a_series_holds_the_kept_script_once_and_nothing_else_may_run() -> None:
    """Our text and uPlot's, its licence beside it, allowed by its hash."""
    text = page(steps=[step(series(), series("flow"))], findings=[])
    assert text.count("leeoniya/uPlot") == 1
    assert "The MIT License" in text
    assert text.count("<script>") == 1
    (ran,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(ran.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text.replace("&#39;", "'")


def test_the_answer_comes_first_then_its_figure_then_how_sure_then_the_rest_folded() -> None:
    """The order of a page is the order of what people want to know."""
    prose = (
        f"**It peaks at {marked('14.6 kW')}.**\n\n**How sure.** Quite sure.\n\n"
        "**Who answers.** The models.\n\n| model | value |\n| --- | --- |\n| a | 1 |"
    )
    text = page(prose, steps=[step(series(), bars(place="check"))], outcome="answer")
    places = [
        text.index(part)
        for part in ('class="headline"', "Of power", "Quite sure", "How many", "Who answers")
    ]
    assert places == sorted(places)
    assert "<details><summary>Who answers" in text
    assert "<details><summary>How sure" not in text


def test_alternative_text_states_the_finding() -> None:
    """Who cannot see the figure hears what it shows, and what the answer says of it."""
    text = page(f"**It peaks at {marked('14.6 kW')}.**", steps=[step(series())], outcome="answer")
    assert 'alt="It peaks at 14.6 kW. It peaks at 14.6 kW."' in text


def test_only_the_figures_that_the_first_sentence_rests_on_are_open() -> None:
    """A step on the way does not stand before the answer."""
    other = step(bars(title="On the way"), result_id="r-ba9876543210", tool="show_session_stats")
    text = page(
        f"**It peaks at {marked('14.6 kW')}.**", steps=[other, step(series())], outcome="answer"
    )
    assert text.index("Of power") < text.index("<h2>More</h2>") < text.index("On the way")


def test_what_data_call_their_things_ends_no_element_of_a_figure() -> None:
    """JSON beside a figure is inert: `</script>` in a name stays text in it."""
    hostile = "</script><script>alert(1)</script>\u202e"
    text = page(steps=[step(series(hostile))], findings=[], question="q")
    assert "<script>alert" not in text
    assert "\u202e" not in text
    assert text.count("</script>") == 2


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


def test_a_refusal_has_no_heading_over_nothing() -> None:
    """Where no tool was called there are no steps to head."""
    assert "step by step" not in page(steps=[], findings=[], outcome="refusal")
    assert "step by step" in page()
