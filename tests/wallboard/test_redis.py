"""Engines and a board with a real Redis between them, that is killed and comes back empty."""

import time

import pytest

from hackles.exchange.broker import EVENTS, BrokerLink
from hackles.exchange.messages import Acknowledge, Tell
from hackles.records import CallNews, LiveRecord
from tests.boards import board, engine, reading, redis, times
from tests.program import wait_until


@pytest.fixture
def broker():
    with redis() as server:
        yield server


def linked(server, name):
    return BrokerLink(server.url, "", name)


def kept(server) -> int:
    """Return how many entries lie in Redis."""
    import redis as library

    with library.Redis.from_url(server.url) as client:
        return client.xlen(EVENTS)


def test_two_engines_and_a_redis_that_dies_in_mid_stream_nothing_is_missing_nor_comes_twice(broker):
    with (
        engine("a", linked(broker, "a")) as one,
        engine("b", linked(broker, "b")) as two,
        board() as wall,
    ):
        wall.listen(broker.url)
        wall.acknowledge("a", "s1", "x", "seen", "anna", 1.0)
        for number in range(100):
            one.say(number), two.say(number)
        wait_until(lambda: len(wall.messages) == 200 and len(one.orders) == len(two.orders) + 1)
        broker.kill()
        wall.acknowledge("b", "s1", "x", "helping", "anna", 2.0)
        for number in range(100, 200):
            one.say(number), two.say(number)
            time.sleep(0.005)
        wait_until(lambda: len(one.outbox) == len(two.outbox) == 100)
        broker.start()
        for number in range(200, 300):
            one.say(number), two.say(number)
        wait_until(lambda: len(wall.messages) == 600)
        wait_until(lambda: len(two.orders) == 2 and not (one.outbox or two.outbox))
        for name in "ab":
            assert times(wall.of(name)) == list(range(300))
        assert [type(order) for order in one.orders] == [Acknowledge, Tell]
        assert [getattr(order, "verdict", "") for order in two.orders] == ["", "helping"]
        wait_until(lambda: kept(broker) <= 4)  # what was confirmed lies there no longer


def test_a_board_that_comes_later_finds_what_nobody_had_heard_and_asks_for_the_rest(broker):
    with engine("a", linked(broker, "a")) as one:
        one.say(0, 50)
        wait_until(lambda: kept(broker) >= 50)
        with board() as first:
            first.listen(broker.url)
            wait_until(lambda: times(first.messages) == list(range(50)) and not one.outbox)
        one.say(50, 50)
        with board() as second:
            second.listen(broker.url)
            wait_until(lambda: times(second.messages)[-50:] == list(range(50, 100)))
            assert times(second.messages) == sorted(set(times(second.messages)))
            wait_until(lambda: [type(order) for order in one.orders] == [Tell, Tell])


def test_of_a_call_whose_caller_withdrew_nothing_lies_in_redis_any_more(broker):
    with engine("a", linked(broker, "a")) as one:
        one.say(0, 20)
        one.feed.put(reading(20, call="another"))
        wait_until(lambda: kept(broker) >= 21)
        one.feed.forget("call 1")
        one.feed.put(LiveRecord("call 1", "", "", "", 1.0, CallNews("withdrawn")))
        import redis as library

        with library.Redis.from_url(broker.url) as client:

            def found():
                return [entry[b"message"] for _, entry in client.xrange(EVENTS)]

            wait_until(lambda: sum(b'"call 1"' in said for said in found()) == 1)
            wait_until(lambda: sum(b'"another"' in said for said in found()) == 1)
            assert sum(b'"withdrawn"' in said for said in found()) == 1
        with board() as wall:
            wall.listen(broker.url)
            wait_until(lambda: len(wall.messages) == 2)
            assert [m.said.line["call"] for m in wall.messages] == ["another", "call 1"]


def test_what_is_no_message_is_left_out_and_the_rest_is_heard(broker, caplog):
    import redis as library

    with library.Redis.from_url(broker.url) as client:
        for said in ({"message": b"{"}, {"other": b"x"}, {"message": b"[" * 5000}):
            client.xadd(EVENTS, said)
        client.xadd("hackles:answers:a", {"message": b"no answer"})
    with engine("a", linked(broker, "a")) as one, board() as wall:
        wall.listen(broker.url)
        one.say(0, 3)
        wait_until(lambda: times(wall.messages) == [0, 1, 2])
    assert caplog.text.count("Left out") == 1


def test_a_redis_that_asks_for_a_password_is_given_the_one_that_is_known(broker):
    import redis as library

    with library.Redis.from_url(broker.url) as client:
        client.config_set("requirepass", "s3cret")
    with engine("a", BrokerLink(broker.url, "s3cret", "a")) as one, board() as wall:
        wall.listen(broker.url, "s3cret")
        one.say(1)
        wait_until(lambda: times(wall.of("a")) == [1])
