"""The words the offline planner knows: phrases → tag and value, and synonyms of names.

One line a concept; phrases are compared by stem, so inflections need not be listed.
"""

from __future__ import annotations

from functools import lru_cache

from tool_use_om.agent.offline.language.everyday import EVERYDAY
from tool_use_om.agent.offline.language.words import stem, words_of
from tool_use_om.heads.registry import head_specs
from tool_use_om.tokenizers.registry import TOKENIZERS, specs

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
        "find, detect, locate, spot, identify, where, search for, pick out, discover, segment, "
        "localise, localize, pinpoint"
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
    ("CHANCE", "chance"): (
        "chance, probability, likelihood, odds, likely, how likely, probable, how probable, risk"
    ),
    ("STAY", "stay"): "stay, remain, keep, hold",
    ("UNIT", "120960.0"): "business day, trading day, working day, bank day",
    ("COMING", "tomorrow"): (
        "tomorrow, day after the end, day after the data ends, day after the data"
    ),
    ("HORIZON", "86400.0"): "following day",
    ("HORIZON", "7889238.0"): "next quarter, coming quarter, following quarter",
    ("LEVELWORD", "level"): "level, threshold, mark, value of",
    ("MOTIF", "motif"): (
        "motif, repeating pattern, repeated pattern, recurring pattern, recurrent pattern, "
        "pattern repeats, patterns that repeat, pattern that repeats, patterns that recur, recur, "
        "repeats itself, repeat themselves, repeating shape, repeated shape, recurring shape, "
        "repeating sequence, recurring sequence, repeating stretch, patterns repeat"
    ),
    ("DRIFT", "drift"): (
        "drift, drifted, distribution shift, data shift, shifted, covariate shift, "
        "changed between, same distribution"
    ),
    ("EXPLAIN", "faithful"): (
        "faithful, faithfulness, explanation hold, explanation holds, trust the explanation, "
        "explanation right, explanation true"
    ),
    ("EXPLAIN", "counterfactual"): (
        "counterfactual, what would change, would have to change, would change the answer, "
        "nearest of another"
    ),
    # what a described activity is like
    ("ATTRIBUTE", "intensity high"): (
        "vigorous, vigorously, intense, lively, energetic, strenuous, violent"
    ),
    ("ATTRIBUTE", "intensity medium"): "moderate, moderately, medium intensity",
    ("ATTRIBUTE", "intensity low"): "gentle, gently, calm, quiet, light intensity, low intensity",
    ("ATTRIBUTE", "intensity still"): "motionless, without movement, without motion, hardly moving",
    ("ATTRIBUTE", "regularity strong"): (
        "rhythmic, rhythmical, rhythmically, periodic, regular, repetitive, strictly periodic"
    ),
    ("ATTRIBUTE", "regularity some"): "fairly regular, somewhat regular, roughly periodic",
    ("ATTRIBUTE", "regularity none"): "without rhythm, not rhythmic, not periodic, erratic",
    ("PACE", "pace"): "slow, slowly, fast, quick, quickly, brisk, briskly",
    ("POINTS", "1"): "pointing up, points up, upwards, facing up, vertical, pointing upwards",
    ("POINTS", "-1"): "pointing down, points down, downwards, facing down, upside down",
    # how a run is to be made
    ("OPTION", "allow_raw"): (
        "minirocket, mini rocket, hydra, rlinear, dlinear, theta method, ets, patchtst, "
        "raw fallback, raw fallbacks, raw space, raw space method, raw method, raw model, "
        "raw samples, fallback, fallbacks, fall back"
    ),
    ("OPTION", "class_conditional"): (
        "class conditional, label conditional, label by label, class by class, "
        "calibrated per class, calibrate per class, calibrate for each class, "
        "calibrate each class, calibrate each label, sets per class, sets for each class"
    ),
    ("ABSTAIN", "abstain"): (
        "abstain, abstain when unsure, abstain if unsure, abstention, refuse to answer, "
        "say nothing, withhold"
    ),
    ("RARE", "rare"): "rare, scarce, infrequent, with too few labels, with few sessions",
    ("APPROXIMATE", "approximate"): (
        "approximate, approximately, approximate index, approximate search, fast search"
    ),
    # settings of windows and patches
    ("PATCH", "patch"): "patch",
    ("SETTING", "overlap"): (
        "overlapping patches, overlap patches, patches overlap, patches that overlap, "
        "patches overlapping, half overlapping patches, patch overlap, overlapped patches"
    ),
    ("SETTING", "fusion per_modality"): (
        "own rate, own rates, per modality, native rate, modality by itself, each modality apart, "
        "rates of their own, rate of its own"
    ),
    ("SETTING", "fusion common"): "common rate, one common rate, one rate for all",
    ("SETTING", "resolutions 2"): "both resolutions, finer resolution, another resolution",
    ("SETTING", "resolutions 1"): "single resolution",
    ("RESOLUTION", "resolution"): "resolution",
    ("CONTEXT", "true"): (
        "context features, context feature, scale features, scale feature, mean and scale"
    ),
    ("CONTEXT", "time_of_day"): "time of day, hour of the day, clock time",
    ("SUPER", "super"): "super patch, super patches, superpatch, super token",
    ("RESAMPLE", "resample"): ("resample, resampled, target rate, downsample"),
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
        "suspicious, out of the ordinary, novelty, fault, glitch, unusual move, unusual jump, "
        "unusual change, unusual day, unusually, unusually cold, unusually warm, unusually hot, "
        "unusually high, unusually low, out of line"
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
        "me, active learning, should i label, should i annotate, label next, labelled next, "
        "annotate next, worth labelling, worth a label, to label first, should be labelled, "
        "best to label, most informative windows, labels help most, labels would help most"
    ),
    ("ONLY", "only"): "only, just, solely, alone",
    # things
    ("SESSION", "session"): (
        "session, recording, record, file, trial, episode, clip, log, trip, workout, bout, drill, "
        "exercise, strip, tracing, trace"
    ),
    ("CHANNEL", "channel"): "channel, sensor, modality, signal, axis, stream, variable",
    ("DATASET", "dataset"): "data set, dataset, data sets, datasets, data source, sample data",
    ("DATA", "data"): "data",
    ("LABELS", "label"): "label, labelled, labeled, annotation, annotated",
    ("EXAMPLE", "example"): "example, shot, instance, sample",
    ("CLASS", "class"): "class, activity, category, behaviour, behavior, motion, movement",
    ("SUBJECT", "subject"): (
        "subject, person, people, participant, user, volunteer, patient, wearer, client, athlete, "
        "pupil, student, child, children, driver, rider, player, operator, worker, resident, animal"
    ),
    ("SPLIT", "test"): "test, held out, hold out, holdout, heldout, testing, unseen",
    ("SPLIT", "train"): (
        "training split, training, train split, train set, train sessions, training set"
    ),
    ("SPLIT", "calibration"): "calibration",
    ("SPLITS", "splits"): "split, partition",
    ("HEAD", "head"): "head, classifier, model, method, algorithm, probe",
    ("WHICHTELLS", "tells"): (
        "which model could tell, which model can tell, which models could tell, what model could "
        "tell, kind of model could tell, kind of model can tell, can any model tell, "
        "could any model tell, which model could say, which model can say, can any model say, "
        "which model could predict whether, which model can predict whether"
    ),
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
    ("UNITS", "unit"): "unit",
    ("DURATION", "longest"): (
        "duration, total duration, how long, total length, length of the session, "
        "running time, run time, how many hours, how many minutes, how many seconds"
    ),
    ("OTHERS", "others"): ("others, other sessions, the rest, rest of the sessions, everyone else"),
    # statistics
    ("STAT", "mean"): "mean, average, avg, averaged",
    ("STAT", "variance"): (
        "variance, var, vary most, variability, vary, variation, fluctuate, fluctuation"
    ),
    ("STAT", "std"): "standard deviation, std, stdev, std dev, spread, deviation, dispersion",
    ("STAT", "min"): "minimum, min, lowest, smallest value, least value",
    ("STAT", "max"): "maximum, max, peak, highest value, largest value, highest",
    ("STAT", "range"): "range, peak to peak, amplitude, value range",
    ("STAT", "rms"): "rms, root mean square",
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
        "leave out, leaving out, leave off, leave aside, filter out, take out, throw out, "
        "throw away, cut off, skip, skipping, forget, discard, disregard, remove, not counting, "
        "chop off, dropping"
    ),
    ("DEED", "deed"): (
        "delete, erase, rename, email, e mail, mail, send, upload, download, export, translate, "
        "buy, sell, install, overwrite, publish, share with"
    ),
    ("DROP", "drop"): "drop",
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
    "clip": ("CLIP", "clip"),  # a fault behind a channel, else a recording
}

LIMIT_WORDS: dict[tuple[str, bool], str] = {
    (
        "MORE",
        True,
    ): "longer than, longer then, more then, more than, over, above, exceeding, exceed, "
    "greater than, beyond, >, "
    "rise above, rise over, rise to, go above, go over, get above, get over, pass, larger than, "
    "higher than, be over, be above, in excess of, upper than, bigger than, breach, surpass, past, "
    "spend over, excess of, beaten",
    ("MORE", False): "at least, no less than, no shorter than, not less than, >=, ≥, reach, cross, "
    "get to, climb to",
    (
        "LESS",
        True,
    ): "shorter than, shorter then, less then, less than, under, below, "
    "fewer than, <, fall below, drop below, "
    "go below, sink below, dip below, fall under, drop under, go under, get below, fall to, "
    "drop to, lower than, smaller than, beneath, fall short of, dropped beneath, short of",
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

"""Words that carry no content for the planner; never reported and never spelling-corrected."""


_QUANTITIES = (
    "blood pressure, oxygen saturation, skin conductance, step count, body weight, glucose, "
    "humidity, velocity, calories, respiration, breathing rate, spo2, blood oxygen, location, gps"
)
_ALSO_UNITS = frozenset({"hr", "bpm", "beats per minute", "volume", "market", "stock", "close"})
"""Things that are measured elsewhere: where these data have no channel for them, that is said."""


@lru_cache(maxsize=1)
def lexicon() -> dict[tuple[str, ...], tuple[str, str | bool]]:
    """Return phrase (as stems) → (tag, value)."""
    table: dict[tuple[str, ...], tuple[str, str | bool]] = {}
    for words in (_LEXICON, EVERYDAY):
        for (tag, value), phrases in words.items():
            for phrase in phrases.split(", "):
                table[stems(phrase)] = (tag, value)
    for (tag, strict), phrases in LIMIT_WORDS.items():
        for phrase in phrases.split(", "):
            table[stems(phrase)] = (tag, strict)
    measured = [_QUANTITIES, *MODALITY_WORDS.values()]
    for phrase in (p for phrases in measured for p in phrases.split(", ")):
        if phrase not in _ALSO_UNITS:
            table.setdefault(stems(phrase), ("QUANTITY", phrase))
    for phrase in _NOT_THE_CLOSE:
        table[stems(phrase)] = ("QUANTITY", phrase)
    table |= {stems(phrase): ("HEADNAME", s.name) for s in head_specs() for phrase in s.said}
    table |= {stems(phrase): ("TOKNAME", s.name) for s in specs() for phrase in s.said}
    table |= {tuple(map(stem, words_of(name))): ("TOKNAME", name) for name in TOKENIZERS}
    return table


# prices that are not "the price": a series of closes has none of them
_NOT_THE_CLOSE = (
    "opening price", "open price", "bid price", "ask price", "asking price", "high price",
    "low price", "intraday high", "intraday low",
)  # fmt: skip


@lru_cache(maxsize=1)
def lexicon_words() -> frozenset[str]:
    """Return the words of the lexicon as written, for spelling correction."""
    every = [
        *_LEXICON.values(),
        *EVERYDAY.values(),
        *LIMIT_WORDS.values(),
        *MODALITY_WORDS.values(),
    ]
    every += LABEL_SYNONYMS.values()
    every += [phrase for head in head_specs() for phrase in head.said]
    every += [phrase for tokenizer in specs() for phrase in tokenizer.said]
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
