"""Softphones beside hackles: they tell where a call begins and ends, and who is heard in it.

A call begins when somebody has answered, not while it rings, and ends when one side hangs up.
Whatever a softphone says, or fails to say, the daemon goes on.
"""

from hackles.live.softphones.baresip import Baresip
from hackles.live.softphones.handset import Handset, Line
from hackles.live.softphones.linphone import Linphone
from hackles.settings import Device

__all__ = ["Baresip", "Linphone", "softphones"]


def softphones(section: Device | None, line: Line) -> list[Baresip | Linphone]:
    """Return the softphones that the section names.

    Args:
        section: [device], if there is one.
        line: takes and lets go the calls that are heard.
    """
    found: list[Baresip | Linphone] = []
    if section is not None and section.baresip:
        found.append(Baresip(section.baresip, Handset(line, section.call)))
    if section is not None and section.linphone:
        found.append(Linphone(section.linphone, Handset(line, section.call)))
    return found
