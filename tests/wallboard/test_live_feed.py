"""`hackles live` as its user runs it, with a board beside it: what happens there comes here."""

import pytest

from hackles.exchange.messages import Heard, Standing
from tests.boards import Board, board, free_port, redis
from tests.events import BRISK_TOML
from tests.program import hackles, wait_until
from tests.test_daemon import daemon, escalating, name_of

NAMED = '\n[board]\nname = "host 1"\n'


def alerts(wall: Board) -> list[dict]:
    return [line for line in wall.lines("alert") if line["state"] == "rising"]


@pytest.mark.parametrize("way", ["direct", "redis"])
def test_an_alert_is_on_the_board_and_what_is_done_there_is_in_the_lines_and_on_the_page(
    tmp_path, way
):
    port = free_port()
    with redis() as server, board() as wall:
        if way == "direct":
            wall.serve(port)
            more = f'url = "http://127.0.0.1:{port}"\n'
        else:
            wall.listen(server.url)
            more = f'broker = "{server.url}"\n'
        with daemon(tmp_path, more=BRISK_TOML + NAMED + more) as running:
            running.post("/calls", {"id": name_of(0), "role": "customer", "queue": "sales"})
            running.phone(0).say(escalating())
            wait_until(lambda: alerts(wall))
            line = alerts(wall)[0]
            (heard,) = {(one.engine, one.said.queue) for one in wall.messages}
            assert heard == ("host 1", "sales")
            wall.acknowledge("host 1", line["session"], line["id"], "helping", "anna", 5.0)
            wait_until(lambda: wall.lines("acknowledgement"))
            (told,) = [r for r in running.records() if r["type"] == "acknowledgement"]
            assert (told["alert"], told["verdict"], told["by"]) == (line["id"], "helping", "anna")
            assert wall.lines("acknowledgement") == [told]
            wait_until(lambda: wall.beats and wall.beats[-1].said.calls == 1)
            running.post(f"/calls/{name_of(0)}/consent", {"consent": False})
            wait_until(lambda: "withdrawn" in {one.get("state") for one in wall.lines("call")})
            running.stop()
    assert [one.get("state") for one in running.records()] == ["withdrawn"]


def test_a_board_that_comes_later_learns_how_calls_stand_and_one_that_is_away_ends_no_daemon(
    tmp_path,
):
    port = free_port()
    more = f'{BRISK_TOML}{NAMED}url = "http://127.0.0.1:{port}"\n'
    first = Board()
    first.serve(port)
    with daemon(tmp_path, more=more) as running:
        running.phone(0).say(escalating())
        wait_until(lambda: alerts(first))
        first.close()
        with board() as second:
            second.serve(port)

            def standing() -> list[Standing]:
                return [one.said for one in second.messages if isinstance(one.said, Standing)]

            wait_until(lambda: [one for one in standing() if one.since_alert])
            stands = standing()[-1]
            assert (stands.call, stands.state != "calm") == (name_of(0), True)
            assert stands.points
            assert stands.alert["type"] == "alert"
            assert all(isinstance(one.said, Heard | Standing) for one in second.messages)
        done = running.stop()
    assert done.err.count("Wallboard: it cannot be reached") <= 2


def test_a_board_in_the_settings_that_nobody_can_reach_by_these_is_said_at_once(tmp_path):
    path = tmp_path / "hackles.toml"
    path.write_text(
        '[compliance]\nnotice = "a"\nbasis = "b"\n[audiosocket]\nlisten = "127.0.0.1:0"\n[board]\n'
    )
    done = hackles("live", "--config", path)
    assert done.code == 2
    assert "needs either url or broker" in done.err
