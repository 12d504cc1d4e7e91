"""What the board's server says by itself, in three languages."""

import re

import pytest

from hackles.wallboard.shapes import Step
from hackles.wallboard.telling import texts
from hackles.wording import LANGUAGES


def said(language):
    """Return each text by its section and key."""
    return {
        (section, key): text
        for section, words in texts(language).items()
        for key, text in words.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_says_the_same_things_with_the_same_gaps(language):
    ours, english = said(language), said("en")
    assert ours.keys() == english.keys()
    for key, text in ours.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", english[key])), key


def test_each_step_has_its_words():
    assert set(texts("en")["steps"]) == {str(step) for step in Step}


def test_nothing_says_what_somebody_feels():
    everything = " ".join(text for language in LANGUAGES for text in said(language).values())
    assert not re.search(r"angry|anger|zły|złość|enfad|enoj", everything, re.IGNORECASE)
