"""The words of ordinary questions about data: who, when, how long, how often, on which days."""

from __future__ import annotations

EVERYDAY: dict[tuple[str, str], str] = {
    # statistics beyond the moments
    ("STAT", "median"): "median, middle value, typical value, typical level, p50",
    ("STAT", "sum"): (
        "sum, summed, add up, adds up to, sum total, cumulative, total amount, total consumption, "
        "total value, grand total, overall total"
    ),
    ("STAT", "first"): (
        "first value, first sample, first reading, initial value, starting value, start value, "
        "opening value, first measurement, begin at, start out at"
    ),
    ("STAT", "last"): (
        "last value, last sample, last reading, latest value, latest reading, most recent value, "
        "final value, final reading, end value, current value, closing value, last measurement, "
        "end up at"
    ),
    ("STAT", "mean"): (
        "typically, on average, average value, mean value, average level, usual level, "
        "arithmetic mean, averages, usually"
    ),
    ("STAT", "max"): (
        "maximal, highest reading, top value, biggest value, greatest value, largest reading, "
        "highest level, peak value, upper limit, max value, high point, greatest, ceiling, "
        "peaked, at its highest, at its peak, at its maximum, peak reading, highest point, maxed"
    ),
    ("STAT", "min"): (
        "minimal, lowest reading, lowest value, lowest level, lowest point, bottomed, "
        "bottom value, min value, low point, floor, at its lowest, at its minimum, smallest, trough"
    ),
    ("STAT", "std"): "scatter, spread out, stddev, sd, standard dev, fluctuation, jitter",
    ("STAT", "variance"): (
        "vary, varies, variation, fluctuate, fluctuates most, varied, most variable, variable most, "
        "most variation, moves around most, liveliest, most lively, least stable, most unstable, "
        "all over the place"
    ),
    ("STAT", "range"): "value span, min to max, minimum to maximum, from min to max",
    ("STAT", "rms"): "quadratic mean, root mean squared, effective value, rms value",
    ("STATWORD", "statistics"): "statistics, stats, statistic",
    ("PERCENTILE", "percentile"): "percentile, quantile, centile, pctl",
    ("QUARTILE", "25"): "lower quartile, first quartile, 1st quartile, bottom quartile",
    ("QUARTILE", "75"): "upper quartile, third quartile, 3rd quartile, top quartile",
    ("TH", "th"): "th, st, nd, rd",
    ("TOTAL", "total"): "total, altogether, in all, in total, all together, combined, overall",
    # groups of the calendar
    ("BYTIME", "hour"): (
        "hourly, per hour, by hour, each hour, every hour, hour by hour, daily profile, "
        "daily curve, daily course, average day, typical day, over the day, hour of day, "
        "hour of the day, hours of the day, which hour, what hour, busiest hour, time of the day, "
        "of the day, day profile, per clock hour, 24 hour profile, diurnal profile, "
        "over the 24 hours, across the day, course of a day, throughout the day, intraday, "
        "o'clock, around the clock"
    ),
    ("BYTIME", "weekday"): (
        "by weekday, per weekday, each weekday, day of the week, days of the week, "
        "day of week, which weekday, each day of the week, per day of the week, "
        "weekday by weekday, every weekday, across the week, over the week, weekday profile, "
        "weekly profile, monday to sunday, monday through sunday"
    ),
    ("BYTIME", "month"): (
        "by month, per month, each month, monthly, month by month, which month, every month, "
        "calendar month, month to month, for each month, across the months, what month"
    ),
    ("BYTIME", "date"): (
        "each day, every day, day by day, by day, which day, what day, by date, per date, daily, "
        "per calendar day, which date"
    ),
    ("DAYS", "5 6"): (
        "weekend, weekends, on weekends, saturday and sunday, saturdays and sundays, "
        "saturday or sunday, non working days, days off"
    ),
    ("DAYS", "0 1 2 3 4"): (
        "weekday, weekdays, working day, workday, monday to friday, monday through friday, "
        "business day, work day, during the week"
    ),
    **{
        ("DAYS", str(place)): name
        for place, name in enumerate(
            ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        )
    },
    **{
        ("MONTH", str(place)): names
        for place, names in enumerate(
            (
                "january, jan",
                "february, feb",
                "in march, during march, of march, march data, for march",
                "april, apr",
                "in may, during may, of may, may data, for may",
                "june, jun",
                "july, jul",
                "august, aug",
                "september, sept",
                "october, oct",
                "november, nov",
                "december, dec",
            ),
            start=1,
        )
    },
    ("HOURS", "0 1 2 3 4 5"): "at night, during the night, by night, night time, nights, nighttime",
    ("HOURS", "6 7 8 9 10 11"): "in the morning, mornings, morning",
    ("HOURS", "12 13 14 15 16 17"): "in the afternoon, afternoons, afternoon",
    ("HOURS", "18 19 20 21 22 23"): "in the evening, evenings, evening",
    # what a channel does in time
    ("TREND", "trend"): (
        "trend, rise or fall, rises or falls, rising or falling, fall or rise, go up or down, "
        "going up or down, goes up or down, up or down, over time, over the course of time, "
        "rising, rise, increase, increasing, decrease, decreasing, decline, declining, grow, "
        "growing, creep up, creeping up, going up over, getting higher, getting lower, upward, "
        "downward, climbing or falling, direction, trending, long run, slope, sink, sinking, "
        "worsening, rise over, drift up, "
        "drift down, drifting up, drifting down, drift upward, drift downward, "
        "shrink, up and down over"
    ),
    ("CORR", "corr"): (
        "correlate, correlated, correlation, relate, related, relation, relationship, "
        "move together, moves together, go together, goes together, connection between, "
        "associate, associated, association, hand in hand, linked, link between, follow each other, "
        "track each other, covary, move with, rise together, in step, depend on, depends on, "
        "move in sync, in sync, moves with, go along with, connected, tied together, rise and "
        "fall together, connection, pearson, together"
    ),
    ("CYCLE", "cycle"): (
        "daily pattern, daily cycle, daily rhythm, weekly pattern, weekly cycle, weekly rhythm, "
        "yearly pattern, yearly cycle, yearly rhythm, annual pattern, annual cycle, annual rhythm, "
        "monthly cycle, monthly pattern, seasonal, seasonality, season, seasonal pattern, "
        "repeat every day, repeat every week, repeat each day, repeat daily, repeat weekly, "
        "repeats every day, repeats every week, circadian, how long is the cycle, "
        "how long is a cycle, how long is one cycle, cycle length, length of the cycle, "
        "length of a cycle, cyclical, day and night pattern, day night pattern, "
        "daily or weekly cycle, daily or weekly pattern, daily weekly or yearly, recurring cycle, "
        "day night cycle, 24 hour cycle, daily weekly, diurnal, hourly pattern, seasons, "
        "periodicity, daily or weekly rhythm, daily ups and downs"
    ),
    ("OFTEN", "often"): (
        "how often, how many number of how frequently, how much of the time, "
        "how much time, what share of the time, share of the time, fraction of the time, "
        "percentage of the time, percent of the time, proportion of the time, count the "
        "times, part of the time, amount of time, time spent"
    ),
    ("WHEN", "when"): (
        "when, at what time, what time, at which moment, at which time, at "
        "at what point, at which point, on which day, on what date, "
        "what moment, time stamp, timestamp"
    ),
    # the data as a whole
    ("PORTION", "portion"): (
        "share, percentage, percent of, proportion, fraction, what part, how much of, ratio of, "
        "portion, how big a part, what percent, per cent, slice, share of"
    ),
    ("BALANCE", "balance"): (
        "balanced, balance, imbalanced, imbalance, unbalanced, class distribution, "
        "label distribution, evenly distributed, even distribution, distribution of the labels, "
        "distribution of labels, distribution of classes, distribution of activities, "
        "how many of each, equally often, skewed, class balance, evenly represented, "
        "equally represented, even split, dominate, dominates, breakdown, evenly spread, "
        "overrepresented, underrepresented, distribution of the classes, "
        "distribution of the activities, breakdown by, equal number of, well mixed, "
        "evenly covered, class sizes, lopsided"
    ),
    ("WHO", "who"): "who, who was, who were, whose, who is, who took part, who are",
    ("SPAN", "span"): (
        "time span, date range, period covered, what period, which period, which dates, "
        "what dates, which time period, what time period, time period, from when to when, "
        "from when, until when, since when, start and end, first date, last date, start date, "
        "end date, begin and end, how far back, time range, when was it recorded, "
        "when were they recorded, when was this recorded, when was the data recorded, "
        "when were the data recorded, when were these recorded, starts and ends, start and stop, "
        "start and finish, when do the data start, when does the data start, dates, "
        "when did the recording start, when did recording start, calendar period, which days, "
        "time frame, timeframe, what days, date of the first, first and last date, period, "
        "first and last day, which months, which years, time window, begin and when, cover, covers, covered"
    ),
    ("RATEWORD", "rate"): (
        "sampling rate, sample rate, sampling frequency, sampling period, sampling interval, "
        "how often sampled, how often measured, how frequently sampled, samples per second, "
        "sample per second, time step, interval between samples, time between samples, "
        "recording rate, measuring rate, hertz, hz, readings per second, "
        "measurement interval, measured every, every how many seconds, readings per minute, "
        "values per second, data rate, recorded every, time resolution, temporal resolution, "
        "sample spacing, logging interval, how often is a value, time between readings, "
        "between two samples, between two readings, between samples, logging rate, record rate"
    ),
    ("UNITS", "unit"): (
        "unit, units, unit of measurement, measured in, recorded in, expressed in, given in, "
        "unit of measure, in what unit, in which unit"
    ),
    ("LONGEST", "longest"): (
        "longest, longest session, longest lasting, biggest recording, lasts longest, "
        "last the longest, lasted longest, ran longest, most extended"
    ),
    ("SHORTEST", "shortest"): "shortest, shortest session, briefest, lasts shortest",
    ("HAPPEN", "happen"): (
        "happened, happening, happen, going on, went on, goes on, took place, take place, "
        "taking place, was done, being done, doing, was up, is up"
    ),
    ("MISLABEL", "mislabelled"): (
        "mislabelled, mislabeled, mislabel, wrong label, wrong labels, wrongly labelled, "
        "wrongly labeled, labelled wrongly, labeled wrongly, incorrectly labelled, "
        "incorrectly labeled, label error, labelling error, labeling error, label mistake, "
        "labels are wrong, label noise, wrongly annotated, annotated wrongly, misannotated, "
        "labelled incorrectly, labeled incorrectly, suspicious label, dubious label, "
        "wrong annotation, annotation error, labelling mistake, labeling mistake, "
        "labels look wrong, label looks wrong, labels wrong, wrong activity, tagged wrongly, "
        "wrongly tagged, mistagged, doubtful label, wrong tag, questionable label, "
        "mislabelings, mislabellings, wrong class, false label, labelled falsely"
    ),
    ("NOLABEL", "unlabelled"): (
        "unlabelled, unlabeled, no label, without a label, without label, without any label, "
        "not labelled, not labeled, lack a label, lacks a label, lack label, no labels, "
        "no annotation, not annotated, unannotated, untagged, without annotation, "
        "have no label, has no label, missing a label, nothing labelled, no tag, "
        "carry no label, carries no label, label free"
    ),
}
"""As the lexicon has them: (tag, value) → phrases."""
