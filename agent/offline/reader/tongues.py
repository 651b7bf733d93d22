"""Languages: which one a question is in, and its times and statistics in plain English words."""

from __future__ import annotations

import re
from functools import lru_cache

LANGUAGES = ("en", "de", "fr", "zh")
"""Languages with phrasings to learn from and to measure on."""

_HAN = re.compile(r"[一-鿿]")
_OTHER_SCRIPT = re.compile(r"[Ѐ-ӿ֐-׿؀-ۿऀ-ॿ぀-ヿ가-힯฀-๿Ͱ-Ͽ]")
_EDGE = re.compile(
    r"(?<=[一-鿿，。？！：、])(?=[\w-])(?![一-鿿])|(?<=[\w%-])(?<![一-鿿])(?=[一-鿿])"
)
_FUNCTION_WORDS = {
    "en": "the of is are what how which in and for to a an there do does show me any with was it",
    "de": "der die das und ist sind wie welche welcher welches in den dem ein eine einen von für "
    "mit bei auf im am zum zur nicht es gibt wurde wurden haben hat sich wo was bitte mal alle "
    "wann über unter nach zwischen wieviel ich mir aus um als",
    "fr": "le la les des du de un une et est sont quel quelle quels quelles combien dans pour avec "
    "sur pas qui que il elle y a au aux ce cette ces en par plus entre chaque où quand moi on l d "
    "qu est-ce toutes tous",
    "es": "el los las una es son cuál cuáles cuántas cuántos qué por con para del en hay y",
    "it": "il lo gli della delle quanti quante quale quali sono per con che di ci nel",
    "nl": "het een van zijn hoe welke voor met wat hoeveel er de op bij",
    "pt": "os as um uma são qual quais quantas quantos para com que não do da em há",
}
_WORDS = re.compile(r"[^\W\d_]+(?:-ce)?")

_UNITS = {
    "de": {
        "sekunden?": "seconds", "minuten?": "minutes", "stunden?": "hours", "tagen?|tage": "days",
        "wochen?": "weeks", "monaten?|monate": "months",
    },
    "fr": {
        "secondes?": "seconds", "heures?": "hours", "jours?": "days", "semaines?": "weeks",
        "mois": "months",
    },
    "zh": {
        "毫秒": "ms", "秒钟?": "seconds", "分钟|分鐘": "minutes", "个?小时": "hours", "天": "days",
        "个?星期|周": "weeks", "个月": "months",
    },
}  # fmt: skip
_STATISTICS = {
    "de": {
        "standardabweichung(?:en)?|streuung": "standard deviation", "varianz(?:en)?": "variance",
        "mittelwerte?n?|durchschnitt(?:e|swerte?n?)?|im mittel|im schnitt": "mean",
        "durchschnittlich(?:e[rsn]?)?": "mean", "mediane?": "median",
        "minim(?:um|a|alwerte?|ale[rsn]?)|kleinste[rsn]?|niedrigste[rsn]?|tiefste[rsn]?": "minimum",
        "maxim(?:um|a|alwerte?|ale[rsn]?)|höchst(?:wert)?e?[rsn]?|größte[rsn]?": "maximum",
        "spitzenwerte?": "maximum", "spannweiten?|wertebereiche?": "range",
        "effektivwerte?": "RMS",
    },
    "fr": {
        "écarts?[- ]types?": "standard deviation", "variances?": "variance",
        "moyennes?|en moyenne|valeurs? moyennes?": "mean", "médianes?": "median",
        "minim(?:um|a|ale?s?)|plus (?:basse?|petite?|faible)s?": "minimum",
        "maxim(?:um|a|ale?s?)|plus (?:haute?|grande?|élevée?)s?": "maximum",
        "étendues?|amplitudes?": "range", "valeurs? efficaces?": "RMS",
    },
    "zh": {
        "标准差": "standard deviation", "方差": "variance", "平均值?|均值": "mean",
        "中位数|中值": "median", "最小值?|最低值?": "minimum", "最大值?|最高值?|峰值": "maximum",
        "极差|范围": "range", "均方根值?|有效值": "RMS",
    },
}  # fmt: skip


def language_of(text: str) -> str:
    """Return "en", "de", "fr", "zh", another language's code, or "?" for another script."""
    if _OTHER_SCRIPT.search(text):
        return "?"
    if _HAN.search(text):
        return "zh"
    words = [w.casefold() for w in _WORDS.findall(text)]
    said = {tongue: sum(w in _function_words(tongue) for w in words) for tongue in _FUNCTION_WORDS}
    best = max(said, key=lambda tongue: (said[tongue], tongue == "en"))
    accents = sum(not w.isascii() for w in words)
    if best == "en" and accents and said["en"] == 0:
        best = "de" if re.search(r"[äöüß]", text.casefold()) else "fr"
    return best


@lru_cache(maxsize=16)
def _function_words(tongue: str) -> frozenset[str]:
    return frozenset(_FUNCTION_WORDS[tongue].split())


def plain(question: str) -> str:
    """Return the question with its units of time and statistics as English words.

    Other scripts are set apart from Latin names and numbers, so that both can be found.
    """
    text = _EDGE.sub(" ", question)
    for pattern, word in (*_units(), *_statistics(language_of(text))):
        text = pattern.sub(word, text)
    return " ".join(text.split())


@lru_cache(maxsize=1)
def _units() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return (pattern, what to write) of units behind a number, in any language."""
    return tuple(
        (re.compile(rf"(?<=\d)\s?(?:{form}){_edge(tongue)}", re.IGNORECASE), f" {unit} ")
        for tongue, units in _UNITS.items()
        for form, unit in units.items()
    )


@lru_cache(maxsize=8)
def _statistics(tongue: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    edge = _edge(tongue)
    return tuple(
        (re.compile(rf"{edge}(?:{form}){edge}", re.IGNORECASE), f" {word} ")
        for form, word in _STATISTICS.get(tongue, {}).items()
    )


def _edge(tongue: str) -> str:
    return "" if tongue == "zh" else r"\b"
