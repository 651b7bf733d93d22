"""What a classification found, as figures: a timeline of sessions, who was taken for whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from tool_use_om.data.show.figure import (
    MOST_ROWS,
    PALETTE,
    Bar,
    Bars,
    Colour,
    Figure,
    Grid,
    Part,
    Row,
    Timeline,
)
from tool_use_om.tools.look.selection import records

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tools.run.classify.found import SaidStretch
    from tool_use_om.tools.run.classify.labelled import Labelled
    from tool_use_om.tools.run.classify.stretches import Predicted
    from tool_use_om.tools.run.classify.study import Study

_GRID = 12  # labels of a grid that can be read


def timeline_figure(
    dataset: DataSet,
    study: Study,
    predicted: Predicted,
    rows: Sequence[SaidStretch],
    target: str | None,
) -> Figure:
    """Return the held-out sessions under each other: what was found, over what is labelled.

    Those in which something was found come first, the surest of them at the top.
    """
    labels = [target] if target else list(predicted.classes)
    tints: dict[str, Colour] = {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(labels)}
    parts: dict[str, list[Part]] = {}
    sure: dict[str, float] = {}
    for found in rows:
        name = str(found.session_id)
        sure[name] = max(sure.get(name, 0.0), float(found.confidence))
        text = "" if target else str(found.label)
        tint = tints[str(found.label)]
        own = Part(start=found.start_s, end=found.end_s, text=text, colour=tint)
        parts.setdefault(name, []).append(own)
    held_out = sorted(set(study.test.tokens.session_ids))
    truth = dataset.labels(held_out, study.label_set)
    labelled = 0
    for row in records(truth):
        if row["label"] in labels:
            labelled += 1
            under = Part(start=row["start_s"], end=row["end_s"], colour="soft", under=True)
            parts.setdefault(row["session_id"], []).append(under)
    order = [*dict.fromkeys(str(r.session_id) for r in rows)]
    order += [s for s in parts if s not in sure]
    order += [s for s in held_out if s not in parts]
    drawn = tuple(
        Row(
            name=s, length=dataset.duration_of(s), parts=tuple(parts.get(s, ())),
            text=_text(sure.get(s), parts.get(s, ()), target),
        )
        for s in order[:MOST_ROWS]
    )  # fmt: skip
    what = target or "each label"
    left = len(order) - len(drawn)
    return Figure(
        title=f"Where {what} was found",
        alt=f"A timeline of {len(order)} held-out sessions: {what} was found in {len(sure)} of "
        f"them; {len({p for p in parts if any(x.under for x in parts[p])})} have that label.",
        note="Coloured: found, with how sure. Grey: labelled in the data."
        + (f" {left} more sessions are in the result." if left > 0 else ""),
        panels=(Timeline(title=f"Held-out sessions: {what}", rows=drawn),),
    )  # fmt: skip


def _text(sure: float | None, parts: Sequence[Part], target: str | None) -> str:
    if sure is None:
        return ""
    names = "" if target else ", ".join(dict.fromkeys(p.text for p in parts if p.text))
    return f"{names} {sure:.0%}".strip().replace("%", " %")


def confusion_figure(test: Labelled, predicted: Predicted, unit: str, target: str | None) -> Figure:
    """Return who was taken for whom; with many labels, how many of each were named rightly."""
    from tool_use_om.tools.run.classify.study import confusion_counts

    names, counts = confusion_counts(test, predicted)
    right = sum(row[i] for i, row in enumerate(counts))
    total = sum(map(sum, counts))
    wrong = [
        f"{counts[i][j]} of {a} taken for {b}"
        for i, a in enumerate(names)
        for j, b in enumerate(names)
        if i != j and counts[i][j]
    ]
    alt = f"{right} of {total} held-out {unit} are named correctly. {'; '.join(wrong[:6])}"
    alt = alt.strip().rstrip(".") + "."
    place: Literal["check", "answer"] = "check" if target else "answer"
    if len(names) > _GRID:
        bars = tuple(
            Bar(name=n, value=100.0 * row[i] / max(sum(row), 1), text=f"{row[i]} of {sum(row)}")
            for i, (n, row) in enumerate(zip(names, counts, strict=True))
        )[:MOST_ROWS]
        panel: Bars | Grid = Bars(title=f"Held-out {unit} named correctly", unit="%", rows=bars)
        return Figure(title="How right it is", alt=alt, panels=(panel,), place=place)
    grid = Grid(
        title=f"Held-out {unit}: labelled (down) and named (across)", names=tuple(names),
        counts=tuple(tuple(int(c) for c in row) for row in counts), across="named", down="labelled",
    )  # fmt: skip
    return Figure(
        title="Which are confused", alt=alt, panels=(grid,), place=place,
        note="Blue: named as labelled. Orange: taken for another.",
    )  # fmt: skip
