"""The record's commands, as people run them, on a record that was written as calls write it."""

import io
import json
import os
import shutil
import sys

import pytest

from hackles import cli
from hackles.configuration import load
from hackles.store.database import open_database
from hackles.store.folder import Folder
from hackles.store.rows import row
from hackles.store.spool import Spool
from tests.program import Terminal, hackles
from tests.store.asked import CUSTOMER, Told, write, write_calls

SETTINGS = """\
[compliance]
notice = "told at the start"
basis = "consent"
[audiosocket]
listen = "127.0.0.1:9092"
[store]
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with settings and a record of four calls."""
    folder = tmp_path_factory.mktemp("record")
    (folder / "hackles.toml").write_text(SETTINGS)
    with_record(folder, write_calls)
    return folder


@pytest.fixture
def here(written, tmp_path, monkeypatch):
    """A copy of it, in which commands are run."""
    here = shutil.copytree(written, tmp_path / "here")
    monkeypatch.chdir(here)
    monkeypatch.setenv("COLUMNS", "100")
    return here


def with_record(folder, do):
    database = open_database(load(folder / "hackles.toml").store)
    try:
        return do(database)
    finally:
        database.close()


@pytest.fixture
def run(here, capfd, monkeypatch):
    """Run a command in this process, which is quicker; return exit code, output and errors."""

    def run_here(*arguments):
        monkeypatch.setattr(sys, "argv", ["hackles", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return exit_.value.code or 0, *capfd.readouterr()

    return run_here


def shown(run, *wishes):
    """Return the sessions that `calls` lists."""
    code, out, err = run("calls", *wishes)
    assert (code, err) == (0, "")
    return [line.split()[-1] for line in out.splitlines()[1:]]


def test_calls_are_a_row_each_the_newest_first(run):
    code, out, err = run("calls")
    assert (code, err) == (0, "")
    heading, under_way, after, before, calm, promised = map(str.split, out.splitlines())
    assert " ".join(heading) == "begun length queue agent warnings result answer session"
    assert " ".join(under_way[2:]) == "no end billing a7 – – – 00dd00dd"
    assert " ".join(after[2:]) == "1:06:40 second line a9 2 high ended by rule – c0ffee00"
    assert " ".join(calm[2:]) == "0:30 sales a8 0 – – 81b0aa77"
    assert " ".join(promised[2:]) == "1:35 billing a7 1 high promised 75 % 3fa9c1d2"
    assert before[0][:4] == "2026"


@pytest.mark.parametrize("width", [80, 120])
def test_no_row_is_wider_than_the_screen_and_no_session_is_cut(run, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    _, out, _ = run("calls")
    assert max(map(len, out.splitlines())) <= width
    assert all(f" {one}" in out for one in ("00dd00dd", "81b0aa77", "3fa9c1d2"))
    assert "ended by rule" in out


def test_in_a_pipe_a_call_is_one_plain_line(here):
    done = hackles("calls", cwd=here)
    assert (done.code, done.err) == (0, "")
    assert len(done.out.splitlines()) == 6
    assert "\x1b" not in done.out


def test_each_wish_is_an_option(run):
    assert shown(run, "--since", "2026-11-21", "--until", "2026-11-21") == ["c0ffee00"] * 2
    assert shown(run, "--queue", "sales") == ["81b0aa77"]
    assert shown(run, "--agent", "a7", "--limit", 1) == ["00dd00dd"]
    assert shown(run, "--warned", "--result", "promised") == ["3fa9c1d2"]
    assert shown(run, "--call", "c-1002") == ["81b0aa77"]
    assert shown(run, "--customer", CUSTOMER, "--text", "REFUND friday") == ["3fa9c1d2"]


def test_nothing_found_is_a_sentence(run):
    assert run("calls", "--agent", "nobody") == (0, "No call of the record is like that.\n", "")
    assert run("calls", "--agent", "nobody", "--format", "jsonl") == (0, "", "")


def test_lines_say_the_same_and_no_scores(run):
    _, out, _ = run("calls", "--format", "jsonl", "--call", "3fa9c1d2")
    (said,) = map(json.loads, out.splitlines())
    assert said["session"] == "3fa9c1d20001"
    assert said["begun"] == "2026-11-20T12:00:00.000Z"
    assert (said["warnings"], said["peak"], said["result"]) == (1, "irritated", "promised")
    assert not [name for name in said if "irritation" in name or "customer" in name]


def test_no_option_ranks_anybody():
    done = hackles("calls", "--help")
    assert not any(word in done.out for word in ("--sort", "--order", "--top", "--group"))


def test_an_export_has_all_of_a_call_and_nothing_of_another(run):
    code, out, err = run("export", "--call", "c-1001")
    assert (code, err) == (0, "")
    said = json.loads(out)
    (session,) = said["sessions"]
    assert session["session"] == "3fa9c1d20001"
    assert [one["state"] for one in session["alerts"]] == ["rising", "irritated"]
    assert session["alerts"][0]["evidence"][1]["measure"] == "tempo"
    assert session["alerts"][0]["model"] == "model-1"
    assert session["acknowledgements"][0]["alert"] == session["alerts"][0]["id"]
    assert session["cards"][0]["card"] == "venting.listen"
    assert session["notes"][0]["text"] == "Faktura się nie zgadza: złe 100 %"
    assert session["outcomes"][0]["promised"] == "refund, and a call back"
    assert session["satisfaction_answers"][0]["answer"] == "4 of 1 to 5"
    assert [one["irritation"] for one in session["readings"]] == [0.05, 0.1, 0.4, 0.8]
    assert session["gaps"] == [{"since": 30.0, "time": 40.0, "reason": "music"}]
    assert session["begun_at"].startswith("2026-11-20T")
    assert session["kept_until"].startswith("2027-06-08T")
    assert "c0ffee" not in out
    assert "22 123" not in out
    assert '"key"' not in out


def test_an_export_of_a_call_has_all_its_sessions(run):
    _, out, _ = run("export", "--call", "c0ffee00")
    found = [session["session"] for session in json.loads(out)["sessions"]]
    assert found == ["c0ffee000003", "c0ffee000004"]


def test_an_export_goes_into_a_new_file_for_its_owner_alone(run, here):
    assert run("export", "--call", "c-1002", "--out", "call.json") == (0, "", "")
    assert (here / "call.json").stat().st_mode & 0o777 == 0o600
    assert json.loads((here / "call.json").read_text())["type"] == "export"
    code, _, err = run("export", "--call", "c-1002", "--out", "call.json")
    assert (code, err) == (2, "hackles: call.json is there already; name another file.\n")


def test_what_is_not_kept_is_said_to_be_not(run):
    for command in ("export", "purge"):
        code, out, err = run(command, "--call", "c-9")
        assert (code, out) == (2, "")
        assert err.startswith("hackles: Nothing is kept by the name 'c-9'; ")


def test_a_purge_deletes_a_call_and_leaves_the_chain_whole(run):
    code, out, err = run("purge", "--call", "c0ffee00", "--yes")
    assert (code, err) == (0, "")
    assert out.startswith("Deleted: 2 sessions of 1 call. What stays: ")
    assert shown(run) == ["00dd00dd", "81b0aa77", "3fa9c1d2"]
    assert run("export", "--call", "c-1003")[0] == 2
    code, out, _ = run("verify")
    assert code == 0
    assert ", 3 calls, " in out
    assert " of deleted calls, " in out


def test_a_purge_of_a_customer_deletes_all_their_calls(run):
    code, out, _ = run("purge", "--customer", "0048 22 123 45 67", "--yes")
    assert code == 0
    assert out.startswith("Deleted: 4 sessions of 3 calls.")
    assert "Not all of it had ended" in out
    assert shown(run) == ["81b0aa77"]
    assert run("purge", "--customer", CUSTOMER, "--yes")[0] == 2


def test_where_nobody_can_be_asked_nothing_is_deleted_without_yes(run):
    code, out, err = run("purge", "--call", "c-1003")
    assert (code, out) == (2, "")
    assert "This would delete 1 call (2 sessions, from 2026-11-21" in err
    assert len(shown(run)) == 5


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, 5), ("y", 0, 4)])
def test_at_a_terminal_it_is_asked_once(run, here, answer, code, left):
    terminal = Terminal("purge", "--call", "c-1002", "--config", here / "hackles.toml")
    terminal.read_until("Delete all that is kept of 1 call (1 session, of 2026-11-20")
    terminal.type(f"{answer}\n")
    assert terminal.end().code == code
    assert len(shown(run)) == left


def test_what_to_delete_must_be_said_once(run):
    for wishes in ((), ("--call", "a", "--customer", "b")):
        code, _, err = run("purge", *wishes)
        assert code == 2
        assert err == "hackles: Say what to delete: --call NAME, or --customer NUMBER.\n"


def test_a_whole_chain_is_one_line(run):
    code, out, err = run("verify")
    assert (code, err) == (0, "")
    assert out.startswith("The chain is whole: 21 entries, 5 calls, head of 20")
    assert out.count("\n") == 1


def test_an_altered_entry_is_a_line_and_exit_code_1(run, here):
    altered = "UPDATE entries SET payload = replace(payload, 'Friday', 'Monday')"
    with_record(here, lambda database: execute(database, altered))
    code, out, err = run("verify")
    assert (code, err) == (1, "")
    (fault,) = out.splitlines()
    assert fault.endswith(" was altered.")
    assert "outcome of 2026-11-20" in fault


def execute(database, statement):
    with database.writing() as connection:
        connection.exec_driver_sql(statement)


def test_a_copy_of_the_head_tells_of_a_chain_that_was_cut_and_of_one_that_went_on(run, here):
    (here / "copy").write_bytes((here / "record" / "head").read_bytes())
    add = Told("c-1", "aaaa00000001")
    with_record(here, lambda database: write(database, add.begin(database.names)))
    assert run("verify", "--head", "copy")[0] == 0
    (here / "copy").write_text(f"99 {'ab' * 32}\n")
    code, out, _ = run("verify", "--head", "copy")
    assert code == 1
    assert "copy says 99: entries were cut off" in out
    assert run("verify", "--head", "none")[0] == 2


def test_answers_of_a_survey_are_taken_once(run, here):
    (here / "answers.csv").write_text(
        "\ufeffcall;rating;why\nc-1002;5;quick\nc-1003;2;\nc-9;3;\nc-1002;7;\n"
    )
    command = ("satisfaction", "answers.csv", "--best", 5, "--worst", 1, "--comment-column", "why")
    code, out, err = run(*command, "--source", "mail")
    assert code == 1
    assert err == "answers.csv:5: has 7, which is not on the scale of 1 to 5\n"
    assert out.startswith("Taken: 2; there already: 0; of calls that are not in the record: 1; ")
    assert run(*command, "--source", "mail")[1].startswith("Taken: 0; there already: 2; ")
    _, out, _ = run("calls", "--format", "jsonl")
    found = {said["session"]: said["satisfaction"] for said in map(json.loads, out.splitlines())}
    assert found["81b0aa770002"] == 1.0
    assert (found["c0ffee000003"], found["c0ffee000004"]) == (None, 0.25)
    answer = json.loads(run("export", "--call", "c-1002")[1])["sessions"][0]["satisfaction_answers"]
    assert [(one["comment"], one["source"]) for one in answer] == [("quick", "mail")]
    assert run("verify")[0] == 0


def test_without_a_store_section_it_is_said_what_to_add(run, here):
    (here / "hackles.toml").write_text(SETTINGS.replace("[store]\n", ""))
    for command in (["calls"], ["export", "--call", "a"], ["purge", "--call", "a"], ["verify"]):
        code, out, err = run(*command)
        assert (code, out) == (2, "")
        assert "keeps no record; add the line [store] to it" in err


def test_asking_begins_no_record(run, here):
    (here / "hackles.toml").write_text(SETTINGS + 'folder = "other"\n')
    code, _, err = run("calls")
    assert code == 2
    assert (
        err == f"hackles: There is no record in {here / 'other'} yet; `hackles live` begins it.\n"
    )
    assert not (here / "other").exists()


def test_a_wish_that_cannot_be_understood_is_a_sentence(run):
    code, _, err = run("calls", "--since", "soon")
    assert (code, err.count("\n")) == (2, 1)
    assert '"soon" is no date' in err


def wait_in_spool(here, *told):
    """Let what is told of some calls wait for the database."""

    def wait(database):
        rows = [row(one, database.names) for some in told for one in some.records]
        Spool(database.folder.spool, 2**20).append(rows)

    with_record(here, wait)


def test_what_waits_for_the_database_is_deleted_by_its_name(run, here):
    names = Folder(load(here / "hackles.toml").store).names
    gone, other = Told("c-77", "aaaa00000077"), Told("c-78", "aaaa00000078")
    wait_in_spool(here, gone.begin(names).hear(), other.begin(names))
    code, out, _ = run("purge", "--call", "c-77")
    assert code == 0
    assert out.startswith("The database has nothing by that name; what waited for it on disk, ")
    (waiting,) = (here / "record" / "spool").glob("*.jsonl")
    assert names.call("c-77") not in waiting.read_text()
    assert names.call("c-78") in waiting.read_text()


def test_an_export_and_a_customer_s_purge_say_that_something_waits(run, here):
    names = Folder(load(here / "hackles.toml").store).names
    wait_in_spool(here, Told("c-77", "aaaa00000077").begin(names))
    code, out, err = run("export", "--call", "c-1002")
    assert (code, json.loads(out)["type"]) == (0, "export")
    assert "export again" in err
    assert "run this again" in run("purge", "--customer", CUSTOMER, "--yes")[1]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only the superuser may")
def test_what_the_superuser_does_leaves_all_files_to_the_daemon_s_user(run, here):
    for path in (here / "record", *(here / "record").iterdir()):
        os.chown(path, 12345, 12345)
    assert run("purge", "--call", "c-1002", "--yes")[0] == 0
    assert run("verify")[0] == 0
    assert {path.stat().st_uid for path in (here / "record").iterdir()} == {12345}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="to root, all is open")
def test_another_user_is_told_whose_record_it_is(run, here):
    (here / "record").chmod(0)
    code, _, err = run("calls")
    (here / "record").chmod(0o700)
    assert code == 2
    assert "belongs to the user who runs `hackles live`" in err
