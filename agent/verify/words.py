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
    too is are was were be been being am has have had having namely
    """
)

# Words that say what one is doing, not what was found; they mark a sentence as the model's own.
OWN = _listed(
    """
    about according across additionally along amid among amount amounted amounting amounts
    analyse analysed analyses analysing analysis analyze analyzed answer approximately around
    aside ask asked asking asks available average averaged base based basis behind beside
    besides brief briefly bring bringing brings calculate calculated calculates calculating
    calculation calculations came can case characterise characterised check checked checking
    checks choose chose chosen cite cited collected comes coming comment comments computation
    compute computed computes computing concern concerned concerning concerns consider
    considered considering contain contained contains context cover covered covers data dataset
    datasets derive derived describe described describes describing description descriptions
    detail details determine determined determines display displayed displays during evaluate
    evaluated evaluates evaluating evaluation examine examined examining explanation explore
    explored express expressed fact figure focus focused focusing follow following follows form
    forms furthermore gather gathered gave get gets give given gives giving goes hand handed
    hello hi hold holds how however i identify in include included includes including inside
    inspect inspected inspecting interpret interpretation interpreted into investigate
    investigated judge judged judges judging keep kept know let lies like list listed listing
    lists locate located look looked looking looks made mark marked me meant meanwhile measure
    measured measures measuring mention mentioned mentions moreover my name named names naming
    note noted notes noting observe observed obtain obtained obtaining obtains offer offered
    offers order our out overview per please point present presented presenting presents provide
    provided provides providing put puts query question quote quoted read reads record recorded
    recording recordings refer reference references referring refers regard regarding regards
    relevant report reported reporting reports request requested rests result results retrieve
    retrieved return returned returning returns review reviewed roughly run running runs say
    saying says see seeing seen select selected selecting selection serve served serves set
    setup show showed showing shown shows signal signals source sourced specific specifically
    state stated states stating statistic statistics stored studied study subsequent such
    summarise summarised summarises summarising summarize summarized summarizes summary supplied
    supply table take taken takes taking talk tell telling tells text thank thanks themselves
    took tool toward towards understand understood upon us use used user uses using value valued
    values via we went whatever whether which whichever whom within write writes writing written
    wrote you your yours
    """
) - _listed("average can like recordings running standing walking whatever whether within")

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
end ends ended = end lower upper last
start starts started = start first
baseline baselines = baseline chance
horizon horizons = horizon
forecast forecasts forecasted predicted prediction predictions = forecast forecasts horizon
cadence rhythm = cadence rhythm
rate rates frequency frequencies sampling sampled = rate cadence season hz
period periods cycle cycles = period
memory = memory
parameter parameters = parameters params
ratio ratios = ratio
share shares proportion = share frac
trend trends slope slopes = trend slope
difference differences = difference
regularity = regularity
duration durations length lengths last lasts lasted lasting long = duration length total
total totals totalling overall altogether = total
begin begins began = start first
reach reaches reached = accuracy precision recall coverage probability score max highest upper end
highest = highest
lowest = lowest
longest = longest
shortest = shortest
best = best
nearest = nearest
unusual = unusual
found = found problems
trained = trained train
labelled labeled = label
p = p
between = between
motif motifs pattern patterns = motif motifs pattern
drift = drifted
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
session sessions recordings = session sessions
channel channels = channel channels id
window windows = window windows unusual
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

# Around a claim, which is a clause by itself: what leads to it, and what may join two of them.
AROUND = (CONNECTING - _listed("or when where who whose they them what")) | _listed(
    """
    additionally across among analysis answer checked computed data dataset furthermore however i
    looked measured meanwhile moreover namely note please report reported result results run say
    says see seen selection series set show showed shown shows summarise summarize summary tool
    value values we
    """
)
JOINING = _listed("and but while whereas also too the that then moreover it is")
# What a sentence without a reference or a claim may consist of: it announces, and says nothing.
ANNOUNCING = (CONNECTING - _listed("or so too also")) | _listed(
    """
    answer answers ask asked below data dataset described details follow following follows hello
    hold i know let list listed look looked me note overview please question question report
    result results say says see set show showed shown shows summarise summarize summary tell tells
    thank thanks what you your
    """
)
# Things one might count that no tool counts: never what a value is said to be a number of.
UNCOUNTED = _listed(
    """
    signal signals recording record reading readings figure figures tool tools question questions
    answer answers value values result results run runs data dataset datasets report reports detail
    details comment comments description descriptions calculation calculations computation
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
