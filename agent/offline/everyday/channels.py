"""Which channel is meant: by its name, a part of it, or by what people call such a quantity."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from tool_use_om.agent.offline.everyday.lexicon import FILLERS
from tool_use_om.agent.offline.everyday.text import Words, folded
from tool_use_om.agent.offline.language.names import Names

# what people say | words that names of such channels have | units of such channels
_CONCEPTS: tuple[tuple[str, str, str], ...] = (
    ("heart ?rates?|pulse|hr|bpm|puls|herzfrequenz|frequence cardiaque",
     "hr heart pulse bpm fc puls herzfrequenz heartrate", "bpm"),
    ("respiratory rate|respiration|breathing(?: rate)?|breaths?|"
     "atmung", "resp respiration breath rr breathing", ""),
    ("sats|blood oxygen|oxygen|spo2|saturation|sats?", "spo2 oxygen sat sao2 o2 saturation", ""),
    ("systolic(?: pressure| bp)?|blood pressure|bp", "systolic sbp bp sys", "mmHg"),
    ("diastolic(?: pressure| bp)?", "diastolic dbp dia", ""),
    ("glucose|blood sugar|sugar", "glucose sugar bg", "mg/dL mmol/L"),
    ("temperatures?|temps?|\\w*temperatur|hot(?:ter|test)?|warm(?:er|est)?|cold(?:er|est)?|cool(?:er|"
     "est)?|"
     "heat|freez\\w+|frost\\w*|degrees?|heiss\\w*|kalt\\w*|warmste\\w*|chaude?|froide?",
     "temp temperature temperatur t tmp degc degf", "degC degF K"),
    ("inside|indoors?|interior|innen|drinnen|"
     "interieure?", "int in inside indoor innen interieur", ""),
    ("outside|outdoors?|exterior|draussen|aussen|exterieure?|"
     "dehors", "ext out outside outdoor aussen outdoortemp", ""),
    ("humidity|humid|feuchtigkeit|luftfeuchte|"
     "humidite", "humidity hum rh feuchte luftfeuchte hygro", ""),
    ("barometer|pressure|air pressure|\\w*druck|luftdruck|"
     "pression", "pressure baro druck pression press barometer", "hPa mbar inHg bar kPa"),
    ("gusts?|boen", "gust gusts boe", ""),
    ("wind(?:y|ier|iest)?(?: ?speed)?|windgeschwindigkeit|vent", "wind windspeed", ""),
    ("rain(?:fall|s|y|ed)?|wet(?:ter|test)?|precipitation|regen|"
     "pluie", "rain precipitation regen pluie precip rainfall", "mm in"),
    ("snow(?:fall)?|schnee|neige", "snow schnee neige", ""),
    ("sun(?:shine|ny|niest)?|radiation|irradiance|lux|light level|brightness|"
     "sonne", "radiation irradiance lux light solar par sonne", "lx W/m^2"),
    ("pv|solar|photovoltaic|panels?|ertrag|yield|production|produced?|produces|erzeugung|erzeugt|"
     "sonne",
     "pv solar yield production erzeugung ertrag panel generation", ""),
    ("(?:from|aus|vom|du) (?:the |dem )?(?:grid|netz|reseau)|grid|netzbezug|netz|imported?|"
     "bezogen|gezogen", "grid netzbezug import bezug reseau netz", ""),
    ("feed[- ]?in|fed in|exported?|einspeisung|eingespeist|"
     "netzeinspeisung", "einspeisung export feed netzeinspeisung feedin injection", ""),
    ("consumption|consumed?|usage|(?:did|do|have) we use|used|using|verbrauch\\w*|consommation|"
     "consomme\\w*",
     "consumption usage use verbrauch hausverbrauch conso consommation verbrauchs", ""),
    ("batter(?:y|ies)(?: level| charge| %)?|state of charge|soc|charge level|akku(?:stand)?|"
     "batterie|ladezustand",
     "battery batterie soc akku ladezustand charge bat", ""),
    ("honey ?flow|nectar(?: flow)?|weigh(?:t|s|ed)?|heav(?:y|ier|iest)|light(?:er|est)?|"
     "kilos?|kg|pounds?|lbs?|put on|bring in|gewicht|poids|pese|mass|honey",
     "weight poids gewicht mass wt masse kg", "kg g lb"),
    ("steps?|schritte?|pas", "steps step schritte pas stepcount", ""),
    ("cadence|spm|trittfrequenz", "cadence cad spm", ""),
    ("watts?|power|\\w*leistung|puissance|load|kw", "power leistung puissance load watt watts kw "
        "w", "W kW MW"),
    ("speed|fast(?:er|est)?|velocity|\\w*geschwindigkeit|"
     "vitesse", "speed velocity geschwindigkeit vitesse spd", "km/h m/s mph kn"),
    ("pace", "pace", ""),
    ("distance|km|kilomet(?:er|re)s?|miles?|strecke", "distance dist km strecke", "km m mi"),
    ("altitude|elevation|height|hohe", "altitude alt elevation ele height hohe", ""),
    ("voltage|volts?|\\w*spannung|tension", "voltage volt spannung u v", "V mV"),
    ("current|amps?|amperes?|stromstarke|intensite", "current amp amps i ampere", "A mA"),
    ("frequency|netzfrequenz", "frequency freq frequenz", ""),
    ("volume|traded|shares traded|turnover", "volume vol", ""),
    ("price|close|closing(?: price)?|stock|share price|ath|all[- ]time high|kurs|dump\\w*|"
     "crash\\w*|"
     "return|ticker", "close price adj closing kurs last schluss", ""),
    ("open(?:ing)?(?: price)?", "open opening", ""),
    ("water level|river level|level|gauge|stage|pegel|niveau|"
     "wasserstand", "level stage pegel niveau gauge wasserstand height", ""),
    ("flow|discharge|durchfluss|abfluss|"
     "debit", "flow discharge durchfluss abfluss debit", "l/min m^3/s"),
    ("water|wasser|eau", "water meter m3 wasser eau zahler reading", ""),
    ("meter(?: reading)?|readings?|zahler(?:stand)?|compteur|"
     "index", "meter reading zahler zahlerstand counter index stand", ""),
    ("cpu|processor", "cpu processor", ""),
    ("mem(?:ory)?|ram", "memory mem ram", ""),
    ("disks?|storage|io", "disk storage io hdd", ""),
    ("network|net|traffic|bandwidth", "network net traffic rx tx bandwidth", ""),
    ("latency|response time|slow(?:er|est)?", "latency response rt duration ms", "ms"),
    ("requests?|hits|req", "requests req rps hits", ""),
    ("errors?|5xx|failures?", "errors error err 5xx failures", ""),
    ("co2|carbon dioxide", "co2", "ppm"),
    ("ph", "ph", ""),
    ("soil(?: moisture)?|moisture|bodenfeuchte", "soil moisture boden bodenfeuchte vwc", ""),
    ("vibrations?|shaking|vibrates?", "vibration vib", "mm/s"),
    ("jumps?|jump height", "jump height", ""),
    ("electricity|energy|kwh|strom\\w*|energie|"
     "electricite", "energy energie kwh strom power leistung", "kWh Wh kW W"),
    ("turbidity|trubung", "turbidity ntu trub", ""),
    ("sales|revenue|umsatz|turnover", "sales revenue umsatz turnover", ""),
    ("noise|loud(?:er|est)?|sound|db", "noise sound db spl level", "dB"),
)  # fmt: skip
_SPECIFIC = 3
_NAMED = 2
_QUANTITY = 1
_SHORTEST = 4  # letters from which a part of a compound counts ("netz" of "Netzbezug")


@lru_cache(maxsize=512)
def parts_of(channel: str) -> tuple[str, ...]:
    """Return the words of a channel's short name, folded: "Outdoor_Temp" → outdoor, temp."""
    short = channel.partition(".")[2] or channel
    apart = re.sub(r"(?<=[a-zäöüéè])(?=[A-Z])", " ", short)
    return tuple(re.findall(r"[a-z]+\d*|\d+", folded(apart)))


def channel_beside(words: Words, names: Names, meant: str) -> str:
    """Return the channel that other words of the question name besides `meant`; "" if none.

    "Does the wind pick up when the barometer falls" is about two.
    """
    own = [span for span, fits in _spans_of(words, names) if meant in fits]
    rest = [
        fits
        for span, fits in _spans_of(words, names)
        if meant not in fits and all(span[1] <= a or span[0] >= b for a, b in own)
    ]
    found = dict.fromkeys(c for fits in rest if len(fits) == 1 for c in fits)
    return next(iter(found)) if len(found) == 1 else ""


def _spans_of(words: Words, names: Names) -> list[tuple[tuple[int, int], list[str]]]:
    """Return where words name channels, and which."""
    found = [
        ((start, end), [channel])
        for channel in names.channels
        for _, start, end in _named(words, channel)
    ]
    for phrase, own, units in _CONCEPTS:
        if "kwh" in own.split():
            continue  # energy is a quantity of what is named, not another channel
        fits = [c for c in names.channels if set(own.split()) & set(parts_of(c))]
        fits = fits or [c for c in names.channels if names.unit_of(c) in units.split()]
        found += [(m.span(), fits) for m in _all(words, phrase) if fits]
    return found


def channels_meant(words: Words, names: Names) -> tuple[str, ...]:
    """Return the channels that a question may mean, those best named; their words are used.

    More than one: the words fit several alike.
    """
    scores = dict.fromkeys(names.channels, 0)
    taken: list[tuple[int, int]] = []
    for channel in names.channels:
        for score, start, end in _named(words, channel):
            scores[channel] += score
            taken.append((start, end))
    for phrase, own, units in _CONCEPTS:
        match = words.find(f"(?:{phrase})", again=True)
        if not match:
            continue
        fits = [c for c in names.channels if set(own.split()) & set(parts_of(c))]
        within = [
            c
            for c in names.channels
            if any(len(o) >= _SHORTEST and any(o in p for p in parts_of(c)) for o in own.split())
        ]
        by_unit = [c for c in names.channels if names.unit_of(c) in units.split()]
        found = fits or within or by_unit
        for channel in found:
            scores[channel] += _NAMED if channel in fits else _QUANTITY
        if found:
            taken += [m.span() for m in _all(words, phrase)]
    for channel in names.channels:
        unit = folded(names.unit_of(channel))
        if scores[channel] and len(unit) > 1 and words.find(re.escape(unit), again=True):
            scores[channel] += _QUANTITY
    best = max(scores.values(), default=0)
    if not best:
        return ()
    for start, end in taken:
        words.use(start, end)
    meant = tuple(c for c, score in scores.items() if score == best)
    for modality in dict.fromkeys(c.partition(".")[0] for c in meant):
        words.take_all(re.escape(folded(modality)).replace("_", r"[\s_]"))
    return meant


def _all(words: Words, phrase: str) -> list[re.Match[str]]:
    return list(re.finditer(rf"(?<!\w)(?:{phrase})(?!\w)", words.plain))


def _named(words: Words, channel: str) -> list[tuple[int, int, int]]:
    """Return (score, start, end) of each word that names a channel, or a part of its name."""
    parts = parts_of(channel)
    joined = r"[\s_.-]*".join(map(re.escape, parts))
    found = []
    if whole := words.find(f"(?:{joined})", again=True):
        word = len(parts) == 1 and parts[0] in _STRUCTURE  # "high" of "all time high"
        found.append((_QUANTITY if word else _SPECIFIC * 2, *whole.span()))
    for left, right in pairwise(parts):
        if pair := words.find(rf"{re.escape(left)}[\s_-]?{re.escape(right)}", again=True):
            found.append((_SPECIFIC, *pair.span()))
    for part in (p for p in parts if p not in _STRUCTURE | FILLERS):
        if len(part) > 1 and (one := words.find(f"{re.escape(part)}s?", again=True)):
            found.append((_SPECIFIC if len(part) > 2 else _NAMED, *one.span()))
        elif len(part) >= 2 * _SHORTEST - 1:
            for match in re.finditer(r"[a-z]{4,}", words.plain):
                if match.group() in part and match.group() not in _COMMON:
                    found += [(_NAMED, *match.span())]
    return found


_STRUCTURE = frozenset({
    "rate", "value", "number", "mean", "avg", "average", "total", "sum", "max", "maximum",
    "min", "minimum", "peak",
    "median", "std", "range", "count", "first", "last", "high", "low", "day", "night",
    "session", "sessions", "label", "labels", "subject", "subjects", "channel", "channels", "data",
    "hour", "hours", "week", "month", "year", "date", "time", "group", "each", "many", "most",
    "least", "plot", "show", "find",
})  # fmt: skip
_COMMON = frozenset(
    {"with", "that", "this", "from", "have", "date", "time", "sind", "eine", "wird", "rate"}
)


def unit_scale(unit: str) -> str:
    """Return what amounts of such a channel are put together by: sum, energy or mean."""
    return {"W": "energy", "kW": "energy", "MW": "energy"}.get(unit, "mean")


def best_of(channels: Sequence[str], names: Names) -> tuple[str, ...]:
    """Return the one of several that is meant where nothing says which: the close of prices."""
    shorts = {c: parts_of(c) for c in channels}
    close = [c for c, parts in shorts.items() if parts[-1:] == ("close",) or "close" in parts]
    if close and any("open" in p or "high" in p for p in shorts.values()):
        return (close[0],)
    return tuple(channels) if names.channels else ()
