"""Audio waits until it is sure where it was heard; what is missing is told; calls are cut out."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from hackles.capture.device_stream import Piece
from hackles.capture.route import SETTLE_S, WAIT_S, Route, Unconfirmed
from hackles.capture.tap import Ear, Heard
from hackles.capture.timeline import Timeline
from hackles.capture.trail import Trail

PIECE_S = 0.04
RATE = 8000
N = round(PIECE_S * RATE)


def piece(arrived, value=0.0):
    return Piece(arrived, np.full(N, value, np.float32), RATE)


# The worst that is taken to happen between a sound and what is known of it, in seconds.
MOST_BUFFERED = 0.6
MOST_UNTOLD = 0.1

spells = st.lists(
    st.tuples(st.booleans(), st.floats(0.005, 1.5)), min_size=1, max_size=8
)  # whether it is right, how long


@given(
    spells,
    st.floats(0.0, MOST_BUFFERED),
    st.floats(0.0, MOST_UNTOLD),
    st.floats(0.02, 0.5),
)
@example([(True, 1.0), (False, 0.06), (True, 1.0)], 0.0, 0.1, 0.09)
def test_whatever_the_route_does_nothing_that_was_heard_elsewhere_is_handed_over(
    spells, buffered_s, untold_s, every_s
):
    """A stream is moved to and fro; sound comes late, and so does the news of a move."""
    ends = np.cumsum([length for _, length in spells])
    moves = [
        end
        for end, (before, _), (after, _) in zip(ends, spells, spells[1:], strict=False)
        if before is not after
    ]

    def is_right(moment):
        return spells[min(np.searchsorted(ends, moment, side="right"), len(spells) - 1)][0]

    waiting, sure, known = Unconfirmed(), [], 0.0
    pieces = [
        (at, at + buffered_s) for at in np.arange(0.0, ends[-1], PIECE_S)
    ]  # when its sound ended, when it came
    for now in np.arange(every_s, ends[-1] + 1.0, every_s):
        while pieces and pieces[0][1] <= now:
            captured, arrived = pieces.pop(0)
            waiting.push(piece(arrived, captured))
        told = [move for move in moves if known < move + untold_s <= now]
        known = now
        if not is_right(now) or told:
            waiting.discard()
        else:
            sure += waiting.confirm(now)
    captured = [float(one.samples[0]) for one in sure]
    assert all(is_right(moment) and is_right(max(0, moment - PIECE_S)) for moment in captured)
    assert captured == sorted(captured)


def test_what_waits_is_handed_over_once_the_route_is_confirmed_150_ms_after_it_came():
    assert WAIT_S == 0.15
    waiting = Unconfirmed()
    assert waiting.confirm(0.0) == []
    late = piece(SETTLE_S + 1.0)
    waiting.push(late)
    assert waiting.confirm(late.arrived + WAIT_S - 0.01) == []
    assert waiting.confirm(late.arrived + WAIT_S) == [late]
    assert waiting.confirm(late.arrived + 1.0) == []


def test_what_came_before_the_route_was_known_is_never_handed_over():
    waiting = Unconfirmed()
    waiting.push(piece(0.1))
    waiting.confirm(0.2)
    waiting.push(piece(0.3))
    assert waiting.confirm(5.0) == []


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 60)), max_size=20),
    st.floats(0, 0.2),
)
def test_sound_and_what_is_missing_come_to_the_time_on_the_clock(story, jitter_s):
    """Pieces that come, some in bursts, and pauses in which nothing does."""
    timeline, clock, begin = Timeline(10.0), 10.0, 10.0
    heard = missing = 0.0
    for n_pieces, pause in story:
        clock += pause * PIECE_S
        arrived = []
        for _ in range(n_pieces):
            clock += PIECE_S
            arrived.append(clock)
        # The last of them tell whether those before came late, or something is missing.
        late = [max(at, at + (jitter_s if i % 3 == 0 else 0.0)) for i, at in enumerate(arrived)]
        pieces = [piece(at) for at in sorted(late)]
        for at in range(len(pieces)):
            missing += timeline.place(pieces[at : at + 20])
            heard += PIECE_S
    assert abs(timeline.end - begin - heard - missing) < 0.5 + heard * 1e-3
    if story and story[-1][0]:
        assert abs(timeline.end - clock) < 0.55


def test_a_burst_after_a_stall_is_nothing_missing():
    timeline = Timeline(0.0)
    on_time = [piece(PIECE_S * (1 + i)) for i in range(10)]
    stalled = [piece(1.4) for _ in range(25)]  # a second of sound that came all at once
    pieces = on_time + stalled
    assert sum(timeline.place(pieces[at:]) for at in range(len(pieces))) == 0.0


def heard(lost_s, values, end):
    return Heard(lost_s, np.array(values, np.float32), end)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6)), max_size=8),
    st.integers(1, 9),
    st.integers(0, 60),
)
def test_a_trail_gives_back_what_was_heard_and_where_it_was_not(story, most, until):
    trail, expected = Trail(0.0), []
    for lost, count in story:
        values = [float(len(expected) + lost + i) for i in range(count)]
        expected += [None] * lost + values
        trail.append(heard(lost / 8000, values, len(expected) / 8000))
    assert trail.end == len(expected)
    position, found = 0, []
    while position < until:
        lost, samples = trail.read(position, most, until)
        assert len(samples) <= most
        found += [None] * lost + samples.tolist()
        position += lost + len(samples)
        trail.trim(position)
        assert lost or len(samples) or position >= trail.end
        if len(samples) < most and position < min(until, trail.end):
            assert expected[position] is None  # all there is comes at once
        if not lost and not len(samples):
            break
    assert found == (expected + [None] * until)[:until]


class Line:
    """A line that brings what it is given, always on its source."""

    def __init__(self):
        self.pieces = []

    def take(self):
        taken, self.pieces = self.pieces, []
        return taken

    def check(self):
        return Route.RIGHT

    def close(self):
        """Nothing to close."""

    def open(self, name, is_output):
        return self


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60)), min_size=1, max_size=10))
def test_what_is_taken_of_an_ear_follows_on_what_was_taken_before(story):
    """Sound, pauses, and turns of the tap that come when they come."""
    clock = [100.0]
    ear, line = Ear("headset", is_output=True, clock=lambda: clock[0]), Line()
    ear.turn(line, clock[0])
    heard, begin = [], ear.until
    for n_pieces, pause in [(30, 0), *story, (30, 0)]:
        clock[0] += pause * PIECE_S
        for i in range(n_pieces):
            clock[0] += PIECE_S
            line.pieces.append(piece(clock[0]))
            if i % 7 == 6:
                ear.turn(line, clock[0])
                heard += ear.take()
    end = begin
    for one in heard:
        assert one.lost_s >= 0
        end += one.lost_s + len(one.samples) / RATE
        assert abs(one.end - end) < 0.3
    assert end <= clock[0]
    assert clock[0] - end < 1.0
