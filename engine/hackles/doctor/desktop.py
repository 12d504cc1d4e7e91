"""Whether warnings can be shown on this desktop."""

import asyncio
from typing import Final

from hackles.doctor.told import Telling, Told, doubt, fault, well
from hackles.errors import UsageError
from hackles.settings import Settings
from hackles.sinks.notifications import Server, check_installed

_TOPIC: Final = "notifications"
_PATIENCE_S: Final = 5.0
_INSTEAD: Final = (
    "ask again in the desktop session of whoever is to see them; GNOME and KDE bring a "
    "notification server, elsewhere install dunst"
)


def notifications(settings: Settings) -> Telling:
    """Tell whether a notification server answers here, if one is wanted."""
    if settings.desktop is None:
        return
    try:
        check_installed()
    except UsageError as error:
        yield fault(_TOPIC, str(error))
    else:
        yield asyncio.run(_asked())


async def _asked() -> Told:
    server = Server(lambda: None)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await server.connect()
    except TimeoutError:
        return doubt(_TOPIC, f"nothing has answered for {_PATIENCE_S:.0f} s; {_INSTEAD}")
    except OSError as error:
        return doubt(_TOPIC, f"cannot be shown here ({error}); {_INSTEAD}")
    finally:
        await server.close()
    if server.has_buttons:
        return well(_TOPIC, f"shown by {server.name}, with buttons")
    return doubt(
        _TOPIC,
        f"shown by {server.name}, which has no buttons: a click says that it was seen, and false "
        "alarms can be told on the agent's page alone",
    )
