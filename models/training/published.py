"""Published corpora, told by their file names: what a `labels.csv` would say, under its columns."""

import csv
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from hackles.capture.files import find_recordings
from hackles.errors import AudioError, UsageError
from models.training.layouts import EXAMPLES, LAYOUTS, Layout, Row, Speakers


def read_rows(folder: Path) -> list[Row]:
    """Return the row of a `labels.csv` for each clip below a folder, sorted by path.

    A recording that lies there twice (CREMA-D comes as WAV and as MP3) is taken once, as WAV.

    Raises:
        UsageError: if there is no speech, or audio that no layout knows, or a table lacks a column.
    """
    sexes = cache(_sexes)
    rows: dict[tuple[str | None, ...], Row] = {}
    for path in _recordings(folder):
        inside = path.relative_to(folder)
        layout, found = _told(inside, path)
        if found is None:
            continue
        row = {"file": inside.as_posix()} | layout.row(found)
        if layout.table:
            row["sex"] = sexes(folder, path.parent, layout.table).get(found["speaker"], "")
        rows.setdefault((layout.corpus, *found.groups()), row)
    if not rows:
        raise UsageError(f"{folder} holds only song, or pictures without sound; add speech.")
    return sorted(rows.values(), key=lambda row: Path(row["file"]))


def _recordings(folder: Path) -> list[Path]:
    """Return the audio files below a folder, WAV first."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; name a folder of labelled speech.")
    try:
        paths = [Path(path) for path in find_recordings(str(folder))]
    except AudioError as error:
        raise UsageError(
            f"{folder} has no labels.csv, and {error}; name a folder of labelled speech, with a "
            f"labels.csv or with clips named as they were published ({EXAMPLES})."
        ) from error
    return sorted(paths, key=lambda path: path.suffix.lower() != ".wav")


def _told(inside: Path, path: Path) -> tuple[Layout, re.Match[str] | None]:
    """Return the layout of a clip, and what its name says; None if it is to be left out."""
    name = inside.with_suffix("").as_posix()
    for layout in LAYOUTS:
        if layout.leaves_out(name):
            return layout, None
        if found := layout.match(name):
            return layout, found
    raise UsageError(
        f"{path} is not named as any corpus known here was published ({EXAMPLES}); rename it, take "
        "it away, or name all clips in a labels.csv."
    )


def _sexes(folder: Path, below: Path, table: Speakers) -> dict[str, str]:
    """Return the sex of each speaker from the nearest table, from a clip's folder upwards."""
    for place in _upwards(below, folder):
        if (place / table.file).is_file():
            return _read_sexes(place / table.file, table)
    return {}


def _read_sexes(path: Path, table: Speakers) -> dict[str, str]:
    """Return the sex of each speaker from a table."""
    tabs = table.delimiter == "\t"
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            rows = csv.DictReader(
                lines,
                delimiter=table.delimiter,
                # Where tabs part the cells, a quotation mark is a part of the text.
                quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL,
            )
            return {row[table.speaker].strip(): row[table.sex].strip().lower() for row in rows}
    except (KeyError, AttributeError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"{path} is not as published, with the columns {table.speaker} and {table.sex} "
            f"({error!r}); fetch it again, or take it away."
        ) from error


def _upwards(below: Path, folder: Path) -> Iterator[Path]:
    """Yield a folder and those above it, up to and with another."""
    for place in (below, *below.parents):
        yield place
        if place == folder:
            return
