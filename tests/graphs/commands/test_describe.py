"""`tuom describe`: the corpus checked, from the command to the page a person opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from tool_use_om.evals.describe import corpus
from tool_use_om.graphs.commands.main import main


def test_validate_writes_a_page_with_samples_and_no_contradiction(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One self-contained page: figures inside, nothing loaded, the command printed."""
    page = tmp_path / "page.html"
    with pytest.raises(SystemExit) as ended:
        main(["describe", "validate", "--samples", "60", "--seed", "3", "--out", str(page)])
    assert ended.value.code in (0, None)
    assert "60 samples, 0 contradictions" in capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 12
    assert "Contradictions found: 0." in text
    assert "tuom describe validate --samples 60 --seed 3" in text
    assert 'src="http' not in text


def test_validate_fails_where_a_text_is_against_its_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A corpus that contradicts itself is no success, and the page says how."""
    monkeypatch.setattr(corpus, "contradictions", lambda *_: ["says cpu <rise>"])
    page = tmp_path / "page.html"
    with pytest.raises(SystemExit) as ended:
        main(["describe", "validate", "--samples", "20", "--out", str(page)])
    assert ended.value.code == 1
    assert "says cpu &lt;rise&gt;" in page.read_text(encoding="utf-8")


def test_a_question_gets_a_description_that_is_marked_as_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the words of the question to the report a person reads, without any language model."""
    question = "describe what happens in the first 5 seconds of bm-test-003"
    with pytest.raises(SystemExit) as ended:
        main(["ask", question, "--data", "basic-motions", "--workspace", str(tmp_path)])
    assert ended.value.code in (0, None)
    told = capsys.readouterr().out
    assert "A description of bm-test-003 from 0 s to 5 s" in told
    assert "every number from a tool result" in told
    (report,) = tmp_path.glob("runs/*/report.html")
    page = report.read_text(encoding="utf-8")
    assert "A description" in page
    assert "no head was fitted" in page
