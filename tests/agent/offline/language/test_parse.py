"""What a question is understood to ask."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.offline.language.words import Speller, is_english, stem, tokenise
from tool_use_om.heads.contract.spec import HeadSpec
from tool_use_om.heads.registry import HEADS, head_specs
from tool_use_om.tokenizers.registry import TOKENIZERS, specs

Cards = list[dict[str, Any]]


def ask_of(question: str, cards: Cards) -> Any:
    (ask,) = parse(question, cards).asks
    return ask


@pytest.mark.parametrize(
    ("word", "label"),
    [
        ("washing hands", "hand-wash"),
        ("hand-washing", "hand-wash"),
        ("washes their hands", "hand-wash"),
        ("brushing teeth", "Brush_teeth"),
        ("tooth brushing", "Brush_teeth"),
        ("brush_teeth", "Brush_teeth"),
        ("climbing the stairs", "Climb_stairs"),
        ("ascending stairs", "Climb_stairs"),
        ("sitting down on a chair", "Sitdown_chair"),
        ("drinking", "Drink_glass"),
        ("strolling", "Walk"),
    ],
)
def test_parse_finds_labels_in_other_words(word: str, label: str, cards: Cards) -> None:
    """Synonyms, inflection, word order and spelling of compound labels do not matter."""
    assert ask_of(f"Find {word}", [cards[1]]).labels == (label,)


def test_parse_returns_all_labels_that_an_ambiguous_word_may_mean(cards: Cards) -> None:
    """A word that several labels share means all of them."""
    assert ask_of("Find eating", [cards[1]]).labels == ("Eat_meat", "Eat_soup")


@pytest.mark.parametrize(
    ("phrase", "channels"),
    [
        ("acc", ("accelerometer",)),
        ("the acceleration", ("accelerometer",)),
        ("gyro y", ("gyroscope.y",)),
        ("gyroscope.y", ("gyroscope.y",)),
        ("the y axis of the gyroscope", ("gyroscope.y",)),
        ("the x axis", ("accelerometer.x", "gyroscope.x")),
        ("the acelerometer", ("accelerometer",)),
        ("acc and gyro", ("accelerometer", "gyroscope")),
    ],
)
def test_parse_finds_channels(phrase: str, channels: tuple[str, ...], cards: Cards) -> None:
    """Channels are found by id, modality, synonym and axis."""
    assert ask_of(f"What is the mean of {phrase}?", cards).channels == channels


def test_parse_reads_a_channel_filter_by_what_it_is_not(cards: Cards) -> None:
    """ "Without the gyroscope" leaves the other channels."""
    ask = ask_of("Compare the variance without the gyroscope", cards)
    assert ask.channels == ("accelerometer.x", "accelerometer.y", "accelerometer.z")


@pytest.mark.parametrize(
    "phrase",
    ["except standing and walking", "not standing or walking", "other than standing, walking"],
)
def test_parse_reads_labels_by_what_they_are_not(phrase: str, cards: Cards) -> None:
    """Excluded labels leave the others."""
    ask = ask_of(f"What is the std of sessions {phrase}?", cards)
    assert (ask.labels, ask.excluded) == (("badminton", "running"), True)


def test_parse_drops_what_is_not_wanted(cards: Cards) -> None:
    """A negated wish asks nothing."""
    kinds = [ask.kind for ask in parse("Find walking, but do not plot it", cards).asks]
    assert kinds == ["find"]


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("Find walking activities and predict the next 5 seconds of acc", ["find", "forecast"]),
        ("Find walking. Then plot it; what is its cadence?", ["find", "plot", "rhythm"]),
        ("How many sessions are there and what channels do they have?", ["sessions"]),
        ("What is the mean and the variance of acc?", ["stats", "stats"]),
    ],
)
def test_parse_cuts_questions_into_parts(question: str, kinds: list[str], cards: Cards) -> None:
    """Each part of a question is an ask of its own; parts that one answer covers are joined."""
    assert [ask.kind for ask in parse(question, cards).asks] == kinds


def test_parse_lets_a_later_part_speak_of_the_same_data(cards: Cards) -> None:
    """A part that names no data is about what the part before named."""
    first, second = parse("Show the std of acc for bm-test-003 and plot it", cards).asks
    assert first.sessions == second.sessions == ("bm-test-003",)


@pytest.mark.parametrize(
    ("question", "session"),
    [
        ("Plot BM-TEST-003", "BM-TEST-003"),
        ("Plot session bm-test-003", "bm-test-003"),
        ("Plot session 3", "bm-test-003"),
    ],
)
def test_parse_finds_sessions(question: str, session: str, cards: Cards) -> None:
    """Sessions are found by the form of their ids, and by number among the held-out ones."""
    assert ask_of(question, cards).sessions == (session,)


@pytest.mark.parametrize("said", ["subject 2", "person 2", "subject person-02"])
def test_parse_finds_subjects(said: str, cards: Cards) -> None:
    """Subjects are found by number and by id."""
    query = parse(f"What is the mean heart rate of {said} on synthetic-days?", cards)
    assert query.dataset == "synthetic-days"
    assert (query.asks[0].subjects, query.asks[0].channels) == (("person-02",), ("heart.rate",))


@pytest.mark.parametrize(
    "question",
    ["How manny sesions are longr than 30 secnds?", "how many SESSIONS lasst over 30 SEC"],
)
def test_parse_forgives_spelling(question: str, cards: Cards) -> None:
    """A slip in a word does not change what is asked."""
    ask = ask_of(question, cards)
    assert (ask.kind, ask.min_s) == ("sessions", 30)


@pytest.mark.parametrize("question", ["", "   ", "?!", "Hello!", "What is the capital of France?"])
def test_parse_asks_nothing_when_nothing_is_in_scope(question: str, cards: Cards) -> None:
    """An empty or foreign question has no asks."""
    assert parse(question, cards).asks == ()


def test_parse_says_what_it_did_not_understand(cards: Cards) -> None:
    """Unknown words are returned, neighbouring ones as one phrase."""
    query = parse("Plot bm-test-003 as frobnicated wuzzle", cards)
    assert query.not_understood == ("frobnicated wuzzle",)


def test_parse_needs_no_cards() -> None:
    """Without data sets the general words are still understood."""
    assert [ask.kind for ask in parse("How many sessions are there?").asks] == ["sessions"]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_parse_takes_any_text(text: str) -> None:
    """No text raises, and the same text gives the same query."""
    assert parse(text) == parse(text)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "find",
                "walking",
                "the",
                "next",
                "5",
                "s",
                "of",
                "and",
                "not",
                "between",
                "to",
                "bm-test-003",
                "session",
                "mean",
                "acc",
                "a",
                "half",
                "minute",
                "longer",
                "than",
                "first",
                "last",
                "per",
                "label",
                "k",
                "=",
                "3",
                "top",
                "%",
                ",",
                ".",
                "-",
                ":",
                "1:30",
                "subject",
                "two",
            ]
        ),
        max_size=25,
    ).map(" ".join)
)
def test_parse_takes_any_order_of_known_words(text: str) -> None:
    """Words the grammar knows, in any order, never raise."""
    parse(text)


def test_speller_leaves_short_and_far_words_alone() -> None:
    """Only near words of four letters or more are corrected."""
    speller = Speller(["walking", "session"])
    assert speller.correct("walkng") == "walking"
    assert speller.correct("wal") is None
    assert speller.correct("banana") is None
    assert speller.correct("wlaking") == "walking"  # two letters swapped are one slip


def test_speller_leaves_a_word_alone_that_may_be_either_of_two() -> None:
    """Equally near words of different meaning: none is taken for the other."""
    speller = Speller(["gyroscopes", "gyroscoper", "walk", "walked"])
    assert speller.correct("gyroscopen") is None
    assert speller.correct("walkt") == "walk"  # forms of one word are no two meanings


@pytest.mark.parametrize("word", ["skip", "cycle", "spend", "weather", "match", "swimming", "won"])
def test_speller_never_makes_one_english_word_of_another(word: str) -> None:
    """What English has is meant as it stands, however near a word of the data is."""
    near = word[:-1] + ("z" if word[-1] != "z" else "s")
    assert is_english(word)
    assert Speller([near, word + "s"]).correct(word) is None


@pytest.mark.parametrize(
    ("words", "base"),
    [
        ("walk walks walking walked", "walk"),
        ("run runs running", "run"),
        ("activity activities", "activity"),
    ],
)
def test_stem_joins_inflections(words: str, base: str) -> None:
    """Forms of one word share a stem."""
    assert {stem(word) for word in words.split()} == {base}


def test_tokenise_keeps_ids_and_times_whole() -> None:
    """Ids, decimals and clock times are one token each."""
    texts = [t.text for t in tokenise("bm-test-003 at 1:30, 2.5s")]
    assert texts == ["bm-test-003", "at", "1:30", ",", "2.5", "s"]


def test_parse_knows_every_head_and_tokenizer_by_name(cards: Cards) -> None:
    """What the registries hold can be asked for by its name."""
    for head in set(HEADS) - {"similarity"}:  # "similarity" is the word for the task itself
        assert ask_of(f"Use the {head} head", cards).heads == (head,)
    for tokenizer in TOKENIZERS:
        assert ask_of(f"Use the tokenizer {tokenizer}", cards).tokenizer == tokenizer


@pytest.mark.parametrize("spec", [s for s in head_specs() if s.said], ids=lambda s: s.name)
def test_words_of_a_head_name_it_and_bring_its_task(spec: HeadSpec, cards: Cards) -> None:
    """What a head's own spec says people call it is understood, and for what it is."""
    for phrase in spec.said:
        ask = ask_of(f"Use the {phrase}", cards)
        assert (ask.heads, ask.task) == ((spec.name,), spec.task), phrase


def test_words_of_tokenizers_name_them(cards: Cards) -> None:
    """Likewise for tokenizers."""
    for spec in specs():
        for phrase in spec.said:
            assert ask_of(f"Use the {phrase}", cards).tokenizer == spec.name
