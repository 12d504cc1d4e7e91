"""The configuration's rules for what is kept: how long, and with which secrets."""

import pytest

from hackles.configuration import check

WELL = """\
[compliance]
notice = "told at the start"
basis = "consent"
[audiosocket]
listen = "127.0.0.1:9092"
[store]
"""
AFTER = 1 + WELL.count("\n")


@pytest.fixture
def told(tmp_path):
    """Return what is said of a record's section: faults, then warnings."""

    def check_section(text):
        path = tmp_path / "hackles.toml"
        path.write_text(WELL + text)
        faults = check(path).faults
        return [[(f.line, f.text) for f in faults if f.is_warning == which] for which in (0, 1)]

    return check_section


def test_a_record_needs_no_more_than_its_heading(told):
    assert told("") == [[], []]


def test_under_six_months_of_alerts_is_a_warning(told):
    faults, ((line, said),) = told("alerts_days = 182\n")
    assert (faults, line) == ([], AFTER)
    assert "at least (EU AI Act, Art. 26(6)); set 183 or more" in said
    assert told("alerts_days = 183\n") == [[], []]


def test_scores_are_not_kept_longer_than_their_call(told):
    ((line, said),), _ = told("alerts_days = 190\nscores_days = 191\n")
    assert line == AFTER + 1
    assert said.startswith("[store] scores_days (191) is more than alerts_days (190)")


def test_a_head_in_a_folder_that_is_not_there_is_a_warning(told, tmp_path):
    _, ((_, said),) = told('head = "elsewhere/head"\n')
    assert f"a folder that is not there: {tmp_path / 'elsewhere'}" in said
    (tmp_path / "elsewhere").mkdir()
    assert told('head = "elsewhere/head"\n') == [[], []]


@pytest.mark.parametrize("url", ["hackles:secret@db/hackles", "db/hackles?password=secret"])
def test_a_password_in_the_url_is_a_warning_that_does_not_repeat_it(told, url):
    faults, ((_, said),) = told(f'database = "postgresql://{url}"\n')
    assert faults == []
    assert said.endswith("move it to ~/.pgpass")
    assert "secret" not in said


def test_a_url_without_a_password_is_well(told):
    assert told('database = "postgresql://hackles@db.example:5433/hackles"\n') == [[], []]


def test_a_url_that_is_none_is_a_fault(told):
    ((_, said),), _ = told('database = "postgresql://hackles@db:port/hackles"\n')
    assert "is no URL" in said
