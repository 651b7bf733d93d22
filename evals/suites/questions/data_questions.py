"""Questions about the data itself: written by hand, one template a task.

In each template `heldout` was written first, in another voice (typos, colloquial words), and no
parser rule may be tuned on it; `dev` is what one tunes on.
"""

from __future__ import annotations

from tool_use_om.evals.suites.questions.scoring import Template, call

BM, DAYS = "basic-motions", "synthetic-days"

EDA: tuple[Template, ...] = (
    Template(
        id="count-sessions",
        dataset=BM,
        expect=(call("show_session_stats"),),
        heldout=("whats the tally of recordings in here?", "sessions - how many we got"),
        dev=(
            "How many sessions are there?",
            "Count the sessions.",
            "What is the number of sessions?",
        ),
    ),
    Template(
        id="count-longer",
        dataset=BM,
        expect=(call("show_session_stats", min_duration_s=30),),
        heldout=(
            "how many recordings run past half a minute?",
            "gimme the no. of sessons over 30 secs",
        ),
        dev=(
            "How many sessions are longer than 30 seconds?",
            "Count sessions of at least half a minute.",
            "How many sessions last more than thirty seconds?",
        ),
    ),
    Template(
        id="count-shorter",
        dataset=DAYS,
        expect=(call("show_session_stats", max_duration_s=10),),
        heldout=(
            "any recs that dont even make it to ten secs? how many",
            "nr of sessions tht end before 10s",
        ),
        dev=(
            "How many sessions are shorter than 10 s?",
            "Count the recordings under ten seconds.",
        ),
    ),
    Template(
        id="count-between",
        dataset=DAYS,
        expect=(call("show_session_stats", min_duration_s=5, max_duration_s=20),),
        heldout=("how many recordings clock in somewhere from 5 up to 20 secs long",),
        dev=(
            "How many sessions are between 5 and 20 seconds long?",
            "How many sessions are longer than 5 s but shorter than 20 s?",
        ),
    ),
    Template(
        id="longer-and-channels",
        dataset=BM,
        expect=(call("show_session_stats", min_duration_s=30),),
        heldout=("wich sensors do we have, and how many sesions go beyond 30s?",),
        dev=(
            "How many sessions are longer than 30 seconds and what channels are there?",
            "What channels are there, and how many sessions last longer than half a minute?",
        ),
    ),
    Template(
        id="list-channels",
        dataset=BM,
        expect=(call("show_session_stats"),),
        heldout=("what got measured here n at what rate", "tell me the sensor streams"),
        dev=(
            "What channels are there?",
            "List the channels.",
            "Which modalities does the data have?",
        ),
    ),
    Template(
        id="list-labels",
        dataset=BM,
        expect=(call("show_session_stats"),),
        heldout=(
            "what kinda stuff were ppl doing in these recordings?",
            "wat activites r labelled",
        ),
        dev=(
            "Which activities are there?",
            "List the labels.",
            "What classes does this data set have?",
        ),
    ),
    Template(
        id="count-label",
        dataset=BM,
        expect=(call("show_session_stats", labels=["walking"]),),
        heldout=("how many of em are people strolling about", "nuber of walkng recordings pls"),
        dev=(
            "How many walking sessions are there?",
            "Count the sessions with walking.",
            "In how many sessions does someone walk?",
        ),
    ),
    Template(
        id="count-subjects",
        dataset=DAYS,
        expect=(call("show_session_stats"),),
        heldout=("how many folks took part", "head count of volunteers?"),
        dev=("How many subjects are there?", "How many people were recorded?"),
    ),
    Template(
        id="list-datasets",
        dataset=BM,
        expect=(call("list_datasets"),),
        heldout=("what data can i play with", "show me whats available data wise"),
        dev=("Which data sets are there?", "List the datasets.", "What data sets can I use?"),
    ),
    Template(
        id="describe-dataset",
        dataset=DAYS,
        expect=(call("show_session_stats", dataset="synthetic-days"),),
        heldout=("gimme the lowdown on synthetic days", "whats inside teh synthetic-days data"),
        dev=("Describe the synthetic-days data set.", "Give me an overview of synthetic days."),
    ),
    Template(
        id="count-split",
        dataset=BM,
        expect=(call("show_session_stats", split="test"),),
        heldout=("size of the hold out part, in sessions?",),
        dev=("How many sessions are in the held-out split?", "How many test sessions are there?"),
    ),
    Template(
        id="variance-while-running",
        dataset=BM,
        expect=(
            call("filter_by_time", labels=["running"]),
            call("show_channel_stats", statistic="variance"),
        ),
        heldout=(
            "when ppl jog, wich channel is all over the place most, variance wise",
            "channel varience during runing",
        ),
        dev=(
            "Compare the variance of the channels while running",
            "Which channel has the largest variance during running?",
            "Show the variance of each channel for running sessions.",
        ),
    ),
    Template(
        id="mean-heart-rate",
        dataset=DAYS,
        expect=(
            call("select_channels", channels=["heart.rate"]),
            call("filter_by_time", subjects=["person-02"], end_s=120),
            call("show_channel_stats", statistic="mean"),
        ),
        heldout=(
            "subject 2: avg hr over the opening 2 mins?",
            "whats the averge heartrate of person 2, first 120 secs",
        ),
        dev=(
            "What is the mean heart rate of subject 2 in the first two minutes?",
            "Average heart rate for subject 2 during the first 2 min",
        ),
    ),
    Template(
        id="max-by-label",
        dataset=BM,
        expect=(call("show_channel_stats", statistic="max", by="label"),),
        heldout=("for every activity whats the highest value the sensors hit", "peak per activty"),
        dev=("What is the maximum of each channel per activity?", "Show the max by label."),
    ),
    Template(
        id="std-by-session",
        dataset=BM,
        expect=(
            call("select_channels", channels=["accelerometer"]),
            call("show_channel_stats", statistic="std", by="session"),
        ),
        heldout=("how spread out is the accel, recording by recording",),
        dev=(
            "What is the standard deviation of the accelerometer per session?",
            "Show the accelerometer's spread for each session.",
        ),
    ),
    Template(
        id="range-one-channel",
        dataset=BM,
        expect=(
            call("select_channels", channels=["gyroscope.y"]),
            call("show_channel_stats", statistic="range"),
        ),
        heldout=("peak to peak of gyro y?", "gyroscpe y - how wide does it swing, range i mean"),
        dev=("What is the range of gyroscope.y?", "Show the range of the gyroscope y channel."),
    ),
    Template(
        id="rms-by-subject",
        dataset=DAYS,
        expect=(call("show_channel_stats", statistic="rms", by="subject"),),
        heldout=("root-mean-square, broken down by person pls",),
        dev=("Show the RMS per subject.", "What is the root mean square for each subject?"),
    ),
    Template(
        id="stats-first-seconds",
        dataset=BM,
        expect=(
            call("filter_by_time", end_s=5),
            call("show_channel_stats", statistic="mean"),
        ),
        heldout=("averages but only looking at the initial five secs",),
        dev=(
            "What is the mean of the channels in the first five seconds?",
            "Show the average of each channel over the first 5 s.",
        ),
    ),
    Template(
        id="stats-between-seconds",
        dataset=BM,
        expect=(
            call("filter_by_time", start_s=2, end_s=8),
            call("show_channel_stats", statistic="std"),
        ),
        heldout=(
            "std dev of everything, second 2 thru second 8",
            "spread frm the 2s mark till the 8s mark",
        ),
        dev=(
            "What is the standard deviation between 2 and 8 seconds?",
            "Show the std of the channels from 2s to 8s.",
        ),
    ),
    Template(
        id="stats-last-seconds",
        dataset=BM,
        expect=(
            call("filter_by_time", start_s=7),
            call("show_channel_stats", statistic="variance"),
        ),
        heldout=("variance in the closing 3 seconds?",),
        dev=(
            "What is the variance in the last 3 seconds?",
            "Compare the variance of the channels over the final three seconds.",
        ),
    ),
    Template(
        id="stats-clock-range",
        dataset=DAYS,
        expect=(
            call("filter_by_time", start_s=90, end_s=120),
            call("show_channel_stats", statistic="mean"),
        ),
        heldout=("avg of all channels, minute 1:30 til 2:00",),
        dev=(
            "What is the mean of the channels from 1:30 to 2:00?",
            "Show channel averages between a minute and a half and two minutes.",
        ),
    ),
    Template(
        id="plot-session",
        dataset=BM,
        expect=(call("plot_sessions", sessions=["bm-test-003"]),),
        heldout=("lemme see bm-test-003", "draw a pic of session bm-test-003 plz"),
        dev=("Plot session bm-test-003.", "Show me a plot of bm-test-003."),
    ),
    Template(
        id="plot-label",
        dataset=BM,
        expect=(
            call("filter_by_time", labels=["badminton"]),
            call("plot_sessions", max_sessions=2),
        ),
        heldout=("could u chart a couple of badmington recordings",),
        dev=("Plot two badminton sessions.", "Draw 2 sessions of badminton."),
    ),
    Template(
        id="plot-channel",
        dataset=BM,
        expect=(call("plot_sessions", channels=["accelerometer"], sessions=["bm-test-010"]),),
        heldout=("id like to look at a graph of acc for bm-test-010",),
        dev=(
            "Plot the accelerometer of session bm-test-010.",
            "Show me a figure of the acceleration in bm-test-010.",
        ),
    ),
    Template(
        id="exclude-label",
        dataset=BM,
        expect=(
            call("filter_by_time", labels=["badminton", "running", "walking"]),
            call("show_channel_stats", statistic="variance"),
        ),
        heldout=(
            "variance of all but the standing ones",
            "leave out standing n give me the variance",
        ),
        dev=(
            "Compare the variance of the channels, excluding standing.",
            "What is the variance of the channels when people are not standing?",
        ),
    ),
    Template(
        id="compare-labels",
        dataset=BM,
        expect=(
            call("filter_by_time", labels=["running", "walking"]),
            call("show_channel_stats", statistic="std", by="label"),
        ),
        heldout=("walkers vs runners: whos got more std on the accelerometer",),
        dev=(
            "Compare the standard deviation between walking and running.",
            "How does the standard deviation differ between running and walking?",
        ),
    ),
    Template(
        id="longest-session",
        dataset=DAYS,
        expect=(call("show_session_stats"),),
        heldout=("whats the biggest recording we have in seconds",),
        dev=("How long is the longest session?", "What is the total duration of the data?"),
    ),
    Template(
        id="count-multiword-label",
        dataset=DAYS,
        expect=(call("show_session_stats", labels=["irregular beats"]),),
        heldout=(
            "hw many clips where the beats go irregular",
            "beats that are irregular - count em",
        ),
        dev=(
            "How many sessions with irregular beats are there?",
            "How many irregular_beats sessions are there?",
        ),
    ),
    Template(
        id="stats-multiword-label",
        dataset=DAYS,
        expect=(
            call("filter_by_time", labels=["irregular beats"]),
            call("show_channel_stats", statistic="std"),
        ),
        heldout=("std dev when beats get irregular?", "standard deviaton during iregular beats"),
        dev=(
            "What is the standard deviation during irregular beats?",
            "Show the std for irregular_beats.",
        ),
    ),
    Template(
        id="stats-subject",
        dataset=DAYS,
        expect=(
            call("filter_by_time", subjects=["person-03"]),
            call("show_channel_stats", statistic="min"),
        ),
        heldout=("lowest value person no. 3 ever reached?",),
        dev=(
            "What is the minimum for subject 3?",
            "Show the minimum of each channel for user person-03.",
        ),
    ),
)
