"""Every word of a question is used, or said not to be: one rule for every model.

The rule stands between plan and answer, in code: a content word of the question is accounted for by
what was understood, by an argument of a tool call, by a name of the data or by a word of the trade;
what is left over is named in the answer's first sentence. A question that asks for what is not
there is not answered at all, whatever the model planned.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.language.tags import read_words
from tool_use_om.agent.offline.language.words import stem, words_of
from tool_use_om.data.plain import plain_text

_UNKNOWN = frozenset({"X", "CODE", "QUANTITY", "DEED"})


def leftover(
    question: str,
    cards: Sequence[Mapping[str, Any]],
    understood: Query | None,
    told: Iterable[str] = (),
) -> list[str]:
    """Return the phrases of a question that nothing accounts for yet.

    Parameters
    ----------
    understood : the question as the plan parsed it; None for a model that does not parse, whose
        question is then looked through for words that neither the data nor the trade have
    told : phrases that the model itself says it could not use; those not in the question are none
    """
    if understood is not None and understood.by != "orchestrator":
        return list(understood.not_understood)
    folded = question.casefold()
    own = [phrase for phrase in told if phrase.strip() and phrase.casefold() in folded]
    names = Names.of(cards)
    named = names.dataset_named(question)
    tokens, nodes = read_words(question, Names.of(cards, named) if named else names)
    runs: list[tuple[int, int]] = []
    for node in (n for n in nodes if n.tag in _UNKNOWN):
        if runs and runs[-1][1] + 1 == node.first:
            runs[-1] = (runs[-1][0], node.last)
        else:
            runs.append((node.first, node.last))
    found = [question[tokens[first].start : tokens[last].end] for first, last in runs]
    return list(dict.fromkeys([*own, *found]))


def unused(left: Sequence[str], calls: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return those phrases of which some word stands in no argument of the tool calls made.

    Parameters
    ----------
    calls : ``{"args": {…}, "error": bool}`` a call; the arguments of one that failed count for
        nothing
    """
    used = {
        stem(word)
        for call in calls
        for text in re.findall(r'"([^"]*)"', json.dumps(call.get("args") or {}))
        for word in words_of(text)
    }
    return [phrase for phrase in left if not {stem(w) for w in words_of(phrase)} <= used]


def first_sentence(left: Sequence[str]) -> str:
    """Return what an answer begins with where words of the question were not used; else ""."""
    if not left:
        return ""
    listed = ", ".join(f'"{plain_text(phrase)}"' for phrase in left)
    return f"*Not used from your question: {listed}. The rest is answered here.*"


def unmet(understood: Query | None) -> str:
    """Return what is said instead of an answer where the question cannot be met; "" if it can."""
    if understood is None or not understood.refused:
        return ""
    return " ".join([*understood.refused, offered(understood.choices)]).strip()


def offered(choices: Sequence[str]) -> str:
    """Return the questions that may be asked instead, each as it can be sent."""
    return "Did you mean: " + " · ".join(f'"{c}"' for c in choices) if choices else ""
