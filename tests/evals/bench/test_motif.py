"""The motif benchmark's rows, with the matrix profile given: none is computed here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tool_use_om.evals.bench.motif import by_tokens, measure, planted, render


def test_search_through_tokens_returns_a_distance_and_what_it_cost() -> None:
    """The best pair is nearer than unlike stretches are, sqrt(2 * length)."""
    case = planted("noise", 4000, 64, 0)
    distance, encode_s, search_s = by_tokens(case.samples, 64, "moment-tiny")
    assert 0 < distance < (2 * 64) ** 0.5
    assert min(encode_s, search_s) > 0


def test_measure_takes_a_kept_reference_for_the_same_case_only(tmp_path: Path) -> None:
    """A kept matrix profile is used as it is; one of another length is not."""
    case, kept = planted("noise", 4000, 64, 0), tmp_path / "kept.jsonl"
    other = {"case": case.name, "samples": 4000, "motif": 32, "distance": 0.0, "seconds": 1.0}
    own = {**other, "motif": 64, "distance": 1000.0, "seconds": 100.0}
    kept.write_text("\n".join(json.dumps(row) for row in (other, own)))
    row = measure(case, 64, references=kept)
    assert (row["reference distance"], row["reference, s"], row["found"]) == (1000.0, 100.0, True)
    assert row["share of time"] == pytest.approx(
        (float(str(row["encode, s"])) + float(str(row["search, s"]))) / 100.0, abs=2e-3
    )
    assert "1 of 1 found" in render([row], "tuom bench motif")
