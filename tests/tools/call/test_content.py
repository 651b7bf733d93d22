"""What stands at a pointer of a result follows from its type, not from how a key is spelt."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tool_use_om.tools.call.content import Content
from tool_use_om.tools.results import RESULTS, result_model, unit_at
from tool_use_om.tools.run.search.found import MotifsFound, Searched, Stretch

OUTLIER = {
    "session_id": "s", "channel": "a.x", "kind": "high", "start_s": 1.0, "end_s": 2.0, "at_s": 1.5,
    "value": 9.0, "unit": "m/s²", "usual_low": 0.0, "usual_high": 1.0, "deviations": 7.0,
}  # fmt: skip
UNUSUAL: dict[str, Any] = {
    "most_unusual": {"session_id": "s", "start_s": 0.0, "end_s": 4.0, "score": 2.0},
    "n_windows": 5,
    "coverage": {"nominal": 0.9, "empirical": 0.88, "n": 20},
    "scan": {"n_found": 1, "n_samples": 100, "found": [OUTLIER]},
}


@pytest.mark.parametrize(
    ("pointer", "kind", "unit"),
    [
        ("/n_windows", "count", None),
        ("/coverage/nominal", "share", None),
        ("/coverage/lower", "share", None),
        ("/coverage/n", "count", None),
        ("/most_unusual/end_s", "measure", "s"),
        ("/most_unusual/p_value", "score", None),
        ("/most_unusual/unusual", "verdict", None),
        ("/most_unusual/label", "name", None),
        ("/scan/found/0/at_s", "measure", "s"),
        ("/scan/found/0/value", "measure", "m/s²"),
        ("/scan/found/0/usual_high", "measure", "m/s²"),
        ("/channels/0", "name", None),
    ],
)
def test_unit_at_says_what_stands_there(pointer: str, kind: Any, unit: str | None) -> None:
    """Counts, shares, seconds, and the data's own unit where it stands beside the value."""
    found = unit_at("run_task", pointer, UNUSUAL)
    assert found is not None
    assert (found.kind, found.unit) == (kind, unit)


@pytest.mark.parametrize("pointer", ["/nothing", "/coverage", "/n_windows/deeper", "/windows"])
def test_unit_at_says_nothing_of_what_no_field_names(pointer: str) -> None:
    """An object, a list or a key that the type does not have."""
    assert unit_at("run_task", pointer, UNUSUAL) is None


@pytest.mark.parametrize("model", RESULTS["run_task"])
def test_results_are_told_apart_by_a_field_of_their_own(model: type[Content]) -> None:
    """The field by which a result is known belongs to one model of its tool only."""
    others = [m for m in RESULTS["run_task"] if m is not model]
    assert model.key in model.model_fields
    assert not any(model.key in other.model_fields for other in others)
    assert result_model("run_task", {model.key: []}) is model


def test_a_result_leaves_out_what_may_be_missing_and_refuses_what_it_has_not() -> None:
    """What is always told is null where there is none; a misspelt key is an error at once."""
    assert Stretch(session_id="s", start_s=0, end_s=1.5, label=None).to_json() == {
        "session_id": "s", "start_s": 0, "end_s": 1.5, "label": None,
    }  # fmt: skip
    assert Searched(sessions=3).to_json() == {"sessions": 3}
    with pytest.raises(ValidationError, match="lenght_s"):
        MotifsFound(lenght_s=1.0)  # type: ignore[call-arg]  # the misspelling is the point
