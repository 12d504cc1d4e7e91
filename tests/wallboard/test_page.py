"""The board's page in Chromium, beside a real board that is fed as engines feed it."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.browser import barriers, browser
from tests.wallboard.served import EVERYTHING, PASSWORD, enrol
from tests.wallboard.windows import CARD, TILE, Board, Looking, free_port, running
from tests.wallboard.world import ANALYST

PHONE = {"width": 390, "height": 844}
WALL = {"width": 1920, "height": 1080}
MARKUP = "<img src=x onerror=alert(1)><b>"


@pytest.fixture(scope="module")
def chromium():
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def board(chromium, tmp_path_factory) -> Iterator[Board]:
    with running(tmp_path_factory.mktemp("board"), free_port()) as address:
        yield Board(address, chromium)


def test_an_alert_appears_within_a_second_of_being_raised(board):
    with board.engine("one") as engine, board.window() as seen:
        session = engine.begin("1718-22", "Billing")
        seen.page.wait_for_selector(f'{TILE}[data-session="{session}"]')
        # From the message posted to the row that is painted, all by the clock of this machine.
        seen.page.evaluate(
            """session => new MutationObserver((_, watching) => {
                if (!document.querySelector(`#needs [data-session="${session}"]`)) return;
                watching.disconnect();
                requestAnimationFrame(() => { window.shownAt = Date.now(); });
            }).observe(document.getElementById("needs"), { childList: true })""",
            session,
        )
        posted_ms = seen.page.evaluate("Date.now()")
        engine.alert(session, "rising")
        seen.wait("() => window.shownAt")
        assert seen.page.evaluate("window.shownAt") - posted_ms <= 1000


def test_an_alert_is_seen_by_keyboard_alone_and_another_window_shows_it(board):
    with board.engine("one") as engine, board.window() as seen, board.window() as other:
        session = engine.begin("1718-23", "Billing")
        engine.alert(session, "irritated")
        for window in (seen, other):
            window.wait_for_step(session, "raised")
        seen.keys("j", "s")
        for window in (seen, other):
            window.wait_for_step(session, "seen")
        pressed = other.page.get_attribute(f'{CARD} [data-deed="seen"]', "aria-pressed")
        assert pressed == "true"
        other.keys("ArrowDown", "h")
        seen.wait_for_step(session, "helping")
        seen.keys("r")
        for window in (seen, other):
            window.page.wait_for_selector(f'{TILE}[data-session="{session}"]')


def test_buttons_do_what_keys_do_and_a_false_alarm_leaves_the_zone(board):
    with board.engine("one") as engine, board.window() as seen:
        session = engine.begin("1718-24")
        engine.alert(session, "rising")
        seen.wait_for_step(session, "raised")
        seen.page.click(f'{CARD} [data-deed="false_alarm"]')
        seen.page.mouse.move(5, 5)
        seen.page.wait_for_selector(f'{TILE}[data-session="{session}"]')


def test_a_new_alert_is_told_once_to_whoever_cannot_see_it(board):
    with board.engine("one") as engine, board.window() as seen:
        session = engine.begin("1718-25", "Repairs")
        seen.page.wait_for_selector(f'{TILE}[data-session="{session}"]')
        seen.page.evaluate(
            """() => { window.told = []; new MutationObserver(() =>
                told.push(document.getElementById("told").textContent))
                .observe(document.getElementById("told"), { childList: true }); }"""
        )
        engine.alert(session, "rising")
        seen.wait_for_step(session, "raised")
        engine.level(session, level=0.6)
        engine.alert(session, "irritated")
        seen.page.wait_for_selector(f'{CARD}[data-state="irritated"]')
        told = seen.page.evaluate("told.filter(Boolean)")
        assert told == ["irritation rising: 1718-25, Repairs"]


def test_rows_stay_where_they_are_while_calls_are_only_scored(board):
    with board.engine("one") as engine, board.window() as seen:
        sessions = [engine.begin(f"1718-{30 + number}") for number in range(12)]
        engine.alert(sessions[4], "rising")
        seen.wait_for_step(sessions[4], "raised")
        seen.wait("() => document.querySelectorAll('#others > li').length === 11")
        before = seen.calls()
        seen.page.evaluate(
            """() => { window.moved = 0; new MutationObserver((all) => { moved += all.length; })
                .observe(document.getElementById("others"), { childList: true }); }"""
        )
        for level in (0.2, 0.9, 0.1):
            engine.level(*sessions, level=level)
        seen.page.wait_for_timeout(600)
        assert seen.calls() == before
        assert seen.page.evaluate("moved") == 0


def test_no_row_slides_under_a_pointer_until_it_leaves(board):
    with board.engine("one") as engine, board.window() as seen:
        first, second = engine.begin("1718-50"), engine.begin("1718-51")
        engine.alert(first, "rising")
        seen.wait_for_step(first, "raised")
        seen.page.hover(f'{CARD} [data-deed="seen"]')
        engine.alert(second, "irritated")  # comes first in the order
        seen.wait_for_step(second, "raised")
        assert seen.calls(CARD) == [first, second]
        seen.page.mouse.move(700, 890)
        seen.wait("n => document.querySelector('#needs > li').dataset.session === n", second)
        assert seen.calls(CARD) == [second, first]


def test_the_row_that_is_chosen_keeps_the_focus_when_others_pass_it(board):
    with board.engine("one") as engine, board.window() as seen:
        first, second = engine.begin("1718-52"), engine.begin("1718-53")
        engine.alert(first, "rising")
        seen.wait_for_step(first, "raised")
        seen.keys("j")
        engine.alert(second, "irritated")
        seen.wait("() => document.querySelectorAll('#needs > li').length === 2")
        chosen = "document.activeElement.closest('[data-session]').dataset.session"
        assert seen.page.evaluate(chosen) == first
        seen.wait("n => document.querySelector('#needs > li').dataset.session === n", second)


def test_filters_show_a_queue_or_what_is_searched_and_tell_who_is_hidden(board):
    with board.engine("one") as engine, board.window() as seen:
        billing, repairs = engine.begin("1718-60", "Billing"), engine.begin("99-61", "Repairs")
        engine.alert(repairs, "irritated")
        seen.wait_for_step(repairs, "raised")
        seen.page.select_option("#queue", "Billing")
        seen.wait("() => document.querySelectorAll('#needs > li').length === 0")
        assert seen.calls() == [billing]
        assert "1" in seen.page.inner_text("#hidden-needs")
        assert not seen.page.is_visible("#none-needs")
        seen.page.click("#hidden-needs button")
        seen.wait_for_step(repairs, "raised")
        seen.keys("/")
        seen.page.keyboard.type("1718-6")
        seen.wait("() => document.querySelectorAll('#needs > li').length === 0")
        assert seen.calls() == [billing]


def test_a_calls_page_shows_its_curve_and_what_happened_and_goes_on(board):
    with board.engine("one") as engine, board.window() as seen:
        session = engine.begin("1718-70", "Billing", "a-070")
        engine.alert(session, "rising")
        engine.gap(session, "music", 8.0)
        engine.note(session, "Order 4719 22")
        seen.wait_for_step(session, "raised")
        seen.keys("j", "Enter")
        seen.page.wait_for_selector(".curve .level", state="attached")
        assert f"call={session}" in seen.page.url
        seen.wait("() => document.querySelector('.happened').innerText.includes('4719 22')")
        happened = seen.page.inner_text(".happened")
        assert "Irritation rising" in happened
        assert "hold music" in happened
        assert seen.page.locator(".curve .gap").count() == 1
        seen.keys("h")
        seen.page.wait_for_selector('.hero[data-step="helping"]')
        engine.note(session, "a second one")
        seen.wait("() => document.querySelector('.happened').innerText.includes('second one')")
        seen.keys("Escape")
        seen.page.wait_for_selector(CARD)


def test_of_a_call_whose_caller_withdraws_nothing_is_left_on_any_page(board):
    with board.engine("one") as engine, board.window() as seen, board.window() as page:
        session = engine.begin("1718-71", "Billing", "a-071")
        engine.alert(session, "rising")
        engine.note(session, "very private")
        seen.wait_for_step(session, "raised")
        page.open(board.address, f"?lang=en&call={session}")
        page.wait("() => document.body.innerText.includes('very private')")
        seen.page.hover(f'{CARD} [data-deed="seen"]')  # also a row that is held
        engine.withdraw(session)
        del engine.calls[session]
        for window in (seen, page):
            window.wait("() => !document.body.textContent.includes('1718-71')")
            assert "very private" not in window.page.content()


def test_the_screen_on_the_wall_shows_who_needs_help_without_buttons_or_scrolling(board):
    with board.engine("one") as engine:
        sessions = [engine.begin(f"1718-8{number}", "Billing") for number in range(9)]
        for session in sessions:
            engine.alert(session, "irritated")
        for size in (WALL, {"width": 3840, "height": 2160}):
            with board.window("?lang=en&wall", viewport=size) as seen:
                seen.page.wait_for_selector("#wall li.more")
                assert seen.texts("#wall li.more") == ["+4 more"]
                shown = seen.page.locator("#wall li:not(.more)")
                assert shown.count() == 5
                assert seen.page.locator("button:visible, a:visible, input:visible").count() == 0
                assert "1718" not in seen.page.inner_text("body")
                high = "getComputedStyle(document.querySelector('#wall .state')).fontSize"
                # An em of 5 % of a screen of 55 inches is 34 mm: plain to read from five metres.
                assert float(seen.page.evaluate(high)[:-2]) >= 0.05 * size["height"]
                assert fits(seen)


def fits(seen: Looking) -> bool:
    return seen.page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth
            && document.documentElement.scrollHeight <= innerHeight"""
    )


def test_q_leads_to_the_wall_and_back(board):
    with board.window() as seen:
        seen.page.wait_for_selector("#tools")
        seen.keys("q")
        seen.page.wait_for_selector("#wall header")
        seen.keys("Escape")
        seen.page.wait_for_selector("#board:visible")


def test_single_keys_can_be_turned_off_and_stay_off(board):
    with board.window() as seen:
        seen.keys("?")
        seen.page.uncheck("#single-keys")
        seen.keys("Escape", "?", "q")
        assert seen.page.locator("dialog[open], #wall:visible").count() == 0
        seen.page.reload(wait_until="domcontentloaded")
        seen.page.wait_for_selector("#me:not(:empty)")
        seen.keys("?")
        assert seen.page.locator("dialog[open]").count() == 0


def test_markup_in_names_notes_and_queues_is_shown_as_text(board):
    with board.engine("one") as engine, board.window() as seen:
        session = engine.begin(MARKUP, MARKUP, MARKUP)
        engine.alert(session, "irritated")
        engine.note(session, MARKUP)
        seen.wait_for_step(session, "raised")
        assert MARKUP in seen.page.inner_text(CARD)
        seen.keys("j", "Enter")
        seen.wait("m => document.querySelector('.happened').innerText.includes(m)", MARKUP)
        for query in ("?lang=en", "?lang=en&wall"):
            seen.open(board.address, query)
            seen.wait("m => document.body.innerText.includes(m)", MARKUP)
            assert seen.page.locator("img, b > b").count() == 0


@pytest.mark.parametrize("language", ["en", "pl", "es"])
def test_axe_finds_nothing_serious_in_any_view_or_colour_scheme(board, language):
    found = {}
    with board.engine("one") as engine, board.window(f"?lang={language}") as seen:
        sessions = [engine.begin(f"1718-9{number}", "Billing") for number in range(6)]
        for session in sessions[:4]:
            engine.alert(session, "irritated" if session in sessions[:2] else "rising")
        seen.wait("() => document.querySelectorAll('#needs > li').length === 4")
        seen.keys("j", "s", "j", "h")
        views = ["", f"&call={sessions[0]}", "&wall", "&see=day", "&see=audit", "&see=webhooks"]
        for view in views:
            seen.open(board.address, f"?lang={language}{view}")
            seen.page.wait_for_selector("main h2:visible, #wall h2:visible")
            seen.page.wait_for_timeout(200)
            for scheme in ("light", "dark"):
                seen.page.emulate_media(color_scheme=scheme)
                rules = () if scheme == "light" else ("color-contrast",)
                found[view, scheme] = barriers(seen.page, *rules)
        assert seen.page.get_attribute("html", "lang") == language
    assert {key: bad for key, bad in found.items() if bad} == {}


def test_enlarged_or_on_a_phone_nothing_is_cut_off_and_buttons_are_large_enough(board):
    with board.engine("one") as engine:
        session = engine.begin("1718-" + 40 * "2", "Deliveries and returns", "a-" + 30 * "1")
        engine.alert(session, "irritated")
        for size in ({"width": 320, "height": 640}, PHONE):
            with board.window("?lang=pl", viewport=size) as seen:
                seen.wait_for_step(session, "raised")
                for query in ("", f"&call={session}"):
                    seen.open(board.address, f"?lang=pl{query}")
                    seen.page.wait_for_selector(f"{CARD}:visible, .hero h2:visible")
                    wide = seen.page.evaluate("document.documentElement.scrollWidth")
                    assert wide <= size["width"]
                boxes = seen.page.eval_on_selector_all(
                    "button:enabled, select, summary",
                    """all => all.map(one => one.getBoundingClientRect()).filter(box => box.width)
                        .map(({ width, height }) => Math.min(width, height))""",
                )
                assert min(boxes) >= 24


def test_whoever_signs_in_comes_to_what_was_wanted_and_sees_what_the_role_may(chromium, tmp_path):
    port = free_port()
    enrol(tmp_path / "wallboard", EVERYTHING, ANALYST)
    with running(tmp_path, port, '[sign_in]\nby = "password"\n') as address:
        board = Board(address, chromium)
        with board.window("?lang=en&wall") as seen:
            seen.page.wait_for_url("**/sign-in*")
            assert barriers(seen.page) == []
            seen.page.fill("#name", EVERYTHING.name)
            seen.page.fill("#password", "not the right one")
            seen.keys("Enter")
            seen.page.wait_for_selector("#fault:not(:empty)")
            seen.page.fill("#password", PASSWORD)
            seen.keys("Enter")
            seen.page.wait_for_selector("#wall header")
            seen.keys("Escape")
            parts = "#parts a"
            seen.page.wait_for_selector(parts)
            assert seen.texts(parts) == ["Calls", "Today", "Audit log", "Webhooks"]
            seen.page.click('#parts [data-part="audit"]')
            seen.page.wait_for_selector("#desk tbody tr")
            assert "signed in" in seen.page.inner_text("#desk")
            assert barriers(seen.page) == []
            seen.page.click("#menu summary")
            seen.page.click("#sign-out")
            seen.page.wait_for_url("**/sign-in*")
            seen.page.fill("#name", ANALYST.name)
            seen.page.fill("#password", PASSWORD)
            seen.keys("Enter")
            seen.page.wait_for_selector("#desk .figures")
            assert seen.page.locator("#parts:visible, #board:visible, .tool:visible").count() == 2
            # A wrong password is told as an error by the console of any browser.
            assert [one for one in seen.complaints if "401" not in one] == []
            seen.complaints.clear()


def test_the_audit_log_has_what_was_done_by_keyboard(board):
    with board.engine("one") as engine, board.window() as seen:
        session = engine.begin("1718-26")
        alert = engine.alert(session, "irritated")
        seen.wait_for_step(session, "raised")
        seen.keys("j", "s")
        seen.wait_for_step(session, "seen")
        seen.page.click('#parts [data-part="audit"]')
        seen.page.wait_for_selector("#desk tbody tr")
        first = seen.page.inner_text("#desk tbody tr >> nth=0")
        assert "alert.seen" in first
        assert alert in first


def test_sounds_are_off_until_they_are_wanted_and_the_browser_remembers(board):
    with board.window() as seen:
        chime = "#chime[aria-pressed={}]"
        seen.page.wait_for_selector(chime.format("false"))
        seen.page.click("#chime")
        seen.page.reload(wait_until="domcontentloaded")
        seen.page.wait_for_selector(chime.format("true"))


def test_a_lost_connection_is_said_and_found_again(chromium, tmp_path):
    port = free_port()
    with ExitStack() as stack:
        with running(tmp_path, port) as address:
            board = Board(address, chromium)
            seen = stack.enter_context(board.window())
            seen.page.wait_for_selector("#rest-hint:not(:empty)")  # the view has come
        seen.page.wait_for_selector("body[data-lost]")
        assert re.search(r"Not connected since \d\d:\d\d", seen.page.inner_text("#standing"))
        with running(tmp_path, port):
            seen.page.wait_for_selector("body:not([data-lost])")
            assert seen.page.inner_text("#standing") == ""


def test_the_console_is_silent_and_the_policy_is_kept(board):
    assert board.complaints == []
