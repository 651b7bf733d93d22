"""The heads by name. One file and one line adds a head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from tool_use_om.data.errors import unknown
from tool_use_om.heads.contract.spec import HeadSpec, Task
from tool_use_om.heads.contract.state import HeadState, read_state

if TYPE_CHECKING:
    from tool_use_om.heads.contract.base import Head

HEADS: Mapping[str, str] = {
    "prototypes": "tool_use_om.heads.classify.prototypes:Prototypes",
    "linear_probe": "tool_use_om.heads.classify.linear_probe:LinearProbe",
    "ridge_probe": "tool_use_om.heads.classify.ridge_probe:RidgeProbe",
    "knn": "tool_use_om.heads.classify.knn:KNN",
    "latent_ssm": "tool_use_om.heads.forecast.latent_ssm:LatentSSM",
    "direct": "tool_use_om.heads.forecast.direct:Direct",
    "seasonal_naive": "tool_use_om.heads.samples.head:SeasonalNaive",
    "similarity": "tool_use_om.heads.search.similarity:Similarity",
    "motif": "tool_use_om.heads.search.motif:MotifSearch",
    "ensemble": "tool_use_om.heads.search.ensemble:Ensemble",
    "discord": "tool_use_om.heads.search.discord:Discord",
    "reconstruction": "tool_use_om.heads.search.reconstruction:Reconstruction",
}

FEW_LABELS = 20  # up to so many a class, prototypes; more, a trained probe


def head_class(name: str) -> type[Head]:
    """Return the class of a registered head; raise NotFoundError naming the nearest ones."""
    if name not in HEADS:
        raise unknown("head", name, HEADS)
    found: type[Head] = resolve_name(HEADS[name])
    return found


def make_head(name: str, **params: object) -> Head:
    """Build an unfitted head.

    Raises
    ------
    NotFoundError : an unknown head or parameter
    DataError : a parameter outside its limits
    """
    return head_class(name)(**params)


def head_spec(name: str) -> HeadSpec:
    """Return the spec of one head."""
    return head_class(name).spec


def head_specs(task: Task | None = None) -> list[HeadSpec]:
    """Return the specs of all heads, or of those for one task."""
    specs = [head_spec(name) for name in HEADS]
    return [s for s in specs if task in {None, s.task}]


def head_from_state(state: HeadState) -> Head:
    """Build a fitted head from its state."""
    return head_class(state.name).from_state(state)


def load_head(path: Path) -> Head:
    """Read a head that `save` wrote."""
    return head_from_state(read_state(path))


@dataclass(frozen=True, kw_only=True)
class HeadChoice:
    """The head a rule chose, and why, in words for a person."""

    name: str
    task: Task
    why: str
    alternatives: tuple[str, ...]


def choose_head(task: str, labels_per_class: int | None = None) -> HeadChoice:
    """Choose a head by task and by the labels there are in the smallest class.

    Raises
    ------
    NotFoundError : an unknown task
    """
    tasks: dict[str, Task] = {
        "classify": "classify",
        "forecast": "forecast",
        "retrieve": "retrieve",
        "anomaly": "anomaly",
    }
    if task not in tasks:
        raise unknown("task", task, tasks)
    chosen, why = _rule(tasks[task], labels_per_class)
    of_task = head_spec(chosen).task
    others = tuple(s.name for s in head_specs(of_task) if s.name != chosen and s.listed)
    return HeadChoice(name=chosen, task=of_task, why=why, alternatives=others)


def _rule(task: Task, labels_per_class: int | None) -> tuple[str, str]:
    if task == "forecast":
        return (
            "direct",
            "the most exact head on all sets measured; seasonal_naive checks",
        )
    if task == "retrieve":
        return "similarity", "compares windows by their tokens and needs no labels"
    if task == "anomaly":
        return "ensemble", "three views of what is unusual, for its kind is not known beforehand"
    if labels_per_class == 0:
        return "similarity", "there are no labels: only similar stretches can be shown"
    if labels_per_class is not None and labels_per_class > FEW_LABELS:
        return "linear_probe", f"{labels_per_class} labels a class are enough to train a probe"
    count = (
        "the number of labels is unknown"
        if labels_per_class is None
        else (f"{labels_per_class} label(s) a class are few")
    )
    return "prototypes", f"{count}: prototypes need the fewest (up to about {FEW_LABELS} a class)"
