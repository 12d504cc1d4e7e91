"""How much a worker looks at together: as little, and as seldom, as its ways in allow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hackles.config import FRAMES_PER_S, HOP_LENGTH, SAMPLE_RATE
from hackles.live import room
from hackles.live.room import room_for
from hackles.pace import TICK_S
from hackles.settings import AudioSocket, Compliance, Device, Engine, Folder, Media, Pipe, Settings

WAYS = {
    "audiosocket": AudioSocket(listen="127.0.0.1:0"),
    "media": Media(listen="127.0.0.1:0"),
    "pipe": (Pipe(path="a", call="a", role="customer"), Pipe(path="b", call="b", role="customer")),
    "folder": (Folder(path="a", customer="left"),),
    "device": Device(output="a headset"),
}


def settings(*ways, calls=200):
    """Return the settings of a daemon with these ways in."""
    chosen = {way: WAYS[way] for way in ways}
    return Settings(
        compliance=Compliance(notice="a test", basis="a test"),
        engine=Engine(calls=calls),
        **chosen,
    )


SOME = st.lists(st.sampled_from(sorted(WAYS)), unique=True)


@given(ways=SOME)
def test_a_tick_is_short_wherever_calls_come_that_a_telephone_system_sends(ways):
    found = room_for(settings(*ways), has_files=True)
    is_desktop = set(ways) <= {"device"}
    assert found.tick_s == (room.DESKTOP_TICK_S if is_desktop else TICK_S)


@given(ways=SOME, calls=st.integers(1, 1000), has_files=st.booleans())
def test_there_is_room_for_a_tick_s_audio_and_to_catch_up_and_never_for_more_calls_than_set(
    ways, calls, has_files
):
    found = room_for(settings(*ways, calls=calls), has_files)
    assert (found.max_frames - 1) * HOP_LENGTH >= 3 * found.tick_s * SAMPLE_RATE
    assert found.max_frames <= 4 * found.tick_s * FRAMES_PER_S
    assert 1 <= found.calls <= calls


@pytest.mark.parametrize(
    ("ways", "calls"),
    [(["device"], 2), (["pipe"], 4), (["device", "pipe"], 6), (["device", "folder"], 200)],
)
def test_there_is_no_room_for_calls_that_cannot_come(ways, calls):
    assert room_for(settings(*ways), has_files=True).calls == calls


def test_a_worker_without_files_of_its_own_is_not_slowed_down_by_them():
    found = room_for(settings("audiosocket", "device"), has_files=False)
    assert (found.tick_s, found.calls) == (TICK_S, 200)
