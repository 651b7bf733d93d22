"""Phase 2: choose the encoder, how it reads the data, and the head."""

from __future__ import annotations

from statistics import median_low
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.names import resolve_name
from tool_use_om.tools.call.outcome import finish
from tool_use_om.tools.call.working_set import EncodingSettings, WorkingSet
from tool_use_om.tools.encode.rules import Wish, encoding_settings, liveliest
from tool_use_om.tools.look.selection import channels_of, open_current, select

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tokenizers.spec import TokenizerSpec


def select_tokenizer(
    ctx: ToolContext, working_set: WorkingSet, args: a.SelectTokenizer
) -> ToolOutcome:
    """Choose an encoder: the one named, else the smallest whose weights are here.

    Small first is a rule, not a finding: on one machine's CPU the encoder is most of the cost, and
    `compare_heads` measures whether it is good enough.
    """
    from tool_use_om.tokenizers.adapt.adapter import adapted
    from tool_use_om.tokenizers.registry import specs

    table = {spec.name: spec for spec in [*specs(), *adapted(ctx.workspace)]}
    missing = {name: _why_not(spec) for name, spec in table.items()}
    if args.tokenizer is not None:
        name = resolve_name("tokenizer", args.tokenizer, table)
        why = "asked for by name"
        if missing[name]:
            raise DataError(f"The tokenizer {name!r} cannot be used: {missing[name]}.")
    else:
        usable = [s for n, s in table.items() if not missing[n] and "+" not in n]
        here = sorted(usable, key=lambda s: s.parameters)
        name = here[0].name
        why = f"the smallest of {len(here)} whose weights are on this machine; {here[0].good_at}"
    return finish(
        ctx,
        working_set.but(tokenizer=name),
        args,
        tool="select_tokenizer",
        content={**_spec_row(table[name]), "why": why, "alternatives": _others(table, name)},
    )


def configure_tokenizer(
    ctx: ToolContext, working_set: WorkingSet, args: a.ConfigureTokenizer
) -> ToolOutcome:
    """Set windows, patches and rates; what is not given follows from the data by rule."""
    dataset = open_current(ctx, working_set)
    found = select(dataset, working_set)
    spec = tokenizer_spec(working_set)
    chosen = encoding_settings(
        found,
        encoder_channels(dataset, working_set),
        spec,
        Wish(**args.model_dump()),
    )
    settings = chosen.settings
    return finish(
        ctx,
        working_set.but(
            dataset=dataset.name, tokenizer=spec.name, tokenizer_config=settings.model_dump()
        ),
        args,
        tool="configure_tokenizer",
        content={
            "window_s": settings.window_s,
            "stride_s": settings.stride_s,
            "rate_hz": chosen.rate_hz,
            "patch_s": spec.patch_len / chosen.rate_hz,
            "patches_per_window": int(settings.window_s / chosen.patch_s + 1e-9),
            "context_features": settings.context_features,
            **_special(settings),
            "why": chosen.why,
        },
    )


def select_channels_for_encoding(
    ctx: ToolContext, working_set: WorkingSet, args: a.SelectChannelsForEncoding
) -> ToolOutcome:
    """Choose what the encoder sees, leaving out channels that carry nothing."""
    dataset = open_current(ctx, working_set)
    wanted = channels_of(dataset, args.channels or working_set.channels)
    sessions = select(dataset, working_set).session_ids
    kept, dropped, why = liveliest(dataset, wanted, sessions, args.max_channels)
    return finish(
        ctx,
        working_set.but(dataset=dataset.name, encoding_channels=kept),
        args,
        tool="select_channels_for_encoding",
        content={"channels": list(kept), "dropped": list(dropped), "why": why},
        inputs={"content_hash": dataset.content_hash},
    )


def select_task_head(
    ctx: ToolContext, working_set: WorkingSet, args: a.SelectTaskHead
) -> ToolOutcome:
    """Choose the task's head: the one named, else by the labels there are."""
    from tool_use_om.heads.registry import choose_head, head_specs

    dataset = open_current(ctx, working_set)
    there = labels_available(dataset)
    specs = {spec.name: spec for spec in head_specs() if spec.task == args.task}
    choice = choose_head(args.task, _labels_per_class(there, args))
    name, why = choice.name, choice.why
    if args.head is not None:
        name, why = resolve_name(f"{args.task} head", args.head, specs), "asked for by name"
    return finish(
        ctx,
        working_set.but(dataset=dataset.name, task=args.task, head=name, head_params={}),
        args,
        tool="select_task_head",
        content={
            "task": args.task,
            "head": name,
            "why": why,
            "labels_per_class_available": there,
            "unit_of_labels": "training sessions",
            "alternatives": [
                {"name": s.name, "good_at": s.good_at, "bad_at": s.bad_at}
                for s in specs.values()
                if s.name != name
            ],
        },
        detail={"heads": [s.to_json() for s in specs.values()]},
        inputs={"content_hash": dataset.content_hash},
    )


def configure_head(ctx: ToolContext, working_set: WorkingSet, args: a.ConfigureHead) -> ToolOutcome:
    """Change settings of the selected head; earlier settings stay."""
    from tool_use_om.heads.registry import head_spec

    if working_set.head is None:
        raise DataError("No head is selected. Call select_task_head first.")
    given = {**working_set.head_params, **args.params}
    params = head_spec(working_set.head).resolve(given)
    return finish(
        ctx,
        working_set.but(head_params={k: params[k] for k in given}),
        args,
        tool="configure_head",
        content={"head": working_set.head, "params": params},
    )


def tokenizer_spec(working_set: WorkingSet) -> TokenizerSpec:
    """Return the spec of the selected tokenizer, else of the offline default."""
    from tool_use_om.tokenizers.adapt.adapter import spec_of
    from tool_use_om.tokenizers.registry import DEFAULT_TOKENIZER

    return spec_of(working_set.tokenizer or DEFAULT_TOKENIZER)


def encoder_channels(dataset: DataSet, working_set: WorkingSet) -> tuple[str, ...]:
    """Return what the encoder sees: chosen for it, else selected, else all channels."""
    return channels_of(dataset, working_set.encoding_channels or working_set.channels)


def main_label_set(dataset: DataSet, label: str | None = None) -> str:
    """Return the first label set that holds `label` (or the first one).

    Raises
    ------
    DataError : the data set has no labels
    """
    sets = dataset.manifest.label_sets
    for name, labels in sets.items():
        if label is None or label in labels:
            return name
    raise DataError(f"{dataset.name} has no labels{f' {label!r}' if label else ''}.")


def labels_available(dataset: DataSet) -> dict[str, int]:
    """Return how many training sessions hold each label of the first label set."""
    if not dataset.manifest.label_sets:
        return {}
    name = main_label_set(dataset)
    table = dataset.sessions()
    train = table.loc[table["split"] == "train", "session_id"].tolist()
    counts = dataset.labels(train, name).groupby("label")["session_id"].nunique()
    return {label: int(counts.get(label, 0)) for label in dataset.manifest.label_sets[name]}


def _labels_per_class(there: dict[str, int], args: a.SelectTaskHead) -> int:
    """Return how many labels the class in the middle has, or every class is said to have."""
    present = [n for n in there.values() if n]
    if args.task == "classify" and len(present) < 2:
        raise DataError(
            "Classifying needs labelled training sessions of two classes at least; there are "
            f"{len(present)}. Use task='retrieve' or 'anomaly'."
        )
    per_class = median_low(present) if present else 0
    return per_class if args.labels_per_class is None else min(per_class, args.labels_per_class)


def _special(settings: EncodingSettings) -> dict[str, Any]:
    """Return what is set beyond windows at one rate."""
    names = {"patch_stride_s", "super_s", "fusion", "resolutions"}
    given = settings.model_dump(include=names, exclude_none=True)
    return {name: value for name, value in given.items() if value != "common"}


def _why_not(spec: TokenizerSpec) -> str:
    """Return why an encoder's weights cannot be used here; empty if they can."""
    from tool_use_om.tokenizers.registry import is_here, is_installed

    if not is_installed(spec):
        return "its library is not installed (pip install 'tool-use-om[zoo]')"
    if is_here(spec):
        return ""
    return f"its weights ({spec.weights}, {spec.size_mb:g} MB) are not on this machine"


def _spec_row(spec: TokenizerSpec) -> dict[str, Any]:
    return {
        "tokenizer": spec.name,
        "parameters": spec.parameters,
        "patch_len": spec.patch_len,
        "d_model": spec.d_model,
        "native_context": spec.native_context,
        "licence": spec.licence,
    }


def _others(table: dict[str, TokenizerSpec], chosen: str) -> list[dict[str, Any]]:
    rows = []
    for name, spec in table.items():
        reason = _why_not(spec)
        larger = f"{spec.parameters} parameters against {table[chosen].parameters}"
        if name != chosen:
            rows.append({"name": name, "available": not reason, "why_not": reason or larger})
    return rows
