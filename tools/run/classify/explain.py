"""Why a classification found what it found: rhythm, channels, examples, and what would change it.

The head is fitted again from the stored working set: fitting is deterministic, and cheap beside
encoding, which comes from the cache.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.places import read
from tool_use_om.tools.encode.plan import Stopwatch, cut
from tool_use_om.tools.run.classify.found import FoundStretch
from tool_use_om.tools.run.classify.study import fit_head, prepare_run
from tool_use_om.tools.run.classify.vote import VOTE, fitting
from tool_use_om.tools.run.finish import Run, segment_of
from tool_use_om.tools.run.signal_facts import components, rhythm

if TYPE_CHECKING:
    from tool_use_om.heads.contract.base import ClassifierHead
    from tool_use_om.heads.contract.results import Explanation
    from tool_use_om.tools.run.classify.labelled import Labelled

SHOWN_EXAMPLES = 3
SHOWN_CHANNELS = 6
NOTABLE_DROP = 0.02


def explain(ctx: ToolContext, run: Run) -> dict[str, Any]:
    """Return rhythm, salient channels, nearest examples and the least certain stretch."""
    target = run.data["target_label"]
    study = prepare_run(ctx, run.working_set, run.args, Stopwatch(), target)
    if run.data.get("gate") is None:
        study = fitting(study, run.args.labels_per_class)
    head = fit_head(run.working_set, study)
    found = [read(FoundStretch, row) for row in run.data["detail"]["segments"]]
    content: dict[str, Any] = {"target_label": target}
    if found:
        windows = cut(study.plan, [segment_of(row) for row in found])
        content |= rhythm(windows, ctx.seed)
        content["components"] = components(windows)[:SHOWN_CHANNELS]
    judged = study.test.known()
    content["salient_channels"] = channels = _channels(head, judged, target)
    if channels and channels[0]["probability_drop"] < NOTABLE_DROP:
        content["note"] = "No single channel is essential: the others carry the same information."
    content["faithfulness"] = _faithfulness(head, judged, study.train, target, ctx.seed)
    answered_by = run.data.get("answered_by") or head.name
    if answered_by == VOTE:
        content["explains_head"] = head.name
    elif answered_by != head.name:
        content["explains_head"] = head.name
        content["note_on_head"] = (
            f"{answered_by} answered; it cannot say why. This explains the head {head.name}, which "
            "the gate compared it with."
        )
    if found:
        content |= _examples(head, study.test, found[0])
        last = found[-1].to_json()
        content["least_certain"] = {
            key: last[key] for key in ("session_id", "start_s", "end_s", "label", "confidence")
        }
    return content


def _channels(head: ClassifierHead, data: Labelled, target: str | None) -> list[dict[str, Any]]:
    """What is lost when a channel says nothing, on held-out windows of the target."""
    import numpy as np

    from tool_use_om.heads.trust.attribution import channel_attribution

    own = data if target is None else data.select(np.flatnonzero(data.y == target))
    if not len(own):
        return []
    drops = channel_attribution(head, own.tokens, [str(y) for y in own.y])
    return [
        {
            "channel": d.channel,
            "probability_drop": d.probability_drop,
            "accuracy_drop": d.accuracy_drop,
        }
        for d in drops
    ]


def _faithfulness(
    head: ClassifierHead, data: Labelled, train: Labelled, target: str | None, seed: int
) -> dict[str, Any]:
    """Whether deleting the salient channel hurts more than deleting another one does."""
    import numpy as np

    from tool_use_om.heads.trust.attribution import check_faithfulness

    own = data if target is None else data.select(np.flatnonzero(data.y == target))
    try:
        found = check_faithfulness(
            head, own.tokens, [str(y) for y in own.y], train.tokens, seed=seed
        )
    except DataError as error:
        return {"faithful": None, "why_not": str(error)}
    gap = found.difference
    return {
        "faithful": found.faithful,
        "salient_on_each_half": list(found.salient),
        "salient_drop": found.salient_drop.value,
        "random_drop": found.random_drop.value,
        "difference": {"value": gap.value, "lower": gap.lower, "upper": gap.upper},
        "salient_accuracy_drop": found.salient_accuracy_drop,
        "random_accuracy_drop": found.random_accuracy_drop,
        "n_windows": gap.n,
        "n_sessions": gap.n_groups,
    }


def _examples(head: ClassifierHead, test: Labelled, row: FoundStretch) -> dict[str, Any]:
    """The training stretches nearest to the surest window, and the nearest of another label."""
    import numpy as np

    tokens = test.tokens
    inside = [
        i
        for i, name in enumerate(tokens.session_ids)
        if name == row.session_id and row.start_s <= tokens.window_start_s[i] < row.end_s - 1e-9
    ]
    explained = head.explain(tokens.select(np.array(inside)), k=SHOWN_EXAMPLES)
    pairs = list(zip(explained, inside, strict=True))
    own = [(e, i) for e, i in pairs if e.label == row.label] or pairs
    best, index = max(own, key=lambda pair: pair[0].probability)
    return {
        "example": {
            "session_id": tokens.session_ids[index],
            "start_s": float(tokens.window_start_s[index]),
            "end_s": float(tokens.end_s[index]),
            "label": best.label,
            "probability": best.probability,
        },
        "nearest_prototypes": [asdict(n) for n in best.nearest],
        "nearest_windows": [asdict(n) for n in best.neighbours],
        "what_would_change": _counterfactual(best),
    }


def _counterfactual(best: Explanation) -> dict[str, Any] | None:
    """The closest fitted window of another label, and how much farther it is than the own one."""
    if best.counterfactual is None:
        return None
    return {**asdict(best.counterfactual), "times_farther": best.times_farther}
