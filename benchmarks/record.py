"""What every benchmark's results say beside the figures: which machine, which code, when."""

import argparse
import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console
from rich.table import Table

Figures: TypeAlias = dict[str, Any]
ROOT = Path(__file__).resolve().parents[1]
_PACKAGES = ("numpy", "scipy", "onnxruntime", "soundfile")


def machine() -> Figures:
    """Return what this runs on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{package: version(package) for package in _PACKAGES},
    }


def commit() -> str:
    """Return the commit, with "dirty" behind it where the code measured is not quite that."""

    def git(*args: str) -> str:
        done = subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", "engine", "models", "benchmarks/*.py")
        return git("rev-parse", "--short", "HEAD") + (" dirty" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def command(script: str, options: argparse.Namespace) -> str:
    """Return the command line with all options; files outside the project by name alone."""

    def shown(value: object) -> object:
        if isinstance(value, list):
            return " ".join(map(str, value))
        if not isinstance(value, Path):
            return value
        inside = value.resolve().is_relative_to(ROOT)
        return value.resolve().relative_to(ROOT).as_posix() if inside else value.name

    given = ((name, value) for name, value in vars(options).items() if value is not None)
    return " ".join(
        ["python", script, *(f"--{name.replace('_', '-')} {shown(value)}" for name, value in given)]
    )


def write(path: Path, command_line: str, figures: Figures) -> None:
    """Write figures as JSON, with all that is needed to read them later.

    A long run puts the `commit` it began with into its figures: the code may change meanwhile.
    """
    about = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "command": command_line,
        "machine": machine(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(about | figures, indent=1, ensure_ascii=False) + "\n", "utf-8")


def show(title: str, rows: dict[str, Figures]) -> None:
    """Print a table: a row per name, a column per figure that any row has."""
    table = Table("", title=title, title_justify="left")
    columns = list(dict.fromkeys(key for row in rows.values() for key in row))
    for column in columns:
        table.add_column(column.replace("_", " "), justify="right")
    for name, row in rows.items():
        table.add_row(name, *(str(row.get(column, "")) for column in columns))
    Console(width=110).print(table)
