"""The record of a real daemon: kept, found again, answered with, and gone when a caller says so."""

from tests.events import BRISK_TOML
from tests.program import hackles, wait_until
from tests.test_agent import looking, until
from tests.test_daemon import daemon, escalating, name_of, talk

STORE = "[store]\n" + BRISK_TOML


def ask(folder, *words):
    """Ask the record something by the command line."""
    done = hackles(*words, "--config", folder / "hackles.toml")
    assert done.code == 0, done.err
    return done.out


def test_what_came_of_a_call_is_shown_when_the_same_customer_calls_again(tmp_path):
    said = {"role": "customer", "queue": "sales", "agent": "a7", "consent": True}
    with daemon(tmp_path, role="registered", more=STORE) as running, looking(running) as view:
        numbers = ["+48 600 100 200", "0048600100200", "+48 600 100 201"]
        for number, customer in enumerate(numbers):
            running.post("/calls", said | {"id": name_of(number), "customer": customer})
        phone = running.phone(0)
        phone.say(escalating())
        call = until(view, lambda call: call["state"] == "rising")
        road = f"/agent/calls/{call['session']}"
        running.post(
            f"{road}/acknowledgement", {"alert": call["alert"]["id"], "verdict": "false_alarm"}
        )
        phone.hang_up()
        until(view, lambda call: call["ended"])
        form = {"result": "promised", "what": "a lost parcel", "by_when": "Friday"}
        assert running.post(f"{road}/outcome", form)[0] == 200
        wait_until(lambda: "promised" in ask(tmp_path, "calls"))
        for number in (1, 2):
            running.phone(number).say(talk(4))
        same = until(view, lambda call: call["call"] == name_of(1) and call["earlier"])
        (earlier,) = same["earlier"]
        assert (earlier["what"], earlier["by_when"]) == ("a lost parcel", "Friday")
        running.phones[1].hang_up()
        other = until(view, lambda call: call["call"] == name_of(2) and call["line"])
        assert other["earlier"] == []
        running.stop()
    assert "The chain is whole" in ask(tmp_path, "verify")
    exported = ask(tmp_path, "export", "--call", name_of(0))
    for word in ("false_alarm", "a lost parcel", "semitones"):
        assert word in exported
    written = b"".join(p.read_bytes() for p in (tmp_path / "record").rglob("*") if p.is_file())
    for number in ("600100200", "600 100 200", name_of(0)):
        assert number.encode() not in written


def test_of_a_call_whose_caller_withdraws_nothing_is_left_in_the_record(tmp_path):
    with daemon(tmp_path, more=STORE) as running, looking(running) as view:
        running.phone(1).say(talk(4))
        running.phone(0).say(escalating())
        call = until(view, lambda call: call["state"] == "rising")
        road = f"/agent/calls/{call['session']}"
        running.post(f"{road}/note", {"text": "owes us for the blue bicycle"})
        wait_until(lambda: "blue bicycle" in ask(tmp_path, "export", "--call", name_of(0)))
        assert running.post(f"{road}/withdrawn", {})[0] == 200
        wait_until(lambda: "deleted calls" in ask(tmp_path, "verify"))
        gone = hackles("export", "--call", name_of(0), "--config", tmp_path / "hackles.toml")
        assert gone.code != 0
        running.stop()
    kept = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert b"blue bicycle" not in kept
    assert call["session"].encode() not in kept
    assert call["alert"]["id"].encode() not in kept
    assert "The chain is whole" in ask(tmp_path, "verify")
    assert ask(tmp_path, "export", "--call", name_of(1))
