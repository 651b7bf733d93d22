"""Words for a check of the data: what was looked for, what was found, what could not be seen."""

from __future__ import annotations

from dataclasses import replace

from tool_use_om.agent.offline.forms.form import Form
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Result, braces, named, plain, ref
from tool_use_om.tools.look.checked import Checked, IssueRow

_KINDS = {  # as something that is found, or not
    "leak": "leaks between splits",
    "unit": "values that do not fit their unit",
    "rate": "a rate other than the stated one",
    "repeat": "samples that occur twice",
    "stuck": "stuck sensors",
    "clipping": "clipping",
    "overlap": "overlapping labels",
    "gap": "gaps",
    "missing": "missing values",
    "hole": "time without a label",
}
_FEW = 2  # kinds that the headline names


def tell_check(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    """Tell what a check found, the worst first, and how much it saw."""
    found = result.found(Checked)
    _headline(answer, result, found)
    answer.note("")
    for row in found.worst:
        _finding(answer, result, row)
    if (found.n_problems or 0) + (found.n_notes or 0) > len(found.worst):
        answer.note("- … the remaining findings are in the result.")
    answer.note("")
    for text in found.unchecked:
        answer.note(f"Not checked: {plain(str(text))}.")
    _how_much(answer, result, found)


def _headline(answer: Answer, result: Result, found: Checked) -> None:
    kinds = [str(k) for k in found.kinds]
    seen = [k for k in kinds if not _unseen(found, k)]
    name = ref(found.dataset, "data set")
    lacking = found.lacking
    if lacking is not None and lacking.n_values and set(kinds) <= {"gap", "missing"}:
        one, single = lacking.n_values == 1, lacking.n_places == 1
        answer.head(
            result, f"{{n}} value{'s' * (not one)} of `{{name}}` {'is' if one else 'are'} missing, "
            f"{{share}} of what there should be, in {{m}} place{'s' * (not single)}", name=name,
            n=ref(lacking.n_values, "values that are missing"),
            m=ref(lacking.n_places, "stretches that lack values"),
            share=ref(lacking.share_frac, "share of the values that is missing", "percent"),
        )  # fmt: skip
    elif found.worst:
        problems, notes = found.n_problems, found.n_notes
        said = (
            "{n} problem" + "s" * (problems != 1) + " and {m} lesser finding" + "s" * (notes != 1)
        )
        answer.head(
            result, f"the check of `{{name}}` found {said}", name=name,
            n=ref(problems, "problems found"), m=ref(notes, "lesser findings"),
        )  # fmt: skip
    elif len(seen) > _FEW:
        answer.head(result, "nothing wrong was found in `{name}`", name=name)
        answer.note(f"Looked for: {', '.join(_KINDS.get(k, k) for k in seen)}.")
    elif seen:
        listed = " and no ".join(_KINDS.get(kind, kind) for kind in seen)
        answer.head(result, f"`{{name}}` has no {listed}", name=name)
    else:
        answer.head(result, "this could not be checked for `{name}`", name=name)


def _unseen(found: Checked, kind: str) -> bool:
    """Say whether a kind could not be looked for: subjects are not published."""
    return kind == "leak" and bool(found.unchecked)


def _finding(answer: Answer, result: Result, row: IssueRow) -> None:
    """Tell one finding as a list item: what and where, then where it is worst."""
    kind, where = str(row.kind), str(row.where)
    what = f"{_KINDS.get(kind, kind)} of {where}"
    note = " (a note)" if row.severity == "note" else ""
    told = f"- {_KINDS.get(kind, kind)}, `{braces(where)}`{note}: {named(row.text)}"
    refs = {}
    if row.session_id is not None:
        several = int(row.n_sessions or 1) > 1
        told += f"; in {{n}} sessions, worst in `{_id(row)}`" if several else f"; in `{_id(row)}`"
        refs = {"n": ref(row.n_sessions, f"sessions with {what}")} if several else {}
    # the date where there is one
    for word, end in (("from", row.from_ or row.start_s), ("to", row.to or row.end_s)):
        if end is not None:
            told += f" {word} {{{word}_}}"
            refs[f"{word}_"] = ref(end, f"{word}, worst {what}", "unit")
    answer.say(result, f"{told}.", **refs)


def _id(row: IssueRow) -> str:
    return braces(str(row.session_id))


def _how_much(answer: Answer, result: Result, found: Checked) -> None:
    if any(row.end_s is not None for row in found.worst):
        answer.note("The report shows the worst places.")
    refs = {"read": ref(found.n_sessions_read, "sessions read")}
    if found.n_sessions_read == found.n_sessions:
        answer.say(result, "The samples of all {read} sessions were read.", **refs)
    else:
        answer.say(
            result,
            "The samples of {read} of {n} sessions were read, spread evenly over them; labels, "
            "subjects and stored statistics were checked for all.",
            n=ref(found.n_sessions, "sessions meant"), **refs,
        )  # fmt: skip


def _plan_check(p: Planner, ask: Ask) -> None:
    p.open()
    p.narrow(replace(ask, split=None) if "leak" in ask.faults else ask)
    p.add(
        "check_data", "look for what may be wrong with the data",
        kinds=list(_with_gaps(ask.faults)), channels=list(ask.channels),
    )  # fmt: skip


def _with_gaps(faults: tuple[str, ...]) -> tuple[str, ...]:
    """Return the kinds to look for: what lacks may lack as a value or as a sample, so both."""
    lacking = ("gap", "missing")
    return tuple(dict.fromkeys((*faults, *lacking))) if set(faults) & set(lacking) else faults


FORM = Form(
    plans={"check": _plan_check},
    tells={"check_data": tell_check},
)
