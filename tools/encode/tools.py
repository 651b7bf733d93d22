"""Phase 2: choose the encoder, how it reads the data, and the head."""

from __future__ import annotations

from typing import Any

from tool_use_om.data.errors import DataError
from tool_use_om.tokenizers.spec import LARGE, Precision, TokenizerSpec
from tool_use_om.tokenizers.windows.config import TokenizerConfig
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.definition import ToolDef
from tool_use_om.tools.call.names import resolve_name
from tool_use_om.tools.call.outcome import finish
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.found import (
    EncodedChannels,
    OtherTokenizer,
    TokenizerSelected,
    WindowsConfigured,
)
from tool_use_om.tools.encode.plan import encoder_channels, tokenizer_spec
from tool_use_om.tools.encode.rules import encoding_settings, liveliest
from tool_use_om.tools.look.selection import channels_of, open_current, select


def select_tokenizer(
    ctx: ToolContext, working_set: WorkingSet, args: a.SelectTokenizer
) -> ToolOutcome:
    """Choose an encoder: the one named, else the shipped default, else the smallest that is here.

    Small first is a rule, not a finding: on one machine's CPU the encoder is most of the cost, and
    `compare_heads` measures whether it is good enough.
    """
    from tool_use_om.tokenizers.adapt.adapter import adapted
    from tool_use_om.tokenizers.registry import DEFAULT_TOKENIZER, specs

    table = {spec.name: spec for spec in [*specs(), *adapted(ctx.workspace)]}
    missing = {name: _why_not(spec) for name, spec in table.items()}
    if args.tokenizer is not None:
        name = resolve_name("tokenizer", args.tokenizer, table)
        why = "asked for by name"
        if missing[name]:
            raise DataError(f"The tokenizer {name!r} cannot be used: {missing[name]}.")
    else:
        usable = [s for n, s in table.items() if not missing[n] and "+" not in n]
        here = sorted(usable, key=lambda s: (s.name != DEFAULT_TOKENIZER, s.parameters))
        name = here[0].name
        rule = "the default" if name == DEFAULT_TOKENIZER else "the smallest"
        why = f"{rule} of {len(here)} whose weights are on this machine; {here[0].good_at}"
    return finish(
        ctx,
        working_set.but(tokenizer=name, precision=args.precision),
        args,
        tool="select_tokenizer",
        content=TokenizerSelected(
            **_spec_row(table[name]),
            precision=args.precision,
            why="; ".join(filter(None, (why, _faster(table[name], args.precision)))),
            alternatives=_others(table, name),
        ),
    )


def configure_tokenizer(
    ctx: ToolContext, working_set: WorkingSet, args: a.ConfigureTokenizer
) -> ToolOutcome:
    """Set windows, patches and rates; what is not given follows from the data by rule."""
    dataset = open_current(ctx, working_set)
    found = select(dataset, working_set)
    spec = tokenizer_spec(working_set)
    chosen = encoding_settings(found, encoder_channels(dataset, working_set), spec, args)
    config = chosen.config
    return finish(
        ctx,
        working_set.but(dataset=dataset.name, tokenizer=spec.name, tokenizer_config=config),
        args,
        tool="configure_tokenizer",
        content=WindowsConfigured(
            window_s=config.window_s,
            stride_s=config.stride_s,
            rate_hz=chosen.rate_hz,
            patch_s=spec.patch_len / chosen.rate_hz,
            patches_per_window=int(config.window_s / chosen.patch_s + 1e-9),
            context_features=config.context_features,
            **_special(config),
            why=chosen.why,
        ),
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
        content=EncodedChannels(channels=list(kept), dropped=list(dropped), why=why),
        inputs={"content_hash": dataset.content_hash},
    )


def _special(config: TokenizerConfig) -> dict[str, Any]:
    """Return what is set beyond windows at one rate."""
    names = {"patch_stride_s", "super_s", "fusion", "resolutions"}
    given = config.model_dump(include=names, exclude_none=True)
    return {name: value for name, value in given.items() if value != "common"}


def _why_not(spec: TokenizerSpec) -> str:
    """Return why an encoder's weights cannot be used here; empty if they can."""
    from tool_use_om.tokenizers.registry import is_here, is_installed

    if not is_installed(spec):
        return "its library is not installed (pip install 'tool-use-om[zoo]')"
    if is_here(spec):
        return ""
    return f"its weights ({spec.weights}, {spec.size_mb:g} MB) are not on this machine"


def _faster(spec: TokenizerSpec, precision: Precision) -> str:
    """Propose a faster precision for a large encoder; it is taken only when asked for."""
    if spec.parameters < LARGE or spec.family != "moment" or precision != "float32":
        return ""
    return (
        f"float32 with {spec.parameters} parameters is slow: precision='bfloat16' is faster on "
        "processors made for it, and answers may differ slightly"
    )


def _spec_row(spec: TokenizerSpec) -> dict[str, Any]:
    return {
        "tokenizer": spec.name,
        "parameters": spec.parameters,
        "patch_len": spec.patch_len,
        "d_model": spec.d_model,
        "native_context": spec.native_context,
        "licence": spec.licence,
    }


def _others(table: dict[str, TokenizerSpec], chosen: str) -> list[OtherTokenizer]:
    rows = []
    for name, spec in table.items():
        reason = _why_not(spec)
        larger = f"{spec.parameters} parameters against {table[chosen].parameters}"
        if name != chosen:
            rows.append(OtherTokenizer(name=name, available=not reason, why_not=reason or larger))
    return rows


SELECT_TOKENIZER = ToolDef(
    2,
    a.SelectTokenizer,
    select_tokenizer,
    "Choose the frozen encoder that turns windows into tokens.",
)
CONFIGURE_TOKENIZER = ToolDef(
    2,
    a.ConfigureTokenizer,
    configure_tokenizer,
    "Set window, stride and rate in seconds and hertz; defaults come from the data.",
)
SELECT_CHANNELS_FOR_ENCODING = ToolDef(
    2,
    a.SelectChannelsForEncoding,
    select_channels_for_encoding,
    "Choose which of the selected channels the encoder sees.",
)
