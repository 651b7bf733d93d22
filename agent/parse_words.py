"""The words the offline planner knows: phrases → tag and value, and synonyms of names.

One line a concept; phrases are compared by stem, so inflections need not be listed.
"""

from __future__ import annotations

from functools import lru_cache

from tool_use_om.agent.parse_text import stem

_LEXICON: dict[tuple[str, str], str] = {
    # what is asked
    ("COUNT", "count"): (
        "how many, number of, count, how much, tally, no of, nr of, amount of, quantity"
    ),
    ("LIST", "list"): ("list, what, which, name, enumerate, are there, is there, exist, available"),
    ("DESCRIBE", "describe"): (
        "describe, description, overview, summarise, summarize, summary, explore, look at, "
        "tell me about, about the data, info, information"
    ),
    ("COMPARE", "compare"): (
        "compare, comparison, versus, vs, differ, difference, against, contrast, better than, "
        "worse than"
    ),
    ("FIND", "find"): (
        "find, detect, locate, spot, identify, where, when, search for, pick out, discover, segment"
    ),
    ("CLASSIFY", "classify"): (
        "classify, classification, recognise, recognize, recognition, label the sessions, "
        "categorise, categorize"
    ),
    ("PREDICT", "predict"): (
        "predict, prediction, forecast, extrapolate, project, anticipate, continue, extend, "
        "look ahead, future, beyond the end"
    ),
    ("LIKE", "like"): (
        "most like, looks like, look like, similar, similarity, resemble, closest to, nearest "
        "to, alike, match, nearest window, nearest pattern, most similar, nearest example, "
        "repeat"
    ),
    ("NEIGHBOURS", "knn"): (
        "nearest neighbours, nearest neighbour, nearest neighbors, nearest neighbor, "
        "neighbours, neighbors"
    ),
    ("CHECK", "check"): (
        "data quality, quality, quality control, quality check, quality report, sanity check, "
        "health check, run a quality check, run a sanity check, run a check, run a data check, "
        "check the data, check data, check this data, check all data, data clean, "
        "clean data, how clean, clean enough, signal clean, recording clean, session clean, "
        "channel clean, set clean, dataset clean, wrong with the data, wrong with this data, "
        "wrong in the data, problems with the data, problems in the data, data problem, "
        "data issue, issues with the data, issues in the data, trust the data, trust this data, "
        "corrupt, damaged, integrity"
    ),
    # kinds of issue as `check_data` names them
    ("FAULT", "gap missing"): (
        "gap, drop out, dropout, dropped sample, lost sample, missing sample, interruption, "
        "interrupted, without samples"
    ),
    ("FAULT", "missing"): "missing value, missing data, missing, nan, null value, not a number",
    ("FAULT", "stuck"): "stuck, stuck at, stuck on, flatline, flat line, constant value, hang",
    ("FAULT", "clipping"): (
        "saturate, saturation, hit the rail, at the rail, rail, hit its limit, hit the limit"
    ),
    ("FAULT", "leak"): (
        "leak, leakage, contaminate, contamination, in both splits, in two splits, "
        "in several splits, in more than one split, both train and test, in both train, "
        "overlap between train, overlap between the train, overlap between splits, "
        "overlap between the splits, splits overlap, subjects overlap, share subjects, "
        "shared between train"
    ),
    ("FAULT", "repeat"): "duplicate, duplication, copied, copies, repeated stretch, same samples",
    ("FAULT", "overlap"): "overlap, overlapping label, labels overlap, two labels at once",
    ("FAULT", "hole"): (
        "label hole, hole in the label, unlabelled, unlabeled, without a label, without label, "
        "gap in the label, label gap, missing label, missing annotation"
    ),
    ("FAULT", "unit"): (
        "wrong unit, units wrong, unit right, units correct, right unit, correct unit, "
        "units plausible, unit mix up, unit mistake, unit error, fit the unit, match the unit, "
        "units make sense, implausible"
    ),
    ("FAULT", "rate"): (
        "wrong rate, wrong sampling rate, rate wrong, rate right, rate correct, rate as stated, "
        "stated rate"
    ),
    ("UNLIKE", "unlike"): (
        "least like, unlike, most different, least similar, odd one out, stand out, most "
        "dissimilar, outlier session, differ most, least typical, most atypical"
    ),
    ("ODD", "odd"): (
        "unusual, anomaly, anomalous, abnormal, strange, outlier, weird, odd, irregular, "
        "suspicious, out of the ordinary, novelty, fault, glitch"
    ),
    ("APART", "apart"): (
        "tell apart, apart, distinguish, separate, separable, separated, discriminate, "
        "distinguishable, separability, enough"
    ),
    ("ACCURACY", "accuracy"): (
        "accurate, accuracy, how well, how good, performance, f1 score, macro f1, reliable"
    ),
    ("PLOT", "plot"): (
        "plot, draw, chart, figure, graph, visualise, visualize, picture, show me the signal, "
        "diagram"
    ),
    ("RHYTHM", "rhythm"): (
        "cadence, rhythm, tempo, step rate, pace, steps per second, steps per minute, stride "
        "rate, step frequency, how fast, frequency, periodicity"
    ),
    ("IMPORTANT", "important"): (
        "matter most, matter, important, importance, salient, decisive, informative, "
        "contribute, attribution"
    ),
    ("BEST", "best"): "best, better, win, strongest",
    ("RECOMMEND", "recommend"): (
        "recommend, should i use, would you use, choose, suggest, suitable, pick, fit, prefer"
    ),
    ("USE", "use"): "use, using, select, set, switch to, with, configure, apply, try, take",
    ("ASK", "ask"): (
        "ask me, let me label, label myself, i will label, i can label, request labels, query "
        "me, active learning"
    ),
    ("ONLY", "only"): "only, just, solely, alone",
    # things
    ("SESSION", "session"): "session, recording, record, file, trial, episode, clip",
    ("CHANNEL", "channel"): "channel, sensor, modality, signal, axis, stream, variable",
    ("DATASET", "dataset"): "data set, dataset, data sets, datasets, data source, sample data",
    ("DATA", "data"): "data",
    ("LABELS", "label"): "label, labelled, labeled, annotation, annotated",
    ("EXAMPLE", "example"): "example, shot, instance, sample",
    ("CLASS", "class"): "class, activity, category, behaviour, behavior, motion, movement",
    ("SUBJECT", "subject"): (
        "subject, person, people, participant, user, volunteer, patient, wearer"
    ),
    ("SPLIT", "test"): "test, held out, hold out, holdout, heldout, testing, unseen",
    ("SPLIT", "train"): (
        "training split, training, train split, train set, train sessions, training set"
    ),
    ("SPLIT", "calibration"): "calibration",
    ("SPLITS", "splits"): "split, partition",
    ("HEAD", "head"): "head, classifier, model, method, algorithm, probe",
    ("FORECASTER", "forecast"): (
        "forecaster, forecasting head, forecast head, forecasting model, forecasting method, "
        "heads for forecasting, forecasting heads"
    ),
    ("TOKENIZER", "tokenizer"): (
        "tokenizer, tokeniser, encoder, embedding model, patch encoder, backbone, foundation "
        "model, embedding"
    ),
    ("WINDOW", "window"): "window, window length, window size, pattern, snippet, stretch",
    ("STRIDE", "stride"): "stride, hop, step between windows",
    ("COVERAGE", "coverage"): "coverage, confidence level, confidence",
    ("UNITS", "unit"): "unit, rate, sampling rate, sample rate",
    ("DURATION", "longest"): (
        "longest, shortest, duration, total duration, how long, total length, length of the session"
    ),
    ("OTHERS", "others"): ("others, other sessions, the rest, rest of the sessions, everyone else"),
    # statistics
    ("STAT", "mean"): "mean, average, avg, averaged",
    ("STAT", "variance"): "variance, var, vary most, variability",
    ("STAT", "std"): "standard deviation, std, stdev, std dev, spread, deviation, dispersion",
    ("STAT", "min"): "minimum, min, lowest, smallest value, least value",
    ("STAT", "max"): "maximum, max, peak, highest value, largest value, highest",
    ("STAT", "range"): "range, peak to peak, amplitude, value range",
    ("STAT", "rms"): "rms, root mean square, energy, power",
    # heads and tokenizers
    ("HEADNAME", "prototypes"): "prototypes, prototype, nearest prototype, class means",
    ("HEADNAME", "linear_probe"): ("linear probe, logistic regression, linear head, linear_probe"),
    ("HEADNAME", "knn"): "knn, k nn, k nearest",
    ("HEADNAME", "latent_ssm"): "latent ssm, ssm, state space, latent_ssm",
    ("HEADNAME", "seasonal_naive"): "seasonal naive, naive, seasonal_naive, baseline",
    ("HEADNAME", "direct"): "direct, ridge regression, direct forecaster",
    ("HEADNAME", "discord"): "discord",
    ("TOKNAME", "moment-tiny"): "moment tiny, tiny moment",
    ("TOKNAME", "moment-small"): "moment small, small moment",
    ("TOKNAME", "moment-base"): "moment base, base moment",
    ("TOKNAME", "moment-large"): "moment large, large moment",
    ("NEAREST", "k"): "top, k",
    # small words with a meaning of their own
    ("FIRST", "first"): "first, initial, opening, beginning",
    ("LAST", "last"): "last, final, closing, end of",
    ("NEXT", "next"): "next, following, coming, upcoming, another, further, subsequent",
    ("AHEAD", "ahead"): (
        "ahead, into the future, from now, in advance, later, beyond, past the end"
    ),
    ("AFTER", "after"): "after",
    ("BEFORE", "before"): "before",
    ("UNTIL", "until"): "until, till, up to",
    ("FROM", "from"): "from",
    ("BETWEEN", "between"): "between",
    ("TO", "to"): "to, through, thru, til",
    ("AND", "and"): "and, plus, &",
    ("OR", "or"): "or",
    ("THEN", "then"): "then, also, as well as, afterwards, finally, but",
    ("NOT", "not"): (
        "not, no, dont, never, except, excluding, exclude, without, other than, apart from, "
        "all but, everything but, ignore, ignoring, isnt, arent, besides, omit, omitting, "
        "leave out"
    ),
    ("PER", "per"): "per, each, every, by, for each, for every, in each, of each",
    ("OF", "of"): "of",
    ("A", "a"): "a, an",
    ("LONG", "long"): "long, in length, in duration",
    ("ORMORE", "more"): "or more, or longer, and above, and longer, and up, or over",
    ("ORLESS", "less"): "or less, or shorter, and below, or under, or fewer",
    ("HUNDRED", "hundred"): "hundred",
}

EXACT_WORDS: dict[str, tuple[str, str]] = {
    # their stem is a recording: a clip
    "clipping": ("FAULT", "clipping"),
    "clipped": ("FAULT", "clipping"),
}

LIMIT_WORDS: dict[tuple[str, bool], str] = {
    (
        "MORE",
        True,
    ): "longer than, more than, over, above, exceeding, exceed, greater than, beyond, >",
    ("MORE", False): "at least, no less than, no shorter than, not less than, >=, ≥",
    ("LESS", True): "shorter than, less than, under, below, fewer than, <",
    ("LESS", False): "at most, no more than, no longer than, not longer than, up to a length of, "
    "<=, ≤",
}

MODALITY_WORDS: dict[str, str] = {
    "accelerometer": "accelerometer, acc, accel, acceleration, accelerometry, accelerometers",
    "gyroscope": "gyroscope, gyro, angular velocity, rotation rate, gyroscopes, gyr",
    "magnetometer": "magnetometer, mag, compass",
    "heart_rate": (
        "heart rate, heartrate, hr, pulse, heart beat, heartbeat, bpm, beats per minute"
    ),
    "ecg": "ecg, ekg, electrocardiogram, cardiogram",
    "eeg": "eeg, electroencephalogram",
    "ppg": "ppg, photoplethysmogram",
    "temperature": "temperature, temp, skin temperature",
    "cpu": "cpu, processor, cpu usage, cpu load",
    "memory": "memory, ram, memory usage",
    "price": "price, market, stock, close",
    "volume": "volume",
}

LABEL_SYNONYMS: dict[str, str] = {
    "walk": "walk, stroll, hike, wander, amble, gait, walker, on foot",
    "run": "run, jog, sprint, runner, jogger, ran",
    "stand": "stand, upright, stood",
    "sit": "sit, seat, seated, sat",
    "lie": "lie, lying, lay, laying",
    "climb": "climb, ascend, go up, going up, walk up, upstairs",
    "descend": "descend, go down, going down, walk down, downstairs, down",
    "stair": "stair, stairs, staircase, steps up",
    "wash": "wash, rinse, clean, scrub",
    "hand": "hand",
    "brush": "brush",
    "tooth": "tooth, teeth, toothbrush",
    "eat": "eat, meal, ate, chew",
    "drink": "drink, sip, drank",
    "glass": "glass, cup, water glass",
    "telephone": "telephone, phone, call, mobile",
    "cycle": "cycle, bike, bicycle, ride",
    "rest": "rest, idle, still, inactive",
    "sleep": "sleep, asleep",
    "comb": "comb",
    "pour": "pour",
}

_FUNCTION_WORDS = (
    "the is are was were be been being do does did doing have has had can could would should will "
    "shall may might must i you we they he she it its me my our your their them this that these "
    "those there here in on at for with while during when if so as than too very please pls me "
    "into out over off up down about again any some all both such same who whom whose how why "
    "what which where show give get see let lets make us tell want need like know go got just "
    "someone somebody anyone anything everything something people time times activity really "
    "happen happens happening look looks looking one ones thing things much many most more "
    "now still only even well hello hi hey thanks thank because said say says using used "
    "value values different kind type larger largest smaller smallest biggest big small high low "
    "highest lowest rank order total result results answer question question's compute calculate "
    "determine report display provide return work works part parts bit bits place places within "
    "check checked anywhere somewhere along across around also whole entire own able im ive id whats wheres hows theres"
)
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
"""Words that carry no content for the planner; never reported and never spelling-corrected."""

_COMMON_WORDS = (
    "world house water paper story music great right night light sound today week month year "
    "sunday monday capital france joke weather rain train plane book city country name letter "
    "friend father mother brother sister child school work home life hand head heart hear hold "
    "gold cold told talk tall ball call wall fall full pull push rush cash wish fish dish list "
    "last past fast cost cast best test rest nest west east land band sand send lend bend mind "
    "kind find wind side wide ride hide tide line fine mine wine win won cup game play player team "
    "money price buy sell sold sonnet poem poet song sing dance movie film actor color colour"
)
COMMON_WORDS = frozenset(_COMMON_WORDS.split())
"""Everyday words that must not be "corrected" into words of the trade."""


@lru_cache(maxsize=1)
def lexicon() -> dict[tuple[str, ...], tuple[str, str | bool]]:
    """Return phrase (as stems) → (tag, value)."""
    table: dict[tuple[str, ...], tuple[str, str | bool]] = {}
    for (tag, value), phrases in _LEXICON.items():
        for phrase in phrases.split(", "):
            table[stems(phrase)] = (tag, value)
    for (tag, strict), phrases in LIMIT_WORDS.items():
        for phrase in phrases.split(", "):
            table[stems(phrase)] = (tag, strict)
    return table


@lru_cache(maxsize=1)
def lexicon_words() -> frozenset[str]:
    """Return the words of the lexicon as written, for spelling correction."""
    every = [*_LEXICON.values(), *LIMIT_WORDS.values(), *MODALITY_WORDS.values()]
    every += LABEL_SYNONYMS.values()
    words = {word for phrases in every for word in phrases.replace(",", "").split()}
    words |= set(EXACT_WORDS)
    return frozenset(w for w in words if w.isalpha())


@lru_cache(maxsize=1)
def canonical_stems() -> dict[str, str]:
    """Return single-word label synonyms → the stem they stand for ("jog" → "run")."""
    table = {}
    for stands_for, phrases in LABEL_SYNONYMS.items():
        for phrase in phrases.split(", "):
            if " " not in phrase:
                table[stem(phrase)] = stem(stands_for)
    return table


def stems(phrase: str) -> tuple[str, ...]:
    """Return the stems of a phrase's words."""
    return tuple(stem(word) for word in phrase.replace("_", " ").split())
