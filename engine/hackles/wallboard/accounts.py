"""The accounts of the people who look at the board."""

import sqlite3
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from hackles.errors import UsageError
from hackles.wallboard.book import Book
from hackles.wallboard.viewer import Role, Viewer

TABLES: Final = """
CREATE TABLE IF NOT EXISTS account (
    key TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    password TEXT NOT NULL,
    roles TEXT NOT NULL,
    teams TEXT NOT NULL,
    agent TEXT NOT NULL,
    made_at REAL NOT NULL
);
"""

LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in.

    Attributes:
        viewer: who that is, and what they may do.
        password: as a hash; "" for whoever a proxy signs in.
        made_at: when, in seconds since 1970.
    """

    viewer: Viewer
    password: str
    made_at: float


class Accounts:
    """All accounts, in the board's book; their names are found however they are capitalised."""

    def __init__(self, book: Book, clock: Callable[[], float] = time.time) -> None:
        """Read and write a book that has `TABLES`."""
        self._book, self._clock = book, clock

    def add(self, viewer: Viewer, password: str) -> None:
        """Make an account.

        Args:
            viewer: who may sign in.
            password: as a hash, or "" if a proxy signs them in.

        Raises:
            UsageError: if there is one by that name, or the name is none.
        """
        _check(viewer)
        roles, teams = (
            msgspec.json.encode(sorted(s)).decode() for s in (viewer.roles, viewer.teams)
        )
        try:
            self._book.do(
                "INSERT INTO account VALUES (?, ?, ?, ?, ?, ?, ?)",
                *(key(viewer.name), viewer.name, password, roles, teams, viewer.agent),
                self._clock(),
            )
        except sqlite3.IntegrityError as error:
            raise UsageError(
                f"There is an account {viewer.name} already; remove it first, or take another name."
            ) from error

    def find(self, name: str) -> Account | None:
        """Return the account by a name, or None."""
        found = self._book.rows("SELECT * FROM account WHERE key = ?", key(name))
        return _account(found[0]) if found else None

    def known(self, name: str) -> Account:
        """Return the account by a name.

        Raises:
            UsageError: if there is none.
        """
        account = self.find(name)
        if account is None:
            raise UsageError(
                f"There is no account {name}; `hackles wallboard user list` names all."
            )
        return account

    def all(self) -> list[Account]:
        """Return all accounts, by their names."""
        return [_account(row) for row in self._book.rows("SELECT * FROM account ORDER BY key")]

    def set_password(self, name: str, password: str) -> None:
        """Keep another hash, if there still is such an account."""
        self._book.do("UPDATE account SET password = ? WHERE key = ?", password, key(name))

    def remove(self, name: str) -> None:
        """Remove an account, if there is such a one; its sessions go with it."""
        self._book.do("DELETE FROM account WHERE key = ?", key(name))


def key(name: str) -> str:
    """Return what is the same for all spellings of a name that are taken for one."""
    return unicodedata.normalize("NFKC", name).casefold()


def _check(viewer: Viewer) -> None:
    """Refuse what could be mistaken for another name, or for none."""
    name = viewer.name
    if not name.strip() or name != name.strip() or not name.isprintable():
        raise UsageError("A name has letters that can be seen, and no blanks around them.")
    if max(map(len, (name, viewer.agent, *viewer.teams))) > LONGEST_NAME:
        raise UsageError(f"A name has {LONGEST_NAME} letters at most; take a shorter one.")
    if key(name) == "agent":
        raise UsageError("The name agent stands for whoever takes a call; take another one.")
    if not viewer.roles:
        raise UsageError("Say what the account is for, such as --role supervisor.")


def _account(row: sqlite3.Row) -> Account:
    roles = frozenset(Role(role) for role in msgspec.json.decode(row["roles"]))
    teams = frozenset(msgspec.json.decode(row["teams"], type=list[str]))
    viewer = Viewer(row["name"], roles, teams, row["agent"])
    return Account(viewer, row["password"], row["made_at"])
