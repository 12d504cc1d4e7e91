"""Who may look at the board: nobody signs in, by password, or by a proxy's word."""

from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from hackles.errors import UsageError
from hackles.wallboard import passwords
from hackles.wallboard.access import Access
from hackles.wallboard.accounts import Accounts
from hackles.wallboard.audit import KEPT_DAYS, Audit
from hackles.wallboard.book import Book
from hackles.wallboard.limits import Limits
from hackles.wallboard.settings import Feed
from hackles.wallboard.viewer import Role, Viewer
from tests.wallboard.served import (
    EVERYTHING,
    PASSWORD,
    TABLES,
    Clock,
    enrol,
    served,
    settings,
)

PROXY = "127.0.0.2"
"""A declared proxy: all of 127.0.0.0/8 is this machine, and one may come from any of it."""

ANNA = Viewer("anna@example.com", frozenset({Role.SUPERVISOR}), frozenset({"Billing"}))
NEW = "another long password"


@pytest.fixture
def board(tmp_path):
    enrol(tmp_path, EVERYTHING)
    with served(settings(tmp_path)) as up:
        yield up


@pytest.fixture
def book(tmp_path):
    opened = Book(tmp_path, TABLES)
    yield opened
    opened.close()


def test_whoever_signs_in_is_who_the_account_says(board):
    told = board.person("ROOT").get("/api/me").json
    assert (told["name"], told["teams"], told["sign_in"]) == ("root", ["*"], "password")
    assert told["roles"] == ["administrator", "agent", "analyst", "supervisor"]


def test_an_unknown_name_and_a_wrong_password_are_told_in_the_same_words(board):
    said = [{"name": name, "password": "x" * 12} for name in ("root", "nobody at all")]
    first, second = (board.stranger().post("/api/sign-in", one) for one in said)
    assert (first.status, first.body) == (second.status, second.body)
    assert first.status == 401


def test_no_script_and_no_other_site_gets_the_cookie(board):
    said = {"name": "root", "password": PASSWORD}
    cookie = board.stranger().post("/api/sign-in", said).header("set-cookie")
    named, *flags = [part.strip().lower() for part in cookie.split(";")]
    assert named.startswith("hackles=")
    assert {"httponly", "samesite=strict", "path=/"} <= set(flags)
    assert not {"secure"} & set(flags)
    assert not [flag for flag in flags if flag.startswith("domain")]


def test_signing_out_ends_the_session_and_no_other(board):
    one, other = board.person(), board.person()
    gone = one.post("/api/sign-out")
    assert gone.status == 200
    assert "max-age=0" in gone.header("set-cookie").lower()
    assert one.get("/api/me").status == 401
    assert other.get("/api/me").status == 200


def test_a_new_password_ends_all_sessions_of_the_old_one(board):
    one, other = board.person(), board.person()
    wrong = one.post("/api/password", {"old": "x" * 12, "new": NEW})
    short = one.post("/api/password", {"old": PASSWORD, "new": "short"})
    assert (wrong.status, short.status) == (401, 422)
    done = one.post("/api/password", {"old": PASSWORD, "new": NEW})
    assert done.status == 200
    now = replace(one, cookie=done.header("set-cookie").partition(";")[0], csrf=done.json["csrf"])
    assert [p.get("/api/me").status for p in (one, other, now)] == [401, 401, 200]
    said = {"name": "root", "password": PASSWORD}
    assert board.stranger().post("/api/sign-in", said).status == 401
    board.person(password=NEW)


def test_whose_account_is_removed_is_signed_out_at_once(board):
    person = board.person()
    with board.book() as book:
        Accounts(book).remove("root")
    assert person.get("/api/me").status == 401


def test_a_weaker_hash_is_made_anew_when_its_password_is_there(tmp_path, book):
    weak = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    Accounts(book).add(EVERYTHING, weak)
    with served(settings(tmp_path)) as board:
        board.person()
    strong = Accounts(book).known("root").password
    assert strong != weak
    assert not PasswordHasher().check_needs_rehash(strong)
    assert strong.startswith("$argon2id$")


def test_what_people_do_is_in_the_log_with_when_and_from_where(board):
    board.stranger().post("/api/sign-in", {"name": "root", "password": "wrong"})
    person = board.person()
    person.post("/api/password", {"old": PASSWORD, "new": NEW})
    board.person(password=NEW).post("/api/sign-out")
    told = board.person(password=NEW).get("/api/audit").json["entries"]
    assert [(one["by"], one["what"], one["about"]) for one in reversed(told)] == [
        ("", "wrong password", "root"),
        ("root", "signed in", ""),
        ("root", "changed the password", "root"),
        ("root", "signed in", ""),
        ("root", "signed out", ""),
        ("root", "signed in", ""),
    ]
    assert {one["address"] for one in told} == {"127.0.0.1"}


def test_the_log_is_read_in_parts(board):
    person = board.person()
    with board.book() as book:
        for n in range(5):
            Audit(book).note("somebody", f"deed {n}")
    newest = person.get("/api/audit?limit=2").json["entries"]
    older = person.get(f"/api/audit?limit=2&before={newest[-1]['id']}").json["entries"]
    assert [one["what"] for one in newest + older] == ["deed 4", "deed 3", "deed 2", "deed 1"]
    for wrong in ("limit=0", "limit=x", "limit=1001", "before=-1", "before=99999999999999999999"):
        assert person.get(f"/api/audit?{wrong}").status == 422


def test_the_log_is_only_added_to_and_kept_for_400_days(book):
    clock = Clock()
    Audit(book, clock).note("anna", "signed in", address="192.0.2.1")
    for sql in ("UPDATE audit SET what = 'nothing'", "DELETE FROM audit"):
        with pytest.raises(Exception, match="audit log is"):
            book.do(sql)
    clock.ahead = -(KEPT_DAYS + 1) * 86_400
    Audit(book, clock).note("old", "signed in")
    assert [entry.by for entry in Audit(book).entries()] == ["old", "anna"]
    clock.ahead = 0
    Audit(book, clock).note("new", "signed in")
    assert [entry.by for entry in Audit(book).entries()] == ["new", "anna"]


def test_where_nobody_signs_in_this_machine_alone_sees_everything(tmp_path):
    with served(settings(tmp_path, "nobody", proxies=(f"{PROXY}/32",))) as board:
        here = board.stranger()
        told = here.get("/api/me").json
        assert (told["name"], told["teams"], len(told["roles"])) == ("local", ["*"], 4)
        here = replace(here, csrf=told["csrf"])
        assert here.post("/api/sign-out").status == 200
        assert here.post("/api/sign-in", {"name": "a", "password": "b"}).status == 409
        assert replace(here, csrf="x").post("/api/sign-out").status == 403
        from_elsewhere = board.stranger(PROXY, **{"X-Forwarded-For": "192.0.2.7"})
        assert from_elsewhere.get("/api/me").status == 401
        said_nothing = board.stranger(PROXY, **{"X-Forwarded-For": "unknown"})
        assert said_nothing.get("/api/me").status == 401


@pytest.mark.parametrize("said", ["Forwarded", "Via", "X-Forwarded-For", "X-Real-IP"])
def test_whom_an_undeclared_proxy_on_this_machine_lets_in_is_not_this_machine(tmp_path, said):
    with served(settings(tmp_path, "nobody", public_url="https://board.example")) as board:
        passed_on = board.stranger(**{"Host": "board.example", said: "127.0.0.1"})
        assert passed_on.get("/api/me").status == 401
        assert passed_on.post("/feed", []).status in (401, 404)
        assert board.stranger().get("/api/me").status == 200


@pytest.fixture
def behind(tmp_path):
    """A board behind a proxy that signs people in and ends TLS."""
    enrol(tmp_path, ANNA, password="")
    given = {"proxies": (f"{PROXY}/32",), "public_url": "https://board.example"}
    with served(settings(tmp_path, "header", **given)) as up:
        yield up


def test_a_declared_proxy_says_who_it_is_and_the_book_what_they_may_do(behind):
    anna = behind.stranger(PROXY, **{"X-Forwarded-Email": "Anna@Example.com"})
    told = anna.get("/api/me").json
    assert (told["name"], told["roles"], told["teams"]) == (
        "anna@example.com",
        ["supervisor"],
        ["Billing"],
    )
    assert anna.get("/api/audit").status == 403
    assert anna.get("/api/me", headers={"Host": "board.example"}).status == 200
    assert replace(anna, csrf=told["csrf"]).post("/api/sign-out").status == 200
    origin = {"Origin": "https://board.example", "Sec-Fetch-Site": "same-origin"}
    assert replace(anna, csrf=told["csrf"]).post("/api/sign-out", headers=origin).status == 200


def test_nobody_but_a_declared_proxy_is_believed(behind):
    for headers in (
        {"X-Forwarded-Email": ANNA.name},
        {"X-Forwarded-Email": ANNA.name, "X-Forwarded-For": PROXY},
        {"X-Forwarded-Email": ANNA.name, "X-Real-IP": PROXY, "Forwarded": f"for={PROXY}"},
    ):
        for source in ("127.0.0.1", "127.0.0.3"):
            assert behind.stranger(source, **headers).get("/api/me").status == 401


def test_whom_the_proxy_does_not_name_or_nobody_knows_gets_nothing(behind):
    assert behind.stranger(PROXY).get("/api/me").status == 401
    assert behind.stranger(PROXY, **{"X-Forwarded-Email": " "}).get("/api/me").status == 401
    unknown = behind.stranger(PROXY, **{"X-Forwarded-Email": "eve@example.com"}).get("/api/me")
    assert unknown.status == 403
    assert "no account" in unknown.json["error"]
    # A second header may be the visitor's own, which the proxy did not take away.
    twice = {"X-Forwarded-Email": ANNA.name, "x-forwarded-email": "eve@example.com"}
    assert behind.stranger(PROXY, **twice).get("/api/me").status == 401


def test_behind_tls_the_cookie_is_for_tls_alone(tmp_path):
    enrol(tmp_path, EVERYTHING)
    said = {"name": "root", "password": PASSWORD}
    with served(settings(tmp_path, proxies=(f"{PROXY}/32",))) as board:
        tls = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.9, 192.0.2.7"}
        answer = board.stranger(PROXY, **tls).post("/api/sign-in", said)
        cookie = answer.header("set-cookie")
        assert cookie.startswith("__Host-hackles=")
        assert "; secure" in cookie.lower()
        assert answer.header("strict-transport-security")
        assert board.audit()[0].address == "192.0.2.7"
        person = board.stranger(PROXY, **tls, Cookie=cookie.partition(";")[0])
        assert person.get("/api/me").status == 200
        # The same without TLS, or by a name that any page of the host could set, is no session.
        plain = board.stranger(Cookie=cookie.partition(";")[0])
        assert plain.get("/api/me").status == 401
        set_by_others = cookie.partition(";")[0].removeprefix("__Host-")
        assert board.stranger(PROXY, **tls, Cookie=set_by_others).get("/api/me").status == 401
        lied = board.stranger(**tls).post("/api/sign-in", said)
        assert lied.header("set-cookie").startswith("hackles=")
        assert lied.header("strict-transport-security") is None


def test_a_bucket_is_full_at_first_and_fills_up_steadily():
    now = [0.0]
    limits = Limits(lambda: now[0])
    assert [limits.spend("a", 3, 60) for _ in range(4)] == [0, 0, 0, 20]
    assert limits.spend("b", 3, 60) == 0
    now[0] = 20.0
    assert [limits.spend("a", 3, 60) for _ in range(2)] == [0, 20]
    limits.give_back("a")
    assert limits.spend("a", 3, 60) == 0
    now[0] = 10.0  # a clock may be set back
    assert limits.spend("a", 3, 60) == 20


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_a_secret_that_is_not_there_is_one_sentence(tmp_path, book, content):
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    given = settings(tmp_path, feed=Feed(token_file=str(path)))
    with pytest.raises(UsageError, match="token_file"):
        Access(given, book, Audit(book))


def test_a_proxy_that_is_no_network_is_one_sentence(tmp_path, book):
    with pytest.raises(UsageError, match="no network"):
        Access(settings(tmp_path, proxies=("proxy.example",)), book, Audit(book))


@pytest.mark.parametrize("password", ["", "x" * 9, "x" * 1025])
def test_a_password_too_short_or_too_long_is_refused(password):
    with pytest.raises(UsageError, match="10 to 1024"):
        passwords.hashed(password)


@pytest.mark.parametrize("name", ["", " ", " a", "a\n", "\x00", "a\u202eb", "x" * 201, "Agent"])
def test_a_name_that_could_be_mistaken_is_refused(book, name):
    viewer = Viewer(name, frozenset({Role.ANALYST}), frozenset({"*"}))
    with pytest.raises(UsageError, match="name"):
        Accounts(book).add(viewer, "")
    assert not Accounts(book).all()
