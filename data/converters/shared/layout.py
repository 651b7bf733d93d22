"""From a recording's named signals to modalities: one for each kind of signal and rate."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tool_use_om.data.converters.table.columns import slug
from tool_use_om.data.errors import NotFoundError
from tool_use_om.data.format.schema import Channel, Modality
from tool_use_om.data.units import check_unit

# how a signal's name reads, lower case → the modality it belongs to
_KINDS: tuple[tuple[str, str], ...] = (
    (r"eeg|^(fp|af|fc|ft|cp|tp|po|f|c|t|p|o|a|m)(z|\d{1,2})(\W|$)", "eeg"),
    (r"eog|^(l|r)oc", "eog"),
    (r"emg|chin|tib", "emg"),
    (r"ecg|ekg|^(i|ii|iii|avr|avl|avf|vx|vy|vz|v|v\d|ml\w+|mcl\w*)$", "ecg"),
    (r"pleth|ppg|^pulse", "pulse"),
    (r"sao2|spo2|oxi", "oximetry"),
    (r"resp|^naf|airflow|^vab|^vth|thor|abdo|chest|nasal", "respiration"),
    (r"^abp|^bp$|^art|^pap$|^cvp|^icp|^ubp", "pressure"),
    (r"temp", "temperature"),
    (r"hypnogram|event|marker|stage", "marker"),
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """One signal of a recording, as its file names it."""

    label: str
    unit: str
    rate_hz: float


class Layout:
    """The modalities that hold all signals of several recordings.

    Signals of one kind and rate share a modality, one channel for each name; a kind that occurs at
    several rates has one modality for each, named after it. Recordings without one of a modality's
    signals hold NaN there. A unit outside the table becomes "a.u." and is reported in `notes`.
    """

    def __init__(self, recordings: Iterable[Sequence[Source]]) -> None:
        found = [s for signals in recordings for s in signals]
        keys = sorted({(kind_of(s.label), s.rate_hz) for s in found})
        rates = Counter(kind for kind, _ in keys)
        self._names = {
            (kind, rate): kind if rates[kind] == 1 else slug(f"{kind}_{rate:g}hz")
            for kind, rate in keys
        }
        self._channels: dict[str, dict[str, str]] = {name: {} for name in self._names.values()}
        self._odd: dict[str, None] = {}
        for source in found:
            channels = self._channels[self._modality(source)]
            channels.setdefault(self._channel(source), self._unit(source))
        self.modalities = tuple(
            Modality(
                name=name,
                rate_hz=rate,
                channels=tuple(Channel(name=c, unit=u) for c, u in self._channels[name].items()),
            )
            for (_, rate), name in self._names.items()
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader of the manifest should know about units."""
        odd = ", ".join(self._odd)
        return (f"Units of the source that are not known here became a.u.: {odd}.",) if odd else ()

    def place(
        self, signals: Sequence[tuple[Source, np.ndarray, np.ndarray]]
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Return modality → (time_s (n,), values (n, C)) of one recording's (source, time, values).

        Signals of one modality share their time.
        """
        placed: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        for source, time_s, values in signals:
            name = self._modality(source)
            columns = list(self._channels[name])
            if name not in placed:
                blank = np.full((len(time_s), len(columns)), np.nan, np.float32)
                placed[name] = time_s, blank
            placed[name][1][:, columns.index(self._channel(source))] = values
        return placed

    def _modality(self, source: Source) -> str:
        return self._names[kind_of(source.label), source.rate_hz]

    def _channel(self, source: Source) -> str:
        """Return the name; a second unit under one name gets a channel of its own."""
        name = slug(source.label).replace(".", "_") or "signal"
        same = [
            c for c in self._channels[self._modality(source)] if c.casefold() == name.casefold()
        ]
        if same and self._channels[self._modality(source)][same[0]] != self._unit(source):
            return f"{name}_{slug(self._unit(source)) or 'other'}"
        return same[0] if same else name

    def _unit(self, source: Source) -> str:
        text = source.unit.strip()
        if text in {"-", "?"}:
            return "a.u."
        try:
            return check_unit(text)
        except NotFoundError:
            self._odd[text[:20]] = None
            return "a.u."


def kind_of(label: str) -> str:
    """Return the modality a signal's name speaks of; "other" if it speaks of none."""
    text = label.strip().casefold()
    return next((kind for pattern, kind in _KINDS if re.search(pattern, text)), "other")
