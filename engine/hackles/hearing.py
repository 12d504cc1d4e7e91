"""From samples to what each frame is: speech, music, a tone or nothing, for many calls at once.

The stages that everything else stands on, in their order; what is made of the frames afterwards
(windows, where a call begins, whose turn it is) is not known here.
"""

from dataclasses import dataclass

import numpy as np

from hackles.activity import Activity, Levels, SpeechActivity, Standing
from hackles.features import Described, Spectra, low_level_descriptors, spectra
from hackles.following import Following
from hackles.framing import Batch, SampleRing
from hackles.leak import AgentLeak
from hackles.types import Array, Bools

_LARGEST = np.float32(8.0)


@dataclass(frozen=True, slots=True)
class Sounds:
    """What the new frames of a tick are.

    Attributes:
        batch: whose frames they are.
        spectra: of every frame.
        standing: how they stand to the last seconds.
        described: their descriptors, all of them, of those that are worth it.
        activity: what they are.
        found: with which it came out that the agent leaks, shape (n_frames,); None where no agent
            is listened to.
    """

    batch: Batch
    spectra: Spectra
    standing: Standing
    described: Described
    activity: Activity
    found: Bools | None


class Hearing:
    """Tells what the frames of up to `n_slots` calls are."""

    def __init__(self, n_slots: int, max_frames: int, agents: bool = False) -> None:
        """Make room for calls; see `Listener`."""
        self.ring = SampleRing(n_slots, max_frames)
        self.leak = AgentLeak(n_slots, max_frames) if agents else None
        self._levels = Levels(n_slots)
        self._following = Following(n_slots, max_frames)
        self._activity = SpeechActivity(n_slots)

    def clear(self, slot: int) -> None:
        """Forget a call."""
        for stage in vars(self).values():
            if stage is not None:
                stage.clear(slot)

    def trust(self, slot: int) -> None:
        """Take for granted, at the start of a call, that somebody talks."""
        self._activity.trust(slot)

    def write(self, slot: int, samples: Array, agent: Array | None = None) -> None:
        """Take in samples that there is room for, and the agent's of the same time, if any."""
        self.ring.write(slot, samples)
        if self.leak is not None and agent is not None:
            self.leak.write(slot, agent)

    def skip_to(self, slot: int, position: int) -> None:
        """Go on at a later position; samples that wait to be looked at are lost."""
        self.ring.skip_to(slot, position)
        if self.leak is not None:
            self.leak.skip_to(slot, position)

    def tick(self) -> Sounds | None:
        """Look at all new frames of all calls; None if there are none."""
        batch, frames = self.ring.take()
        if not len(frames):
            return None
        heard = spectra(frames)
        standing = self._levels.update(batch, heard.level_db)
        leak = found = None
        if self.leak is not None:
            leak, found = self.leak.update(batch, heard, standing)
        described = low_level_descriptors(heard, standing.worth)
        llds = self._following.finish(batch, described)
        activity = self._activity.update(batch, standing, llds, leak)
        return Sounds(batch, heard, standing, described, activity, found)


def held(samples: Array) -> Array:
    """Return samples within 18 dB over full scale, with what is no number as silence.

    One broken sample must not deafen a call.
    """
    result: Array = np.clip(np.nan_to_num(samples), -_LARGEST, _LARGEST)
    return result
