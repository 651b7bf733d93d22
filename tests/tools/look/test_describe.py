"""A description says what the samples do, and every number of it is a fact's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import Channel, Modality
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.workspace import Workspace
from tool_use_om.heads.describe.facts import Fact
from tool_use_om.heads.describe.rereading import contradictions
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet

UNITS = {"up": "V", "bump": "V", "load": "%"}
MADE = Modality(
    name="m", rate_hz=1.0, channels=tuple(Channel(name=n, unit=u) for n, u in UNITS.items())
)
SECONDS = 200


def signals(shift: float) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return `up` from 1 to 3, `bump` at 9 from 50 to 100 s else 2, `load` full from 150 s on."""
    time_s = np.arange(float(SECONDS))
    up = 1 + shift + 2 * time_s / (SECONDS - 1)
    bump = np.where((time_s >= 50) & (time_s <= 100), 9.0, 2.0)
    load = np.where(time_s >= 150, 100.0, 40.0)
    return {"m": (time_s, np.stack([up, bump, load], axis=1))}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace.at(tmp_path_factory.mktemp("told"))
    with DataSetWriter(
        workspace.folder("datasets") / "made", name="made", title="Made", synthetic=True,
        licence="none", source="a test", modalities=(MADE,), split_rule="none", debug=False,
    ) as writer:  # fmt: skip
        for name, shift in (("a", 0.0), ("b", 5.0)):
            writer.add_session(name, subject_id=name, split="train", signals=signals(shift))
    return workspace


@pytest.fixture
def ask(place: Workspace, new_call: Callable[[ToolContext], Any]) -> Any:
    session = new_call(ToolContext(workspace=place))
    session.working_set = WorkingSet(dataset="made")
    return session


def facts(content: dict[str, Any]) -> list[Fact]:
    """Return the facts that a result's rows hold."""
    plain = ("channel", "unit", "kind")
    return [
        Fact(kind=r["kind"], channel=r["channel"], unit=r["unit"],
             values={k: v for k, v in r.items() if k not in plain})
        for r in content["rows"]
    ]  # fmt: skip


def test_a_description_tells_what_was_planted(ask: Any) -> None:
    """A line, a plateau and time at the limit, in seconds and units."""
    found = ask("describe_signal", session="a")
    rows = {(r["channel"], r["kind"]): r for r in found["rows"]}
    rise = rows["m.up", "rise"]
    assert (rise["first"], rise["last"]) == pytest.approx((1.0, 3.0))
    bump = rows["m.bump", "plateau"]
    assert (bump["level"], bump["start_s"], bump["end_s"]) == (9.0, 50.0, 100.0)
    assert rows["m.load", "saturated"]["share_frac"] == 0.25
    assert "rises from 1.0 V to 3.0 V" in found["description"]


def test_every_number_of_the_text_is_a_fact_of_the_result(ask: Any) -> None:
    """The text says all facts and nothing else: read back by the corpus's own parser."""
    found = ask("describe_signal", session="b")
    units = {f"m.{name}": unit for name, unit in UNITS.items()}
    assert not contradictions(found["description"], facts(found), units)


def test_only_the_stretch_and_the_channels_asked_for_are_described(ask: Any) -> None:
    """Nothing of the bump is told of the seconds before it."""
    found = ask("describe_signal", session="a", start_s=0, end_s=40, channels=["bump"])
    assert [(r["channel"], r["kind"], r["level"]) for r in found["rows"]] == [
        ("m.bump", "steady", 2.0)
    ]
    assert (found["start_s"], found["end_s"]) == (0.0, 40.0)


def test_without_a_session_the_first_is_described_and_it_is_said_of_how_many(ask: Any) -> None:
    """A choice that was made for the person is told."""
    found = ask("describe_signal")
    assert (found["session_id"], found["n_sessions"]) == ("a", 2)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"session": "a", "start_s": 500}, "0 to 200 s"),
        ({"session": "a", "start_s": 50, "end_s": 20}, "within it"),
        ({"session": "a", "end_s": 3}, "too few samples"),
        ({"session": "nobody"}, "nobody"),
        ({"session": "a", "channels": ["nothing"]}, "nothing"),
    ],
)
def test_what_cannot_be_described_is_one_clear_error(
    ask: Any, args: dict[str, Any], words: str
) -> None:
    """Outside of the session, backwards, too short, unknown names."""
    with pytest.raises((DataError, LookupError), match=words):
        ask("describe_signal", **args)
