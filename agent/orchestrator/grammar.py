"""What may be written: plans as a JSON schema of the tools there are and the data's own names.

Decoding is held to it token by token, so a tool, an argument or a label that does not exist cannot
be written at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from tool_use_om.agent.offline.next_call import LATE_SOURCES
from tool_use_om.agent.orchestrator.protocol import (
    MAX_CALLS,
    OPEN,
    Refusal,
    sessions_in,
    subjects_in,
)
from tool_use_om.tools.registry import tool_def

_MAX_WORDS = 40  # letters of what is said to be lacking
_DROPPED = frozenset({"result_id"})
_LISTED = frozenset({"channels", "target_channels", "labels", "sessions", "subjects", "heads"})


def plan_schema(
    question: str, cards: Sequence[Mapping[str, Any]], tools: Sequence[str]
) -> dict[str, Any]:
    """Return the JSON schema of the plans a question about these data may have.

    Parameters
    ----------
    cards : of the data sets, the one asked about first
    tools : names of the tools that may be called
    """
    names = _names(question, cards)
    one = {"anyOf": [_call(name, names) for name in tools]}
    calls = {"type": "array", "items": one, "minItems": 1, "maxItems": MAX_CALLS}
    own = sorted({*names["channels"], *names["labels"], *names["subjects"]})
    text = {"type": "string", "minLength": 1, "maxLength": _MAX_WORDS}
    asked = [_object(ask={"enum": list(OPEN)})]
    if len(own) > 1:
        several = {"type": "array", "items": {"enum": own}, "minItems": 2, "maxItems": 6}
        asked.append(_object(ask=text, of=several))
    refused = {"enum": list(get_args(Refusal))}
    return {
        "anyOf": [_object(calls=calls), *asked, _object(lacks=text), _object(refuse=refused)],
    }


def _object(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _call(tool: str, names: Mapping[str, list[str]]) -> dict[str, Any]:
    schema = tool_def(tool).schema()
    arguments = {
        name: held
        for name, field in schema["properties"].items()
        if name not in _DROPPED and (held := _held(name, field, names)) is not None
    }
    body = {**_object(**arguments), "required": [r for r in schema["required"] if r in arguments]}
    return {
        "type": "array",
        "prefixItems": [{"const": tool}, body],
        "items": False,
        "minItems": 2,
        "maxItems": 2,
    }


def _held(
    argument: str, field: Mapping[str, Any], names: Mapping[str, list[str]]
) -> dict[str, Any] | None:
    """Return an argument's schema with the data's names in it; None where there is none to say."""
    kind = _KINDS.get(argument)
    late = [{"const": f"@{s}"} for s in LATE_SOURCES.get(argument, ())]
    if kind is None:
        held = _plain(field)
    elif not names[kind]:
        return {"anyOf": late} if late else None
    elif argument in _LISTED:
        one = {"enum": names[kind]}
        held = {"type": "array", "items": one, "minItems": 1, "maxItems": len(names[kind])}
    else:
        held = {"enum": names[kind]}
    return {"anyOf": [held, *late]} if late else held


_KINDS = {
    "channels": "channels",
    "target_channels": "channels",
    "labels": "labels",
    "target_label": "labels",
    "sessions": "sessions",
    "query_session": "sessions",
    "subjects": "subjects",
    "dataset": "datasets",
    "label_set": "label_sets",
    "head": "heads",
    "heads": "heads",
    "tokenizer": "tokenizers",
}
"""Argument → the kind of name that stands there."""


def _plain(field: Mapping[str, Any]) -> dict[str, Any]:
    """Return a field's schema without the words that only tell."""
    dropped = {"description", "default", "title"}
    kept = {k: v for k, v in field.items() if k not in dropped}
    if isinstance(kept.get("items"), Mapping):
        kept["items"] = _plain(kept["items"])
    if isinstance(kept.get("properties"), Mapping):
        kept["properties"] = {k: _plain(v) for k, v in kept["properties"].items()}
        kept["additionalProperties"] = False
    if kept.get("type") == "string" and not {"enum", "pattern"} & kept.keys():
        kept["maxLength"] = _MAX_WORDS
    return kept


def _names(question: str, cards: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    from tool_use_om.heads.registry import head_specs
    from tool_use_om.tokenizers.registry import TOKENIZERS

    card: Mapping[str, Any] = cards[0] if cards else {}
    channels = [str(c["id"]) for c in card.get("channels") or ()]
    modalities = list(dict.fromkeys(c.partition(".")[0] for c in channels if "." in c))
    sets = card.get("labels") or {}
    said = sessions_in(question, card)
    listed = [str(i) for i in card.get("session_ids") or ()]
    return {
        "channels": list(dict.fromkeys([*channels, *modalities])),
        "labels": list(dict.fromkeys([*(str(v) for g in sets.values() for v in g), _DESCRIBED])),
        "sessions": said or listed,
        "subjects": subjects_in(question, card) or [str(s) for s in card.get("subject_ids") or ()],
        "datasets": [str(c["name"]) for c in cards],
        "label_sets": list(sets),
        "heads": [spec.name for spec in head_specs()],
        "tokenizers": list(TOKENIZERS),
    }


_DESCRIBED = "as described"  # the label of an activity told in measurable terms


def grammar(schema: Mapping[str, Any]) -> str:
    """Return the schema as llguidance reads it: no spaces, keys in their order."""
    from llguidance import LLMatcher

    tight = {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}
    found: str = LLMatcher.grammar_from_json_schema(json.dumps(schema), overrides=tight)
    return found
