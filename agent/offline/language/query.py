"""What a question asks, as the parser understood it: made once, then carried as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from tool_use_om.agent.offline.language.measures import Level

_STRICT = ConfigDict(extra="forbid")

Kind = Literal[
    "datasets",  # which data sets are there
    "sessions",  # count, list or describe sessions, channels, labels, subjects
    "stats",  # a statistic of channels
    "facts",  # who, when, how long, units and rates, labels in time
    "narrow",  # look at a part of each session, no more
    "plot",
    "check",  # what may be wrong with the data
    "find",  # where is this activity
    "described",  # where is what is described by rate, liveliness, direction
    "classify",  # how well can activities be told, all of them
    "fewlabels",  # the same with few labels a class
    "forecast",
    "similar",  # what is like this stretch
    "motif",  # what repeats
    "drift",  # are the held-out sessions like the others
    "unlike",  # which session is least like the others
    "anomaly",
    "rhythm",  # cadence of an activity
    "description",  # what a stretch of a session does, in words
    "channels",  # which channels matter for an activity
    "mislabelled",  # which recordings may carry a wrong label
    "why",  # does an explanation hold, what would change the answer
    "heads",  # compare heads
    "events",  # which model could tell that a level is reached
    "head",  # choose or configure a head
    "tokenizer",  # choose a tokenizer
    "window",  # configure its windows
    "amounts",  # an amount by group: per day, at night, energy, counter steps, time in a state
    "request",  # ask a person for labels
]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Ask:
    """One thing asked, with what it is about; None or empty = not said.

    Attributes
    ----------
    labels, channels, sessions, subjects : names; a modality's name stands for its channels
    excluded : labels were named by what they are not, `labels` holds the others
    start_s, end_s : a stretch of each session; with `tail_s` it is the last seconds instead
    min_s, max_s : limits on how long sessions are; `strict_min`/`strict_max` = the limit is out
    percent : of a percentile
    want : "group" where the group is asked for (which activity), "when" for a moment
    calendar : hours, weekdays, months, first_date, last_date as `filter_by_time` names them
    at_s : one moment of a session
    unit_s : the unit of time that a length is asked in, seconds
    ahead : a period of the calendar to forecast, as `run_task` names it
    faults : kinds of issue to look for in the data
    shots : labelled examples a class
    level : what a forecast may reach, or a channel be beyond
    settings : further settings of windows and patches, as `configure_tokenizer` names them
    options : further arguments of the run, as `run_task` names them
    attributes : what a described activity is like, as its description names them
    amounts : what is measured, as `measure_amounts` names it
    """

    kind: Kind
    topic: str = ""
    labels: tuple[str, ...] = ()
    excluded: bool = False
    channels: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    split: str | None = None
    start_s: float | None = None
    end_s: float | None = None
    tail_s: float | None = None
    min_s: float | None = None
    max_s: float | None = None
    strict_min: bool = False
    strict_max: bool = False
    statistic: str | None = None
    by: str | None = None
    percent: float | None = None
    want: str = "value"
    calendar: tuple[tuple[str, Any], ...] = ()
    at_s: float | None = None
    horizon_s: float | None = None
    ahead: str = ""
    unit_s: float | None = None
    k: int | None = None
    count: int | None = None
    faults: tuple[str, ...] = ()
    shots: int | None = None
    coverage: float | None = None
    heads: tuple[str, ...] = ()
    tokenizer: str | None = None
    window_s: float | None = None
    stride_s: float | None = None
    level: Level | None = None
    settings: tuple[tuple[str, Any], ...] = ()
    options: tuple[tuple[str, Any], ...] = ()
    attributes: tuple[tuple[str, Any], ...] = ()
    approximate: bool = False
    task: str = "classify"
    amounts: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Query:
    """A whole question: what is asked in order, the data set, and what was not understood.

    Attributes
    ----------
    refused : a sentence for each thing asked for that is not there or cannot be done
    choices : questions that may have been meant instead, each of which runs as it stands
    by : who understood it: "rules", "reader", or "orchestrator" (then nothing is parsed here)
    read_as : the plain question that the reader made of it; "" where the rules read it
    taken : in a conversation, what was taken over from the question before, in words; else ""
    anew : the person starts over: what was asked before is forgotten
    """

    asks: tuple[Ask, ...] = ()
    dataset: str | None = None
    not_understood: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    by: str = "rules"
    read_as: str = ""
    taken: str = ""
    anew: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the query as builtins, what was not said left out."""
        found: dict[str, Any] = _JSON.dump_python(self, mode="json", exclude_defaults=True)
        return found

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Query:
        """Return the query that `to_json` wrote.

        Raises
        ------
        pydantic.ValidationError : it is none
        """
        return _JSON.validate_python(dict(found))


_JSON = TypeAdapter(Query)
