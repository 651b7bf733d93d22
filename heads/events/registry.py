"""Models of threshold events by name: one line adds one."""

from __future__ import annotations

from collections.abc import Mapping
from pkgutil import resolve_name

from tool_use_om.data.errors import unknown
from tool_use_om.data.values import Untyped
from tool_use_om.heads.events.model import EventModel, EventSpec

EVENT_MODELS: Mapping[str, str] = {
    "base_rate": "tool_use_om.heads.events.plain:BaseRate",
    "last_day": "tool_use_om.heads.events.plain:LastDay",
    "boosting": "tool_use_om.heads.events.plain:Boosting",
    "minirocket": "tool_use_om.heads.events.rocket:Rocket",
    "patchtst": "tool_use_om.heads.events.deep.architectures:PatchTST",
    "itransformer": "tool_use_om.heads.events.deep.architectures:ITransformer",
    "timemixer": "tool_use_om.heads.events.deep.architectures:TimeMixer",
    "informer": "tool_use_om.heads.events.deep.architectures:Informer",
    "autoformer": "tool_use_om.heads.events.deep.architectures:Autoformer",
    "fedformer": "tool_use_om.heads.events.deep.architectures:FEDformer",
    "etsformer": "tool_use_om.heads.events.deep.architectures:ETSformer",
    "crossformer": "tool_use_om.heads.events.deep.architectures:Crossformer",
    "arma_attention": "tool_use_om.heads.events.deep.architectures:ArmaAttention",
    "fracast": "tool_use_om.heads.events.foundation.fracast:Fracast",
    "timesfm": "tool_use_om.heads.events.foundation.timesfm:TimesFM",
}


def event_model_class(name: str) -> Untyped:
    """Return a model's class; raise NotFoundError with the nearest names otherwise."""
    if name not in EVENT_MODELS:
        raise unknown("model of events", name, EVENT_MODELS)
    return resolve_name(EVENT_MODELS[name])


def event_model(name: str, *, seed: int = 0, parameters: int = 2_000_000) -> EventModel:
    """Build an unfitted model; raise NotFoundError with the nearest names otherwise."""
    made: EventModel = event_model_class(name)(seed=seed, parameters=parameters)
    return made


def event_specs() -> list[EventSpec]:
    """Return what every model says about itself, in the order of the registry."""
    return [event_model_class(name).spec for name in EVENT_MODELS]
