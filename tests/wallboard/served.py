"""The board's real server on a port of its own, as strangers and friends meet it."""

import asyncio
import json
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection

from hackles.live.pages import Page
from hackles.wallboard import access as access_module
from hackles.wallboard import access_roads
from hackles.wallboard import audit as audit_module
from hackles.wallboard.access import Access
from hackles.wallboard.accounts import Accounts
from hackles.wallboard.application import application
from hackles.wallboard.audit import Audit
from hackles.wallboard.book import Book
from hackles.wallboard.passwords import hashed
from hackles.wallboard.patience import Patient
from hackles.wallboard.settings import Board, Feed, Settings, SignIn
from hackles.wallboard.viewer import ALL_TEAMS, Role, Viewer
from tests.program import wait_until
from tests.softphones import free_ports

TABLES = (access_module.TABLES, audit_module.TABLES)
PASSWORD = "a long enough password"
NO_FEED = Feed()
EVERYTHING = Viewer("root", frozenset(Role), frozenset({ALL_TEAMS}), "a-1")


class Clock:
    """A clock that is set forward by hand."""

    def __init__(self):
        self.ahead = 0.0

    def __call__(self):
        return time.time() + self.ahead


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: list
    body: bytes

    def header(self, name):
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(found) if found else None

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Person:
    """A browser with a cookie, or none."""

    listen: str
    cookie: str = ""
    csrf: str = ""
    headers: dict = field(default_factory=dict)
    source: str = "127.0.0.1"

    def ask(self, method, path, said=None, *, headers=(), without=()):
        """Ask for something as the board's own page would, but for what is said to be otherwise."""
        sent = {"Host": self.listen, "Cookie": self.cookie, "X-CSRF-Token": self.csrf}
        if method == "POST":
            sent["Content-Type"] = "application/json"
        sent = {k: v for k, v in (sent | self.headers | dict(headers)).items() if v != ""}
        body = said if isinstance(said, bytes) or said is None else json.dumps(said).encode()
        given = {"timeout": 30, "source_address": (self.source, 0)}
        with closing(HTTPConnection(self.listen, **given)) as connection:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if name not in without:
                    connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())

    def get(self, path, **otherwise):
        return self.ask("GET", path, **otherwise)

    def post(self, path, said=None, **otherwise):
        return self.ask("POST", path, {} if said is None else said, **otherwise)

    def sign_in(self, name, password=PASSWORD):
        """Sign in, and be somebody from then on."""
        answer = self.post("/api/sign-in", {"name": name, "password": password})
        assert answer.status == 200, answer
        cookie = answer.header("set-cookie").partition(";")[0]
        return replace(self, cookie=cookie, csrf=answer.json["csrf"])


class Served:
    """A board that is up, and what there is to know of it."""

    def __init__(self, listen, folder, clock, roads):
        self.listen, self.folder, self.clock, self.roads = listen, folder, clock, roads

    def stranger(self, source="127.0.0.1", **headers):
        return Person(self.listen, source=source, headers=headers)

    def person(self, name="root", password=PASSWORD):
        return self.stranger().sign_in(name, password)

    @contextmanager
    def book(self):
        """Look into the book from beside, as the command line does."""
        book = Book(self.folder, TABLES)
        try:
            yield book
        finally:
            book.close()

    def audit(self):
        with self.book() as book:
            return Audit(book).entries(limit=1000)


def settings(folder, by="password", feed=NO_FEED, **board):
    """Return settings of a board whose book lies in a folder."""
    return Settings(board=Board(folder=str(folder), **board), sign_in=SignIn(by=by), feed=feed)


def enrol(folder, *viewers, password=PASSWORD):
    """Make accounts, all with the same password (one hash, for hashing takes its time)."""
    book = Book(folder, TABLES)
    secret = hashed(password) if password else ""
    for viewer in viewers:
        Accounts(book).add(viewer, secret)
    book.close()


@contextmanager
def served(given, roads=lambda access: [], tables=()):
    """Serve the board: `roads` makes those beside the ones of access, on the board's thread."""
    listen, clock = f"127.0.0.1:{free_ports(1)[0]}", Clock()
    pages, roads_there, failed = [], [], []

    async def serve():
        with ExitStack() as stack:
            book = Book(given.board.folder, [*TABLES, *tables])
            stack.callback(book.close)
            access = Access(given, book, Audit(book, clock), clock)
            app = application([*roads(access), *access_roads.roads(access)], access)
            roads_there.extend(app.state.roads)
            page = Page(app, stack, listen, http=Patient)
            pages.append((page, asyncio.get_running_loop()))
            await page.serve()

    def run():
        try:
            asyncio.run(serve())
        except Exception as error:
            failed.append(error)
            raise

    thread = threading.Thread(target=run)
    thread.start()
    try:
        wait_until(lambda: failed or (pages and pages[0][0].started))
        assert not failed, failed
        yield Served(listen, given.board.folder, clock, roads_there)
    finally:
        for page, loop in pages:
            loop.call_soon_threadsafe(page.end)
        thread.join()
