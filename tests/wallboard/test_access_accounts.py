"""Accounts and the audit log, from the command line."""

import json
import subprocess
import sys

import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner

from hackles.cli.wallboard_accounts import users
from hackles.errors import UsageError
from hackles.wallboard.accounts import Accounts
from hackles.wallboard.audit import Audit
from hackles.wallboard.book import Book
from hackles.wallboard.sessions import Sessions
from hackles.wallboard.settings import SignIn
from hackles.wallboard.viewer import ALL_TEAMS, Role, Viewer
from tests import program
from tests.program import ENVIRONMENT, Ended, ended
from tests.wallboard.served import TABLES

PASSWORD = "correct horse battery"

_PROGRAM = """
import typer
from hackles import cli
from hackles.cli import commands
from hackles.cli.wallboard_accounts import audit, users

if not [one for one in commands.app.registered_groups if one.name == "wallboard"]:
    board = typer.Typer()
    board.add_typer(users, name="user")
    board.command("audit")(audit)
    commands.app.add_typer(board, name="wallboard")
cli.main()
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with the board's settings, of which everybody signs in by password."""
    write(tmp_path, 'by = "password"')
    return tmp_path


def write(folder, sign_in):
    teams = '[[team]]\nname = "Billing"\nqueues = ["billing"]\n'
    (folder / "wallboard.toml").write_text(f"[sign_in]\n{sign_in}\n{teams}")


def wallboard(folder, *words, said="") -> Ended:
    """Run `hackles wallboard` in a folder, with something on standard input."""
    command = [sys.executable, "-c", _PROGRAM, "wallboard", *words]
    done = subprocess.run(
        command, input=said.encode(), capture_output=True, cwd=folder, env=ENVIRONMENT, check=False
    )
    return ended(done.returncode, done.stdout, done.stderr)


def add(folder, name, *words, said=f"{PASSWORD}\n"):
    return wallboard(folder, "user", "add", name, *words, said=said)


def opened(folder):
    return Book(folder / "wallboard", TABLES)


def test_an_account_is_made_as_it_is_asked_for(folder):
    words = ("--role", "supervisor", "--role", "agent", "--team", "Billing", "--agent", "a-17")
    done = add(folder, "anna", *words)
    assert (done.code, done.out) == (0, "anna may look at the board as agent, supervisor.\n")
    add(folder, "boss", "--role", "analyst", "--all-teams")
    book = opened(folder)
    anna, boss = Accounts(book).all()
    noted = [(entry.by, entry.what, entry.about) for entry in Audit(book).entries()]
    book.close()
    roles = frozenset({Role.SUPERVISOR, Role.AGENT})
    assert anna.viewer == Viewer("anna", roles, frozenset({"Billing"}), "a-17")
    assert boss.viewer.teams == {ALL_TEAMS}
    assert PasswordHasher().verify(anna.password, PASSWORD)
    assert noted[-1] == ("command line", "made an account: agent, supervisor", "anna")
    assert (folder / "wallboard" / "board.db").stat().st_mode & 0o077 == 0
    listed = wallboard(folder, "user", "list").out
    assert "anna" in listed
    assert "a-17" in listed
    assert "argon2" not in listed


SUPERVISOR = ("--role", "supervisor", "--team", "Billing")


@pytest.mark.parametrize(
    ("words", "said", "sentence"),
    [
        (("anna", *SUPERVISOR), "short\n", "10 to 1024 characters"),
        (("anna", *SUPERVISOR), "", "10 to 1024 characters"),
        (("anna", "--role", "supervisor"), PASSWORD, "--all-teams"),
        (("anna", "--role", "supervisor", "--team", "Biling"), PASSWORD, "no team Biling"),
        (("anna", "--role", "agent"), PASSWORD, "--agent ID"),
        (("anna", *SUPERVISOR, "--agent", "a-17"), PASSWORD, "--role agent"),
        (("anna", *SUPERVISOR, "--no-password"), "", "leave out --no-password"),
        ((" ", *SUPERVISOR), PASSWORD, "letters that can be seen"),
        (("agent", *SUPERVISOR), PASSWORD, "take another one"),
    ],
)
def test_each_fault_is_one_sentence(folder, words, said, sentence):
    config = ["--config", str(folder / "wallboard.toml")]
    done = CliRunner().invoke(users, ["add", *words, *config], input=said)
    assert isinstance(done.exception, UsageError)
    assert sentence in str(done.exception)
    assert "\n" not in str(done.exception)
    book = Book(folder / "wallboard", TABLES)
    assert not Accounts(book).all()
    book.close()


def test_a_fault_is_told_with_exit_code_2(folder):
    done = add(folder, "anna", *SUPERVISOR, said="short\n")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(
    ("second", "code", "shown"), [(PASSWORD, 0, "may look"), ("another one", 2, "two different")]
)
def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(
    folder, monkeypatch, second, code, shown
):
    monkeypatch.setattr(program, "HACKLES", sys.executable)
    config = ("--config", folder / "wallboard.toml")
    words = ("wallboard", "user", "add", "anna", *SUPERVISOR, *config)
    terminal = program.Terminal("-c", _PROGRAM, *words)
    terminal.read_until("Password: ")
    terminal.type(f"{PASSWORD}\n")
    terminal.read_until("again: ")
    terminal.type(f"{second}\n")
    done = terminal.end()
    assert (done.code, shown in done.out, PASSWORD in done.out) == (code, True, False)


def test_no_two_accounts_have_the_same_name(folder):
    assert add(folder, "anna", *SUPERVISOR).code == 0
    again = add(folder, "Anna", *SUPERVISOR)
    assert (again.code, "already" in again.err) == (2, True)


def test_where_a_proxy_signs_people_in_they_have_no_password(folder):
    write(folder, 'by = "header"\n[board]\nproxies = ["192.0.2.10"]')
    with_one = add(folder, "anna@example.com", *SUPERVISOR)
    assert (with_one.code, "--no-password" in with_one.err) == (2, True)
    assert add(folder, "anna@example.com", *SUPERVISOR, "--no-password", said="").code == 0
    assert "proxy" in wallboard(folder, "user", "list").out


def test_a_new_password_and_a_removal_end_all_sessions(folder):
    add(folder, "anna", *SUPERVISOR)
    book = opened(folder)
    sessions = Sessions(book, SignIn())
    first = sessions.begin("anna")
    assert sessions.name(first, is_use=True) == "anna"
    changed = wallboard(folder, "user", "password", "ANNA", said="another long password\n")
    assert changed.code == 0
    assert sessions.name(first, is_use=True) == ""
    assert PasswordHasher().verify(Accounts(book).known("anna").password, "another long password")
    second = sessions.begin("anna")
    assert wallboard(folder, "user", "remove", "anna").code == 0
    assert sessions.name(second, is_use=True) == ""
    book.close()
    for deed in ("remove", "password"):
        gone = wallboard(folder, "user", deed, "anna", said=PASSWORD)
        assert (gone.code, "user list" in gone.err) == (2, True)


def test_the_log_is_printed_for_people_and_for_machines(folder):
    assert "when" in wallboard(folder, "audit").out
    add(folder, "anna", *SUPERVISOR)
    book = opened(folder)
    Audit(book).note("eve\x1b[2J\r\n", "signed in", address="192.0.2.1")
    book.close()
    shown = wallboard(folder, "audit").out
    assert "\x1b" not in shown
    assert "made an account: supervisor" in shown
    newest = json.loads(wallboard(folder, "audit", "--format", "jsonl", "--limit", "1").out)
    assert (newest["what"], newest["address"]) == ("signed in", "192.0.2.1")


@pytest.mark.parametrize("text", [None, "[board", "[boards]\n", '[sign_in]\nby = "magic"\n'])
def test_settings_that_cannot_be_used_are_one_sentence(tmp_path, text):
    config = tmp_path / "wallboard.toml"
    if text is not None:
        config.write_text(text)
    done = CliRunner().invoke(users, ["list", "--config", str(config)])
    assert isinstance(done.exception, UsageError)
    assert "wallboard.toml" in str(done.exception)
    assert not (tmp_path / "wallboard").exists()
