"""What a data set says about itself: the manifest and its parts."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from tool_use_om.data.errors import DataError, unknown
from tool_use_om.data.format.calendar import Calendar
from tool_use_om.data.units import UNITS, is_own_unit
from tool_use_om.data.workspace import check_name

FORMAT_VERSION = 1
Split = Literal["train", "calibration", "test"]
SPLITS: tuple[Split, ...] = ("train", "calibration", "test")
BY_TIME = "time"  # stands for the split of a session that is cut into blocks of several
UNKNOWN_SUBJECT = "unknown"

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]{0,63}")


def check_part(name: str) -> str:
    """Return `name` if it can stand on either side of the dot in "modality.channel"."""
    if not _PART.fullmatch(name):
        raise DataError(
            "A modality or channel name must be 1 to 64 letters, digits, '_', '-' or '+', and "
            f"start with a letter or digit; got {name[:80]!r}. Rename it."
        )
    return name


def _check_known_unit(unit: str) -> str:
    if unit not in UNITS and not is_own_unit(unit):
        raise DataError(str(unknown("unit", unit, UNITS)))
    return unit


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Channel(_Frozen):
    """One column of a modality; `unit` is spelled as in `data/units.py`, or a person's own."""

    name: Annotated[str, AfterValidator(check_part)]
    unit: Annotated[str, AfterValidator(_check_known_unit)]


class Modality(_Frozen):
    """Channels sampled together at the nominal rate `rate_hz` (samples may jitter or lack)."""

    name: Annotated[str, AfterValidator(check_part)]
    rate_hz: float = Field(gt=0, allow_inf_nan=False)
    channels: tuple[Channel, ...] = Field(min_length=1)

    @property
    def channel_ids(self) -> tuple[str, ...]:
        """The channels' ids, "modality.channel"."""
        return tuple(f"{self.name}.{c.name}" for c in self.channels)

    @model_validator(mode="after")
    def _unique(self) -> Modality:
        _refuse_repeats(f"channel of {self.name}", [c.name for c in self.channels])
        return self


class Manifest(_Frozen):
    """The content of manifest.json.

    `n_subjects` counts known subjects: 0 means that the source does not say who is who.
    `duration_s` is the sum over sessions. `splits` counts sessions; in a set whose sessions are
    cut into blocks of time (blocks.parquet), those that have a block of the split, and `gap_s` is
    the time kept free between blocks. `calendar` says what time means as dates. `session_noun`
    is what the source calls one session ("night"), None where it has no own word. `label_sets` maps
    a set to its labels; the set that covers the most time comes first.
    """

    format_version: Literal[1]
    name: Annotated[str, AfterValidator(lambda n: check_name("A data set name", n))]
    title: str
    synthetic: bool
    licence: str
    source: str
    modalities: tuple[Modality, ...] = Field(min_length=1)
    label_sets: dict[str, tuple[str, ...]]
    split_rule: str
    splits: dict[Split, int]
    n_sessions: int = Field(gt=0)
    n_subjects: int = Field(ge=0)
    duration_s: float = Field(gt=0, allow_inf_nan=False)
    content_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    notes: tuple[str, ...] = ()
    gap_s: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    calendar: Calendar = Calendar()
    session_noun: str | None = Field(default=None, pattern=r"^[^\W\d_]{3,24}$")

    @property
    def by_time(self) -> bool:
        """Whether sessions are cut into blocks of several splits."""
        return self.gap_s is not None

    def to_json(self) -> str:
        """Return the text of manifest.json; facts a set does not have are left out."""
        optional = ("gap_s", "calendar", "session_noun")
        left_out = {k for k in optional if getattr(self, k) in {None, Calendar()}}
        return self.model_dump_json(indent=2, exclude=left_out)

    @model_validator(mode="after")
    def _unique(self) -> Manifest:
        _refuse_repeats("modality", [m.name for m in self.modalities])
        return self

    @property
    def channel_ids(self) -> tuple[str, ...]:
        """All channel ids, in the manifest's order."""
        return tuple(c for m in self.modalities for c in m.channel_ids)

    def modality_of(self, channel_id: str) -> Modality:
        """Return the modality a channel belongs to; raise NotFoundError for an unknown channel."""
        for modality in self.modalities:
            if channel_id in modality.channel_ids:
                return modality
        raise unknown("channel", channel_id, self.channel_ids)

    def unit_of(self, channel_id: str) -> str:
        """Return a channel's unit; raise NotFoundError for an unknown channel."""
        modality = self.modality_of(channel_id)
        return modality.channels[modality.channel_ids.index(channel_id)].unit

    def rate_of(self, channel_id: str) -> float:
        """Return a channel's nominal rate in Hz; raise NotFoundError for an unknown channel."""
        return self.modality_of(channel_id).rate_hz


def _refuse_repeats(kind: str, names: list[str]) -> None:
    folded = [n.casefold() for n in names]
    repeated = (
        sorted({n for n in names if folded.count(n.casefold()) > 1})
        if len(set(folded)) < len(folded)
        else []
    )
    if repeated:
        raise DataError(f"Each {kind} needs its own name; repeated: {', '.join(repeated[:5])}.")


def identity(folder: Path) -> tuple[int, int, int] | None:
    """Return what tells a set's folder from the one that replaces it; None if there is none."""
    try:
        facts = os.stat(f"{folder}/manifest.json")  # noqa: PTH116 - asked for at every read: a third the time
    except OSError:
        return None
    return facts.st_ino, facts.st_mtime_ns, facts.st_size


def read_consistent(folder: Path) -> Manifest:
    """Return a set's manifest; refuse one whose index lists another number of sessions."""
    manifest = _read_manifest(folder / "manifest.json")
    from tool_use_om.data.format.parquet import open_parquet  # a manifest alone needs no Arrow

    with open_parquet(folder / "sessions.parquet") as index:
        n_rows = index.metadata.num_rows
    if n_rows != manifest.n_sessions:
        raise DataError(
            f"{folder / 'sessions.parquet'} lists {n_rows} sessions but the manifest says "
            f"{manifest.n_sessions}. Convert the set again."
        )
    return manifest


def _read_manifest(path: Path) -> Manifest:
    if not path.parent.is_dir():
        raise DataError(
            f"There is no data set at {path.parent}. `tuom data list` shows those there are."
        )
    if not path.exists():
        raise DataError(
            f"{path.parent} has no manifest.json: it is not a data set, or its conversion was cut "
            "short. Convert it again."
        )
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        version = facts.get("format_version") if isinstance(facts, dict) else None
        if version != FORMAT_VERSION:
            raise DataError(
                f"{path} is of format {version!r}; this version reads {FORMAT_VERSION}."
            )
        return Manifest.model_validate(facts)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}. Convert the set again.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"]) or "manifest"
        raise DataError(
            f"{path} is damaged at {where}: {first['msg']}. Convert the set again."
        ) from error
