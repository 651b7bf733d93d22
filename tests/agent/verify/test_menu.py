"""The grammar of answers: what it lets through resolves, and no fact can be typed."""

from __future__ import annotations

import json
import random
import re

import pytest

from tool_use_om.agent.verify.check import check
from tool_use_om.agent.verify.facts import Sources
from tool_use_om.agent.verify.form import ClaimMark, Reference, Words, pieces
from tool_use_om.agent.verify.menu import Menu, menu


@pytest.fixture
def offered(sources: Sources) -> Menu:
    return menu(sources)


def test_every_reference_resolves_and_every_claim_holds(offered: Menu, sources: Sources) -> None:
    """What is offered can be said: a sentence around each is rendered."""
    assert len(offered.references) > 10
    assert offered.claims
    for name in offered.claims:
        said = check(f"Here, {{{name}}}.", offered.reply(f"{{{name}}}")["claims"], sources)
        assert said.rejected == ()
        assert said.findings
    for text in offered.references:
        (piece,) = pieces(text)
        assert isinstance(piece, Reference)
        assert sources.fact(piece.name, piece.path).value is not None


def test_the_pattern_lets_references_through_and_no_digits(offered: Menu) -> None:
    pattern = re.compile(offered.schema()["properties"]["prose"]["pattern"])
    ref, claim = offered.references[0], next(iter(offered.claims))
    assert pattern.fullmatch(f"the value is {ref}.")
    assert pattern.fullmatch(f"here, {{{claim}}}. it is {ref}, {ref}.")
    for bad in (
        "the value is 3.", "the value is {r9#/nothing}.", "here, {c99}.", "it soars.",
        "the value is {r1#/args/statistic}.", "nothing was found.", f"{ref}{ref}.", "it is ½.",
    ):  # fmt: skip
        assert pattern.fullmatch(bad) is None, bad


def test_a_constrained_decoder_can_write_nothing_that_does_not_resolve(
    offered: Menu, sources: Sources
) -> None:
    """Random walks through the grammar, byte by byte: all that they refer to is there."""
    llguidance = pytest.importorskip("llguidance")
    tokenizer = llguidance.LLTokenizer("byte")
    rules = llguidance.LLMatcher.grammar_from_json_schema(json.dumps(offered.schema()))
    ends = tokenizer.eos_token
    for seed in range(5):
        rng, matcher, written = random.Random(seed), llguidance.LLMatcher(tokenizer, rules), b""
        assert not matcher.is_error()
        for _ in range(1500):
            mask = matcher.compute_bitmask()
            may = [i for i in range(len(mask) * 8) if mask[i // 8] >> i % 8 & 1 and i != ends]
            if not may:
                break
            closing = [i for i in may if i in b'."}'] if len(written) > 300 else []
            chosen = rng.choice(closing or may)
            assert matcher.consume_tokens([chosen])
            written += bytes([chosen])
        prose = json.loads(written)["prose"]
        for piece in pieces(prose):
            if isinstance(piece, Reference):
                assert sources.fact(piece.name, piece.path).value is not None
            elif isinstance(piece, ClaimMark):
                assert piece.id in offered.claims
            else:
                assert isinstance(piece, Words)
                assert not any(c.isdigit() for c in piece.text)
