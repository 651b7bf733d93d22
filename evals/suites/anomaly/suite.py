"""How well labelled anomalies are found in series that the detector has seen only the start of.

Of each labelled session the first 15 percent count as usual (NAB's probationary part; a UCR anomaly
file's training part is about as long), the rest is judged: a split by time. All methods score the
same windows; scores and their reasons are in `range_scores`. Sessions without an anomaly after that
part are left out of both scores, and counted.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Json
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.report import (
    Row,
    Table,
    by_group,
    how_measured,
    interval,
    mean_of,
    of_data,
    with_interval,
)
from tool_use_om.evals.suites.anomaly.peers import DETECTORS, RANDOM
from tool_use_om.evals.suites.anomaly.scores import event_hits, point_scores, vus_pr
from tool_use_om.evals.suites.base import TokenSettings, TokenSuite
from tool_use_om.evals.suites.forecast.protocols import grid
from tool_use_om.heads.registry import head_specs, make_head
from tool_use_om.heads.samples.problem import filled
from tool_use_om.tokenizers.encode.extremes import with_extremes
from tool_use_om.tokenizers.windows.windows import WindowBatch

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tokenizers.tokens import Tokens

Array = np.ndarray
LABEL = "anomaly"
USUAL_SHARE = 0.15
PATCHES = 8  # in a window
STEPS = 8  # windows start an eighth of a window apart
RANDOM_DRAWS = 20


@dataclass(frozen=True, kw_only=True)
class Series:
    """One channel of one session as windows.

    Parameters
    ----------
    values : (n,) samples, gaps filled by straight lines
    labels : (n,) bool
    first : samples that count as usual
    width, step : samples
    """

    session_id: str
    channel: str
    rate_hz: float
    values: Array
    labels: Array
    first: int
    width: int
    step: int

    @property
    def name(self) -> str:
        """The session and the modality it is of."""
        return f"{self.session_id} ({self.channel})"

    def starts(self, *, usual: bool) -> Array:
        """Return the first samples of the windows of one part; none reaches into the other."""
        low, high = (0, self.first) if usual else (self.first, len(self.values))
        return np.arange(low, high - self.width + 1, self.step)

    def windows(self, *, usual: bool) -> Array:
        """Return (m, width) samples."""
        starts = self.starts(usual=usual)
        cut: Array = self.values[starts[:, None] + np.arange(self.width)]
        return cut


class AnomalySettings(TokenSettings):
    """Settings of the anomaly suite."""

    data: tuple[str, ...] = Field(
        min_length=1, description="A set with labels 'anomaly'; repeatable."
    )


class AnomalySuite(TokenSuite):
    """Detectors × data sets with a label "anomaly"."""

    name = "anomaly"
    takes = AnomalySettings
    asked: AnomalySettings
    fixed: ClassVar[Mapping[str, object]] = {"usual_share": USUAL_SHARE, "patches": PATCHES}

    def __init__(self, *, workspace: Workspace, **given: Json) -> None:
        super().__init__(workspace=workspace, **given)
        self._series = lru_cache(maxsize=1)(self._cut)
        self._tokens = lru_cache(maxsize=1)(self._encoded)

    def cells(self, name: str) -> list[tuple[str, str]]:
        """Return (kind, method)."""
        del name
        return self.kept([s.name for s in head_specs("anomaly")], DETECTORS)

    def measure(self, row: Row) -> Row:
        """Measure one detector on all series of a set."""
        started = time.process_time()
        name, kind, method = row["data"], row["kind"], row["method"]
        series, skipped = self._series(name)
        scores = [self._scores(name, i, kind, method) for i in range(len(series))]
        values = {k: np.array([s[k] for s in scores]) for k in ("vus_pr", "hits", "events")}
        shares = np.array([one.labels[one.first :].mean() for one in series])
        return {
            "n_series": len(series),
            "n_events": int(values["events"].sum()),
            "skipped": skipped,
            "labelled_share": float(shares.mean()),
            "series": {s.name: v for s, v in zip(series, scores, strict=True)},
            "seconds": time.process_time() - started,
            "kept": by_group(values, np.arange(len(series))),
        }

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return a table over the series of each set, and one by series."""
        tables = []
        for name in self.sets:
            own = of_data(rows, name)
            about = how_measured(own, _about)
            note = f"{about} {self.content_note(name)}"
            shown = tuple(_cells(r) for r in own)
            tables.append(Table(title=f"{name}: anomalies found", note=note, rows=shown))
            tables.append(_by_series(name, [r for r in own if not r["error"]]))
        return tables

    def _cut(self, name: str) -> tuple[list[Series], int]:
        dataset = self.sets[name]
        patch = self.tokenizer.spec.patch_len
        every = [
            found
            for session in dataset.sessions()["session_id"]
            for found in _series_of(dataset, session, PATCHES * patch)
        ]
        kept = [s for s in every if s.labels[s.first :].any() and len(s.starts(usual=True)) > 1]
        if not kept:
            raise DataError(f"{name}: no session with an anomaly after its first part.")
        return kept, len(every) - len(kept)

    def _encoded(self, name: str, index: int) -> tuple[Tokens, Tokens]:
        one = self._series(name)[0][index]
        usual, judged = (self.tokenizer.encode(_batch(one, usual=u)) for u in (True, False))
        return usual, judged

    def _scores(self, name: str, index: int, kind: str, method: str) -> dict[str, float]:
        one = self._series(name)[0][index]
        if kind == "head":
            return _scored(one, self._head_scores(name, index, method))
        detector = DETECTORS[method]
        draws = RANDOM_DRAWS if method == RANDOM else 1
        usual, judged = one.windows(usual=True), one.windows(usual=False)
        found = [_scored(one, detector(usual, judged, self.seed + d)) for d in range(draws)]
        return {k: float(np.mean([f[k] for f in found])) for k in found[0]}

    def _head_scores(self, name: str, index: int, method: str) -> Array:
        from tool_use_om.heads.contract.base import AnomalyHead

        head = make_head(method)
        if not isinstance(head, AnomalyHead):
            raise DataError(f"{method} finds no anomalies.")
        usual, judged = self._tokens(name, index)
        if head.reads_extremes:
            one = self._series(name)[0][index]
            usual = with_extremes(usual, _batch(one, usual=True))
            judged = with_extremes(judged, _batch(one, usual=False))
        return head.fit(usual).score(judged)


def _series_of(dataset: DataSet, session_id: str, width: int) -> list[Series]:
    """Return the channels of one session whose anomalies are labelled, long enough to be cut."""
    rows = dataset.labels([session_id])
    sets = dataset.manifest.label_sets
    label_set = next((s for s, names in sets.items() if LABEL in names), None)
    if label_set is None:
        raise DataError(f"{dataset.name} has no label {LABEL!r}.")
    spans = rows[(rows["set"] == label_set) & (rows["label"] == LABEL)]
    found = []
    for signal in dataset.read(session_id):
        for channel in signal.channels:
            values = grid(dataset, session_id, [channel])[0]
            labels = np.zeros(len(values), dtype=bool)
            for start, end in zip(spans["start_s"], spans["end_s"], strict=True):
                first = round(float(start) * signal.rate_hz)
                labels[first : max(first + 1, round(float(end) * signal.rate_hz))] = True
            found.append(
                Series(
                    session_id=session_id,
                    channel=channel,
                    rate_hz=signal.rate_hz,
                    values=filled(values[None])[0],
                    labels=labels,
                    first=round(USUAL_SHARE * len(values)),
                    width=width,
                    step=max(1, width // STEPS),
                )
            )
    return found


def _batch(one: Series, *, usual: bool) -> WindowBatch:
    values = one.windows(usual=usual)[:, None].astype(np.float32)
    return WindowBatch(
        values=values,
        mask=np.ones(values.shape, dtype=bool),
        rate_hz=one.rate_hz,
        start_s=one.starts(usual=usual) / one.rate_hz,
        session_ids=(one.session_id + ("-usual" if usual else ""),) * len(values),
        channels=(one.channel,),
        units=("a.u.",),
    )


def _scored(one: Series, scores: Array) -> dict[str, float]:
    n = len(one.values) - one.first
    points = point_scores(scores, one.starts(usual=False) - one.first, one.width, n)
    labels = one.labels[one.first :]
    hit, there = event_hits(labels, points, one.width)
    return {"vus_pr": vus_pr(labels, points, one.width), "hits": float(hit), "events": float(there)}


def _about(row: Row) -> str:
    return (
        f"{row['n_series']} series with {row['n_events']} labelled events after their first "
        f"{USUAL_SHARE:.0%}, which alone counts as usual; {row['skipped']} others have none there. "
        f"Windows of {PATCHES} patches, an eighth of that apart; a sample's score is the mean of "
        "the windows over it. VUS-PR: mean over series; on average "
        f"{row['labelled_share']:.3f} of a series is labelled. Events: the share hit by as many "
        "alarms, one window long, as a series has events. random: mean of "
        f"{RANDOM_DRAWS} draws. No point adjustment. Groups of the bootstrap: series."
    )


def _cells(row: Row) -> dict[str, str]:
    cells: dict[str, Any] = {"detector": row["method"]}
    cells["kind"] = "ours" if row["kind"] == "head" else "peer"
    if row["error"]:
        return cells | {"VUS-PR": str(row["error"]), "events": "–", "seconds": "–"}
    kept = row["kept"]
    vus = interval([kept], lambda pick: mean_of(kept, "vus_pr", pick))
    share = interval([kept], lambda pick: mean_of(kept, "hits", pick) / _events(kept, pick))
    cells |= {"VUS-PR": with_interval(*vus), "events": with_interval(*share)}
    return cells | {"seconds": f"{row['seconds']:.1f}"}


def _events(kept: dict[str, Any], pick: Array | None) -> float:
    return max(mean_of(kept, "events", pick), 1e-9)


def _by_series(name: str, rows: Sequence[Row]) -> Table:
    shown = []
    for session in rows[0]["series"] if rows else ():
        cells = {"series": session}
        for r in rows:
            one = r["series"][session]
            cells[r["method"]] = f"{one['vus_pr']:.3f}; {one['hits']:.3g} of {one['events']:g}"
        shown.append(cells)
    return Table(title=f"{name}: series by series", note="VUS-PR; events hit.", rows=tuple(shown))
