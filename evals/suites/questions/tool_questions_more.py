"""Questions about chances, repeats, descriptions, drift, fallbacks and patches: written by hand.

As in `tool_questions_eda`, `heldout` was written in another voice and is never tuned on.
"""

from __future__ import annotations

from tool_use_om.evals.suites.questions.scoring import Template, call

BM, DAYS, MACHINES = "basic-motions", "synthetic-days", "synthetic-machines"

MORE: tuple[Template, ...] = (
    Template(
        id="chance-above",
        dataset=BM,
        expect=(
            call("select_task_head", task="forecast"),
            call(
                "run_task",
                target_channels=["accelerometer.x"],
                horizon_s=2,
                threshold=2,
                direction="above",
            ),
        ),
        heldout=(
            "odds that acc x tops 2 inside the coming two secs?",
            "could accelerometer.x get past 2 within 2s, how probable",
        ),
        dev=(
            "What is the chance that accelerometer.x exceeds 2 in the next 2 seconds?",
            "How likely is it that accelerometer x rises above 2 within two seconds?",
        ),
    ),
    Template(
        id="chance-below",
        dataset=DAYS,
        expect=(
            call(
                "run_task",
                target_channels=["heart.rate"],
                horizon_s=10,
                threshold=60,
                direction="below",
            ),
        ),
        heldout=("probabilty of the pulse dipping under 60 bpm over the coming 10s",),
        dev=(
            "What is the probability that the heart rate falls below 60 bpm in the next 10 s?",
            "Will the heart rate stay above 60 bpm for the next 10 seconds?",
        ),
    ),
    Template(
        id="motifs",
        dataset=BM,
        expect=(
            call("select_task_head", task="retrieve", head="motif"),
            call("run_task"),
        ),
        heldout=(
            "what shapes keep coming back in the gyro",
            "any recurrent motifs in gyroscope data?",
        ),
        dev=(
            "Find repeating patterns in the gyroscope.",
            "Which patterns repeat in the gyroscope?",
            "Search the gyroscope for motifs.",
        ),
    ),
    Template(
        id="described-rate",
        dataset=BM,
        expect=(
            call(
                "run_task",
                descriptions=[{"cadence_hz": [1.5, 2.0]}],
            ),
        ),
        heldout=("got windows ticking along at 1.5-2 hz?",),
        dev=(
            "Find windows that repeat at 1.5 to 2 Hz.",
            "Find windows that look like slow walking at 1.5 to 2 Hz.",
            "Which windows have a rate between 1.5 and 2 Hz?",
        ),
    ),
    Template(
        id="described-lively",
        dataset=BM,
        expect=(call("run_task", descriptions=[{"intensity": "high", "regularity": "strong"}]),),
        heldout=("show the windows that are both energetic n rythmic",),
        dev=(
            "Which windows are rhythmic and vigorous?",
            "Find windows with vigorous, periodic movement.",
        ),
    ),
    Template(
        id="fallback",
        dataset=BM,
        expect=(call("run_task", allow_raw=True),),
        heldout=(
            "sort the activites, and fall back on mini rocket shuld it clearly win",
            "would minirocket do any better than your head on these classes",
        ),
        dev=(
            "Classify the activities; use MiniRocket if it is clearly better.",
            "Classify the activities and allow raw-space fallbacks.",
            "Is MiniRocket better for classifying the activities?",
        ),
    ),
    Template(
        id="drift",
        dataset=BM,
        expect=(call("select_task_head", task="classify"), call("run_task")),
        heldout=(
            "is the test part still the same sort of data as before, or did it drift",
            "any shift between splits?",
        ),
        dev=(
            "Has the data drifted between training and test?",
            "Is there drift in the test sessions?",
        ),
    ),
    Template(
        id="label-next",
        dataset=BM,
        expect=(call("request_labels", budget=3),),
        heldout=("i got time to tag 3 windows - which ones pay off most",),
        dev=(
            "Which 3 windows should I label next?",
            "Ask me to label 3 windows.",
        ),
    ),
    Template(
        id="patch-seconds",
        dataset=BM,
        expect=(call("configure_tokenizer", patch_s=0.5),),
        heldout=("half sec patches pls",),
        dev=("Use patches of 0.5 s.", "Set the patch to half a second."),
    ),
    Template(
        id="patch-overlap",
        dataset=BM,
        expect=(call("configure_tokenizer", patch_stride_s=0.4),),
        heldout=("let the patches overlap 50 pct",),
        dev=("Use overlapping patches.", "Let the patches overlap."),
    ),
    Template(
        id="class-conditional",
        dataset=BM,
        expect=(call("run_task", class_conditional=True),),
        heldout=("prediction sets calibrated seperately 4 each activity please",),
        dev=(
            "Classify the activities, calibrated label by label.",
            "Classify the activities with class-conditional sets.",
        ),
    ),
    Template(
        id="faithful",
        dataset=BM,
        expect=(call("run_task", target_label="walking"), call("interpret_results")),
        heldout=("do those walking channels truly matter or is the explanation bogus",),
        dev=(
            "Is the explanation for walking faithful?",
            "What would change the answer for walking?",
        ),
    ),
    Template(
        id="approximate-search",
        dataset=BM,
        expect=(
            call("configure_head", params={"index": "approximate"}),
            call("run_task", query_session="bm-test-003", query_start_s=3, query_end_s=5),
        ),
        heldout=("rough n quick lookalikes for bm-test-003 3-5s, inexact is ok",),
        dev=("Find what is most like seconds 3 to 5 of bm-test-003 with an approximate search.",),
    ),
)
