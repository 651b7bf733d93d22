"""Our Llama 3.2 training template against the stock one, and what it marks for the loss."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tool_use_om.agent.models.chat_template import as_turns, training_template
from tool_use_om.agent.training.tiny_llama import make_text_tokenizer

TOOLS = [{"type": "function", "function": {"name": "f", "description": "dé <x>", "parameters": {}}}]
CALL = {"type": "function", "function": {"name": "f", "arguments": {"a": [1, None], "é": "<x>'"}}}
SYSTEM = {"role": "system", "content": " be brief "}
USER = {"role": "user", "content": "hi é "}
TALK: list[dict[str, Any]] = [
    SYSTEM,
    USER,
    {"role": "assistant", "content": " a plan"},
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "content": '{"x": 1}'},
    {"role": "assistant", "content": "done "},
]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"tools": TOOLS},
    {"tools": TOOLS, "tools_in_user_message": False},
    {"custom_tools": TOOLS},
    {"tools": TOOLS, "date_string": "1 Jan 2000"},
]


@pytest.fixture(scope="module")
def text_tokenizer() -> Any:
    return make_text_tokenizer(["hello world"], vocab_size=300)


@pytest.fixture(scope="module")
def stock() -> str:
    """Return the Llama 3.2 template as the installed TRL ships it."""
    spec = find_spec("trl")
    if spec is None or spec.origin is None:
        pytest.skip("the stock template comes with trl")
    return (Path(spec.origin).parent / "chat_templates" / "llama3_2.jinja").read_text("utf-8")


@pytest.mark.parametrize("talk", [TALK, TALK[1:], TALK[:2], [USER]], ids=len)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "+".join(o) or "plain")
@pytest.mark.parametrize("prompt", [False, True])
def test_template_renders_byte_for_byte_like_the_stock_one(
    text_tokenizer: Any, stock: str, talk: list[Any], options: dict[str, Any], *, prompt: bool
) -> None:
    """Training sees exactly the text that inference with the stock template will see."""
    options = {**options, "tokenize": False, "add_generation_prompt": prompt}
    ours = text_tokenizer.apply_chat_template(talk, chat_template=training_template(), **options)
    assert ours == text_tokenizer.apply_chat_template(talk, chat_template=stock, **options)


def test_template_refuses_two_calls_in_one_message(text_tokenizer: Any) -> None:
    """The model makes one call a turn; the stock template refuses two as well."""
    both = [USER, {"role": "assistant", "content": "", "tool_calls": [CALL, CALL]}]
    with pytest.raises(Exception, match="single tool-calls"):
        text_tokenizer.apply_chat_template(both, tokenize=False)


def test_template_marks_the_assistants_tokens_and_no_other(text_tokenizer: Any) -> None:
    """What counts in the loss is what the assistant wrote, each turn with its end mark."""
    out = text_tokenizer.apply_chat_template(
        TALK, tools=TOOLS, return_dict=True, return_assistant_tokens_mask=True
    )
    marked = [i for i, on in zip(out["input_ids"], out["assistant_masks"], strict=True) if on]
    assert text_tokenizer.decode(marked) == (
        'a plan<|eot_id|>{"name": "f", "parameters": {"a": [1, null], "é": "<x>\'"}}<|eot_id|>'
        "done<|eot_id|>"
    )


def test_as_turns_puts_text_and_each_call_into_messages_of_their_own() -> None:
    """Text beside calls is kept in front of them, and arguments become dicts."""
    written = {"type": "function", "id": "1", "function": {"name": "f", "arguments": '{"a": 1}'}}
    turns = as_turns([{"role": "assistant", "content": "why", "tool_calls": [written, written]}])
    assert [t["content"] for t in turns] == ["why", "", ""]
    assert [t["tool_calls"][0]["function"]["arguments"] for t in turns[1:]] == [{"a": 1}] * 2


def test_as_turns_leaves_ready_turns_as_they_are() -> None:
    """Doing it twice is doing it once."""
    assert as_turns(as_turns(TALK)) == as_turns(TALK)
