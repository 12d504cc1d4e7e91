"""Whether the customer can be heard at this machine, and what cannot be guarded there."""

import sys
from collections.abc import Sequence
from contextlib import closing
from typing import Final

from hackles.capture.sources import SoundSystem, Source, find
from hackles.capture.systems import sound_system
from hackles.doctor.told import Telling, Told, doubt, fault, well
from hackles.errors import UsageError
from hackles.settings import Device, Settings

_TOPIC: Final = "devices"
_NOT_GUARDED: Final = "not guarded"
_NO_ROUTE: Final = (
    "this system does not say where a stream comes from, so that it is the named device and no "
    "other is taken on trust; on Linux each moment of audio waits until that is confirmed"
)
_ON_PURPOSE: Final = (
    "customer_microphone is named on purpose: hackles cannot hear who speaks into it, so whoever "
    "else does (the agent above all) would be scored as the customer"
)
_NO_AGENT: Final = (
    "without an agent_microphone hackles cannot tell whether the loudspeakers reach the "
    "microphone, and talk-over is not timed"
)


def devices(settings: Settings) -> Telling:
    """Tell of the devices, if one is a way in for calls."""
    device = settings.device
    if device is None:
        return
    try:
        system = sound_system()
    except UsageError as error:
        yield fault(_TOPIC, str(error))
    else:
        with closing(system):
            yield from _named(device, system)
    if device.customer_microphone:
        yield doubt(_NOT_GUARDED, _ON_PURPOSE)
    if not device.agent_microphone:
        yield doubt(_TOPIC, _NO_AGENT)
    if sys.platform != "linux":
        yield doubt(_NOT_GUARDED, _NO_ROUTE)


def _named(device: Device, system: SoundSystem) -> Telling:
    """Tell who answers, and of each device that the settings name."""
    try:
        server, sources = system.server(), system.sources()
    except UsageError as error:
        yield fault(_TOPIC, str(error))
        return
    yield well(_TOPIC, f"{server} answers")
    for key, is_output in (
        ("output", True),
        ("customer_microphone", False),
        ("agent_microphone", False),
    ):
        if name := getattr(device, key):
            yield _one(key, name, sources, is_output)


def _one(key: str, name: str, sources: Sequence[Source], is_output: bool) -> Told:
    """Tell of one device; that it is unplugged now is no fault."""
    try:
        found = find(name, sources, is_output)
    except UsageError as error:
        return fault(_TOPIC, f"{key}: {error}")
    if found is not None:
        return well(_TOPIC, f"{key} is {found.name}{_about(found)}")
    there = ", ".join(source.name for source in sources if source.is_output is is_output)
    return doubt(
        _TOPIC,
        f"{key} {name} is not here now; plug it in, or name another (there are: {there or 'none'})",
    )


def _about(source: Source) -> str:
    """Return what people call it, and who plays there."""
    said = [source.description] if source.description != source.name else []
    said += [f"plays {', '.join(source.players)}"] if source.players else []
    return f" ({'; '.join(said)})" if said else ""
