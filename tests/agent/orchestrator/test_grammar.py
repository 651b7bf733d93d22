"""What can be written at all: tools there are, their arguments, the data's own names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tool_use_om.agent.orchestrator.grammar import grammar, plan_schema
from tool_use_om.tools.registry import TOOLS

llguidance = pytest.importorskip("llguidance")

GOOD = (
    '{"calls":[["run_task",{"target_label":"walking","horizon_s":5}]]}',
    '{"calls":[["select_channels",{"channels":["accelerometer"]}],["show_channel_stats",{}]]}',
    '{"calls":[["filter_by_time",{"sessions":["bm-test-012"],"start_s":2.5}]]}',
    '{"calls":[["run_task",{"sessions":"@found_sessions"}]]}',
    '{"calls":[["configure_head",{"params":{"index":"approximate"}}]]}',
    '{"ask":"session"}',
    '{"ask":"gyro","of":["gyroscope.x","gyroscope.y"]}',
    '{"lacks":"blood pressure"}',
    '{"refuse":"advice"}',
)
BAD = (
    '{"calls":[["run_tusk"',
    '{"calls":[["run_task",{"gap_s"',
    '{"calls":[["run_task",{"target_label":"swimming"',
    '{"calls":[["select_channels",{"channels":["heart',
    '{"calls":[["filter_by_time",{"sessions":["bm-test-0129',
    '{"calls":[["run_task",{"result_id"',
    '{"calls":[]',
    '{"refuse":"no',
    "Sure",
)


def _fits(text: str, cards: list[dict[str, Any]]) -> int:
    """Return how many bytes of the text may be written."""
    letters = llguidance.LLTokenizer("byte")
    question = "bm-test-012?"
    rules = grammar(plan_schema(question, cards, list(TOOLS)))
    matcher = llguidance.LLMatcher(letters, rules)
    assert not matcher.is_error(), matcher.get_error()
    tokens = letters.tokenize_str(text)
    fitting = matcher.validate_tokens(tokens)
    if fitting == len(tokens):
        matcher.consume_tokens(tokens)
        assert matcher.is_accepting()
    return fitting


@pytest.mark.parametrize("text", GOOD)
def test_grammar_lets_right_plans_be_written(text: str, cards: list[dict[str, Any]]) -> None:
    """Every form of plan can be written whole."""
    assert _fits(text, cards) == len(text.encode())


@pytest.mark.parametrize("text", BAD)
def test_grammar_stops_what_does_not_exist(text: str, cards: list[dict[str, Any]]) -> None:
    """No other tool, argument, label, channel or session can be written."""
    assert _fits(text, cards) < len(text.encode())


def test_grammar_shows_only_the_tools_at_hand(cards: list[dict[str, Any]]) -> None:
    """A tool that is not bound cannot be called."""
    schema = json.dumps(plan_schema("x", cards, ["list_datasets"]))
    assert "list_datasets" in schema
    assert "run_task" not in schema
