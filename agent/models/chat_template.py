"""Our Llama 3.2 training template, and conversations in the form it renders."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tool_use_om.data.values import Json

# The stock template prints today's date; training and use must print the same one.
DATE = "26 Jul 2024"


def training_template() -> str:
    """Return the Jinja text of the Llama 3.2 template with the assistant's words marked."""
    return Path(__file__).with_name("llama32_training.jinja").read_text(encoding="utf-8")


def as_turns(messages: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return OpenAI-form messages as the Llama template can render them.

    Arguments become dicts (text would be encoded twice), one call stands in a message, and text
    that came with a call stands in its own message before it (the template would drop it).
    """
    return [turn for message in messages for turn in _split(message)]


def _split(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    content = _text(message.get("content"))
    calls = message.get("tool_calls") or ()
    if content or not calls:
        yield {"role": message["role"], "content": content}
    for call in calls:
        function = {"name": call["function"]["name"], "arguments": _arguments(call)}
        calling = [{"type": "function", "function": function}]
        yield {"role": "assistant", "content": "", "tool_calls": calling}


def _arguments(call: Mapping[str, Any]) -> dict[str, Any]:
    arguments = call["function"]["arguments"]
    return dict(json.loads(arguments) if isinstance(arguments, str) else arguments)


def _text(content: Json) -> str:
    if isinstance(content, list):
        return "".join(str(b.get("text", "")) if isinstance(b, dict) else str(b) for b in content)
    return str(content or "")
