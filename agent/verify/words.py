"""The words a model may write outside references and claims, and those it may not.

What may be written is a closed list: words that connect and point, and nouns that must be said of
the right fact. Everything else is refused, so that an assertion in words nobody thought of ("it
soars", "a robust gain") is refused, too. The lists of refused words only make the reason clearer.
"""

from __future__ import annotations

from collections.abc import Mapping


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _table(text: str) -> dict[str, frozenset[str]]:
    """Return, for "a b = c d" a line, each left word with the right ones."""
    found: dict[str, frozenset[str]] = {}
    for line in text.strip().splitlines():
        said, _, of = line.partition(" = ")
        found |= dict.fromkeys(said.split(), _listed(of))
    return found


# Words without which no sentence stands: with references, they make a sentence that is sourced.
CONNECTING = _listed(
    """
    a an the this that these those it its itself they them their here there which what whose who
    where when while whereas as at by for from in into of on onto to with and or but then so also
    too thus is are was were be been being am has have had having namely
    """
)

# Words that say what one is doing, not what was found; they mark a sentence as the model's own.
OWN = _listed(
    """
    about according accordingly across answer out rests additionally along amid among amount
    amounted amounting
    amounts analyse analysed analyses analysing analysis analyze analyzed approximately around aside
    ask asked asking asks available average averaged base based basis begin begins behind beside
    besides brief briefly bring bringing brings calculate calculated calculates calculating
    calculation calculations came can carried carries carry case cases characterise characterised
    check checked checking checks choose chose chosen cite cited collected collection come comes
    coming comment comments computation compute computed computes computing concern concerned
    concerning concerns consider considered considering consist consists contain contained contains
    context correspond corresponding corresponds cover covered covers data dataset datasets derive
    derived describe described describes describing description descriptions detail details
    determine determined determines display displayed displays during entry entries evaluate
    evaluated evaluates evaluating evaluation examine examined examining example examples
    explanation explore explored express expressed fact facts field fields figure figures file files
    focus focused focusing follow followed following follows form forms furthermore gather gathered
    gave get gets give given gives giving got hand handed hello hence hi how however identify in
    include included includes including input inputs inspect inspected inspecting inside interpret
    interpretation interpreted into investigate investigated involve involved involves judge judged
    judges judging keep kept know let lie lies like list listed listing lists locate located look
    looked looking looks made make makes making mark marked material me meant meanwhile measure
    measured measurement measurements measures measuring mention mentioned mentions method methods
    moreover my name named names naming note noted notes noting now object objects observation
    observations observe observed obtain obtained obtaining obtains offer offered offers ok okay
    order our outcome outcomes output outputs overall overview own part particular parts pass passed
    person place placed places please point pointed points present presented presenting presents
    procedure process processed produce produced produces project provide provided provides
    providing purpose put puts query question questions quote quoted reach reached reaches reaching
    read reading readings reads reason record recorded recording recordings records refer reference
    references referring refers regard regarding regards relate related relates relation relevant
    report reported reporting reports represent represented represents request requested respect
    result resulted resulting results retrieve retrieved return returned returning returns review
    reviewed roughly run running runs said sat say saying says see seeing seen select selected
    selecting selection sense sensor sensors sentence sentences series serve served serves setting
    settings setup show showed showing shown shows signal signals sit sits source sourced sources
    specific specifically stand standing stands state stated statement statements states stating
    statistic statistics step steps stood stored study studied subsequent such summarise summarised
    summarises summarising summarize summarized summarizes summary supply supplied table tables take
    taken takes taking talk task tasks tell telling tells term terms text thank thanks themselves
    thing things think time told took tool tools topic toward towards understand understood upon us
    use used user uses using value valued values via view viewed way ways we went whatever whether
    which whichever whole whom why within word words worth write writes writing written wrote yield
    yielded yielding yields you your yours
    """
) - _listed("average like within running standing walking")

# Nouns of facts: each may be said only of a reference whose own words hold one of these.
NOUNS: Mapping[str, frozenset[str]] = _table(
    """
accuracy = accuracy
precision = precision
recall = recall
coverage = coverage
mean average averages means = mean
variance variances variability = variance
deviation spread standard = deviation std
median = median
maximum maxima = maximum max
minimum minima = minimum min
amplitude = rms amplitude
error errors = mae mase error rmse crps smape brier
absolute = mae absolute
score scores scored = score brier mase
distance distances = distance
threshold thresholds = threshold
probability probabilities likelihood = probability
chance = chance probability
confidence = confidence
interval intervals bound bounds = lower upper interval
lower = lower
upper = upper
end ends = end lower upper
start starts = start
baseline baselines = baseline chance
horizon horizons = horizon
forecast forecasts forecasted predicted prediction predictions = forecast forecasts horizon
cadence rhythm = cadence
rate rates frequency frequencies sampling sampled = rate cadence season hz
period periods cycle cycles = period
memory = memory
parameter parameters = parameters params
ratio ratios = ratio
share shares proportion = share frac accuracy coverage confidence probability recall precision
trend trends slope slopes = trend slope
difference differences = difference
regularity = regularity
duration durations length lengths last lasts lasted lasting long = duration length total
total totals totalling = total
drift = drift
number numbers count counts counted = number per found
patch patches = patch
stride = stride
size sizes = size len
training train = train
calibration = calibration
test testing held = test
split splits = split test train calibration
nominal = nominal
empirical = empirical
problem problems = problems
neighbour neighbours neighbor neighbors = neighbours
"""
)
# Things that are counted: beside a count, only the thing that this count counts may be named.
COUNTED: Mapping[str, frozenset[str]] = _table(
    """
session sessions = session sessions
channel channels = channel channels id
window windows = window windows
subject subjects people = subject subjects
sample samples = sample samples n
label labels = label labels given asked
activity activities class classes = label labels activity classes
group groups = group groups
head heads = head heads
model models = model models head
segment segments stretch stretches = segment segments windows start end time
row rows = rows
"""
)
# What may be said beside names alone, where no value stands: that they are there.
LISTING = _listed(
    """
    about include included includes including named names list listed lists run data dataset
    recorded recordings recording records selected looked used covered covers contain contains
    measured available shown shows analysed computed judged asked
    """
)

_REFUSED: Mapping[str, str] = {
    "number word": """
    zero nought naught one two three four five six seven eight nine ten eleven twelve thirteen
    fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy
    eighty ninety hundred hundreds thousand thousands million millions billion billions dozen
    dozens couple pair pairs half halves third thirds quarter quarters fifth fifths sixth seventh
    eighth ninth tenth tenths hundredth thousandth twice thrice double doubles doubled triple
    triples tripled quadruple once single first second percent percentage percentages several few
    many most much tens handful majority minority plenty all both each every any times some
    """,
    "unit": """
    hz hertz khz mhz ms seconds sec secs minute minutes min hour hours day days week weeks month
    months year years metre metres meter meters kg gram grams volt volts watt watts degree degrees
    celsius bpm beats bytes mb gb kb pascal pascals newton newtons millisecond milliseconds g v w
    """,
    "comparison": """
    more less fewer higher lower greater smaller bigger larger better worse stronger weaker faster
    slower longer shorter closer farther above below over under beyond exceed exceeds exceeded
    exceeding outperform outperforms outperformed beat beats beaten surpass surpasses highest lowest
    greatest smallest biggest largest best worst strongest weakest fastest slowest longest shortest
    most least top bottom leading leads lead than same equal equals identical similar alike unlike
    different differ differs differing superior inferior dominates dominate matches match compared
    """,
    "negation": """
    no not none nothing nobody never neither nor without cannot hardly barely scarcely lacks lack
    absent missing fails fail failed except excluding false wrong untrue impossible only
    """,
    "verdict": """
    rise rises rose risen rising fall falls fell fallen falling increase increases increased
    increasing decrease decreases decreased decreasing grow grows grew growing shrink shrinks climb
    climbs climbed climbing decline declines declined declining drop drops dropped dropping drifts
    drifted stable steady constant unusual usual normal abnormal anomalous anomaly anomalies strange
    odd found find finds detected detect detects significant significantly clear clearly certain
    sure reliable reliably good bad poor excellent high low large small strong weak fast slow short
    big tiny huge always often usually rarely true correct right change changes changed changing
    vary varies varied varying flat between ranges range ranging exist exists prove proves proven
    confirm confirms confirmed unchanged improve improves improved worsen worsens worsened healthy
    faulty broken consistent perfect likely unlikely stays remains remained because therefore since
    """,
}
WHY_REFUSED: Mapping[str, str] = {
    word: kind for kind, words in _REFUSED.items() for word in words.split()
}
ALLOWED = (CONNECTING | OWN) - WHY_REFUSED.keys()
