"""Cards that can be read at a glance, and a guide that keeps to its rules."""

import re
import shutil
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hackles.errors import UsageError
from hackles.guidance import STAGES, STEPS, Guide, load, tip
from hackles.guidance.cards import read_deck
from hackles.guidance.rules import read_rules
from hackles.types import State
from hackles.wording import LANGUAGES

OURS = load()
PACKAGE = Path(str(resources.files("hackles.guidance")))
DECKS = pytest.mark.parametrize("deck", [OURS.deck(name) for name in LANGUAGES], ids=LANGUAGES)


# The cards


def test_the_cards_are_the_same_in_every_language():
    assert OURS.languages == LANGUAGES
    english = OURS.deck("en")
    for language in LANGUAGES:
        deck = OURS.deck(language)
        assert deck.language == language
        for one, other in zip(deck.cards, english.cards, strict=True):
            assert (one.id, one.stage, one.step) == (other.id, other.stage, other.step)
            assert bool(one.say) == bool(other.say), one.id
            assert bool(one.avoid) == bool(other.avoid), one.id


@DECKS
def test_a_card_is_one_glance(deck):
    for card in deck.cards:
        assert len(card.do) <= 70, card.id
        assert len(card.how) <= 160, card.id
        for text in (card.do, card.how, *card.say, *card.avoid):
            assert text[-1] in ".?!…", text
    assert len({card.do for card in deck.cards}) == len(deck.cards)


@DECKS
def test_every_stage_has_cards_and_all_eight_steps_are_carried(deck):
    assert {card.stage for card in deck.cards} == set(STAGES)
    assert {card.step for card in deck.cards} == {"", *STEPS}
    assert all(deck.stage(stage) for stage in STAGES)
    assert len({deck.step(step) for step in STEPS}) == len(STEPS)


def test_the_steps_spell_resolved():
    english = OURS.deck("en")
    assert "".join(english.step(step)[0] for step in STEPS) == "RESOLVED"


@DECKS
def test_the_five_questions_stand_where_the_caller_vents_or_is_understood(deck):
    questions = [card for card in deck.cards if card.id.startswith("q-")]
    assert len(questions) == 5
    assert {card.stage for card in questions} == {"venting", "understanding"}
    assert all(card.do.endswith("?") for card in questions)


@pytest.mark.parametrize("language", ["pl", "es"])
def test_no_text_was_left_in_english(language):
    def texts(deck):
        return {t for c in deck.cards for t in (c.do, c.how, *c.say, *c.avoid)}

    assert not (texts(OURS.deck(language)) & texts(OURS.deck("en"))) - {"Mhm."}


def test_polish_takes_nobody_for_a_man_or_a_woman():
    gendered = re.compile(r"\b(pan|pani|pana|panu|panią)\b|\w(łem|łam|łeś|łaś)\b", re.IGNORECASE)
    for card in OURS.deck("pl").cards:
        for text in (card.do, card.how, *card.say, *card.avoid):
            assert not gendered.search(text), text


def test_spanish_addresses_the_agent_in_one_way():
    # The agent is told in the infinitive; only what is said to the caller has a form of address.
    address = re.compile(r"\b(usted|tú|ti|contigo|tu|tus|vos)\b", re.IGNORECASE)
    for card in OURS.deck("es").cards:
        assert not address.search(f"{card.do} {card.how}"), card.id


def test_typography_is_that_of_the_language():
    for language, wrong in (("en", "„«»\"'"), ("pl", "“«»\"'"), ("es", "„“”\"'")):
        for card in OURS.deck(language).cards:
            for text in (card.do, card.how, *card.say, *card.avoid):
                apart = re.sub(r"(?<=\w)'(?=\w)", "", text)  # as in "don't"
                assert not set(apart) & set(wrong), text
                assert language != "es" or text.count("?") == text.count("¿"), text
                assert language != "es" or text.count("!") == text.count("¡"), text


def test_a_tip_is_what_the_first_card_of_a_state_says():
    assert tip(State.RISING) == OURS.deck("en").card("let-finish").do
    assert tip(State.RISING, "pl") == OURS.deck("pl").card("let-finish").do
    assert len({tip(state) for state in State}) == len(State)
    assert OURS.tip(State.RISING, "es", "choice") == OURS.deck("es").card("choice").do
    assert OURS.tip(State.RISING, "en", "of a former file") == tip(State.RISING)


# The guide

acts = st.lists(
    st.tuples(
        st.sampled_from([*State, "wait", "wait", "next", "abuse", "rest", "end"]), st.floats(0, 40)
    ),
    max_size=60,
)


def played(told, rules=OURS.rules):
    """Play what happens in a call; yield each card, with the guide that shows it."""
    guide, time = Guide(rules), 0.0
    yield guide.begin(time), guide
    for act, seconds in told:
        time += seconds
        if isinstance(act, State):
            card = guide.hear(act, time)
        elif act == "end":
            card = guide.end(warned=bool(seconds > 20))
        else:
            card = getattr(guide, act)(time)
        if card is not None:
            yield card, guide


@given(acts)
def test_no_card_comes_twice_in_a_row_and_each_is_allowed_there(told):
    before = ""
    for card, guide in played(told):
        assert card != before
        assert card in guide.allowed
        assert card == guide.card
        before = card


@given(acts)
def test_a_replay_shows_the_same_cards(told):
    assert [card for card, _ in played(told)] == [card for card, _ in played(told)]


@given(acts, st.integers(0, 30))
def test_next_shows_every_allowed_card_before_one_comes_again(told, more):
    *_, (_, guide) = played(told)
    allowed = guide.allowed
    seen = [guide.next(5000.0) for _ in range(len(allowed) + more)]
    assert guide.allowed == allowed
    for start in range(more + 1):
        assert set(seen[start : start + len(allowed)]) == set(allowed)


@given(acts)
def test_a_voice_changes_nothing_while_a_step_of_the_ladder_has_its_time(told):
    *_, (_, guide) = played([act for act in told if act[0] != "end"])
    pressed, held_s = 6000.0, OURS.rules.abuse_hold_s
    guide.abuse(pressed)
    assert guide.hear(State.RISING, pressed + 1) is None
    assert guide.hear(State.IRRITATED, pressed + 1) is None
    assert guide.wait(pressed + held_s - 1) is None
    assert guide.wait(pressed + held_s) is not None
    assert guide.allowed == OURS.rules.voices["irritated"][1].cards


def test_what_the_voice_shows_chooses_the_stage():
    stage = {card.id: card.stage for card in OURS.deck("en").cards}
    guide = Guide(OURS.rules)
    assert stage[guide.begin(0.0)] == "opening"
    assert stage[guide.hear(State.RISING, 30.0)] == "venting"
    assert guide.hear(State.RISING, 31.0) is None
    assert stage[guide.hear(State.IRRITATED, 40.0)] == "venting"
    assert guide.wait(84.9) is None
    assert stage[guide.wait(85.0)] == "understanding"
    assert guide.wait(86.0) is None
    assert stage[guide.wait(161.0)] == "escalation"
    assert guide.wait(1000.0) is None
    assert stage[guide.hear(State.EASED, 1001.0)] == "options"
    assert guide.hear(State.CALM, 1002.0) is None
    assert stage[guide.wait(1046.0)] == "agreement"
    assert guide.end(warned=True) == "minute"
    assert guide.end(warned=True) is None
    assert guide.wait(2000.0) is None
    assert guide.hear(State.RISING, 2000.0) is None
    assert stage[guide.next(2000.0)] == "afterwards"


def test_the_ladder_goes_from_the_limit_to_somebody_else_to_the_end():
    guide = Guide(OURS.rules)
    guide.begin(0.0)
    assert guide.abuse(10.0) == "limit"
    assert guide.abuse(20.0) == "hand-over"
    assert guide.hear(State.EASED, 30.0) == "their-idea"  # they have come round
    assert guide.abuse(40.0) == "end-politely"  # and have not
    assert guide.abuse(50.0) == "note-words"


def test_a_calm_call_ends_without_a_card():
    guide = Guide(OURS.rules)
    guide.begin(0.0)
    assert guide.end(warned=False) is None


def test_a_second_episode_begins_with_another_card():
    guide = Guide(OURS.rules)
    guide.begin(0.0)
    first = guide.hear(State.RISING, 10.0)
    guide.hear(State.EASED, 20.0)
    assert guide.hear(State.RISING, 30.0) != first


# A team's own files


def write(folder, name, text):
    (folder / name).write_text(text, encoding="utf-8")


def changed(folder, name, old, new):
    """Put our file into a folder, with something changed."""
    path = PACKAGE / name if name == "rules.toml" else PACKAGE / "cards" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    write(folder, name, text.replace(old, new, 1))


def refused(folder):
    with pytest.raises(UsageError) as caught:
        load(str(folder))
    return str(caught.value)


def test_one_file_of_ones_own_takes_the_place_of_ours(tmp_path):
    changed(tmp_path, "pl.toml", "Daj znać, że jesteś po drugiej stronie.", "Pokaż, że słuchasz.")
    own = load(str(tmp_path))
    assert own.deck("pl").card("nods").do == "Pokaż, że słuchasz."
    assert own.deck("en").card("nods") == OURS.deck("en").card("nods")
    assert set(own.languages) == set(LANGUAGES)
    assert own.rules == OURS.rules


def test_rules_of_ones_own_take_the_place_of_ours(tmp_path):
    changed(tmp_path, "rules.toml", "after_s = 45", "after_s = 50")
    times = [s.after_s for s in load(str(tmp_path)).rules.voices["irritated"]]
    assert times == [0, 50, 120]


def test_cards_in_one_language_only_stand_in_for_the_others(tmp_path):
    changed(tmp_path, "es.toml", 'id = "q-useful"', 'id = "datos"')
    changed(tmp_path, "rules.toml", '"q-useful"', '"datos"')
    own = load(str(tmp_path))
    assert own.languages == ("es",)
    assert own.deck("pl").language == "es"


def test_all_of_our_files_can_be_ones_own(tmp_path):
    for path in (*(PACKAGE / "cards").glob("*.toml"), PACKAGE / "rules.toml"):
        shutil.copy(path, tmp_path)
    assert load(str(tmp_path)).rules == OURS.rules


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('do = "Let them hear', f'do = "{60 * "x"}', "card 'nods': 'do' must have 70 characters"),
        ('id = "nods"', 'id = "mirror"', "card 'mirror': there are two of this name; rename one."),
        ('id = "nods"', 'id = "Nods!"', "card 'Nods!': 'id' must be small letters"),
        ('id = "nods"', 'id = "venting"', "card 'venting': 'id' must be"),
        ('id = "nods"', "id = 7", "card number 4: 'id' must be a text, in quotes."),
        ('id = "nods"\n', "", "card number 4: 'id' is missing; add it."),
        ('id = "nods"\nstage = "venting"', 'id = "nods"\nstage = "vent"', "'stage' must be one of"),
        ('step = "verify"', 'step = "check"', "card 'verify': 'step' must be one of"),
        ('step = "verify"', 'stap = "verify"', "card 'verify': 'stap' is no key of a card"),
        ('say = ["Mm-hm.",', 'say = ["a", "b",', "card 'nods': 'say' must be a list of 3"),
        ('say = ["Mm-hm.",', "say = [5,", "card 'nods': 'say' has a phrase that must be a text"),
        ('do = "Let them hear', 'do = "\\nLet them hear', "card 'nods': 'do' must stand on one"),
        ('venting = "Letting', 'vent = "Letting', "[stages] has no name for 'venting'; add one."),
        ("[steps]", "[stairs]", "[stairs] is no section of such a file"),
        ("[stages]", "[stages", "This is not TOML"),
    ],
)
def test_a_fault_in_the_cards_is_told_with_its_file_and_card(tmp_path, old, new, said):
    changed(tmp_path, "en.toml", old, new)
    told = refused(tmp_path)
    assert said in told
    assert all(line.startswith(f"{tmp_path / 'en.toml'}: ") for line in told.splitlines())


def test_every_fault_is_told_at_once(tmp_path):
    changed(tmp_path, "en.toml", 'step = "verify"', 'step = "check"')
    changed(tmp_path, "pl.toml", 'id = "nods"', "id = 7")
    write(tmp_path, "es.toml", "[")
    told = refused(tmp_path).splitlines()
    assert [line.split(":")[0] for line in told] == [
        str(tmp_path / f"{language}.toml") for language in LANGUAGES
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"q-view"]', '"q-vieuw"]', "[[rising]]: there is no card or stage 'q-vieuw'; correct it."),
        ("after_s = 45", "after_s = 200", "[[irritated]]: the first must have after_s = 0, and"),
        ("after_s = 45", "after_s = -1", "after_s must be a number of seconds, 0 or more."),
        ("after_s = 45", "after_s = nan", "after_s must be a number of seconds, 0 or more."),
        ("after_s = 45", "after = 45", "[[irritated]] has no key 'after'; there is after_s and"),
        ('["limit", "what-behind"]', '["limit"]', "[[abuse]]: show = ['limit'] is fewer than two"),
        ('["afterwards"]', '["minute"]', "[after_warned]: show = ['minute'] is fewer than two"),
        ("show = []", 'show = "minute"', "[after_calm]: show must be a list of names"),
        ("[after_calm]", "[after_call]", "'after_call' is not known here"),
        ("abuse_hold_s = 60", "abuse_hold_s = true", "abuse_hold_s must be a number of seconds"),
    ],
)
def test_a_fault_in_the_rules_is_told_with_its_file(tmp_path, old, new, said):
    changed(tmp_path, "rules.toml", old, new)
    told = refused(tmp_path)
    assert said in told
    assert all(line.startswith(str(tmp_path / "rules.toml")) for line in told.splitlines())


def test_what_nobody_would_see_is_told(tmp_path):
    changed(tmp_path, "en.toml", 'id = "limit"', 'id = "limit-2"')
    assert "rules.toml: [[abuse]]: there is no card or stage 'limit'" in refused(tmp_path)
    changed(tmp_path, "rules.toml", '"limit", "what-behind"', '"note-words", "what-behind"')
    assert refused(tmp_path) == (
        f"{tmp_path / 'en.toml'}: card 'limit-2': no rule shows it; name it in rules.toml."
    )


def test_two_files_of_ones_own_must_have_the_same_cards(tmp_path):
    changed(tmp_path, "en.toml", 'id = "nods"', 'id = "nod"')
    shutil.copy(PACKAGE / "cards" / "es.toml", tmp_path)
    both = f"{tmp_path / 'en.toml'} and {tmp_path / 'es.toml'}"
    assert refused(tmp_path).splitlines() == [
        f"{both}: card 'nod' must stand in both, in the same stage.",
        f"{both}: card 'nods' must stand in both, in the same stage.",
    ]


def test_a_folder_that_is_none_of_ours_is_told(tmp_path):
    assert "cannot be read" in refused(tmp_path / "nowhere")
    assert "has no such file" in refused(tmp_path)
    write(tmp_path, "de.toml", "")
    assert "has de.toml, which nobody reads" in refused(tmp_path)
    (tmp_path / "de.toml").unlink()
    (tmp_path / "en.toml").mkdir()
    assert "cannot be read" in refused(tmp_path)
    (tmp_path / "en.toml").rmdir()
    (tmp_path / "en.toml").write_bytes(b"\xff")
    assert "not UTF-8" in refused(tmp_path)


toml = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(STAGES),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "stage", "show", "after_s", "say"]), inner)
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(["card", "stages", "steps", "rest", "rising", "abuse", "after_calm"]), toml
    )
)
def test_no_file_breaks_the_reader(sections):
    _, faults = read_deck("en", sections)
    assert faults
    rules, faults = read_rules(sections, {"limit": "abusive"})
    assert rules is None
    assert faults


def test_after_a_false_alarm_the_cards_are_those_of_a_call_in_which_nothing_is_the_matter():
    guide = Guide(OURS.rules)
    guide.begin(0.0)
    guide.hear(State.RISING, 30.0)
    assert guide.rest(40.0) is not None
    assert set(guide.allowed) == set(OURS.rules.voices["rest"][-1].cards)
    assert guide.wait(400.0) is None
    assert OURS.deck("en").card(guide.hear(State.RISING, 500.0)).stage == "venting"
