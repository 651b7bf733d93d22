"""The conversations: well formed, enough of them, and understood by the rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from tool_use_om.data.errors import TuomError
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.suites.questions.conversations import ConversationSuite, conversations, hold


@pytest.fixture(scope="module")
def suite(sample_workspace: Path) -> ConversationSuite:
    return ConversationSuite(workspace=Workspace.at(sample_workspace), data=["basic-motions"])


def test_every_conversation_has_turns_of_its_own() -> None:
    every = list(conversations())
    names = [(c["split"], c["id"]) for c in every]
    assert len(set(names)) == len(names)
    assert all(2 <= len(c["turns"]) <= 5 for c in every)


def test_right_and_wrong_turns_are_told_apart(suite: ConversationSuite) -> None:
    """A turn that means something else than it plans is wrong; one that plans nothing asks back."""
    cards = suite.cards["basic-motions"]
    turns = [
        ("Find walking", "Find walking"), ("and running?", "Find standing"),
        ("and swimming?", "Find walking"), ("and badminton?", "Find badminton"),
    ]  # fmt: skip
    kinds = [turn["kind"] for turn in hold(turns, cards)]
    assert kinds == ["right", "wrong", "asked back", "right"]


def test_rules_understand_the_development_conversations(suite: ConversationSuite) -> None:
    rows = [suite.run(item) for item in suite.items() if item.startswith("dev/")]
    turns = [turn for row in rows for turn in row["turns"]]
    wrong = [turn for turn in turns if turn["kind"] == "wrong"]
    assert not wrong
    assert sum(t["kind"] == "right" for t in turns) >= 0.95 * len(turns)


def test_unknown_data_set_is_refused(sample_workspace: Path) -> None:
    with pytest.raises(TuomError, match="no-such"):
        ConversationSuite(workspace=Workspace.at(sample_workspace), data=["no-such"])
