"""Every text in three languages, as their speakers write it."""

import re
import subprocess
import sys
import tomllib
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hackles import wording
from hackles.errors import UsageError
from hackles.evidence import MEASURES
from hackles.types import Alert, Evidence, Reason, State
from hackles.wording import LANGUAGES, best_language, clock, system_language, words

# What is rightly the same in English and in another language.
SAME = {
    "numbers.decimal",
    "numbers.minus",
    "numbers.percent",
    "numbers.with_unit",
    "numbers.whole",
    "units.dB.one",  # a symbol, which has no plural
    "units.dB.few",
    "units.dB.many",
    "units.dB.other",
    "more.any",  # nothing but what is filled in
    "less.any",
    "unheard.measure",
}

VALUES = st.floats(-200, 200, allow_nan=False)


def texts(language):
    """Return every text of a language's file, by its dotted key."""
    file = resources.files("hackles.wording") / f"{language}.toml"
    return dict(flat(tomllib.loads(file.read_text(encoding="utf-8"))))


def flat(section, path=""):
    for key, value in section.items():
        if isinstance(value, dict):
            yield from flat(value, f"{path}{key}.")
        else:
            yield path + key, value


def placeholders(text):
    """Return what is filled in; a change and its size are the same, with and without a sign."""
    return sorted(name.replace("change", "size") for name in re.findall(r"{(\w+)}", text))


def alert(*evidence):
    return Alert(63.0, 60.0, State.RISING, 0.6, 0.2, 0.8, evidence)


def plain(text):
    """Return a text with plain spaces."""
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_key_and_no_other(language):
    assert texts(language).keys() == texts("en").keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_is_filled_in_in_every_language(language):
    english = texts("en")
    for key, text in texts(language).items():
        assert placeholders(text) == placeholders(english[key]), key
        assert text.strip() == text, key
        assert text, key


@pytest.mark.parametrize("language", ["pl", "es"])
def test_nothing_was_left_in_english(language):
    english = texts("en")
    left = {key for key, text in texts(language).items() if text == english[key]}
    assert left <= SAME


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_can_happen_has_words(language):
    known = words(language)
    assert all(known.state(state) for state in State)
    assert all(known.reason(reason) for reason in Reason)
    assert all(known.trend(trend) for trend in ("up", "flat", "down"))
    for measure in MEASURES:
        for change in (2.0, -2.0):
            told = known.phrase(Evidence(measure.name, measure.unit, 20.0, 20.0 + change))
            assert measure.name not in told or language == "en"
            # Of tension people are told which way it went: decibels say nothing to them.
            is_told_bare = language != "en" or measure.name in ("tempo", "tension")
            assert measure.unit in told or is_told_bare


def as_it_was(evidence):
    """Return what was said in English before there were other languages."""
    if evidence.baseline is None:
        return f"{evidence.measure} {evidence.now:.1f} {evidence.unit}"
    change = evidence.now - evidence.baseline
    if evidence.measure == "tempo" and evidence.baseline > 0:
        percent = round(100 * change / evidence.baseline)
        return f"{abs(percent)} % {'faster' if change > 0 else 'slower'}"
    if evidence.measure == "loudness":
        return f"{abs(change):.0f} dB {'louder' if change > 0 else 'quieter'}"
    if evidence.measure == "tension":
        return f"{'tenser' if change > 0 else 'softer'} voice"
    if evidence.measure == "liveliness":
        return f"pitch range {change:+.1f} semitones"
    return f"{evidence.measure} {change:+.1f} {evidence.unit}"


evidences = st.one_of(
    [
        st.builds(
            Evidence,
            st.just(name),
            st.just(unit),
            st.none() | VALUES.map(lambda x: round(x, 3)),
            VALUES.map(lambda x: round(x, 3)),
        )
        for name, unit in [*((m.name, m.unit) for m in MEASURES), ("breath", "sighs/min")]
    ]
)


@given(evidences)
def test_english_says_what_it_always_said(evidence):
    was = as_it_was(evidence)
    # A change that rounds to nothing had a minus sign at times.
    was = re.sub(r"-0\.0\b", "0.0" if evidence.baseline is None else "+0.0", was)
    assert wording.phrase(evidence) == was


def test_english_has_its_tables():
    assert wording.STATES[State.RISING] == "irritation rising"
    assert wording.STATES.keys() == set(State)
    assert wording.REASONS[Reason.MUSIC] == "hold music"
    assert wording.REASONS.keys() == set(Reason)
    assert clock(63.4) == "1:03"
    assert clock(3663) == "1:01:03"
    with pytest.raises(AttributeError, match="TIPS"):
        _ = wording.TIPS


def test_evidence_without_a_baseline_says_so():
    heard = alert(Evidence("pitch", "semitones", None, 38.24))
    assert wording.because(heard) == "not yet heard calm: pitch 38.2 semitones"
    for language in LANGUAGES:
        (phrase,) = words(language).phrases(heard)
        assert words(language).because(heard).endswith(f": {phrase}")
    assert wording.because(alert()) == ""


@given(evidences, st.sampled_from(["pl", "es"]))
def test_numbers_are_written_as_the_language_writes_them(evidence, language):
    told = words(language).phrase(evidence)
    assert "{" not in told
    assert not re.search(r"\d\.\d|[+−]0\b(?!,)|-\d|,0\b", told.replace("+0", ""))
    assert not re.search(r"\d (?!más|kHz)", told), "a number stays with its unit"
    assert ("%" not in told) or re.search(r"\d\u00a0%" if language == "es" else r"\d%", told)


# How Poles count, by the grammar: 1 półton, 2-4 półtony, 5-21 półtonów, 22-24 półtony; a fraction
# takes the genitive of the singular.
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (1, "o 1 półton"),
        (2, "o 2 półtony"),
        (4, "o 4 półtony"),
        (5, "o 5 półtonów"),
        (12, "o 12 półtonów"),
        (14, "o 14 półtonów"),
        (21, "o 21 półtonów"),
        (22, "o 22 półtony"),
        (112, "o 112 półtonów"),
        (3.2, "o 3,2 półtonu"),
        (0.5, "o 0,5 półtonu"),
        (1.04, "o 1 półton"),
    ],
)
def test_polish_counts_semitones(change, said):
    known = words("pl")
    assert plain(known.phrase(Evidence("pitch", "semitones", 10, 10 + change))).endswith(said)
    assert plain(known.phrase(Evidence("pitch", "semitones", 10, 10 - change))).endswith(said)


def test_people_are_told_in_their_own_words():
    moved = alert(
        Evidence("pitch", "semitones", 30.0, 33.2),
        Evidence("tempo", "syllables/s", 5.0, 5.9),
        Evidence("tension", "dB", -12.0, -14.1),
    )
    assert plain(words("pl").because(moved)) == (
        "głos wyższy o 3,2 półtonu, mówi o 18% szybciej, głos mniej napięty"
    )
    assert plain(words("es").because(moved)) == (
        "voz 3,2 semitonos más aguda, habla un 18 % más rápido, voz menos tensa"
    )
    assert plain(words("es").phrase(Evidence("pitch", "semitones", 30, 31))) == (
        "voz 1 semitono más aguda"
    )


def test_numbers_alone():
    assert words("en").number(-3.25, 2) == "-3.25"
    assert words("pl").number(3.14159, 2, signed=True) == "+3,14"
    assert words("es").number(-0.04, 1, signed=True) == "+0,0"
    assert words("es").number(-7, 0) == "−7"
    assert words("pl").text("at", time="1:03") == "w minucie 1:03"
    assert words("es").percent(0.857) == "86\u00a0%"


def test_a_language_that_nobody_wrote_is_refused():
    with pytest.raises(UsageError, match="choose en, pl, es"):
        words("../en")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("pl-PL,pl;q=0.9,en-US;q=0.8,en;q=0.7", "pl"),
        ("es-419", "es"),
        ("ES-mx;q=0.3, PL;q=0.4", "pl"),
        ("de-DE,de;q=0.9,es;q=0.5,en;q=0.3", "es"),
        ("de", "en"),
        ("en;q=0.5,es;q=0.9", "es"),
        ("pl;q=0, es;q=0.1", "es"),
        ("pl;q=0", "en"),
        ("*", "en"),
        ("en;q=0, *", "pl"),
        ("es;q=high, pl;q=0.1", "pl"),
        ("es;q=nan", "en"),
        ("plt, est", "en"),
    ],
)
def test_a_browser_gets_its_language(header, language):
    assert best_language(header) == language


def test_a_browser_without_one_of_ours_gets_the_default():
    assert best_language("de, fr;q=0.5", default="pl") == "pl"
    assert best_language("*", default="es") == "es"


@given(st.text() | st.from_regex(r"([a-z]{2}|\*)(;q=[01]\.\d)?(,([a-z]{2}|\*)(;q=[01]\.\d)?)*"))
def test_no_header_breaks_it(header):
    assert best_language(header) in LANGUAGES


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "pl_PL.UTF-8"}, "pl"),
        ({"LANG": "es"}, "es"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "pl_PL.UTF-8", "LC_MESSAGES": "es_ES.UTF-8"}, "es"),
        ({"LANG": "pl_PL.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LANGUAGE": "de:es_MX:en"}, "es"),
        ({"LANG": "C.UTF-8", "LANGUAGE": "pl"}, "en"),  # as gettext has it
        ({"LANG": "", "LANGUAGE": "pl"}, "pl"),
        ({"LC_ALL": "POSIX", "LANG": "pl_PL"}, "en"),
    ],
)
def test_a_desktop_speaks_its_own_language(environment, language):
    assert system_language(environment) == language


def test_importing_the_words_reads_no_file():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, hackles.types; before = set(sys.modules)\n"
            "import hackles.wording; print(*sorted(set(sys.modules) - before))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    new = done.stdout.split()
    assert all(name.startswith("hackles.") for name in new), new


def test_of_a_voice_that_eases_it_is_said_what_is_left():
    left = Alert(60.0, 55.0, State.EASED, 0.2, -1.0, 0.8, (Evidence("tension", "dB", -12.0, -9.0),))
    said = [words(language).because(left) for language in LANGUAGES]
    assert said == ["still: tenser voice", "nadal: głos bardziej napięty", "todavía: voz más tensa"]
