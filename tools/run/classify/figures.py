"""What a classification found, drawn: a timeline a session, and who was taken for whom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tool_use_om.tools.look.selection import records
from tool_use_om.tools.run.figures import COLOURS, GREY, colours, drawing, seconds_axis

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tools.run.classify.found import SaidStretch
    from tool_use_om.tools.run.classify.labelled import Labelled
    from tool_use_om.tools.run.classify.stretches import Predicted
    from tool_use_om.tools.run.classify.study import Study

MAX_ROWS = 14


def timeline_figure(
    dataset: DataSet,
    study: Study,
    predicted: Predicted,
    rows: Sequence[SaidStretch],
    target: str | None,
) -> Callable[[Path], None]:
    """Return the drawing of found stretches (bars) over the labelled ones (grey), by session."""
    truth = records(dataset.labels(label_set=study.label_set))
    labels = [target] if target else list(predicted.classes)
    held_out = set(study.test.tokens.session_ids)
    labelled = {r["session_id"] for r in truth if r["label"] in labels} & held_out
    sessions = sorted({r.session_id for r in rows} | labelled)
    shown = sessions[:MAX_ROWS]
    tint = colours(labels)

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        for row in truth:
            if row["session_id"] in shown and row["label"] in labels:
                _bar(axes, shown.index(row["session_id"]), row, GREY, height=0.8, alpha=0.25)
        for found in rows:
            if found.session_id in shown:
                place, span = shown.index(found.session_id), found.to_json()
                _bar(axes, place, span, tint[found.label], height=0.4, alpha=found.confidence)
                middle = (found.start_s + found.end_s) / 2
                text = f"{found.confidence:.2f}"
                axes.text(middle, place, text, ha="center", va="center", fontsize=7, color="white")
        _label_rows(axes, shown, sessions, target or "each label")
        if not target:
            handles = [axes.barh(0, 0, color=tint[name], label=name) for name in labels]
            axes.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5))

    return drawing(paint, height=1.2 + 0.28 * max(len(shown), 1))


def _label_rows(axes: Axes, shown: Sequence[str], sessions: Sequence[str], named: str) -> None:
    axes.set_yticks(range(len(shown)), shown)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(left=0.0)
    seconds_axis(axes)
    more = f", {len(shown)} of {len(sessions)} sessions" if len(sessions) > len(shown) else ""
    axes.set_title(f"{named}: found with confidence (bars), labelled (grey){more}")


def _bar(
    axes: Axes,
    place: int,
    row: dict[str, Any],
    colour: str,
    *,
    height: float,
    alpha: float,
) -> None:
    width = row["end_s"] - row["start_s"]
    axes.barh(place, width, left=row["start_s"], height=height, color=colour, alpha=alpha)


def confusion_figure(test: Labelled, predicted: Predicted) -> Callable[[Path], None]:
    """Return the drawing of the confusion matrix, windows counted."""
    from tool_use_om.tools.run.classify.study import confusion_counts

    names, counts = confusion_counts(test, predicted)

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        shares = [[c / max(sum(row), 1) for c in row] for row in counts]
        axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
        for i, row in enumerate(counts):
            for j, count in enumerate(row):
                dark = shares[i][j] > 0.55
                colour = "white" if dark else COLOURS[-1]
                axes.text(j, i, str(count), ha="center", va="center", color=colour, fontsize=8)
        axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
        axes.set_yticks(range(len(names)), names)
        axes.grid(visible=False)
        axes.set_xlabel("predicted")
        axes.set_ylabel("labelled")
        axes.set_title("Held-out windows")

    side = 1.8 + 0.42 * len(names)
    return drawing(paint, width=side + 0.6, height=side)
