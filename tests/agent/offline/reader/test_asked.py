"""From a question as people put it to the answer they read, reader and rules together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.graph import build_graph
from tool_use_om.agent.offline.reader.encoder import installed
from tool_use_om.agent.offline.reader.understand import VARIABLE

pytestmark = pytest.mark.skipif(not installed(), reason="the extra [language] is not installed")


@pytest.mark.parametrize(
    ("question", "outcome", "said"),
    [
        ("what's the tally of recordings with people jogging?", "answer", "20 of the 80 sessions"),
        ("How many sessions are there?", "answer", "has 80 sessions"),
        ("how long does the longest one go on for", "answer", "10 s"),
        ("average heart rate while walking", "question", 'no channel "heart rate"'),
        ("write me a poem about the sea", "refusal", ""),
        ("delete session bm-test-003", "refusal", "cannot"),
    ],
)
def test_question_gets_what_is_true_or_is_refused(
    question: str,
    outcome: str,
    said: str,
    sample_workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Right, or said to be out of reach; never a confident answer to something else."""
    monkeypatch.delenv(VARIABLE)
    context = AgentContext(dataset="basic-motions", workspace=str(sample_workspace))
    state = build_graph().invoke({"question": question}, context=context)
    assert state["outcome"] == outcome, state["answer"]
    assert said in state["answer"]
    assert bool(state["findings"]) == (outcome == "answer")
