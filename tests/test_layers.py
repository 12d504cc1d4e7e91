"""Imports point one way: from the vocabulary to the command line."""

import ast
from pathlib import Path

ENGINE = Path(__file__).parents[1] / "engine" / "hackles"

# A module may import from its own layer's left, never from its right; names are folders or files.
ORDER = [
    "types errors config settings",
    "features",
    "framing",
    "history",
    "following foreground talk",
    "activity",
    "leak",
    "hearing busy",
    "gaps windowing evidence",
    "decisions",
    "listening baseline tracker conversation turns",
    "classifier",
    "bank models",
    "rejudging",
    "pipeline",
    "wording records capture pace tally",
    "calibration guidance",
    "configuration",
    "batch",
    "store exchange",
    "sinks",
    "simulator",
    "live",
    "wallboard",
    "doctor",
    "cli",
]
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names.split()}


def imports(path):
    """Yield the room of every import of ours in a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hackles"):
            parts = node.module.split(".")
            yield from [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("hackles."):
                    yield alias.name.split(".")[1]


def room(path):
    """Return the room that a module lies in."""
    return path.relative_to(ENGINE).parts[0].removesuffix(".py")


def test_every_room_has_its_place_in_the_order():
    rooms = {room(path) for path in ENGINE.rglob("*.py")} - {"__init__"}
    assert rooms == set(RANK)


def test_imports_point_one_way():
    for path in ENGINE.rglob("*.py"):
        if path.parent == ENGINE and path.stem == "__init__":
            continue
        own = room(path)
        for other in set(imports(path)) - {own, "__version__"}:
            assert RANK[other] < RANK[own], f"{path.name} ({own}) imports {other}"


def test_the_features_know_nothing_of_calls():
    for path in (ENGINE / "features").glob("*.py"):
        assert set(imports(path)) <= {"features", "types", "config"}, path.name


def test_the_core_has_no_clock_thread_file_or_socket():
    core = "framing history activity leak gaps windowing listening baseline tracker bank decisions"
    forbidden = {"time", "datetime", "threading", "asyncio", "socket", "os", "io", "pathlib"}
    for name in [*core.split(), "foreground", "hearing", "busy", "conversation", "turns"]:
        tree = ast.parse((ENGINE / f"{name}.py").read_text(encoding="utf-8"))
        found = {
            alias.name.split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        } | {
            (node.module or "").split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
        }
        assert not found & forbidden, name
