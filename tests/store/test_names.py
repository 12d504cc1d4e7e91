"""One person, one digest, however the number is written; and no digest without the key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hackles.store.names import Names, normalised

NAMES = Names(bytes(range(32)))


@pytest.mark.parametrize(
    "number",
    [
        "+48 22 123 45 67",
        "+48221234567",
        "0048 (22) 123-45-67",
        "tel:+48-22-123.45.67",
        "sip:+48221234567@pbx.example.org;user=phone",
        "<sips:+48221234567@10.0.0.1:5061>",
        " +48 22 123–45–67 ",
    ],
)
def test_a_number_has_one_digest_however_it_is_written(number):
    assert normalised(number) == "+48221234567"
    assert NAMES.customer(number) == NAMES.customer("+48221234567")


def test_no_number_has_no_digest():
    assert [NAMES.customer(number) for number in ("", "  ", "sip:@host")] == ["", "", ""]


@given(st.text(min_size=1, max_size=30))
def test_a_digest_hangs_on_the_key_and_on_what_it_is_of(name):
    digests = {NAMES.call(name), NAMES.entry(name), Names(bytes(32)).call(name)}
    assert len(digests) == 3
    assert all(len(digest) == 32 for digest in digests)
    assert NAMES.call(name) == Names(bytes(range(32))).call(name)


def test_names_that_are_no_text_have_digests_too():
    assert NAMES.call("call \udcff") != NAMES.call("call \udcfe")


@pytest.mark.parametrize("said", ["anonymous", "Unknown", "", "12", "sip:anna@example.org", "-"])
def test_who_withholds_a_number_is_nobody_s_earlier_customer(said):
    assert normalised(said) == ""
    assert Names(bytes(32)).customer(said) == ""
