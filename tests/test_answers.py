"""A survey's answers: read from whatever CSV it writes, and every bad line told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hackles.errors import UsageError
from hackles.store.answers import Answer, BadLine, Columns, Scale, read

FIVE = Scale(best=5, worst=1)
USUAL = Columns()


@pytest.fixture
def reading(tmp_path):
    """Return what is read from a text, or from bytes."""

    def read_text(content, columns=USUAL, scale=FIVE):
        path = tmp_path / "answers.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(read(path, columns, scale))

    return read_text


def test_a_comma_a_semicolon_and_a_tab_part_columns(reading):
    for sign in ",;\t":
        assert reading(f"call{sign}score\nc-1{sign}4\n") == [Answer("c-1", 0.75, "4 of 1 to 5", "")]


def test_what_a_spreadsheet_adds_does_not_matter(reading):
    said = "\ufeffUniqueID;Rating\r\n\r\n c-1 ;4,5\r\n;;\r\n"
    assert reading(said) == [Answer("c-1", 0.875, "4.5 of 1 to 5", "")]


def test_columns_can_be_named_and_others_are_not_read(reading):
    said = 'when,who,how good,call,why\nnow,+48 600 100 200,2,c-1,"slow, but\nkind"\n'
    columns = Columns(score="How good", comment="why")
    assert reading(said, columns) == [Answer("c-1", 0.25, "2 of 1 to 5", "slow, but\nkind")]


def test_every_bad_line_is_told_with_its_own_number(reading):
    said = 'call,score,why\nc-1,5,"two\nlines"\n,4\nc-2\nc-3,good\nc-4,6\nc-5,nan\nc-6,1e0\nc-7,1\n'
    found = reading(said)
    assert [one.call for one in found if isinstance(one, Answer)] == ["c-1", "c-7"]
    assert [(bad.line, bad.why) for bad in found if isinstance(bad, BadLine)] == [
        (4, "names no call"),
        (5, "has no answer"),
        (6, "has 'good', which is no number"),
        (7, "has 6, which is not on the scale of 1 to 5"),
        (8, "has 'nan', which is no number"),
        (9, "has '1e0', which is no number"),
    ]


def test_a_decimal_comma_that_parts_a_cell_is_no_other_answer(reading):
    (bad,) = reading("call,rating\nc-1,4,5\n")
    assert "more cells" in bad.why
    assert reading("call,rating\nc-1,4,\n") == [Answer("c-1", 0.75, "4 of 1 to 5", "")]


@pytest.mark.parametrize(
    ("content", "columns", "said"),
    [
        (b"", USUAL, "is empty"),
        (b"call,score\nc,\xff\n", USUAL, "is not UTF-8"),
        (b"a,b\n", USUAL, "--call-column"),
        (b"call,b\n", USUAL, "--score-column"),
        (b"call,score\n", Columns(comment="why"), "no column 'why'; the file's first line has"),
        (b'call,score\nc,"' + b"x" * 200_000, USUAL, "is no CSV file"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(reading, content, columns, said):
    with pytest.raises(UsageError, match=said):
        reading(content, columns)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        list(read(tmp_path / "none.csv", USUAL, FIVE))


@given(st.integers(-100, 100), st.integers(-100, 100), st.integers(-200, 200))
def test_a_score_says_how_near_to_the_best_an_answer_is(best, worst, answer):
    if best == worst:
        with pytest.raises(UsageError, match="is no scale"):
            Scale(best, worst)
        return
    score = Scale(best, worst).score(answer)
    assert (score is None) == (not min(best, worst) <= answer <= max(best, worst))
    if score is not None:
        assert score == pytest.approx(abs(answer - worst) / abs(best - worst), abs=1e-4)


@given(st.text())
def test_no_text_makes_it_stumble(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "a.csv"
    path.write_text("call,score\n" + text, encoding="utf-8", errors="replace", newline="")
    try:
        found = list(read(path, USUAL, FIVE))
    except UsageError:
        return
    assert all(isinstance(one, Answer | BadLine) for one in found)
