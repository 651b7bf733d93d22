"""Questions that need a tokenizer and a head: written by hand, one template a task.

In each template `heldout` was written first, in another voice (typos, colloquial words), and no
parser rule may be tuned on it; `dev` is what one tunes on.
"""

from __future__ import annotations

from tool_use_om.evals.suites.questions.scoring import Template, any_of, call

BM, DAYS = "basic-motions", "synthetic-days"

MODELS: tuple[Template, ...] = (
    Template(
        id="find-and-forecast",
        dataset=BM,
        expect=(
            call("run_task", target_label="walking"),
            call("run_task", horizon_s=5, target_channels=["accelerometer"]),
        ),
        heldout=(
            "spot the bits where someone's walking, then guess the accelerometr 5 secs ahead",
            "where do ppl walk? also whats acc gonna do over the following five seconds",
        ),
        dev=(
            "Find walking activities and predict the next 5 seconds of accelerometer data",
            "Find where people walk and forecast the accelerometer for the next five seconds.",
            "Detect walking, then predict 5 s of acceleration.",
        ),
    ),
    Template(
        id="find-label",
        dataset=BM,
        expect=(
            call("select_task_head", task="classify"),
            call("run_task", target_label="running"),
        ),
        heldout=("which recordings have jogging in em?", "hunt down the runing parts"),
        dev=(
            "Find running activities.",
            "Where is someone running?",
            "Detect the running sessions.",
        ),
    ),
    Template(
        id="find-multiword-label",
        dataset=DAYS,
        expect=(call("run_task", target_label="irregular beats"),),
        heldout=("whens anybodys beat irregular? detect it",),
        dev=("Find irregular beats.", "Detect irregular_beats."),
    ),
    Template(
        id="classify-all",
        dataset=BM,
        expect=(call("select_task_head", task="classify"), call("run_task")),
        heldout=("how good are you at telling wich activity is wich",),
        dev=("Classify the activities.", "How well can the activities be recognised?"),
    ),
    Template(
        id="forecast-channel",
        dataset=BM,
        expect=(
            call("select_task_head", task="forecast"),
            call("run_task", horizon_s=3, target_channels=["gyroscope.x"]),
        ),
        heldout=(
            "whats gyro x gonna look like 3 secs from now",
            "extrapolate gyroscop.x by three sec",
        ),
        dev=(
            "Predict the next 3 seconds of gyroscope.x",
            "Forecast gyroscope x three seconds ahead.",
        ),
    ),
    Template(
        id="forecast-half-minute",
        dataset=DAYS,
        expect=(
            call("select_task_head", task="forecast"),
            call("run_task", horizon_s=30, target_channels=["heart.rate"]),
        ),
        heldout=("where will the pulse be over the coming half minute", "hr outlook, next 30 secs"),
        dev=(
            "Forecast the heart rate half a minute ahead.",
            "Predict heart rate for the next thirty seconds.",
        ),
    ),
    Template(
        id="forecast-session",
        dataset=BM,
        expect=(call("run_task", horizon_s=2, sessions=["bm-test-005"]),),
        heldout=("carry bm-test-005 on for another 2 secs, what do you get",),
        dev=(
            "Forecast the next 2 seconds of session bm-test-005.",
            "Predict 2 s beyond the end of bm-test-005.",
        ),
    ),
    Template(
        id="forecast-label",
        dataset=BM,
        expect=(
            call("select_task_head", task="forecast"),
            call("run_task", horizon_s=1),
        ),
        heldout=("one sec into the future pls, all sensors",),
        dev=("Predict the next second.", "Forecast one second ahead for all channels."),
    ),
    Template(
        id="similar-range",
        dataset=BM,
        expect=(
            call("select_task_head", task="retrieve"),
            call("run_task", query_session="bm-test-003", query_start_s=3, query_end_s=5),
        ),
        heldout=(
            "got anything that resembles bm-test-003 @ 3-5s?",
            "take bm-test-003 from second 3 till 5 n look for its twin",
        ),
        dev=(
            "Find the pattern most like seconds 3 to 5 of session bm-test-003",
            "What looks most like bm-test-003 between 3 and 5 s?",
            "Which windows are similar to seconds 3-5 of bm-test-003?",
        ),
    ),
    Template(
        id="similar-top-k",
        dataset=BM,
        expect=(call("run_task", query_session="bm-test-012", k=3),),
        heldout=("give me three lookalikes of bm-test-012",),
        dev=(
            "Show the top 3 windows most similar to session bm-test-012.",
            "Find the three nearest neighbours of bm-test-012.",
        ),
    ),
    Template(
        id="least-like-others",
        dataset=BM,
        expect=(
            call("select_task_head", task="retrieve"),
            call("run_task", target_label="walking"),
        ),
        heldout=(
            "who walks the weirdest compared with everybody else",
            "the odd one out amongst the walkng sessions?",
        ),
        dev=(
            "Which session's walking looks least like the others?",
            "Which walking session is most unlike the rest?",
        ),
    ),
    Template(
        id="anomaly-session",
        dataset=BM,
        expect=(
            call("select_task_head", task="anomaly"),
            call("run_task", query_session="bm-test-007"),
        ),
        heldout=("does bm-test-007 look fishy anywhere?", "anything off w/ bm-test-007"),
        dev=(
            "Is there anything unusual in session bm-test-007?",
            "Are there anomalies in bm-test-007?",
            "Does anything strange happen in bm-test-007?",
        ),
    ),
    Template(
        id="few-labels-five",
        dataset=BM,
        expect=(
            any_of(
                call("compare_heads", labels_per_class=5),
                call("run_task", labels_per_class=5),
            ),
        ),
        heldout=(
            "say i only hand you 5 examples for every class, still able to separate them?",
            "is a handful - five labelled ones each - sufficient to distinguish the activites",
        ),
        dev=(
            "Can 5 labels a class tell these activities apart?",
            "Are five labels per class enough to tell the activities apart?",
            "How well can activities be separated with only five examples each?",
        ),
    ),
    Template(
        id="few-labels-three",
        dataset=DAYS,
        expect=(
            any_of(
                call("compare_heads", labels_per_class=3),
                call("run_task", labels_per_class=3),
            ),
        ),
        heldout=("3-shot performance?",),
        dev=(
            "How accurate is the classification with three labels per class?",
            "Can you separate the activities with 3 examples of each?",
        ),
    ),
    Template(
        id="compare-heads",
        dataset=BM,
        expect=(call("compare_heads"),),
        heldout=("rank the classifiers for me", "whats the winning head on this data"),
        dev=(
            "Which of the heads is best here?",
            "Compare the heads.",
            "Which classifier works best on this data?",
        ),
    ),
    Template(
        id="compare-two-heads",
        dataset=BM,
        expect=(call("compare_heads", heads=["knn", "prototypes"]),),
        heldout=(
            "knn or prototyps, who wins",
            "nearest neighbours against prototypes: any difference in accuracy",
        ),
        dev=(
            "Is knn better than prototypes?",
            "Compare the heads knn and prototypes.",
        ),
    ),
    Template(
        id="which-tokenizer",
        dataset=BM,
        expect=(call("select_tokenizer"),),
        heldout=("any tips on the encoder to go for?", "best tokeniser 4 this stuff"),
        dev=(
            "Which tokenizer would you use?",
            "What tokenizer fits this data?",
            "Choose a tokenizer.",
        ),
    ),
    Template(
        id="use-tokenizer",
        dataset=BM,
        expect=(call("select_tokenizer", tokenizer="moment-small"),),
        heldout=("go with moment small as the encoder pls",),
        dev=("Use the moment-small tokenizer.", "Select moment-small as the tokenizer."),
    ),
    Template(
        id="window-length",
        dataset=BM,
        expect=(call("configure_tokenizer", window_s=4),),
        heldout=("chop it into 4 sec windows pls",),
        dev=("Use windows of 4 seconds.", "Set the window length to four seconds."),
    ),
    Template(
        id="window-and-stride",
        dataset=DAYS,
        expect=(call("configure_tokenizer", window_s=8, stride_s=2),),
        heldout=("8s windows, hop of 2s",),
        dev=(
            "Use windows of 8 seconds with a stride of 2 seconds.",
            "Set the window to 8 s and the stride to 2 s.",
        ),
    ),
    Template(
        id="cadence",
        dataset=BM,
        expect=(call("run_task", target_label="walking"), call("interpret_results")),
        heldout=("how quick are their steps when walking", "walking pace in hertz?"),
        dev=(
            "What is the cadence of walking?",
            "How many steps per second do people take while walking?",
            "What is the rhythm of the walking activity?",
        ),
    ),
    Template(
        id="salient-channels",
        dataset=BM,
        expect=(call("run_task", target_label="badminton"), call("interpret_results")),
        heldout=("which sensor gives badminton away?",),
        dev=(
            "Which channels matter most for recognising badminton?",
            "Which channel is most important to detect badminton?",
        ),
    ),
    Template(
        id="head-for-few-labels",
        dataset=BM,
        expect=(call("select_task_head", task="classify", labels_per_class=10),),
        heldout=("got 10 labels a class, what head do you reckon",),
        dev=(
            "Which head should I use with 10 labels per class?",
            "Recommend a head for ten labels a class.",
        ),
    ),
    Template(
        id="configure-knn",
        dataset=BM,
        expect=(
            call("select_task_head", head="knn"),
            call("configure_head", params={"k": 3}),
        ),
        heldout=("run the nearest neighbour one w/ k of 3",),
        dev=("Classify the activities using knn with k=3.", "Use the knn head with k = 3."),
    ),
    Template(
        id="request-labels",
        dataset=BM,
        expect=(call("request_labels", budget=10),),
        heldout=("i can annotate 10 for you, go ahead", "quiz me on ten windows, ill label em"),
        dev=("Ask me for 10 labels.", "Let me label ten windows."),
    ),
    Template(
        id="encode-channels",
        dataset=BM,
        expect=(
            call("select_channels_for_encoding", channels=["gyroscope"]),
            call("run_task", target_label="walking"),
        ),
        heldout=("w/ nothing but the gyro, where do u see walking",),
        dev=(
            "Find walking using only the gyroscope.",
            "Detect walking from the gyroscope channels only.",
        ),
    ),
    Template(
        id="forecast-against-naive",
        dataset=BM,
        expect=(
            call("select_task_head", task="forecast"),
            call("compare_heads"),
        ),
        heldout=("is the ssm forecaster any better than the seasonal naive baseline",),
        dev=(
            "Which forecasting head is best?",
            "Compare the forecasting heads.",
        ),
    ),
    Template(
        id="coverage",
        dataset=BM,
        expect=(call("run_task", target_label="standing", coverage=0.8),),
        heldout=("where are folks standing? 80 pct coverage will do",),
        dev=(
            "Find standing with 80 % coverage.",
            "Find the standing activities at a coverage of 0.8.",
        ),
    ),
    Template(
        id="out-of-scope",
        dataset=BM,
        expect=(),
        heldout=("whos gonna win the cup on sunday", "write me a sonnet abt rain"),
        dev=("What is the capital of France?", "Tell me a joke.", "Hello!"),
    ),
)
