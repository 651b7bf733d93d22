"""The forms of question the reader knows: one line each, and its phrasings add a form.

A form is a plain English question that the grammar reads for certain, with the question's own names
and times in its places. So what the reader understood can be shown, run, and offered as a choice.

In a form ``{label}`` must be named by the question; ``[ of {channel}]`` is left out where it is
not; ``{statistic}``, ``{extreme}``, ``{length}``, ``{split}``, ``{lively}``, ``{calendar}`` and
``{ahead}`` are words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tool_use_om.agent.offline.language.query import Ask, Query

_PLACE = re.compile(r"\{(\w+)\}")
_OPTIONAL = re.compile(r"\[([^\]]*)\]")

DATA: dict[str, str] = {
    "count-sessions": "How many sessions are there?",
    "count-longer": "How many sessions are longer than {dur}?",
    "count-shorter": "How many sessions are shorter than {dur}?",
    "count-between": "How many sessions are between {t0} and {t1} seconds long?",
    "count-label": "How many sessions have the label {label}?",
    "count-subjects": "How many subjects are there?",
    "count-split": "How many sessions are in the {split} split?",
    "list-sessions": "List the sessions.",
    "list-subjects": "Who are the subjects?",
    "list-channels": "Which channels are there?",
    "list-labels": "Which labels are there?",
    "list-datasets": "Which data sets are available?",
    "describe-dataset": "Describe the data set {dataset}.",
    "describe-this": "Describe the data.",
    "units": "In which unit is {channel}?",
    "sampling-rate": "What is the sampling rate[ of {channel}]?",
    "time-span": "Which time span do the data cover?",
    "longest-session": "Which session is the longest?",
    "shortest-session": "Which session is the shortest?",
    "total-duration": "What is the total duration of all sessions?",
    "total-duration-label": "What is the total duration of {label}?",
    "label-share": "What share of the time is {label}?",
    "label-balance": "Are the labels balanced?",
    "labels-at-time": "Which label is at {t0} seconds in {session}?",
    "labels-of-session": "Which labels does {session} have?",
    "sessions-of-subject": "Which sessions are of {subject}?",
    "unlabelled-parts": "Which parts have no label?",
    "stat-channel": "What is the {statistic} of {channel}?",
    "stat-all": "What is the {statistic} of each channel?",
    "stat-label": "What is the {statistic} of {channel} while {label}?",
    "stat-subject": "What is the {statistic} of {channel} of {subject}?",
    "stat-session": "What is the {statistic} of {channel} in {session}?",
    "stat-first": "What is the {statistic} of {channel} in the first {dur}?",
    "stat-last": "What is the {statistic} of {channel} in the last {dur}?",
    "stat-skip": "What is the {statistic} of {channel} after the first {dur}?",
    "stat-between": "What is the {statistic} of {channel} between seconds {t0} and {t1}?",
    "stat-by-label": "What is the {statistic}[ of {channel}] for each label?",
    "stat-by-subject": "What is the {statistic}[ of {channel}] for each subject?",
    "stat-by-session": "What is the {statistic}[ of {channel}] for each session?",
    "stat-by-hour": "What is the {statistic}[ of {channel}] by hour of the day?",
    "stat-by-weekday": "What is the {statistic}[ of {channel}] {weekday}?",
    "stat-by-month": "What is the {statistic}[ of {channel}] {month}?",
    "compare-labels": "Compare the mean[ of {channel}] between {label} and {label2}.",
    "most-varied-channel": "Compare the variance of the channels while {label}.",
    "which-label-highest": "During which label is {channel} {extreme}?",
    "which-subject-highest": "Which subject has the {extreme} {channel}?",
    "when-extreme": "When is {channel} at its {extremum}?",
    "count-above": "How often is {channel} {above} {value}?",
    "trend": "Does {channel} rise or fall over time?",
    "correlation": "Are {channel} and {channel2} correlated?",
    "exclude-label": "What is the {statistic} of each channel except while {label}?",
    "plot-session": "Plot {session}.",
    "plot-label": "Plot a session with {label}.",
    "plot-channel": "Plot {channel} of {session}.",
    "check-all": "Check the data quality.",
    "check-gaps": "Are there gaps or missing values?",
    "check-stuck": "Is a sensor stuck?",
    "check-clipping": "Does a channel saturate?",
    "check-leak": "Is there leakage between the splits?",
    "check-labels": "Are there overlapping labels or label holes?",
    "check-mislabelled": "Which sessions are mislabelled?",
    "check-session": "Check the data quality of {session}.",
    "check-channel": "Check the data quality of {channel}.",
    "stat-total": "What is the sum of {channel}?",
    "last-value": "What is the last value of {channel}?",
    "stat-label-session": "What is the {statistic} of {channel} while {label} in {session}?",
    "stat-split": "What is the {statistic} of {channel} in the {split} split?",
    "stat-night": "What is the {statistic} of {channel} at night?",
    "which-hour-highest": "Which hour has the {extreme} {channel}?",
    "compare-sessions": "Compare the mean[ of {channel}] for each session in {session} and "
    "{session2}.",
    "compare-subjects": "What is the mean[ of {channel}] for each subject, {subject} and "
    "{subject2}?",
    "session-length": "How long is {session}?",
    "subject-of-session": "Who was recorded in {session}?",
    "total-label-session": "What is the total duration of {label} in {session}?",
    "plot-all": "Plot all sessions.",
    "plot-channel-all": "Plot {channel}.",
}
MODELS: dict[str, str] = {
    "find-label": "Find {label}.",
    "find-and-forecast": "Find {label} and predict the next {dur}[ of {channel}].",
    "find-with-channels": "Find {label} using only the {modality}.",
    "find-coverage": "Find {label} with {pct} % coverage.",
    "classify-all": "Classify the activities.",
    "classify-fallback": "Classify the activities with a raw fallback.",
    "classify-conditional": "Classify the activities, calibrated for each class.",
    "classify-session": "Classify {session}.",
    "few-labels": "How accurate is it with {n} labels per class?",
    "forecast-channel": "Forecast {channel} for the next {dur}.",
    "forecast-bare": "Forecast {channel}.",
    "forecast-all": "Forecast all channels for the next {dur}.",
    "forecast-session": "Forecast the next {dur} of {session}.",
    "forecast-calendar": "Forecast[ {channel}] {ahead}.",
    "chance-above": "What is the chance that {channel} rises above {value} within the next {dur}?",
    "chance-below": "What is the chance that {channel} falls below {value} within the next {dur}?",
    "similar-stretch": "What is most like seconds {t0} to {t1} of {session}?",
    "similar-session": "Show the {k} windows most similar to {session}.",
    "least-like": "Which session of {label} is least like the others?",
    "anomaly-session": "Is anything unusual in {session}?",
    "anomaly-all": "Is anything unusual in the data?",
    "anomaly-channel": "Is anything unusual in {channel}?",
    "odd-session": "Which session is least like the others?",
    "motifs": "Which patterns repeat[ in {channel}]?",
    "cadence": "What is the cadence of {label}?",
    "season": "Is there a daily or weekly cycle[ in {channel}]?",
    "described-rate": "Find windows that repeat at {hz} to {hz2} Hz.",
    "described-lively": "Find windows that are {lively}.",
    "drift": "Is there drift between training and test?",
    "salient-channels": "Which channels matter most for {label}?",
    "faithful": "Is the explanation for {label} faithful?",
    "counterfactual": "What would change the answer for {label}, its counterfactual?",
    "compare-heads": "Which head is best?",
    "compare-two-heads": "Compare {head} and {head2}.",
    "forecast-heads": "Which forecasting head is best?",
    "which-head": "Which head do you recommend for {n} labels per class?",
    "configure-head": "Classify the activities with {head}.",
    "which-tokenizer": "Which tokenizer do you recommend?",
    "use-tokenizer": "Use the tokenizer {tokenizer}.",
    "window-length": "Use windows of {dur}.",
    "window-stride": "Use windows of {t0} seconds with a stride of {t1} seconds.",
    "patch-length": "Use patches of {t0} seconds.",
    "patch-overlap": "Use overlapping patches.",
    "request-labels": "Ask me for {n} labels.",
    "label-next": "Which {n} windows should be labelled next?",
    "approximate-search": "What is most like seconds {t0} to {t1} of {session}, "
    "by approximate search?",
    "effect": "Did the change on {day} have an effect on {channel}?",
    "describe-signal": "Describe what happens in {session} between seconds {t0} and {t1}.",
}
REFUSED: dict[str, str] = {
    "irrelevant": "That is not about recorded series, and nothing else is in my reach.",
    "action": "That would be done to the data or the world. I only look and compute; nothing is "
    "changed, sent, bought or switched by me.",
    "lacking": "The data do not say that: they hold signals, labels, times and ids, nothing else.",
    "cause": "Signals show what happened and when, never why; I can only look for what differs.",
    "advice": "That is a decision beyond what the data show, and I give no such advice.",
}
"""What no tool answers → what is said instead."""

PROMISED: Mapping[str, str] = {
    "list-subjects": "facts", "units": "facts", "sampling-rate": "facts", "time-span": "facts",
    "longest-session": "facts", "shortest-session": "facts", "total-duration": "facts",
    "total-duration-label": "facts", "label-share": "facts", "label-balance": "facts",
    "labels-at-time": "facts", "labels-of-session": "facts", "unlabelled-parts": "facts",
    "list-sessions": "facts", "list-datasets": "datasets", "check-mislabelled": "mislabelled",
    "stat-by-label": "by=label", "stat-by-subject": "by=subject", "stat-by-session": "by=session",
    "stat-by-hour": "by=hour", "stat-by-weekday": "by=weekday or calendar",
    "stat-by-month": "by=month or calendar", "compare-labels": "by=label",
    "which-label-highest": "by=label", "which-subject-highest": "by=subject",
    "when-extreme": "want=when", "count-above": "level", "trend": "statistic=trend",
    "correlation": "statistic=correlation", "season": "statistic=cycle",
    "stat-total": "statistic=sum", "last-value": "statistic=last", "stat-night": "calendar",
    "which-hour-highest": "by=hour", "compare-sessions": "by=session",
    "compare-subjects": "by=subject", "subject-of-session": "facts",
    "total-label-session": "facts", "odd-session": "unlike",
    "forecast-calendar": "ahead", "effect": "effect", "describe-signal": "description",
}  # fmt: skip
"""What the rules must make of a form for it to be answered; by its kind alone where none is said.

A form whose sentence is read as something less is not answered: nothing is told as if it were."""

FORMS: Mapping[str, str] = {**DATA, **MODELS}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A form with the question's slots in it.

    Parameters
    ----------
    form : its name
    text : the plain question; where slots are `missing`, with "…" in their places
    """

    form: str
    text: str
    missing: tuple[str, ...] = ()


def reading(form: str, slots: Mapping[str, str]) -> Reading:
    """Return the plain question that `form` makes of `slots`.

    Parameters
    ----------
    form : one of `FORMS`
    slots : place → the words of the question that stand there
    """
    pattern = _OPTIONAL.sub(lambda m: m[1] if _has(m[1], slots) else "", FORMS[form])
    missing = tuple(name for name in _PLACE.findall(pattern) if name not in slots)
    text = _PLACE.sub(lambda m: slots.get(m[1], "…"), pattern)
    return Reading(form=form, text=text, missing=missing)


def kept(form: str, query: Query) -> bool:
    """Say whether the rules read a form's sentence as what the form promises."""
    promise = PROMISED.get(form)
    if not query.asks or query.not_understood or query.refused:
        return False
    if promise is None:
        return True
    return any(_holds(one, query.asks[0]) for one in promise.split(" or "))


def _holds(promise: str, ask: Ask) -> bool:
    name, _, value = promise.partition("=")
    if value:
        return str(getattr(ask, name, "")) == value
    return ask.kind == name or bool(getattr(ask, name, None))


def places(form: str) -> tuple[str, ...]:
    """Return the places of a form, optional ones included."""
    return tuple(_PLACE.findall(FORMS.get(form, "")))


def _has(part: str, slots: Mapping[str, str]) -> bool:
    return all(name in slots for name in _PLACE.findall(part))
