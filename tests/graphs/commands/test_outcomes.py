"""An answer, a question back, a refusal and an unreadable reply end differently, everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from tool_use_om.agent import nodes
from tool_use_om.graphs.commands import main as cli


class Babbler(GenericFakeChatModel):
    """A model whose every reply is no JSON object."""

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self


ENDS = [
    ("How many sessions are there?", 0, "a sourced answer"),
    ("Send an email to my boss", 3, "no answer"),
    ("What is the mean of the barometer?", 3, "a question back"),
]


@pytest.mark.parametrize(("question", "code", "said"), ENDS)
def test_each_end_has_its_exit_code_and_its_page(
    sample_workspace: Path, question: str, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = f"end-{code}-{len(question)}"
    with pytest.raises(SystemExit) as stop:
        cli.main(["ask", question, "--workspace", str(sample_workspace), "--run", run])
    assert stop.value.code == code
    page = (sample_workspace / "runs" / run / "report.html").read_text(encoding="utf-8")
    assert said in page
    printed = capsys.readouterr().out
    assert ("every number from a tool result" in printed) == (code == 0)


def test_unreadable_reply_has_a_code_of_its_own(
    sample_workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model that never writes the form is told as that; nothing of its raw text is shown."""
    babble = Babbler(messages=iter([AIMessage("{{{ raw babble 4711")] * 40))
    monkeypatch.setattr(nodes, "resolve_model", lambda *_: babble)
    with pytest.raises(SystemExit) as stop:
        cli.main(["ask", "How many?", "--workspace", str(sample_workspace), "--run", "babble"])
    printed = capsys.readouterr().out
    assert stop.value.code == 4
    assert "4711" not in printed
    assert "unreadable" in printed
