"""Data sets as the model sees them before any tool ran: one small card each, from the manifest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tool_use_om.agent.context import AgentContext
from tool_use_om.data.errors import DataError, NotFoundError, TuomError
from tool_use_om.data.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from tool_use_om.data.format.dataset import DataSet

_MAX_CARDS = 6
_MAX_IDS = 6
_MAX_LABELS = 40


def dataset_cards(
    context: AgentContext,
    question: str,
    progress: Callable[[Mapping[str, Any]], None] | None = None,
) -> list[dict[str, Any]]:
    """Return the cards of the data sets a question may be about, the context's first.

    The context's and those the question names are opened (a sample is built on first use); others
    get a card if they are on disk already and a bare name otherwise.

    Raises
    ------
    DataError : the context's data set does not exist, or it is damaged
    """
    from tool_use_om.data.catalog import available, datasets_folder, open_dataset

    workspace = Workspace.at(context.workspace)
    current = context.dataset
    try:
        cards = [_card(open_dataset(current, workspace, progress=progress))]
    except NotFoundError as error:
        # Servers show the text of value errors only, and hide that of lookup errors.
        raise DataError(str(error)) from error
    for name in (n for n in available(workspace) if n != current):
        wanted = _named(name, question)
        ready = (datasets_folder(workspace) / name).exists() and len(cards) < _MAX_CARDS
        cards.append(_other_card(name, workspace) if wanted or ready else {"name": name})
    return cards


def _other_card(name: str, workspace: Workspace) -> dict[str, Any]:
    from tool_use_om.data.catalog import open_dataset

    try:
        return _card(open_dataset(name, workspace))
    except TuomError as error:  # a damaged neighbour must not stop a question about another set
        return {"name": name, "unreadable": str(error)}


def _named(name: str, question: str) -> bool:
    words = re.sub(r"[\W_]+", " ", name).casefold().strip()
    return words in re.sub(r"[\W_]+", " ", question).casefold()


def _card(dataset: DataSet) -> dict[str, Any]:
    manifest = dataset.manifest
    sessions = dataset.sessions()
    if sessions.empty:
        raise DataError(f"The data set {manifest.name!r} has no sessions. Import it again.")
    ids = [str(i) for i in sessions["session_id"]]
    spans = sessions["duration_s"]
    return (
        {
            "name": manifest.name,
            "title": manifest.title,
            "channels": [
                {
                    "id": channel,
                    "unit": manifest.unit_of(channel),
                    "rate_hz": manifest.rate_of(channel),
                }
                for channel in manifest.channel_ids
            ],
            "labels": {k: list(v)[:_MAX_LABELS] for k, v in manifest.label_sets.items()},
            "n_sessions": manifest.n_sessions,
            "n_subjects": manifest.n_subjects,
            "session_ids": ids[:: max(1, len(ids) // _MAX_IDS)][:_MAX_IDS],
            "id_pattern": id_pattern(ids),
            "subject_ids": sorted(map(str, sessions["subject_id"].unique()))[:_MAX_IDS],
            "duration_s": {
                "min": round(float(spans.min()), 3),
                "median": round(float(spans.median()), 3),
                "max": round(float(spans.max()), 3),
            },
            "splits": {k: n for k, n in manifest.splits.items() if n},
            "synthetic": manifest.synthetic,
        }
        | _dates(dataset)
        | ({"session_noun": manifest.session_noun} if manifest.session_noun else {})
    )


def _dates(dataset: DataSet) -> dict[str, Any]:
    """Return the first and the last local day of sessions with dates; {} without any."""
    import pandas as pd

    table = dataset.sessions()
    begin = pd.to_datetime(table["start_utc"], utc=True)
    if not begin.notna().any():
        return {}
    calendar = dataset.manifest.calendar
    last = begin + pd.to_timedelta(table["duration_s"] - 1e-3, unit="s")
    if calendar.step is not None:
        at = int(last.argmax())
        end = calendar.stamps(begin[at].to_pydatetime(), [float(table["duration_s"][at]) - 1.0])
        to = str(end[0])[:10]
    else:
        to = calendar.local(last.max().floor("us").to_pydatetime()).date().isoformat()
    first = calendar.local(begin.min().to_pydatetime()).date().isoformat()
    return {"dates": {"from": first, "to": to}}


def id_pattern(session_ids: Iterable[str]) -> str:
    r"""Return a regular expression that all ids match: their forms with ``\d+`` for digits.

    A set whose ids have more than 12 forms gets a pattern of allowed characters.
    """
    forms = {re.sub(r"\d+", r"\\d+", re.escape(i).replace(r"\-", "-")) for i in session_ids}
    return "|".join(sorted(forms)) if len(forms) <= 12 else r"[A-Za-z0-9][A-Za-z0-9_.-]*"
