"""What everyday questions ask for, in their own words: English, German and French."""

from __future__ import annotations

MOST = (
    r"(?:the )?(?:highest|maximum|maximal\w*|max|peaks?|peaked|top|most|biggest|largest|greatest|"
    r"record (?:high|low)|best|busiest|"
    r"hottest|warmest|windiest|wettest|heaviest|strongest|fastest|worst|longest|most long|ath|"
    r"all[- ]time high|"
    r"hochste\w*|hoechste\w*|grosste\w*|am meisten|meisten?|beste\w*|warmste\w*|starkste\w*|le "
    r"plus|la plus|"
    r"les plus|meilleure?s?|maximum|plus haute?|plus grande?)"
)
LEAST = (
    r"(?:the )?(?:lowest|minimum|minimal\w*|min|least|fewest|smallest|coldest|coolest|lightest|"
    r"slowest|quietest|"
    r"weakest|calmest|driest|niedrigste\w*|tiefste\w*|kleinste\w*|wenigsten|kalteste\w*|am "
    r"wenigsten|"
    r"le moins|la moins|plus basse?|plus petite?|most light|(?:the )?lows?)"
)
MEAN = (
    r"(?:the )?(?:in |on |im |en )?(?:average|averaged|averages|avg|mean|typically|typical|"
    r"typisch|normally|"
    r"normaly|normal|usually|usual|generally|durchschnitt\w*|schnitt|mittel\w*|moyennes?|en "
    r"moyenne|a typical)"
)
MEDIAN = r"median"
TOTAL = (
    r"(?:in |the )?(?:totals?|totel|altogether|all together|all told|overall|in all|sum|summed|"
    r"insgesamt|gesamt\w*|summe|au total|en tout|total|cumulative|combined|all in all|whole period)"
)
HOW_MUCH = (
    r"how much|wie hoch|how high|how big|how hot|how cold|how low|wie ?viele?|combien(?: "
    r"de)?|what amount(?: of)?|quelle quantite(?: de)?"
)
HOW_LONG = (
    r"how long|minutes|hours|(?:in )?(?:stunden|minuten)|heures?|how many (?:hours?|minutes?|"
    r"mins?|hrs?|secs?|seconds?)|(?:the )?(?:total "
    r")?(?:time|hours|minutes|"
    r"duration)(?: spent)?(?: in| with| w/?| above| over| below| under| of| at)?|time w|wie lange|"
    r"wie viele (?:stunden|minuten)|combien de temps|combien d'heures|how much time"
)
HOW_OFTEN = (
    r"how many (?:times?|occasions|episodes|events|alarms?)|how often|number of times|how many|"
    r"count(?: of)?|(?:more |less )?(?:often|frequent(?:ly)?)|"
    r"wie oft|wie haufig|wie viele|combien de fois|frequency of"
)
SHARE = (
    r"what share|share of|(?:what |which )?(?:percent(?:age)?|per cent|pct|proportion|"
    r"fraction|%)(?: of)?|part of the|anteil|quel pourcentage"
)
WHEN = (
    r"when|what time|at what|wann|quand|um wie ?viel uhr|a quelle heure|(?:and )?when was "
    r"(?:it|that)"
)
TREND = (
    r"going up(?: or down)?|going down|(?:up|down) or (?:down|up)|rising|rise|rises|falling|"
    r"falls|increas\w*|decreas\w*|"
    r"trend\w*|getting (?:any )?(?:warmer|colder|hotter|cooler|worse|better|higher|lower|faster|"
    r"slower|heavier|lighter|"
    r"drier|wetter|bigger|smaller|stronger|weaker)|over time|drift\w*|creep\w*|improv\w*|"
    r"declin\w*|steigt|sinkt|"
    r"gestiegen|gesunken|wird .{1,30} (?:warmer|kalter|mehr|weniger)|augmente\w*|diminue\w*|"
    r"baisse\w*|hausse|"
    r"climbing|worse over|(?:is|are|am) .{1,40} (?:getting|becoming|going)"
)
COMPARE = (
    r"vs\.?|versus|compared? (?:to|with)|compared?|than|differen\w+(?: between)?|more|less|"
    r"higher|lower|"
    r"im vergleich|vergleich\w*|als|mehr|weniger|comparer?|par rapport|plus que|moins que"
)
CHANGE = (
    r"gain(?:ed|s)?|lost|lose|grew|grow|grown|put on|added|net change|change[ds]?|went up by|"
    r"went down by|drop(?:ped)? by|"
    r"zugenommen|abgenommen|zunahme|pris|perdu|gagne"
)
RETURN = (
    r"returns?|performance|perform\w*|dump\w*|gains? %|% (?:gain|change|return)|daily "
    r"moves?|drop|crash\w*|rendite"
)
RELATION = (
    r"when|if|depend\w*|relat\w*|correl\w*|affect\w*|influence\w*|with|follows?|go(?:es)? "
    r"together|hang\w* zusammen|"
    r"zusammenhang|wenn|quand|lien|(?:pick|picks|go|goes) (?:up|down)"
)
STABLE = r"stable|steady|constant|varies|vary|variation|fluctuat\w*|stabil|stable\b|konstant"
ENERGY = (
    r"(?:how many |in |wie viele )?kwh|energy|electricity|energie|strom\w*|ertrag|yield|"
    r"electricite|"
    r"produced?|production|erzeugt|consumed|einspeisung|eingespeist|fed in"
)
NEVER = (
    r"didn'?t|did not|never|doesn'?t|without|haven'?t|no|not|nie|nicht|kein\w*|jamais|pas|wasn'?t"
)
GAPS = (
    r"holes?|gaps?|missing|missed|lucken?|fehl\w*|ausfall\w*|manqu\w*|outages?|dead|offline|"
    r"dropouts?|"
    r"(?:was|is|were|go|went|been) (?:\w+ ){0,3}(?:off|down)(?: some ?times?)?|quit|(?:for(?:got|"
    r"get)|forgotten) "
    r"(?:to )?(?:log|write|note|record|enter|measure)(?: down)?|stopped (?:logging|recording|"
    r"working)|cut out|"
    r"not (?:recorded|logged)"
)
QUALITY = (
    r"qa|qc|quality|spikes?|flat ?lines?|broken|bad (?:values?|data|readings?|channels?)|"
    r"typed (?:them |it )?(?:in )?wrong|typos?|implausible|plausib\w*|errors? in (?:the |this "
    r")?data|sanity|glitch\w*"
)

GROUPS: tuple[tuple[str, str], ...] = (
    ("weekday", r"days? of the week|weekdays?|week days?|wochentage?n?|jours? de la semaine"),
    ("hour", r"hours? of (?:the )?day|times? of (?:the )?day|time of day|hours?|stunden?|uhrzeit|"
             r"tageszeit|heures? de la journee|heures?"),
    ("night", r"nights?|nachte?|nuits?"),
    ("date", r"days?|dates?|tage?n?|jours?|daily"),
    ("week", r"weeks?|wochen?|semaines?|weekly"),
    ("month", r"months?|monate?n?|mois|monthly"),
    ("year", r"years?|jahre?n?|annees?|ans?|yearly|annual"),
    ("parts", r"shifts?|schicht(?:en)?"),
    ("subject", r"cars?|vehicles?|machines?|patients?|persons?|people|subjects?|athletes?|"
                r"players?|participants?|users?|"
                r"person(?:en)?|who|wer|qui|animals?|cows?|babies|baby"),
    ("session", r"sessions?|runs?|rides?|trips?|files?|recordings?|measurements?|trials?|jumps?|"
                r"laps?|workouts?|cars?|vehicles?|bakes?|batches|patients?|who"),
    ("label", r"products?|produits?|produkte?|species|categor(?:y|ies)|phases? of|labels?|"
              r"activit(?:y|ies)|exercises?|states?|classes|modes?|stages?|types?"),
)  # fmt: skip

_FILLERS = """
gegeben gibt c'etait etait
genau lag separate single exact exactly precise together concurrent record whats wats pls plss
trading daily rets cumulative
use used uses using consume consumed consumes pick picks picked
gave give gives given show showed shows shown ran work worked works turned been
a an the of in on at to for from by with and or but as is are was were be been being am do does
did done have has had having it its it's this that these those there here then than so such i
i'm me my mine we our ours us you your he she his her they their them who whom what whats what's
which when where how why if whether can could would should will shall may might must please pls
plz thanks thank cheers ta hello hi hey morning afternoon evening good day ok okay well right
lol haha tho though actually really just simply only also too very quite much many more most
some any all each every both either one ones ever never now again still yet already about around
roughly approx approximately maybe perhaps probably think guess believe know want need like get
got gets getting give tell show see look find let say said go goes went come comes came make
makes made take takes took happen happens happened during while within over under above below
between per since until after before up down out off into back not no yes yep yeah dont don't
didn't didnt isn't wasn't hit hits reach reached value values data dataset file reading readings
number numbers figure figures thing things bit lot lots kind sort way period whole entire record
recorded log logged measure measured measurement seen anyone somebody someone something anything
time times exactly ish er um uh btw re via etc eg ie vs w wrt s t m ll d ve machine device
sensor system equipment house home place shop site kids stuff course point ago long doing
degrees degree deg percent rate level levels amount amounts actual currently current normal
usually der die das den dem des ein eine einer eines einem einen und oder aber als ist sind war
waren wird werden wurde hat haben hatte hatten ich mich mir wir uns unser unsere unserem du ihr
ihre sein mein meine es sie man wie wann wer wo welche welcher welches welchem welchen warum ob
bitte danke hallo mal denn doch auch nur noch schon sehr viel viele mehr weniger im auf aus bei
mit nach von vom zu zum zur uber unter vor seit bis pro je alle alles dass da dort hier jetzt
nun ganz etwa ungefahr circa eigentlich uberhaupt gibt gab wert le la les l un une de et ou mais
est sont etait etaient ai avons avez ont il elle nous vous tu mon ma mes notre nos votre ce cet
cette ces que qui quoi quel quelle quels quelles quand comment pourquoi est-ce s'il te plait
merci bonjour pas ne plus moins tres bien aussi dans sur sous avec pour par en au aux y se son
sa ses j'ai c'est qu'on qu'il n'y
"""
FILLERS = frozenset(_FILLERS.split())
"""Words that carry nothing of a question by themselves."""

REMARK = (
    r"(?:,|\.|;|\?|!|-|–|\()\s*(?:i think|i guess|i believe|because|cause|cos|cuz|always figured|"
    r"feels? like|felt|i forgot|"
    r"i want|i need|i'?m|im |we are|inspector|my |the boss|boss|just curious|curious|asking|"
    r"thanks|thank|cheers|ta\b|"
    r"ich glaube|weil|danke|merci|je pense|parce que|the kids|kids|wife|husband|need (?:it|this)|"
    r"for (?:the|my) )[^?]*$"
)
"""What is added to a question without asking anything."""
