"""What a study's cells amount to: models compared, hypotheses, a verdict in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from tool_use_om.heads.events.judge import (
    REFERENCE,
    EventJudged,
    Judged,
    Row,
    auc,
    blocks_of,
    holm,
    judge_model,
    two_sided,
)
from tool_use_om.heads.events.registry import event_model_class
from tool_use_om.heads.events.windows import PARTS, EventData

Array = np.ndarray
HELPS, SAME = (
    0.05,
    0.02,
)  # of the reference's AUC: transfer helps from here on; no difference within
# What the study's plan numbers and what is known of each; the numbering is this repository's own.
NOT_HERE = {
    "lag_llama": "no loading code yet; its weights cannot be had here",
    "timer": "no loading code yet; its weights cannot be had here",
}
FD_ROWS: tuple[tuple[str, str], ...] = (
    ("FD-01", "timesfm"), ("FD-02", "lag_llama"), ("FD-03", "timer"), ("FD-04", "fracast"),
    ("FD-05", "patchtst"), ("FD-06", "itransformer"), ("FD-07", "timemixer"),
    ("FD-08", "informer"), ("FD-09", "autoformer"), ("FD-10", "fedformer"),
    ("FD-11", "etsformer"), ("FD-12", "crossformer"), ("FD-13", "arma_attention"),
    ("FD-14", "minirocket"), ("FD-15", "boosting"), ("FD-16", "last_day"),
    ("FD-17", "base_rate"), ("FD-18", "fracast, calibrated on validation"),
)  # fmt: skip
UNAVAILABLE = {
    "LENS": "its weights are not among what can be had here",
    "MarketGPT": "it reads messages of single orders, which no data set here has",
}


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """One hypothesis and what became of it: `met` None = cannot be told from this study."""

    name: str
    text: str
    met: bool | None
    why: str


def judge_event(
    data: EventData, text: str, cells: Sequence[Row], chances: Array | None
) -> EventJudged:
    """Judge all cells of one event; models are in the order of their AUC.

    Parameters
    ----------
    cells : rows of `run_cell`
    chances : (n,) the known P(event) of the test windows, None where unknown
    """
    labels: dict[str, Array] = {part: data.part(part).y for part in PARTS}
    base_rate = float(labels["train"].mean())
    length, draws = blocks_of(len(labels["test"]), data.test.windows.steps)
    groups: dict[tuple[str, int], list[Row]] = {}
    failed: dict[str, str] = {}
    for cell in cells:
        if cell["error"]:
            failed[cell["model"]] = cell["error"]
        else:
            groups.setdefault((cell["model"], cell["parameters"]), []).append(cell)
    found = {
        key: judge_model(rows, labels=labels, base_rate=base_rate, draws=draws, chances=chances)
        for key, rows in groups.items()
    }
    models = sorted(_compared(found), key=lambda m: -m.auc)
    return EventJudged(
        event=text,
        said=data.event.said(),
        horizon_s=data.event.horizon_s,
        n={p: len(labels[p]) for p in PARTS},
        came={p: int(labels[p].sum()) for p in PARTS},
        episodes={p: data.part(p).episodes for p in PARTS},
        base_rate=base_rate,
        test_rate=float(labels["test"].mean()),
        block=length,
        bayes_auc=None if chances is None else auc(labels["test"], chances),
        models=tuple(_plain_size(m) for m in models),
        failed=failed,
    )


def _plain_size(judged: Judged) -> Judged:
    """Return a model without a size where it was not built to one."""
    sized = event_model_class(judged.model).spec.sized
    return judged if sized else replace(judged, parameters=0)


def _compared(found: Mapping[tuple[str, int], tuple[Judged, Array]]) -> list[Judged]:
    """Return each model with its difference from the reference, of its size where it can."""
    references = {size: pair for (name, size), pair in found.items() if name == REFERENCE}
    if not references:
        return [judged for judged, _ in found.values()]
    any_size = next(iter(references.values()))
    gaps: dict[tuple[str, int], Array] = {}
    for (name, size), (_, drawn) in found.items():
        if name != REFERENCE:
            gaps[name, size] = drawn - references.get(size, any_size)[1]
    p = {f"{name}/{size}": two_sided(gap) for (name, size), gap in gaps.items()}
    adjusted = holm(p)
    compared = []
    for key, (judged, _) in found.items():
        if key not in gaps:
            compared.append(judged)
            continue
        label = f"{key[0]}/{key[1]}"
        low, high = np.nanquantile(gaps[key], [0.025, 0.975])
        compared.append(
            replace(
                judged,
                gap=judged.auc - references.get(key[1], any_size)[0].auc,
                gap_lower=float(low), gap_upper=float(high), p=p[label], p_holm=adjusted[label],
            )
        )  # fmt: skip
    return compared


def hypotheses(events: Sequence[EventJudged]) -> list[Hypothesis]:
    """Return H1 to H4, each over all events: met, not met, or not to be told.

    The decision rule was given (+5 % of the reference's AUC: transfer helps; within 2 %: the
    architecture does not matter); the wording of the four is this repository's own.
    """
    return [_transfer(events), _architecture(events), _size(events), _horizon(events)]


def _change(model: Judged, reference: Judged) -> float:
    return model.auc / reference.auc - 1.0


def _transfer(events: Sequence[EventJudged]) -> Hypothesis:
    text = "H1: a pretrained forecaster, zero-shot, ranks at least 5 % better than PatchTST."
    told = []
    for event in events:
        reference = event.of(REFERENCE)
        others = [m for m in event.models if event_model_class(m.model).spec.kind == "foundation"]
        told += [(event, m, _change(m, reference)) for m in others if reference is not None]
    why = "; ".join(f"{m.model} {c:+.1%} ({e.event})" for e, m, c in told)
    met = all(c >= HELPS for _, _, c in told) if told else None
    return Hypothesis(name="H1", text=text, met=met, why=why or "no pair was measured")


def _architecture(events: Sequence[EventJudged]) -> Hypothesis:
    text = "H2: the architecture does not matter: all rank within 2 % of PatchTST."
    told = []
    for event in events:
        reference = event.of(REFERENCE)
        if reference is None:
            continue
        changes = [
            _change(m, reference)
            for m in event.models
            if event_model_class(m.model).spec.kind == "architecture" and m.model != REFERENCE
            and m.parameters == reference.parameters
        ]  # fmt: skip
        told += [(event.event, min(changes), max(changes))] if changes else []
    why = "; ".join(f"from {a:+.1%} to {b:+.1%} ({event})" for event, a, b in told)
    met = all(max(abs(a), abs(b)) <= SAME for _, a, b in told) if told else None
    return Hypothesis(name="H2", text=text, met=met, why=why or "no pair was measured")


def _size(events: Sequence[EventJudged]) -> Hypothesis:
    text = "H3: ten times the parameters rank at least 5 % better."
    told = []
    for event in events:
        sizes = sorted(
            (m for m in event.models if m.model == REFERENCE), key=lambda m: m.parameters
        )
        told += [(event.event, a, b, _change(b, a)) for a, b in pairwise(sizes)]
    why = "; ".join(f"{a.sized} to {b.sized} {c:+.1%} ({event})" for event, a, b, c in told)
    met = all(c >= HELPS for *_, c in told) if told else None
    return Hypothesis(name="H3", text=text, met=met, why=why or "one size was run only")


def _horizon(events: Sequence[EventJudged]) -> Hypothesis:
    text = "H4: a longer horizon is harder: PatchTST ranks worse."
    known = [(e, r) for e in sorted(events, key=lambda e: e.horizon_s) if (r := e.of(REFERENCE))]
    told = [
        (a.event, b.event, _change(later, first))
        for (a, first), (b, later) in pairwise(known)
        if a.horizon_s < b.horizon_s
    ]
    why = "; ".join(f"{a} to {b}: {c:+.1%}" for a, b, c in told)
    met = all(c < 0 for *_, c in told) if told else None
    return Hypothesis(name="H4", text=text, met=met, why=why or "one horizon was run only")


def verdict(event: EventJudged) -> str:
    """Return in plain words whether any model could tell the event."""
    able = [m for m in event.models if m.beats_the_base_rate]
    if not able:
        return (
            f'Nothing beats the base rate on "{event.said}": no model both ranks better than '
            f"chance and says better probabilities than {event.base_rate:.0%} for every window."
        )
    best = able[0]
    alike = [m.sized for m in able[1:] if m.upper >= best.auc]
    also = f" Within its uncertainty: {', '.join(alike)}." if alike else ""
    simple = event.of("last_day")
    plain = ""
    if simple is not None and best.model not in {"last_day", "boosting"}:
        plain = f" Logistic regression on the last sample alone has {simple.auc:.3f}."
    return (
        f'"{event.said}" can be told: {best.sized} ranks with AUC {best.auc:.3f} '
        f"[{best.lower:.3f}, {best.upper:.3f}], {len(able)} of {len(event.models)} models beat the "
        f"base rate.{also}{plain}"
    )


def fd_table(events: Sequence[EventJudged]) -> list[dict[str, str]]:
    """Return a row for each of FD-01 to FD-18: its AUC in each event, or why there is none."""
    rows = []
    for number, label in FD_ROWS:
        name, _, how = label.partition(", ")
        row = {"row": number, "model": label}
        for event in events:
            row[event.event] = _fd_cell(event, name, how)
        rows.append(row)
    for name, reason in UNAVAILABLE.items():
        rows.append(
            {"row": "–", "model": name, **{e.event: f"unavailable: {reason}" for e in events}}
        )
    return rows


def _fd_cell(event: EventJudged, name: str, how: str) -> str:
    if name in NOT_HERE:
        return f"not run: {NOT_HERE[name]}"
    if name in event.failed:
        return f"not run: {event.failed[name]}"
    judged = event.of(name)
    if judged is None:
        return "not run: not asked for"
    if how:
        return f"Brier {judged.brier_calibrated:.4f} (zero-shot {judged.brier:.4f}), same AUC"
    seeds = f", {judged.seeds} seeds" if event_model_class(name).spec.drawn else ""
    return f"{judged.auc:.3f} [{judged.lower:.3f}, {judged.upper:.3f}]{seeds}"
