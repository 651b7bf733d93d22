"""The words of ordinary questions about data: who, when, how long, how often, on which days.

One entry a concept: (tag, value) → phrases, compared by stem as those of the lexicon.
"""

from __future__ import annotations

EVERYDAY: dict[tuple[str, str], str] = {
    ("STAT", "median"): "median, middle value, typical, typical value, typical level, p50",
    ("FIRST", "first"): (
        "first, initial, opening, beginning, leading, earliest, start of, begin, warm up of"
    ),
    ("LAST", "last"): (
        "last, final, closing, end of, trailing, terminal, ending, latest, most recent, concluding"
    ),
    ("ENDWORD", "end"): "end, finish, the end, the finish, close, shutdown",
    ("ONWARD", "onward"): "onwards, onward, and on, on wards, and later, and after",
    ("STAT", "sum"): (
        "sum, summed, add up, adds up to, sum total, cumulative, total amount, total "
        "consumption, total value, grand total, overall total"
    ),
    ("STAT", "first"): (
        "first value, first sample, first reading, initial value, starting value, start value, "
        "opening value, first measurement, begin at, start out at"
    ),
    ("STAT", "last"): (
        "last value, last sample, last reading, latest value, latest reading, most recent "
        "value, final value, final reading, end value, current value, closing value, latest, last "
        "measurement, end up at"
    ),
    ("STAT", "mean"): (
        "typically, on average, average value, mean value, average level, usual level, "
        "arithmetic mean, averages, usually"
    ),
    ("STAT", "std"): (
        "scatter, spread out, stddev, sd, standard dev, fluctuation, jitter, strongest movement, "
        "strongest motion, most movement, most motion, move most, move the most, most active, "
        "most movements"
    ),
    ("STAT", "variance"): (
        "vary, varies, variation, fluctuate, fluctuates most, varied, most variable, variable "
        "most, most variation, moves around most, liveliest, most lively, least stable, most "
        "unstable, all over the place"
    ),
    ("STAT", "range"): "value span, min to max, minimum to maximum, from min to max",
    ("STAT", "rms"): "quadratic mean, root mean squared, effective value, rms value",
    ("STATWORD", "statistics"): "statistics, stats, statistic",
    ("PERCENTILE", "percentile"): "percentile, quantile, centile, pctl",
    ("QUARTILE", "25"): "lower quartile, first quartile, 1st quartile, bottom quartile",
    ("QUARTILE", "75"): "upper quartile, third quartile, 3rd quartile, top quartile",
    ("TH", "th"): "th, st, nd, rd",
    ("TOTAL", "total"): "total, altogether, in all, in total, all together, combined, overall",
    ("SESSION", "session"): (
        "session, log, workout, measurement, trip, exercise session, test run, night log, "
        "training session, driving log, series of measurements"
    ),
    ("SUBJECT", "subject"): (
        "client, household, operator, athlete, individual, everybody, everyone, anybody, folk, "
        "player, swimmer, worker, driver, proband, test person, human, persons, animal"
    ),
    ("CLASS", "class"): (
        "exercise, drill, operating condition, operating state, operating mode, condition, "
        "state, posture, gesture, kind of movement, type of movement, sleep stage, kind of "
        "activity"
    ),
    ("CHANNEL", "channel"): "reading, measured quantity, quantity, measurand, time series, input",
    ("DESCRIBE", "describe"): (
        "rundown, general idea, first impression, impression of, what am i looking at, in this "
        "data, what is this data, whats this data, in the data, this data about, what have we "
        "got here, what have we got, what do we have here, what is in here, whats in here, kind "
        "of data, what does this data, contain, contains, explain this data, explain what is, "
        "gist, big picture, main facts, key facts, lowdown, outline, introduce, at a glance, "
        "basic facts, about this data, data about, about these data, what sort of data, show me "
        "around, brief me, briefing, tell me roughly, in general"
    ),
    ("PER", "per"): (
        "across, broken down by, split by, split up by, grouped by, separately for, group by, "
        "for the different, depending on, one by one, apart for, for all the different, "
        "individually for, by single, by every single, by every, by each, sorted by"
    ),
    ("NOT", "not"): (
        "ex, take away, taking away, leaving aside, if we ignore, minus the, once we drop, not "
        "count, not counting, dont count, don't count, except for, but not, barring, bar the, "
        "filter out, with the exception of, when we exclude, left out, taken out, excluded, "
        "removed, remove, removing"
    ),
    ("CHECK", "check"): (
        "qc, wrong with it, "
        "rely on, broken, data ok, data okay, any good, data good, good recording, is good, in "
        "order, sound data, healthy, any problems, any problem, any issues, any issue, any "
        "errors, any error, have error, have errors, have problems, are there problems, any "
        "faults, any fault, faults in, check everything, verify the data, validate, validation, "
        "trustworthy data, usable, look for problems, look for errors, quality of, something "
        "the matter, any defects, plausibility check, consistency check, data check, messed up, "
        "all right, screen the data, audit the data, bad data, bad "
        "recording, garbage, wrong with the recording, wrong with session, wrong with the "
        "session, wrong with this, issues with, problems with, problem with"
    ),
    ("AMISS", "amiss"): (
        "anything wrong, something wrong, is something off, something off, anything off, "
        "go wrong, went wrong, anything go wrong, something go wrong, something happen to, "
        "anything happen to, go badly wrong, went badly wrong, go terribly wrong, went terribly "
        "wrong, anything worrying, something worrying, worrying, alarming"
    ),
    ("FAULT", "stuck"): (
        "frozen, freeze, froze, jammed, same value, same number, never change, never changes, "
        "don't change, doesn't change, does not change, do not change, unchanged, dead sensor, "
        "not moving, constant series, constant channel, constant sensor, flat channel, flat "
        "signal, flat sensor, stuck sensor, flat, hung, sit dead still, remain constant, stay "
        "constant, remain unchanged, stayed the same, stays the same, constant"
    ),
    ("FAULT", "clipping"): (
        "cut off at the top, over ranged, overranged, over range, truncated, truncate, chopped "
        "off, flat on top, flat top, max out, maxes out, out of range, ran into their limit, "
        "end of its range, end of the range, limit of the sensor, limit of sensor, cut off, "
        "limits of the sensor, sensor limit, measuring range, sensor range, full scale, hit a "
        "ceiling, hits a ceiling, hit the ceiling, topped out, capped, cut at, bottom out, run "
        "into its limit, ran into a limit, reach its limit, at its limit, squared off"
    ),
    ("FAULT", "leak"): (
        "both sides of the split, on both sides, also in test, both training and test, both in "
        "training and test, both training and testing, seen in training, both for training and "
        "testing, both for training and for testing, in train and test, share people, share the "
        "same people, in train and also in test, in training as well as test, cross over "
        "between, both splits, both sets"
    ),
    ("FAULT", "gap missing"): (
        "missing piece, missing pieces, hole in the data, holes in the data, hole, missing "
        "time, missing stretch, data loss, lost data, any data lost, missing measurement, "
        "missing reading, missing samples, missing record, pause, breaks in the data, break in "
        "the recording, data missing, values missing, samples missing, uninterrupted, without "
        "interruption, skipped sample, lost any, blank, blanks, null, nulls, empty values, "
        "complete, incomplete, continuous, without gaps, seamless, lose any, dropped out, cut "
        "out, signal loss"
    ),
    ("FAULT", "overlap"): (
        "two labels at the same time, labels at the same time, two activities at once, label "
        "overlap, overlap each other, run into each other, on top of each other, cover each "
        "other, two labels, overlapping"
    ),
    ("FAULT", "hole"): (
        "hole in the labels, holes in the labels, holes in the labelling, gaps in the labels, "
        "gaps in labels, gaps between labels, gaps between the labels, holes between them, "
        "labels complete, space between them, labelling complete, leave holes, label track, "
        "label timeline, holes in the annotation, gaps in the annotation, gaps in the "
        "labelling, left holes, label coverage"
    ),
    ("STAT", "max"): (
        "maximal, highest reading, top value, biggest value, greatest value, largest reading, "
        "highest level, peak value, upper limit, max value, high point, greatest, peaked, at "
        "its highest, at its peak, at its maximum, peak reading, highest point, maxed, how "
        "high, goes highest, go highest, strongest reading, the most, most high, rises to its "
        "highest, top out, top reading, as high as, peaks, largest, biggest"
    ),
    ("STAT", "min"): (
        "minimal, lowest reading, lowest value, lowest level, lowest point, bottomed, bottom "
        "value, min value, low point, at its lowest, at its minimum, smallest, trough, how low, "
        "goes lowest, go lowest, the least, most low, as low as, dip lowest, lowest dip, "
        "weakest"
    ),
    ("BYTIME", "hour"): (
        "hourly, per hour, by hour, each hour, every hour, hour by hour, daily profile, daily "
        "curve, daily course, average day, typical day, over the day, hour of day, hour of the "
        "day, hours of the day, which hour, what hour, busiest hour, time of the day, of the "
        "day, day profile, per clock hour, 24 hour profile, diurnal profile, over the 24 hours, "
        "across the day, course of a day, throughout the day, intraday, o'clock, around the "
        "clock, for each of the hours, hours 0 to 23, hour for hour, hour of the clock, hour "
        "bins, hourly steps, normal day, by clock hour, through the day, per time of day, by "
        "time of day, each of the 24 hours, for each hour of the day, 24 hours, time of day"
    ),
    ("BYTIME", "weekday"): (
        "by day of the week, by day of week, by weekday, per weekday, each weekday, "
        "day of the week, days of the week, day of week, "
        "which weekday, each day of the week, per day of the week, weekday by weekday, every "
        "weekday, across the week, over the week, weekday profile, weekly profile, monday to "
        "sunday, monday through sunday"
    ),
    ("BYTIME", "month"): (
        "by month, per month, each month, monthly, month by month, which month, every month, "
        "calendar month, month to month, for each month, across the months, what month"
    ),
    ("BYTIME", "date"): (
        "each day, every day, day by day, by day, which day, what day, on which day, on what day, "
        "on what date, on which date, by date, per date, daily, per calendar day, which date"
    ),
    ("DAYS", "5 6"): (
        "weekend, weekends, on weekends, saturday and sunday, saturdays and sundays, saturday "
        "or sunday, non working days, days off"
    ),
    ("DAYS", "0 1 2 3 4"): (
        "weekday, weekdays, working day, workday, monday to friday, monday through friday, "
        "business day, work day, during the week"
    ),
    ("DAYS", "0"): "monday",
    ("DAYS", "1"): "tuesday",
    ("DAYS", "2"): "wednesday",
    ("DAYS", "3"): "thursday",
    ("DAYS", "4"): "friday",
    ("DAYS", "5"): "saturday",
    ("DAYS", "6"): "sunday",
    ("MONTH", "1"): "january, jan",
    ("MONTH", "2"): "february, feb",
    ("MONTH", "3"): "in march, during march, of march, march data, for march",
    ("MONTH", "4"): "april, apr",
    ("MONTH", "5"): "in may, during may, of may, may data, for may",
    ("MONTH", "6"): "june, jun",
    ("MONTH", "7"): "july, jul",
    ("MONTH", "8"): "august, aug",
    ("MONTH", "9"): "september, sept",
    ("MONTH", "10"): "october, oct",
    ("MONTH", "11"): "november, nov",
    ("MONTH", "12"): "december, dec",
    ("HOURS", "0 1 2 3 4 5"): (
        "at night, during the night, by night, night time, nights, nighttime"
    ),
    ("HOURS", "6 7 8 9 10 11"): "in the morning, mornings, morning",
    ("HOURS", "12 13 14 15 16 17"): "in the afternoon, afternoons, afternoon",
    ("HOURS", "18 19 20 21 22 23"): "in the evening, evenings, evening",
    ("TREND", "trend"): (
        "trend, rise or fall, rises or falls, rising or falling, fall or rise, go up or down, "
        "going up or down, goes up or down, up or down, over time, over the course of time, "
        "rising, rise, increase, increasing, decrease, decreasing, decline, declining, grow, "
        "growing, creep up, creeping up, going up over, getting higher, getting lower, upward, "
        "downward, climbing or falling, direction, trending, long run, slope, sink, sinking, "
        "worsening, rise over, drift up, drift down, drifting up, drifting down, drift upward, "
        "drift downward, shrink, up and down over, rising over, go higher over, become higher, "
        "become lower, change over time, changing over time, changed over time, develop, "
        "develops, evolve, evolves, evolution, went up, went down, getting better or worse, "
        "more and more, less and less, up or down over, on the way up, on the way down, higher "
        "at the end, lower at the end, move up over, is heading, heading over, become more or "
        "less, climbing, seeing progress, long term drift, straight line through, fade, fading, "
        "wander, wanders, over the period, long term, progress, rise over time, rises over "
        "time, rising over time, climb over time, go up over time, rise over the, get higher "
        "over"
    ),
    ("CORR", "corr"): (
        "correlate, correlated, correlation, relate, related, relation, relationship, move "
        "together, moves together, go together, goes together, connection between, associate, "
        "associated, association, hand in hand, linked, link between, follow each other, track "
        "each other, covary, move with, rise together, in step, depend on, depends on, move in "
        "sync, in sync, moves with, go along with, connected, tied together, rise and fall "
        "together, connection, pearson, together, corr, go up as well, does the other, one "
        "another, each other, influence, influences, affect, affects, coefficient, tie between, "
        "tied to, follow, follows, connect, rise with, rises with, fall with, dependence, "
        "dependent, interplay, move alike, parallel, in parallel, go hand in hand, same "
        "direction, vary along with, co movement, comovement, hang together, to do with each "
        "other, rise and fall at the same time, means less, means more, what happens to"
    ),
    ("CYCLE", "cycle"): (
        "daily pattern, daily cycle, daily rhythm, weekly pattern, weekly cycle, weekly rhythm, "
        "yearly pattern, yearly cycle, yearly rhythm, annual pattern, annual cycle, annual "
        "rhythm, monthly cycle, monthly pattern, seasonal, seasonality, season, seasonal "
        "pattern, repeat every day, repeat every week, repeat each day, repeat daily, repeat "
        "weekly, repeats every day, repeats every week, circadian, how long is the cycle, how "
        "long is a cycle, how long is one cycle, cycle length, length of the cycle, length of a "
        "cycle, cyclical, day and night pattern, day night pattern, daily or weekly cycle, "
        "daily or weekly pattern, daily weekly or yearly, recurring cycle, day night cycle, 24 "
        "hour cycle, daily weekly, diurnal, hourly pattern, seasons, periodicity, daily or "
        "weekly rhythm, daily ups and downs, and night pattern, periodic behaviour, periodic "
        "component, periodic components, in cycles, go in cycles, up and down with the day, "
        "weekly beat, daily beat, starts over again, start over again, autocorrelation, period "
        "of the cycle, the cycle, a cycle, any cycle, swing with, swings with, time of year, "
        "comes round, recurring rhythm, repeat itself every, yearly swing, weekly swing, daily "
        "swing, same every day, same every week, by season"
    ),
    ("OFTEN", "times"): "how often, how frequently, how many times, number of times",
    ("OFTEN", "often"): (
        "how many number of how frequently, how much of the time, how much time, "
        "what share of the time, share of the time, fraction of the time, percentage of the "
        "time, percent of the time, proportion of the time, count the times, part of the time, "
        "amount of time, time spent"
    ),
    ("STRONGER", "stronger"): (
        "stronger, how much stronger, weaker, how much weaker, louder, quieter, how much louder"
    ),
    ("WORST", "worst"): "worst, poorest",
    ("LOOKS", "wrong"): (
        "looks wrong, look wrong, looks odd, look odd, looks off, looks strange, look strange, "
        "seems wrong, seems odd, looks suspicious, looks unusual, looks faulty"
    ),
    ("DIFFERENT", "different"): "different, different from, differed, special",
    ("STAT", "change"): (
        "up or down from start to end, from start to end, change from start to end, net change, "
        "overall change, total change, change in all, change overall, percent change, from first "
        "to last, from beginning to end, from the first to the last, how much did it change"
    ),
    ("STAT", "cadence"): (
        "fastest, quickest, quickest steps, quickest step, fastest steps, fastest step, slowest, "
        "slowest steps, highest cadence, highest step rate, most steps per minute, most steps per "
        "second"
    ),
    ("STEPS", "steps"): "step, steps, step a second, step a minute",
    ("STAT", "count"): (
        "number of readings, number of samples, how many readings, how many samples, how many "
        "measurements, how many values, how many data points, count of readings, count of samples"
    ),
    ("WHEN", "when"): (
        "first time, last time, when, at what time, what time, at which moment, at which time, at "
        "at what point, at which point, what moment, time stamp, timestamp"
    ),
    ("PORTION", "portion"): (
        "share, percentage, percent of, proportion, fraction, what part, how much of, ratio of, "
        "portion, how big a part, what percent, per cent, slice, share of, how many percent, by "
        "how many percent, in percent"
    ),
    ("BALANCE", "balance"): (
        "balanced, balance, imbalanced, imbalance, unbalanced, class distribution, label "
        "distribution, evenly distributed, even distribution, distribution of the labels, "
        "distribution of labels, distribution of classes, distribution of activities, how many "
        "of each, equally often, skewed, class balance, evenly represented, equally "
        "represented, even split, dominate, dominates, breakdown, evenly spread, "
        "overrepresented, underrepresented, distribution of the classes, distribution of the "
        "activities, breakdown by, equal number of, well mixed, evenly covered, class sizes, "
        "lopsided, class counts, label counts, same amount of every, same amount of each, how "
        "many examples per class, examples per class, as many of each, same number, count per "
        "label, count per class, counts per label, counts per class, each class equally, "
        "equally many, more than others, more often than others, more than the others, rare "
        "classes, how many per label, how many per class, numbers per class, frequency of each "
        "label, number of each, break down the sessions, similar numbers, occur about equally, "
        "equilibrated, plenty of, side by side, split across categories, split across classes, "
        "frequencies of all labels, frequencies of the labels, frequency of labels, how often "
        "did we record each, one dominate"
    ),
    ("WHO", "who"): (
        "who, who was, who were, whose, who is, who took part, who are, names of the people, "
        "names of the subjects, names of the participants, whom, list of subjects, list of "
        "people, list of participants, subject ids, subject list, participant list, list the "
        "subjects, list the people, name the people, name the subjects, roster"
    ),
    ("SPAN", "span"): (
        "time span, date range, period covered, what period, which period, which dates, what "
        "dates, which time period, what time period, time period, from when to when, from when, "
        "until when, since when, start and end, first date, last date, start date, end date, "
        "begin and end, how far back, time range, when was it recorded, when were they "
        "recorded, when was this recorded, when was the data recorded, when were the data "
        "recorded, when were these recorded, starts and ends, start and stop, start and finish, "
        "when do the data start, when does the data start, dates, when did the recording start, "
        "when did recording start, calendar period, time frame, timeframe, "
        "date of the first, first and last date, period, first and last day, "
        "which years, time window, begin and when, cover, covers, covered, start and "
        "when, when did we start, earliest, oldest, newest, latest recording, first recorded, "
        "over what, during what period, cover from, span of dates, recording dates"
    ),
    ("RATEWORD", "rate"): (
        "rate, sampling rate, sample rate, sampling frequency, sampling period, sampling "
        "interval, how often sampled, how often measured, how frequently sampled, samples per "
        "second, sample per second, time step, interval between samples, time between samples, "
        "recording rate, measuring rate, hertz, hz, readings per second, measurement interval, "
        "measured every, every how many seconds, readings per minute, values per second, data "
        "rate, recorded every, time resolution, temporal resolution, sample spacing, logging "
        "interval, how often is a value, time between readings, between two samples, between "
        "two readings, between samples, logging rate, record rate, how often does the device, "
        "how often do the sensors, how often does the sensor, how often is it, how often do we "
        "get a reading, take a reading, sample interval, data frequency, per second do we get, "
        "measuring interval, frequency of the data, frequency of measurement, how densely, "
        "sampling frequencies, frame rate, rate of sampling, recording frequency"
    ),
    ("UNITS", "unit"): (
        "unit, units, unit of measurement, measured in, recorded in, expressed in, given in, "
        "unit of measure, in what unit, in which unit"
    ),
    ("LONGEST", "longest"): (
        "longest, longest session, longest lasting, biggest recording, lasts longest, last the "
        "longest, lasted longest, ran longest, most extended, max duration, maximum duration, "
        "maximal duration, largest duration, most duration, biggest duration, lasts the most, "
        "last the most, maximum length, max session duration, largest recording, took longest, "
        "upper end of the recording, goes on longest, went on longest, most time, greatest "
        "length, longest of all, took the longest, most lengthy"
    ),
    ("SHORTEST", "shortest"): (
        "shortest, shortest session, briefest, lasts shortest, least duration, smallest "
        "duration, min duration, minimum duration, minimal duration, less duration, smallest "
        "time, lasts the least, last the least, over the quickest, minimum length, min session "
        "duration, smallest recording, ended soonest, lower end of the recording, shortest "
        "lasting"
    ),
    ("HAPPEN", "happen"): (
        "happened, happening, happen, going on, went on, goes on, took place, take place, "
        "taking place, was done, being done, doing, was up, is up"
    ),
    ("VERBAL", "verbal"): (
        "in words, with words, into words, in plain words, in plain english, verbal, verbally, "
        "verbal description, narrate, narrative, narration, caption, talk me through, "
        "walk me through, natural language description, give an account, an account of"
    ),
    ("MISLABEL", "mislabelled"): (
        "mislabelled, mislabeled, mislabel, wrong label, wrong labels, wrongly labelled, "
        "wrongly labeled, labelled wrongly, labeled wrongly, incorrectly labelled, incorrectly "
        "labeled, label error, labelling error, labeling error, label mistake, labels are "
        "wrong, label noise, wrongly annotated, annotated wrongly, misannotated, labelled "
        "incorrectly, labeled incorrectly, suspicious label, dubious label, wrong annotation, "
        "annotation error, labelling mistake, labeling mistake, labels look wrong, label looks "
        "wrong, labels wrong, wrong activity, tagged wrongly, wrongly tagged, mistagged, "
        "doubtful label, wrong tag, questionable label, mislabelings, mislabellings, wrong "
        "class, false label, labelled falsely, not correct label, correct label, doubtful, "
        "label doubtful, label seems doubtful, fit the signal, doesn't fit its label, doesn't "
        "match its label, does not match its label, don't match their label, match their label, "
        "match its label, fit their label, fit its label, label probably false, filed under the "
        "wrong, under the wrong, trustworthy are the labels, trust the labels, labels "
        "trustworthy, marked as, classified incorrectly by hand, labels right, labels correct, "
        "label correct, labels be wrong, label be wrong, label could be wrong, labelled badly, "
        "badly labelled, labels reliable, swapped labels, labels swapped, bad labels, incorrect "
        "labels, incorrect label, false labels, tagged incorrectly, tag some"
    ),
    ("NOLABEL", "unlabelled"): (
        "unlabelled, unlabeled, no label, without a label, without label, without any label, "
        "not labelled, not labeled, lack a label, lacks a label, lack label, no labels, no "
        "annotation, not annotated, unannotated, untagged, without annotation, have no label, "
        "has no label, missing a label, nothing labelled, no tag, carry no label, carries no "
        "label, label free, without a tag, missing a tag, missing tag, nobody annotated, nobody "
        "has annotated, nobody wrote, no class assigned, havent been annotated, not been "
        "labelled, not been annotated, not annotated yet, isnt labelled, isn't labelled, arent "
        "labelled, dont have label, don't have label, don't have a label, doesn't have a label, "
        "lack annotation, remains to be labelled, remain to be labelled, left to label, still "
        "to label, left without a tag, without tag, not have label, not tagged, still missing, "
        "without activity, no activity, label is missing, labels are missing, labels missing, "
        "without any annotation, have no tag, no tags, unmarked, not marked"
    ),
}
"""As the lexicon has them: (tag, value) → phrases."""
