"""A reader of the board's events, as a page is one: it has a view, and applies changes to it."""

import msgspec

from hackles.live.curve import LINE_S


class Stale(Exception):  # noqa: N818
    """A change does not go with what the reader has."""


class Reader:
    """What a page knows."""

    def __init__(self):
        self.view = None

    def read(self, name, data):
        """Take in an event."""
        said = msgspec.json.decode(data) if data else None
        if name == "view":
            self.view = said
        elif name == "changes":
            self._apply(said)

    def _apply(self, said):
        if said["after"] != self.view["version"]:
            raise Stale
        rows = {row["session"]: row for row in self.view["rows"]}
        for session in said.get("gone", []):
            del rows[session]
        for row in said.get("rows", []):
            before = rows.get(row["session"], {"points": []})["points"]
            points = before + row["points"]
            while points and points[0][0] < points[-1][0] - LINE_S:
                points = points[1:]
            rows[row["session"]] = row | {"points": points}
        new = {name: said[name] for name in ("order", "hosts", "day", "queues") if name in said}
        self.view |= new | {"version": said["version"], "at": said["at"]}
        self.view["rows"] = [rows[session] for session in self.view["order"]]


def frames(raw):
    """Yield name and data of each whole event."""
    for frame in raw.decode().split("\n\n"):
        fields = dict(line.split(":", 1) for line in frame.splitlines() if line)
        if fields:
            yield fields["event"].strip(), fields["data"].strip()
