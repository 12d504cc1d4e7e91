"""Who may look at the board."""

import pytest

from tests.wallboard.served import EVERYTHING, enrol, served, settings


@pytest.fixture
def board(tmp_path):
    enrol(tmp_path, EVERYTHING)
    with served(settings(tmp_path)) as up:
        yield up


def test_whoever_signs_in_is_who_the_account_says(board):
    me = board.person().get("/api/me")
    assert me.status == 200
    told = me.json
    assert (told["name"], told["teams"], told["sign_in"]) == ("root", ["*"], "password")
    assert told["roles"] == ["administrator", "agent", "analyst", "supervisor"]
