"""Whether a turn that leans on the one before is understood as what it means, said whole.

A conversation is held with the planner alone, as the agent's plan step does it: a turn is right
where it plans the calls that the whole question plans in a conversation of its own, wrong where it
plans others, and asked back where it plans none. Calls that are equal give equal answers, so the
answer of a turn is right where that of its whole question is (`tuom eval tools`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from tool_use_om.agent.cards import dataset_cards
from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.model import steps_of
from tool_use_om.agent.offline.reader.understand import understand
from tool_use_om.agent.offline.talk.follow import follow
from tool_use_om.agent.offline.talk.frame import Frame, next_frame
from tool_use_om.data.catalog import SAMPLES
from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Json
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.report import Row, Table, with_interval
from tool_use_om.evals.suites.base import BaseSuite, DataSettings

FILES = {
    "dev": "conversations.yaml",
    "people": "conversations_people.yaml",
    "heldout": "conversations_heldout.yaml",
}
FOLDER = Path(__file__).with_name("phrasings")
_SHORT_S, _LONG_S = 60.0, 86_400.0  # sessions below the first are timed in seconds, above in hours
KINDS = ("right", "wrong", "asked back")


class ConversationSettings(DataSettings):
    """Settings of the suite of conversations."""

    data: tuple[str, ...] = Field(
        tuple(SAMPLES), min_length=1, description="Data set name; repeatable."
    )
    split: Literal["dev", "people", "heldout"] | None = Field(None, description="Default: both.")

    @property
    def label(self) -> str:
        """Which conversations, where not all."""
        return self.split or ""


class ConversationSuite(BaseSuite):
    """Conversations of several turns, on every data set whose names fill their places."""

    name = "multiturn"
    takes = ConversationSettings
    asked: ConversationSettings

    def __init__(self, *, workspace: Workspace, **given: Json) -> None:
        super().__init__(workspace=workspace, **given)
        self.cards = {name: _cards(name, workspace) for name in self.asked.data}
        self._held = {
            f"{c['split']}/{c['id']}/{name}": (name, turns)
            for c in conversations(self.asked.split)
            for name, cards in self.cards.items()
            if c.get("dataset") in (None, name)
            if (turns := filled(c, cards)) is not None
        }

    def items(self) -> Sequence[str]:
        """Return the conversations' ids: split, template, data set."""
        return list(self._held)

    def run(self, item: str) -> Row:
        """Hold one conversation; return each turn with what became of it."""
        name, turns = self._held[item]
        split, template, _ = item.split("/")
        told = list(hold(turns, self.cards[name]))
        return {"split": split, "template": template, "dataset": name, "turns": told}

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return the shares of turns right, wrong and asked back, and those not right."""
        from tool_use_om.heads.numeric.metrics import bootstrap_interval

        shares = []
        for split in dict.fromkeys(r["split"] for r in rows):
            of = [(r["template"], t) for r in rows if r["split"] == split for t in r["turns"]]
            for which, part in (("all", of), ("leaning", [p for p in of if p[1]["n"] > 0])):
                groups = [template for template, _ in part]
                cells = {"split": split, "turns": which, "n": str(len(part))}
                for kind in KINDS:
                    hits = [float(t["kind"] == kind) for _, t in part]
                    found = bootstrap_interval(hits, groups=groups, share=True)
                    cells[kind] = with_interval(found.value, found.lower, found.upper)
                shares.append(cells)
        missed = [
            {"conversation": f"{r['template']} ({r['dataset']})", "said": t["said"],
             "means": t["means"] or "nothing here", "became": f"{t['kind']}: {t['taken']}"}
            for r in rows for t in r["turns"] if t["kind"] != "right"
        ]  # fmt: skip
        note = "Groups of the bootstrap: templates of conversations."
        return [
            Table(title="Turns of conversations", note=note, rows=tuple(shares)),
            Table(title="Turns not right", note="What became of them.", rows=tuple(missed)),
        ]


def conversations(split: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield the conversations of the shipped files, with their split."""
    import yaml

    for own, name in FILES.items():
        if split in {None, own}:
            for one in yaml.safe_load((FOLDER / name).read_text("utf-8")) or ():
                yield {**one, "split": own}


def filled(
    conversation: Mapping[str, Any], cards: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str | None]] | None:
    """Return (said, means) a turn with the data set's names; None where it lacks one."""
    places = places_of(cards)
    if not set(conversation.get("needs") or ()) <= places.keys():
        return None
    return [
        (said.format(**places), means.format(**places) if means else None)
        for said, means in conversation["turns"]
    ]


def places_of(cards: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return place → name for the names that a data set has."""
    names = Names.of(cards)
    wide = [m for m in names.modalities if sum(c.startswith(f"{m}.") for c in names.channels) > 1]
    subjects = [s for s in names.subject_ids if s != "unknown"]
    long = names.duration_s.get("min", 0.0)
    times = ("5 seconds", "2 seconds") if long < _SHORT_S else ("3 hours", "1 hour")
    if long > 10 * _LONG_S:
        times = ("10 days", "5 days")
    lists = {
        "l": names.labels, "c": names.channels, "m": wide, "s": names.session_ids, "p": subjects,
        "t": times,
    }  # fmt: skip
    return {
        f"{letter}{i if i > 1 else ''}": name
        for letter, found in lists.items()
        for i, name in enumerate(found, 1)
    }


def hold(
    turns: Sequence[tuple[str, str | None]], cards: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield each turn: what was said and meant, its kind, what was taken over or said back."""
    frame = Frame()
    for n, (said, means) in enumerate(turns):
        query = follow(said, cards, frame, understand)
        made = _calls(query, cards)
        readings = (understand(means, cards), parse(means, cards)) if means else ()
        wanted = [calls for one in readings if (calls := _calls(one, cards))]
        right = made in wanted if wanted else not made
        kind = "right" if right else "wrong" if made else "asked back"
        told = query.taken or " ".join(query.refused) or ", ".join(query.not_understood)
        yield {"n": n, "said": said, "means": means, "kind": kind, "taken": told}
        state = {
            "outcome": "answer" if made else "question", "understood": query.to_json(),
            "question": said, "choices": list(query.choices), "frame": frame.to_json(),
        }  # fmt: skip
        frame = next_frame(state, ())
        frame = Frame(**{**frame.to_json(), "head": "prototypes"}) if made else frame


def _calls(query: Query, cards: Sequence[Mapping[str, Any]]) -> list[Any]:
    if query.not_understood and not query.refused:
        return []  # nothing is answered of a question read in part, as far as a turn goes
    return [(s.tool, s.args, s.late) for s in steps_of(query, cards)]


def _cards(name: str, workspace: Workspace) -> list[dict[str, Any]]:
    context = AgentContext(dataset=name, workspace=str(workspace.root))
    cards = [dict(card) for card in dataset_cards(context, "", lambda _event: None)]
    if not cards or cards[0].get("name") != name:
        raise DataError(f"There is no data set {name!r}. `tuom data list` lists them.")
    return cards
