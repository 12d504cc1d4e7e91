"""Where a call begins and ends in a sound that never stops: what a headset plays all day.

A call begins when somebody is proved to talk: ring-back, beeps, jingles and hold music begin none
(whoever waits in a queue has nobody on the line yet), and no more than the last two seconds of such
music are part of it. It ends after so long a silence of the customer, or with a busy tone. Music
within a call is a hold and keeps it open for a quarter of an hour; tones do not, and noise and
breath are silence.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from hackles.busy import BusyTone, tones
from hackles.config import FRAME_LENGTH, FRAMES_PER_S, HOP_LENGTH, SAMPLE_RATE
from hackles.hearing import Hearing, held
from hackles.history import trailing_count
from hackles.types import AnyArray, Array, Bools, Ints

_IDLE_SPAN = 3 * SAMPLE_RATE // 2
_CALL_SPAN = 2 * SAMPLE_RATE
"""What is looked at in one go, for one call costs the same be it a tenth of a second or two. Within
a call nothing is urgent; the beginning of one is."""

_WITHIN_FRAMES = FRAMES_PER_S
_ENOUGH_SPEECH = 30
"""Frames of speech within a second: whoever says no more has not begun to talk, and where it is
less, noise may have been taken for it."""
_MUSIC_WITHIN, _ENOUGH_MUSIC = 6 * FRAMES_PER_S, 5 * FRAMES_PER_S
"""Behind a tone some seconds of noise may look like music."""
_BEFORE_FRAMES = 2 * FRAMES_PER_S
"""Talk is proved late: how far before it the beginning is looked for."""
_PREROLL = round(0.3 * SAMPLE_RATE)
_KEPT_FRAMES = _BEFORE_FRAMES + _WITHIN_FRAMES + _IDLE_SPAN // HOP_LENGTH

PREROLL_S: Final = 5.0
"""`Begins` lies at most so far before the samples with whose push it is told."""

_MOST_FRAMES = _CALL_SPAN // HOP_LENGTH + FRAME_LENGTH // HOP_LENGTH
_RINGS_FRAMES, _EDGE_FRAMES = 15, 5
"""The shortest ring-back, and its end; a vowel may look like it for a moment."""
_SILENT_SPANS = 3
_HOLD = 15 * 60 * SAMPLE_RATE
"""Music that goes on for longer without a word is no hold."""


@dataclass(frozen=True, slots=True)
class Begins:
    """A call begins."""

    position: int
    """Its first sample: a little before the first sound of it, up to `PREROLL_S` in the past."""


@dataclass(frozen=True, slots=True)
class Ends:
    """A call ends."""

    position: int
    """The sample after its last. By silence or lost audio: where it was decided, so that nothing
    that was told of the call lies beyond. By a busy tone: where that began, some seconds ago."""


class Conversation:
    """Tells where calls begin and end; time is the sample count, blocks may be of any length."""

    def __init__(self, silence_s: float = 30.0) -> None:
        """Begin without a call.

        Args:
            silence_s: a call is over after so long a silence, or so much lost audio.
        """
        self._silence = round(silence_s * SAMPLE_RATE)
        self._position = 0
        self._phase: _Idle | _Call = _Idle(0)
        self._since = 0
        """Where the span under way began."""

    def push(self, samples: Array) -> list[Begins | Ends]:
        """Take in the next samples; return what was decided."""
        told: list[Begins | Ends] = []
        samples = held(samples)
        while len(samples):
            some = samples[: self._since + self._phase.span - self._position]
            self._phase.hearing.write(0, some)
            self._phase.sounding |= bool(some.any())
            self._position += len(some)
            samples = samples[len(some) :]
            if self._position == self._since + self._phase.span:
                told += self._look()
        return told

    def skip(self, n_samples: int) -> list[Begins | Ends]:
        """Go on after audio that was lost: neither speech nor silence.

        A call goes on behind it unless more than `silence_s` of it was lost since its last speech.
        Of a call that has not begun, nothing from before counts.
        """
        if n_samples <= 0:
            return []
        told = self._look() if self._position > self._since else []
        self._position += n_samples
        self._since = self._position
        if isinstance(self._phase, _Call):
            over = self._phase.lose(n_samples, self._position)
            if over is None:
                return told
            told.append(over)
        self._phase = _Idle(self._position)
        return told

    def _look(self) -> list[Begins | Ends]:
        """Look at the span that came to its end."""
        self._since = self._position
        event = self._phase.look(self._position)
        if isinstance(event, Begins):
            self._phase = _Call(self._phase.hearing, self._position, self._silence)
        elif isinstance(event, Ends):
            self._phase = _Idle(self._position)
        return [] if event is None else [event]


class _Idle:
    """No call: waits for somebody to talk."""

    span = _IDLE_SPAN

    def __init__(self, position: int) -> None:
        """Wait from a position on: no call begins before."""
        self.sounding = False
        self._earliest = position
        self._silent_spans = 0
        self._start(position)

    def _start(self, position: int) -> None:
        """Know nothing of what was before: who talks must prove it anew."""
        self.hearing = Hearing(1, _MOST_FRAMES)
        self.hearing.skip_to(0, position)
        self._frames: AnyArray = np.zeros((3, 0), dtype=np.bool_)
        """Which of the last frames are speech; are loud; are like ring-back."""

    def look(self, position: int) -> Begins | None:
        """Look at what came up to a position; return whether a call has begun."""
        self._silent_spans = 0 if self.sounding else self._silent_spans + 1
        self.sounding = False
        # All day long nothing is played: that must cost nothing.
        if self._silent_spans >= _SILENT_SPANS:
            self._start(position)
        sounds = self.hearing.tick()
        if sounds is None:
            return None
        batch, speech = sounds.batch, sounds.activity.speech[0]
        tone = tones(sounds.standing.loud, sounds.spectra.power, sounds.spectra.level_db).pure
        new = np.stack([speech, sounds.standing.loud, tone])
        self._frames = np.concatenate([self._frames, new], axis=1)[:, -_KEPT_FRAMES:]
        return self._begins(int(batch.first_frame[0] + batch.counts[0]))

    def _begins(self, after: int) -> Begins | None:
        """Return whether a call has begun; `after` is the frame behind the last."""
        speech, loud, tone = self._frames
        enough = _often(speech, _WITHIN_FRAMES, _ENOUGH_SPEECH)
        if not len(enough):
            return None
        first = max(int(enough[0]) - _WITHIN_FRAMES + 1, 0)
        first += int(np.argmax(speech[first:]))
        earliest = max(first - _BEFORE_FRAMES, 0)
        before = _often(tone[earliest:first], _RINGS_FRAMES, _RINGS_FRAMES)
        if len(before):
            earliest += int(before[-1]) + 1 + _EDGE_FRAMES
        begin = min(earliest, first) + int(np.argmax(loud[min(earliest, first) :]))
        frame = after - len(speech) + begin
        return Begins(max(frame * HOP_LENGTH - _PREROLL, self._earliest))


class _Call:
    """A call: waits for its end."""

    span = _CALL_SPAN

    def __init__(self, hearing: Hearing, position: int, silence: int) -> None:
        """Go on with what was heard up to a position; `silence` in samples ends the call."""
        self.hearing = hearing
        self.sounding = False
        self._silence = silence
        self._spoke = self._kept = position
        """Behind the last speech, and behind what kept the call open last."""
        self._lost = 0
        """Samples lost since."""
        self._forget()

    def _forget(self) -> None:
        """Let nothing that lasts reach over lost audio."""
        self._lately: AnyArray = np.zeros((2, _MUSIC_WITHIN - 1), dtype=np.bool_)
        """Which of the last frames were speech, and music."""
        self._busy = BusyTone()

    def look(self, position: int) -> Ends | None:
        """Look at what came up to a position; return whether the call is over."""
        sounds = self.hearing.tick()
        if sounds is not None:
            first, found = int(sounds.batch.first_frame[0]), sounds.activity
            self._keep(first, found.speech[0], found.music[0])
            spectra = sounds.spectra
            busy = self._busy.hear(
                first, tones(sounds.standing.loud, spectra.power, spectra.level_db)
            )
            if busy is not None:
                return Ends(busy * HOP_LENGTH)
        return Ends(position) if position - self._kept - self._lost >= self._silence else None

    def _keep(self, first: int, speech: Bools, music: Bools) -> None:
        """Note until when somebody spoke, or music was played, from a frame on."""
        self._lately = np.concatenate([self._lately, [speech, music]], axis=1)
        first -= _MUSIC_WITHIN - 1
        spoke = _often(self._lately[0], _WITHIN_FRAMES, _ENOUGH_SPEECH)
        played = _often(self._lately[1], _MUSIC_WITHIN, _ENOUGH_MUSIC)
        until = [
            (first + int(at[-1])) * HOP_LENGTH + FRAME_LENGTH if len(at) else 0
            for at in (spoke, played)
        ]
        self._lately = self._lately[:, 1 - _MUSIC_WITHIN :]
        self._spoke = max(self._spoke, until[0])
        kept = max(self._spoke, min(until[1], self._spoke + _HOLD))
        if kept > self._kept:
            self._kept, self._lost = kept, 0

    def lose(self, n_samples: int, position: int) -> Ends | None:
        """Note that so many samples up to a position were lost; return whether it is over."""
        self.hearing.skip_to(0, position)
        self._forget()
        self._lost += n_samples
        over = self._lost - self._silence
        return Ends(position - over) if over >= 0 else None


def _often(flags: Bools, width: int, least: int) -> Ints:
    """Return which flags are set as the `least`th or a later one of the last `width`."""
    sums = trailing_count(np.pad(flags, (width - 1, 0)), width)
    result: Ints = np.flatnonzero(flags & (sums >= least))
    return result
