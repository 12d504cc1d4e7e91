"""The doctor says whether the wallboard is there, and tells it nothing."""

import msgspec

from hackles.doctor.board import board
from hackles.doctor.told import Mark
from hackles.settings import Board, Compliance, Settings
from tests.softphones import free_ports
from tests.wallboard.served import served, settings
from tests.wallboard.service import TABLES, service_roads


def told(**section):
    """Return what is said of a section."""
    given = Settings(compliance=Compliance(notice="told", basis="consent"), board=Board(**section))
    return [(one.mark, one.text) for one in board(given)]


def test_without_a_board_nothing_is_said():
    given = Settings(compliance=Compliance(notice="told", basis="consent"))
    assert list(board(given)) == []


def test_a_board_that_knows_the_secret_is_well_and_one_that_does_not_is_a_fault(tmp_path):
    (tmp_path / "right").write_text("the secret")
    (tmp_path / "wrong").write_text("another")
    given = settings(tmp_path)
    feed = msgspec.structs.replace(given.feed, token_file=str(tmp_path / "right"))
    with served(msgspec.structs.replace(given, feed=feed), service_roads, TABLES) as up:
        url = f"http://{up.listen}"
        ((mark, text),) = told(url=url, token_file=str(tmp_path / "right"))
        assert mark is Mark.WELL
        assert "knows this engine's secret" in text
        ((mark, text),) = told(url=url, token_file=str(tmp_path / "wrong"))
        assert mark is Mark.FAULT
        assert "does not know the secret" in text
        ((mark, text),) = told(url=f"{url}/elsewhere/")
        assert mark is Mark.FAULT


def test_a_board_or_broker_that_is_away_is_a_doubt(tmp_path):
    (port,) = free_ports(1)
    for section in ({"url": f"http://127.0.0.1:{port}"}, {"broker": f"redis://127.0.0.1:{port}"}):
        ((mark, text),) = told(**section)
        assert mark is Mark.DOUBT
        assert "kept for it" in text
