"""A stranger gets nothing: each way in that one would try, at the real server."""

import json
import socket
import threading
from contextlib import contextmanager, suppress
from functools import partial

import pytest

from hackles.live import asking
from hackles.wallboard import passwords, patience
from hackles.wallboard.roads import ANYBODY, ENGINE
from hackles.wallboard.settings import Feed
from hackles.wallboard.viewer import ALL_TEAMS, Role, Viewer
from tests.wallboard.served import EVERYTHING, PASSWORD, enrol, served, settings
from tests.wallboard.service import CALLS, FILE, FILLED, TABLES, service_roads

BILLING = Viewer("billing", frozenset({Role.SUPERVISOR}), frozenset({"Billing"}))
SALES = Viewer("sales", frozenset({Role.SUPERVISOR}), frozenset({"Sales"}))
ONLY = {
    role: Viewer(f"only-{role}", frozenset({role}), frozenset({ALL_TEAMS}), "a-1") for role in Role
}
TOKEN = "the engines' secret"


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """A board with accounts of all kinds, which the tests leave as they find it."""
    folder = tmp_path_factory.mktemp("board")
    (folder / "token").write_text(TOKEN)
    enrol(folder, EVERYTHING, BILLING, SALES, *ONLY.values())
    given = settings(folder, feed=Feed(token_file=str(folder / "token")))
    with served(given, service_roads, TABLES) as up:
        yield up


@pytest.fixture(scope="module")
def root(board):
    return board.person()


@pytest.fixture
def fresh(tmp_path):
    """A board with few accounts, which a test may wear out."""
    enrol(tmp_path, EVERYTHING, BILLING)
    with served(settings(tmp_path), service_roads, TABLES) as up:
        yield up


def path(road):
    """Return a road's path with names in it that there are."""
    found = road.path
    for name, value in FILLED.items():
        found = found.replace(f"{{{name}}}", value)
    return found.replace("{", "").replace("}", "")


def guarded(board):
    """Return all roads that not anybody may go."""
    roads = [road for road in board.roads if road.who != ANYBODY]
    assert len(roads) > 8
    return roads


def refused(answer, status):
    """Return whether nothing came back but a sentence."""
    assert answer.status == status, answer
    assert list(answer.json) == ["error"]
    assert answer.json["error"].endswith((".", "…"))
    assert answer.header("set-cookie") is None
    return True


def raw(listen, sent):
    """Send bytes as they are, and return what comes back."""
    host, port = listen.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        came = b""
        while some := connection.recv(65536):
            came += some
    return came


def test_without_signing_in_no_road_gives_anything(board):
    for road in guarded(board):
        assert refused(board.stranger().ask(road.method, path(road), {}), 401), road.path


def test_the_wrong_role_gets_nothing_by_any_road(board):
    people = {role: board.person(viewer.name) for role, viewer in ONLY.items()}
    tried = 0
    for road in board.roads:
        wrong = set(Role) - road.who if isinstance(road.who, frozenset) else ()
        for role in wrong:
            tried += 1
            assert refused(people[role].ask(road.method, path(road), {}), 403), (road.path, role)
    assert tried > 5


def test_nobody_learns_of_calls_and_alerts_of_other_teams(board):
    billing, sales = board.person("billing"), board.person("sales")
    assert billing.get("/api/calls/call-of-billing").status == 200
    for other, ours in ((sales, "billing"), (billing, "sales")):
        there, not_there = (
            other.get(f"/api/calls/call-of-{name}") for name in (ours, "nobody-at-all")
        )
        assert refused(there, 404)
        assert there.body == not_there.body
        there, not_there = (
            other.post(f"/api/alerts/alert-of-{name}/step", {"step": "seen"})
            for name in (ours, "nobody-at-all")
        )
        assert refused(there, 404)
        assert there.body == not_there.body
        assert f"call-of-{ours}" not in other.get("/api/view").body.decode()
    assert len(CALLS) == 2


def test_engines_are_let_in_by_their_secret_alone(board, root):
    for road in board.roads:
        if road.who != ENGINE:
            continue
        for header in ("", "Bearer", "Bearer x", f"Basic {TOKEN}", TOKEN, "Bearer ü", "Bearer "):
            answer = root.ask(road.method, road.path, {}, headers={"Authorization": header})
            assert refused(answer, 401), header
            assert answer.header("www-authenticate") == "Bearer"
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        page = board.stranger(**bearer, **{"Sec-Fetch-Site": "same-origin"})
        assert refused(page.ask(road.method, road.path, {}), 403)
        assert board.stranger(**bearer).ask(road.method, road.path, {}).status not in (401, 403)


def test_the_engines_secret_opens_no_other_road(board):
    engine = board.stranger(Authorization=f"Bearer {TOKEN}")
    for road in guarded(board):
        if road.who != ENGINE:
            assert refused(engine.ask(road.method, path(road), {}), 401), road.path


def forged(cookie):
    """Yield cookies that are not ours, beginning with one that nearly is."""
    name, _, secret = cookie.partition("=")
    last = "A" if secret[-1] != "A" else "B"
    yield f"{name}={secret[:-1]}{last}"
    yield f"{name}={secret[:-1]}"
    yield f"{name}={secret}A"
    yield f"{name}={secret.swapcase()}"
    yield f"{name}="
    yield f"__Host-{cookie}"
    yield f"{name.upper()}={secret}"
    yield f"{name}=root"
    yield f"{name}=' OR 1=1 --"
    yield f"{name}=%00; {name}=\xff\xfe"
    yield f"{name}={'A' * 8000}"


def test_a_forged_cookie_is_no_session(board, root):
    assert root.get("/api/me").status == 200
    for cookie in forged(root.cookie):
        other = board.stranger(Cookie=cookie)
        assert refused(other.get("/api/me"), 401), cookie[:60]


def test_the_book_holds_no_session_that_could_be_stolen(board, root):
    with board.book() as book:
        digests = [row["digest"] for row in book.rows("SELECT digest FROM session")]
    assert digests
    secret = root.cookie.partition("=")[2]
    assert secret not in digests
    for digest in digests:
        assert refused(board.stranger(Cookie=f"hackles={digest}").get("/api/me"), 401)


def test_an_idle_session_ends_and_one_in_use_ends_in_the_end(fresh):
    person = fresh.person()
    idle_s, longest_s = 12 * 3600, 24 * 3600
    fresh.clock.ahead = idle_s - 60
    assert person.get("/api/me").status == 200
    fresh.clock.ahead += idle_s - 60
    assert person.get("/api/me").status == 200
    fresh.clock.ahead = longest_s + 60
    assert refused(person.get("/api/me"), 401)
    other = fresh.person()
    fresh.clock.ahead += idle_s + 60
    assert refused(other.get("/api/me"), 401)
    with fresh.book() as book:
        fresh.person()
        assert len(book.rows("SELECT * FROM session")) == 1


def test_what_changes_something_needs_the_token_of_its_own_session(board, root):
    others = board.person().csrf
    assert others != root.csrf
    before = len(board.audit())
    for road in guarded(board):
        if road.method == "GET" or road.who == ENGINE:
            continue
        for token in ("", "x", others, root.csrf[:-1], root.csrf.upper(), "ü"):
            answer = root.ask(road.method, path(road), {}, headers={"X-CSRF-Token": token})
            assert refused(answer, 403), (road.path, token)
        in_query = f"{path(road)}?csrf={root.csrf}"
        assert refused(root.ask("POST", in_query, {}, without=["X-CSRF-Token"]), 403)
    assert len(board.audit()) == before


def test_another_sites_page_gets_and_does_nothing(board, root):
    foreign = [{"Sec-Fetch-Site": site} for site in ("cross-site", "same-site", "none, x")]
    foreign += [{"Origin": o} for o in ("https://evil.example", "null", "http://127.0.0.1:1")]
    for road in board.roads:
        if (road.who == ANYBODY and road.method == "GET") or road.who == ENGINE:
            continue
        for headers in foreign:
            answer = root.ask(road.method, path(road), {}, headers=headers)
            assert refused(answer, 403), (road.path, headers)


def test_what_a_form_can_send_is_refused(board, root):
    for road in board.roads:
        if road.method == "GET" or road.who == ENGINE:
            continue
        for kind in ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            answer = root.ask("POST", path(road), b"{}", headers={"Content-Type": kind})
            assert refused(answer, 415), (road.path, kind)


def test_no_other_site_is_ever_given_leave(board, root):
    asks = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for road in board.roads:
        answer = root.ask("OPTIONS", path(road), headers=asks)
        assert answer.status == 405
        named = [name.lower() for name, _ in answer.headers]
        assert not [name for name in named if name.startswith("access-control")]


def test_by_a_foreign_name_nothing_is_had(board, root):
    port = board.listen.partition(":")[2]
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "[::2]", "x@y"):
        for road in board.roads:
            assert refused(root.ask(road.method, path(road), {}, headers={"Host": host}), 400), host
    for sent in (
        b"GET /api/me HTTP/1.1\r\n\r\n",
        b"GET /api/me HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
        b"GET http://evil.example/api/me HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    ):
        assert raw(board.listen, sent).startswith(b"HTTP/1.1 400 ")
    for host in ("localhost", f"LOCALHOST:{port}", "127.0.0.1", f"[::1]:{port}"):
        assert root.get("/api/me", headers={"Host": host}).status == 200


ODD = [
    "..",
    "../daemon.py",
    "..%2fdaemon.py",
    "%2e%2e/daemon.py",
    "%2e%2e%2fdaemon.py",
    "%252e%252e%252fdaemon.py",
    "..%5cdaemon.py",
    "..\\daemon.py",
    "....//daemon.py",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "..%c0%afdaemon.py",
    f"{FILE}%00.png",
    "%00",
    "words/en.toml",
    "words%2fen.toml",
    "file:%2f%2f%2fetc%2fpasswd",
    "%0d%0aSet-Cookie:%20x=y",
    "%ff%fe",
    "x" * 5000,
]


def test_no_path_leads_out_of_where_it_should(board, root):
    assert board.stranger().get(f"/static/{FILE}").status == 200
    fronts = {road.path.partition("{")[0] for road in board.roads if "{" in road.path}
    ends = {road.path.partition("}")[2] for road in board.roads if "{" in road.path}
    assert len(fronts) >= 3
    for front in fronts:
        for end in ends:
            for odd in ODD:
                for method in ("GET", "POST"):
                    answer = root.ask(method, f"{front}{odd}{end}", {"step": "seen"})
                    assert answer.status in (404, 405), (front, odd, end, answer.status)
                    assert list(answer.json) == ["error"]
                    assert answer.header("set-cookie") is None


def test_what_is_no_road_is_said_so_as_json(board, root):
    for somebody in (root, board.stranger()):
        assert refused(somebody.get("/api/nothing"), 404)
        assert refused(somebody.get("/api/me/"), 404)
        assert refused(somebody.get("//evil.example/%2e%2e"), 404)
        odd = somebody.ask("DELETE", "/api/me")
        assert refused(odd, 405)
        assert "GET" in odd.header("allow")


def test_a_body_that_is_too_large_is_refused_before_it_is_all_there(board, root):
    large = b'{"name": "' + b"x" * 20_000 + b'"}'
    for road in board.roads:
        if road.method == "POST" and road.who != ENGINE:
            assert refused(root.ask("POST", path(road), large), 413), road.path


HEAD = (
    "POST /api/sign-in HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    "Transfer-Encoding: chunked\r\n\r\n"
)


def test_a_body_without_end_is_cut_off(board):
    host, port = board.listen.split(":")
    piece = b"1000\r\n" + b" " * 4096 + b"\r\n"
    sent = 0
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(HEAD.format(host=board.listen).encode())
        try:
            while sent < 100_000_000:
                sent += connection.send(piece)
        except OSError:
            pass
    assert sent < 20_000_000
    assert board.stranger().get("/").status == 200


def test_a_body_that_does_not_come_is_waited_for_no_longer_than_it_may(board, monkeypatch):
    monkeypatch.setattr(asking, "_BODY_S", 0.2)
    host, port = board.listen.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(HEAD.format(host=board.listen).encode() + b"1\r\n{\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("head", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_does_not_come_is_waited_for_no_longer_than_it_may(board, monkeypatch, head):
    monkeypatch.setattr(patience, "_HEAD_S", 0.2)
    host, port = board.listen.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head)
        assert connection.recv(65536) == b""


def test_nor_is_the_head_of_a_second_request_that_comes_letter_by_letter(board, monkeypatch):
    monkeypatch.setattr(patience, "_HEAD_S", 0.3)
    host, port = board.listen.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {board.listen}\r\n\r\n".encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.settimeout(0.02)
        with pytest.raises(OSError, match=r"Broken pipe|reset"):
            drip(connection)


def drip(connection):
    """Send a letter after the other until nobody takes them."""
    for _ in range(500):
        connection.sendall(b"G")
        with suppress(TimeoutError):
            connection.recv(65536)


def test_no_other_protocol_is_spoken(board, root):
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    assert root.get("/api/events/", headers=upgrade).status == 404
    assert refused(board.stranger().get("/api/events", headers=upgrade), 401)


def test_a_body_that_is_no_json_or_too_deep_is_refused(board, root):
    deep = b"[" * 8000
    for body in (b"", b"{", b"\xff", b"null", b"[]", deep, b'{"name": "\\ud800"}', b"NaN"):
        assert refused(root.ask("POST", "/api/sign-in", body), 422), body[:20]


def test_signing_in_begins_a_session_that_nobody_knew_before(board):
    victim = board.stranger(Cookie="hackles=chosen-by-somebody-else")
    known = victim.sign_in("root").cookie
    assert "chosen-by-somebody-else" not in known
    assert refused(board.stranger(Cookie="hackles=chosen-by-somebody-else").get("/api/me"), 401)
    again = board.stranger(Cookie=known).sign_in("root").cookie
    assert again != known
    assert refused(board.stranger(Cookie=known).get("/api/me"), 401)


def test_whoever_guesses_must_soon_wait(fresh):
    said = {"name": "root", "password": "not the password"}
    answers = [fresh.stranger().post("/api/sign-in", said) for _ in range(12)]
    assert [answer.status for answer in answers] == [401] * 10 + [429] * 2
    assert 0 < int(answers[-1].header("retry-after")) <= 60
    # Nor by the right one, by another spelling of the name; other people may.
    right = {"name": "root", "password": PASSWORD}
    assert refused(fresh.stranger().post("/api/sign-in", right), 429)
    assert refused(fresh.stranger().post("/api/sign-in", right | {"name": "ROOT"}), 429)
    assert refused(fresh.stranger().post("/api/sign-in", right | {"name": "ｒｏｏｔ"}), 429)
    fresh.person("billing")
    fresh.clock.ahead = 600
    fresh.person("root")
    noted = [entry.what for entry in fresh.audit()]
    assert noted.count("wrong password") == 10


def test_guesses_at_once_count_as_well(fresh):
    said = {"name": "root", "password": "not the password"}
    statuses = []

    def guess():
        statuses.append(fresh.stranger().post("/api/sign-in", said).status)

    threads = [threading.Thread(target=guess) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(401) <= 10
    assert set(statuses) == {401, 429}


def test_many_names_from_one_address_must_soon_wait_too(tmp_path, monkeypatch):
    quick = partial(passwords.PasswordHasher, time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "PasswordHasher", quick)
    said = [{"name": f"name-{n}", "password": ""} for n in range(70)]
    with served(settings(tmp_path)) as board:
        statuses = [board.stranger().post("/api/sign-in", one).status for one in said]
    assert statuses[:60] == [401] * 60
    assert 429 in statuses


def test_what_is_typed_instead_of_a_name_is_not_written_down(fresh):
    fresh.stranger().post("/api/sign-in", {"name": "my secret password", "password": "x"})
    assert "my secret password" not in str(fresh.audit())


@pytest.mark.parametrize("name", ["x\r\nSet-Cookie: y=z", "x\x00", "‮x", "<script>", "ü" * 200])
def test_odd_names_split_no_answer_and_no_line_of_the_log(board, name):
    answer = board.stranger().post("/api/sign-in", {"name": name, "password": "x"})
    assert refused(answer, 401)
    assert "y=z" not in str(answer.headers)
    assert all(entry.about.isprintable() for entry in board.audit())


def test_what_breaks_tells_strangers_nothing(board, root):
    answer = root.get("/broken")
    assert refused(answer, 500)
    assert b"secret of ours" not in answer.body


def test_every_answer_bears_what_browsers_need_to_know(board, root):
    answers = [
        root.get("/"),
        root.get(f"/static/{FILE}"),
        root.get("/api/me"),
        root.get("/broken"),
        root.get("/nothing"),
        root.ask("DELETE", "/"),
        board.stranger().get("/api/me"),
        board.stranger(Host="evil.example").get("/"),
        board.stranger().get("/%00"),
    ]
    for answer in answers:
        policy = answer.header("content-security-policy")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.header("x-content-type-options") == "nosniff"
        assert answer.header("referrer-policy") == "no-referrer"
        assert answer.header("cache-control") in ("no-store", "no-cache")
        assert answer.header("strict-transport-security") is None
        assert answer.header("server") is None
    assert root.get("/api/me").header("cache-control") == "no-store"


def test_whoever_asks_too_often_waits(fresh):
    person = fresh.person()
    statuses = [person.get("/api/openapi.json").status for _ in range(90)]
    assert statuses[:60] == [200] * 60
    assert 429 in statuses[60:]  # one more is let in with each second that this takes
    assert person.get("/api/me").status == 200
    fresh.clock.ahead = 2.0
    assert person.get("/api/openapi.json").status == 200


@contextmanager
def streaming(person):
    """Open the stream of events, and give what reads a piece of it; b"" when it has ended."""
    host, port = person.listen.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        head = f"GET /api/events HTTP/1.1\r\nHost: {person.listen}\r\nCookie: {person.cookie}"
        connection.sendall(f"{head}\r\n\r\n".encode())
        yield lambda: connection.recv(65536)


def test_a_stream_ends_with_its_session(board):
    person = board.person()
    with streaming(person) as piece:
        assert piece().startswith(b"HTTP/1.1 200")
        assert piece()
        assert person.post("/api/sign-out").status == 200
        assert any(piece().endswith(b"0\r\n\r\n") for _ in range(100))
    assert json.loads(person.get("/api/me").body)["error"] == "Sign in first."
