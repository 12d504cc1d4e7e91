"""The agent's page, seen from the wire: what a real daemon shows, and what it writes down."""

import http.client
import json
import signal
from contextlib import contextmanager

import pytest

from tests.events import BRISK_TOML
from tests.program import wait_until
from tests.test_daemon import daemon, escalating, name_of, talk

NOTHING = {"shadow": False, "unheard": "", "held": False, "calls": []}


@contextmanager
def looking(running, query="?lang=en"):
    """Look at the page's events, and give a function that returns the next view."""
    connection = http.client.HTTPConnection("127.0.0.1", running.control, timeout=60)
    connection.request("GET", f"/agent/events{query}")
    answer = connection.getresponse()
    assert answer.headers["content-type"].startswith("text/event-stream")

    def view():
        while not (line := answer.readline()).startswith(b"data: "):
            assert line, "the daemon hung up"
        return json.loads(line.removeprefix(b"data: "))

    try:
        yield view
    finally:
        connection.close()


def until(view, happened):
    """Return the first call of the first view in which it has happened."""
    while True:
        calls = view()["calls"]
        if calls and happened(calls[0]):
            return calls[0]


@pytest.fixture(scope="module")
def warned(tmp_path_factory):
    """A daemon that listens to a call that escalates, and the call as its page shows it."""
    with daemon(tmp_path_factory.mktemp("warned"), more=BRISK_TOML) as running:
        said = {"id": name_of(0), "role": "customer", "queue": "sales", "agent": "a7"}
        running.post("/calls", said)
        with looking(running, "?lang=en&agent=a7") as view:
            running.phone(0).say(escalating())
            call = until(view, lambda call: call["state"] == "rising")
            yield running, view, call


def test_a_warning_is_shown_with_its_evidence_and_a_card(warned):
    running, _, call = warned
    assert (call["queue"], call["agent"], call["state_text"]) == (
        "sales",
        "a7",
        "irritation rising",
    )
    assert call["alert"]["because"]
    assert call["card"]["do"]
    assert call["line"]
    wait_until(lambda: [r for r in running.records() if r["type"] == "card"])
    alerts = {record["id"] for record in running.records() if record["type"] == "alert"}
    assert call["alert"]["id"] in alerts


def test_what_the_agent_does_is_written_down(warned):
    running, view, call = warned
    road = f"/agent/calls/{call['session']}"
    assert running.post(f"{road}/card", {"ask": "next"}) == (200, {})
    assert until(view, lambda c: c["card"]["id"] != call["card"]["id"])
    assert running.post(f"{road}/note", {"text": " two parcels, one lost "}) == (200, {})
    assert until(view, lambda c: c["notes"])["notes"] == ["two parcels, one lost"]
    seen = {"alert": call["alert"]["id"], "verdict": "seen"}
    assert running.post(f"{road}/acknowledgement", seen) == (200, {})
    assert until(view, lambda c: c["alert"]["verdict"])["alert"]["verdict"] == "seen"
    wait_until(lambda: [r for r in running.records() if r["type"] == "acknowledgement"])
    found = {record["type"]: record for record in running.records()}
    assert found["note"]["text"] == "two parcels, one lost"
    assert found["acknowledgement"]["alert"] == call["alert"]["id"]
    assert found["acknowledgement"]["call"] == name_of(0)


@pytest.mark.parametrize(
    ("road", "body", "status"),
    [
        ("note", {"text": "  "}, 422),
        ("note", {}, 422),
        ("card", {"ask": "another"}, 422),
        ("acknowledgement", {"alert": "x", "verdict": "maybe"}, 422),
        ("outcome", {"result": "a triumph"}, 422),
        ("skip", {}, 409),
        ("outcome", {"result": "resolved"}, 409),
    ],
)
def test_what_cannot_be_done_is_a_sentence(warned, road, body, status):
    running, _, call = warned
    code, said = running.post(f"/agent/calls/{call['session']}/{road}", body)
    assert code == status
    assert said["error"].endswith(".")


def test_another_site_s_page_can_do_nothing(warned):
    running, _, call = warned
    road = f"/agent/calls/{call['session']}/withdrawn"
    assert running.post(road, {}, **{"Content-Type": "text/plain"})[0] == 415
    assert running.post(road, {}, Host="evil.example")[0] == 400
    assert running.calls()


@pytest.mark.parametrize(
    ("path", "site", "mode", "status"),
    [
        ("/agent/events", "cross-site", "cors", 403),
        ("/agent/events", "same-site", "no-cors", 403),
        ("/agent/events", "cross-site", "navigate", 403),
        ("/calls", "cross-site", "no-cors", 403),
        ("/agent", "cross-site", "no-cors", 403),
        ("/agent", "cross-site", "navigate", 200),
        ("/agent", "none", "navigate", 200),
        ("/agent/page.js", "same-origin", "cors", 200),
    ],
)
def test_another_site_s_page_is_given_nothing_but_may_lead_to_ours(
    warned, path, site, mode, status
):
    connection = http.client.HTTPConnection("127.0.0.1", warned[0].control, timeout=60)
    connection.request("GET", path, headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode})
    assert connection.getresponse().status == status
    connection.close()


@pytest.mark.parametrize("name", ["..%2fdaemon.py", "__init__.py", "words%2fen.toml", "none.css"])
def test_no_other_file_is_served(warned, name):
    connection = http.client.HTTPConnection("127.0.0.1", warned[0].control, timeout=60)
    connection.request("GET", f"/agent/{name}")
    assert connection.getresponse().status == 404
    connection.close()


def test_the_page_is_in_the_reader_s_language_and_runs_nothing_but_its_own(warned):
    for header, language in (("pl-PL,pl;q=0.9", "pl"), ("es-MX", "es"), ("fi", "en")):
        connection = http.client.HTTPConnection("127.0.0.1", warned[0].control, timeout=60)
        connection.request("GET", "/agent", headers={"Accept-Language": header})
        answer = connection.getresponse()
        assert f'lang="{language}"' in answer.read().decode()
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        connection.close()


def test_a_survey_s_answer_is_written_down(warned):
    running, _, _ = warned
    answer = {"call": "call 9", "score": 4, "best": 5, "worst": 1, "comment": "in the end"}
    assert running.post("/satisfaction", answer) == (202, {"call": "call 9", "score": 0.75})
    assert running.post("/satisfaction", answer | {"score": 6})[0] == 422
    wait_until(lambda: running.records("call 9"))
    (record,) = running.records("call 9")
    assert (record["type"], record["answer"]) == ("satisfaction", "4 of 1 to 5")


def test_after_the_call_the_form_is_taken_in_and_the_call_is_gone(tmp_path):
    with daemon(tmp_path, more=BRISK_TOML) as running, looking(running) as view:
        phone = running.phone(0)
        phone.say(escalating())
        until(view, lambda call: call["state"] == "rising")
        phone.hang_up()
        call = until(view, lambda call: call["ended"])
        assert call["card"]["stage"] == "afterwards"
        form = {"result": "promised", "promised": "a call back", "by_when": "Friday"}
        assert running.post(f"/agent/calls/{call['session']}/outcome", form) == (200, {})
        assert view() == NOTHING
        running.stop()
    (outcome,) = [record for record in running.records() if record["type"] == "outcome"]
    assert (outcome["result"], outcome["by_when"]) == ("promised", "Friday")


def test_consent_withdrawn_on_the_page_leaves_nothing_there_nor_of_what_was_written(tmp_path):
    with daemon(tmp_path, more=BRISK_TOML) as running, looking(running) as view:
        running.phone(0).say(escalating())
        call = until(view, lambda call: call["state"] == "rising")
        road = f"/agent/calls/{call['session']}"
        running.post(f"{road}/note", {"text": "a secret"})
        assert running.post(f"{road}/withdrawn", {}) == (200, {})
        while view()["calls"]:
            pass
        assert running.post(f"{road}/note", {"text": "a secret"})[0] == 404
        said = {"call": name_of(0), "score": 1, "best": 5, "worst": 1}
        assert running.post("/satisfaction", said)[0] == 409
        running.stop()
    states = [(record["type"], record.get("state")) for record in running.records()]
    assert states == [("call", "withdrawn")]


def test_a_survey_s_answer_is_the_call_s_by_whichever_of_its_names_it_comes(warned):
    running, _, _ = warned
    running.post("/calls", {"id": "uuid 8", "call": "call 8", "role": "customer"})
    answer = {"call": "uuid 8", "score": 4, "best": 5, "worst": 1}
    assert running.post("/satisfaction", answer)[0] == 202
    wait_until(lambda: running.records("call 8"))


@pytest.mark.parametrize("way", ["consent", "registration"])
def test_who_withdraws_after_the_call_is_gone_from_the_form_and_all_that_was_written(tmp_path, way):
    with daemon(tmp_path, more=BRISK_TOML) as running, looking(running) as view:
        phone = running.phone(0)
        phone.say(talk(4))
        until(view, lambda call: call["line"])
        phone.hang_up()
        call = until(view, lambda call: call["ended"])
        if way == "consent":
            running.post(f"/calls/{name_of(0)}/consent", {"consent": False})
        else:
            running.post("/calls", {"id": name_of(0), "role": "customer", "consent": False})
        assert view()["calls"] == []
        form = {"result": "resolved", "what": "a secret"}
        assert running.post(f"/agent/calls/{call['session']}/outcome", form)[0] == 404
        running.stop()
    states = [(record["type"], record.get("state")) for record in running.records()]
    assert states == [("call", "withdrawn")]


def test_from_the_moment_of_shadow_mode_a_page_shows_nothing(tmp_path):
    with daemon(tmp_path, more=BRISK_TOML) as running, looking(running) as view:
        running.phone(0)
        assert until(view, lambda call: call)
        settings = tmp_path / "hackles.toml"
        settings.write_text(settings.read_text() + "[alerts]\nshadow = true\n")
        running.process.send_signal(signal.SIGHUP)
        assert view() == NOTHING | {"shadow": True}


def test_a_page_that_is_open_does_not_keep_the_daemon_from_ending(tmp_path):
    with daemon(tmp_path, more=BRISK_TOML) as running, looking(running) as view:
        view()
        running.stop()
