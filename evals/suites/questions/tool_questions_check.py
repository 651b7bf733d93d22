"""Questions about what may be wrong with the data: written by hand, one template a task.

As in `tool_questions_eda`, `heldout` was written in another voice and is never tuned on.
"""

from __future__ import annotations

from tool_use_om.evals.suites.questions.scoring import Template, any_of, call

BM, DAYS = "basic-motions", "synthetic-days"

CHECK: tuple[Template, ...] = (
    Template(
        id="check-all",
        dataset=BM,
        expect=(call("check_data"),),
        heldout=(
            "anythin fishy in these recordings, quality wise?",
            "is this stuff usable or junk",
        ),
        dev=(
            "Is the data clean?",
            "Check the data quality.",
            "Is anything wrong with this data set?",
            "Can I trust the data?",
        ),
    ),
    Template(
        id="check-gaps",
        dataset=BM,
        expect=(
            any_of(
                call("check_data", kinds=["gap", "missing"], channels=["accelerometer"]),
                call("check_data", kinds=["gap"], channels=["accelerometer"]),
            ),
        ),
        heldout=("does the acc signal cut out at any point", "accel drop-outs, any?"),
        dev=(
            "Are there gaps in the accelerometer?",
            "Does the acceleration have gaps anywhere?",
            "Check the accelerometer for dropped samples.",
        ),
    ),
    Template(
        id="check-stuck",
        dataset=DAYS,
        expect=(call("check_data", kinds=["stuck"]),),
        heldout=(
            "did one of the sensors freeze up on us",
            "any chanel that jst sits at one number?",
        ),
        dev=("Is any sensor stuck?", "Are there stuck channels?", "Does any channel flatline?"),
    ),
    Template(
        id="check-leak",
        dataset=DAYS,
        expect=(call("check_data", kinds=["leak"]),),
        heldout=(
            "r the same ppl in training and in test?",
            "could the held out part be contaminated by known persons",
        ),
        dev=(
            "Do subjects leak between the splits?",
            "Is there leakage between train and test?",
            "Is any subject in more than one split?",
        ),
    ),
    Template(
        id="check-clipping",
        dataset=BM,
        expect=(call("check_data", kinds=["clipping"], channels=["gyroscope"]),),
        heldout=("gyro maxing out anywhere?",),
        dev=("Is the gyroscope clipped anywhere?", "Is there clipping in the gyroscope?"),
    ),
    Template(
        id="check-labels",
        dataset=DAYS,
        expect=(call("check_data", kinds=["overlap", "hole"]),),
        heldout=("labels: any double booked or left blank?",),
        dev=(
            "Are there holes in the labels or overlapping labels?",
            "Do labels overlap and is there time without a label?",
        ),
    ),
    Template(
        id="check-session",
        dataset=BM,
        expect=(call("filter_by_time", sessions=["bm-test-003"]), call("check_data")),
        heldout=("is bm-test-003 any good as a recording, or broken",),
        dev=("Run a quality check on session bm-test-003.",),
    ),
)
