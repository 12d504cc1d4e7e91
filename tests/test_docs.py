"""What the documents say is so: commands, options, examples, links."""

import re
import shlex
import subprocess
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
import typer.main

from hackles.cli.commands import app
from hackles.features import FUNCTIONAL_NAMES, LLD_NAMES
from hackles.types import Alert, Reading
from tests.conftest import customer

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
FOLDERS = (".", "docs", "models", "benchmarks", "audio_samples")
DOCUMENTS = sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("*.md"))


def name(path):
    return path.relative_to(ROOT).as_posix()


def fenced(path, language):
    """Return the fenced blocks of a language."""
    text = path.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands():
    """Return every command of the README's blocks, and those quoted in any document, as words."""
    lines = [line for block in fenced(README, "sh") for line in block.splitlines()]
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        lines += re.findall(r"`((?:hackles|python3?|pip) [^`\n]+)`", text)
        lines += re.findall(r"^ {4}(\S*python .*|hackles .*)$", text, re.MULTILINE)
    parts = [part for line in lines for part in re.split(r"&&|\|", line)]
    return [words for part in parts if (words := shlex.split(part, comments=True))]


COMMANDS = commands()


def programs(pattern):
    """Return the commands whose program's name is like this."""
    return [words for words in COMMANDS if re.fullmatch(pattern, Path(words[0]).name)]


@pytest.mark.parametrize("words", programs("hackles"), ids=" ".join)
def test_a_command_of_the_documents_is_one_that_the_program_takes(words):
    group = typer.main.get_command(app)
    if words[1].startswith("-"):
        assert any(words[1] in parameter.opts for parameter in group.params)
        return
    command = group.commands[words[1]]
    if len(words) == 2:  # named in a sentence
        return
    context = command.make_context(words[1], words[2:])
    if words[1] == "score":
        assert context.params["customer"] is not None


def test_the_readme_shows_both_commands_and_both_formats():
    said = [" ".join(words) for words in programs("hackles")]
    assert any("demo" in text for text in said)
    assert any("score" in text and "--format jsonl" in text for text in said)


@pytest.mark.parametrize("words", programs("python3?"), ids=" ".join)
def test_a_module_or_script_of_the_documents_exists_and_knows_the_options(words):
    program, options = words[1], words[2:]
    if program == "-m":
        program, options = words[2], words[3:]
        if program in ("venv", "pytest"):
            return
        path = ROOT / program.replace(".", "/")
        path = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
    else:
        path = ROOT / program
    source = path.read_text(encoding="utf-8")
    for option in options:
        assert not option.startswith("--") or f'"{option}"' in source


@pytest.mark.parametrize("words", programs("pip3?"), ids=" ".join)
def test_what_is_installed_exists(words):
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    for before, word in pairwise(words):
        wanted = re.fullmatch(r"(?:hackles|\.)\[(.*)\]", word)
        assert wanted is None or set(wanted[1].split(",")) <= set(extras)
        assert before != "-c" or (ROOT / word).is_file()


def test_the_readme_s_python_example_hears_the_irritation():
    (example,) = fenced(README, "python")
    room = {"samples": customer("en_rising_1")}
    exec(example, room)
    assert {type(event) for event in room["events"]} >= {Reading, Alert}


def test_the_readme_has_one_test_command_and_it_ends_in_pytest():
    lines = [line for block in fenced(README, "sh") for line in block.splitlines()]
    (line,) = [line for line in lines if "pytest" in line]
    assert line.endswith("python -m pytest")
    text = README.read_text(encoding="utf-8").splitlines()
    assert [one for one in text if one.endswith("python -m pytest")] == [line]


def test_the_gate_runs_the_very_test_command_of_the_readme():
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (taken,) = re.findall(r"^test_command=\$\((.*)\)$", gate, re.MULTILINE)
    result = subprocess.run(
        ["bash", "-c", taken], cwd=ROOT, capture_output=True, check=True, timeout=60
    )
    line = result.stdout.decode().rstrip("\n")
    assert line in README.read_text(encoding="utf-8").splitlines()
    assert line.endswith("python -m pytest")
    assert 'bash -c "$test_command"' in gate.splitlines()


def links():
    """Return every link of the documents to a file of the repository."""
    found = []
    for path in DOCUMENTS:
        text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if not re.match(r"[a-z]+:|#", target):
                found.append((name(path), target.partition("#")[0]))
    return found


@pytest.mark.parametrize(("document", "target"), links())
def test_a_link_leads_to_a_file_of_the_repository(document, target):
    assert (ROOT / document).parent.joinpath(target).exists()


def test_the_readme_shows_the_demo_and_leads_to_model_card_and_licences():
    targets = {target for document, target in links() if document == "README.md"}
    wanted = {"docs/demo.svg", "models/README.md", "models/hackles_models/LICENSE"}
    assert targets >= wanted


def test_documents_are_found():
    assert {"README.md", "CONTRIBUTING.md", "docs/architecture.md"} <= set(map(name, DOCUMENTS))


def names_of_rows(heading):
    """Return the names in the first column of a table; "`a0` to `a3`" stands for all between."""
    text = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]
    names = []
    for cell in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE):
        first, *last = re.findall(r"`([a-z0-9_]+)`", cell)
        if not last:
            names.append(first)
            continue
        digits = re.search(r"\d+", first)[0]
        end = int(re.search(r"\d+", last[0])[0])
        for number in range(int(digits), end + 1):
            names.append(first.replace(digits, f"{number:0{len(digits)}d}", 1))
        assert names[-1] == last[0]
    return names


def test_the_features_document_has_a_row_for_each_descriptor_and_functional():
    assert names_of_rows("Descriptors") == list(LLD_NAMES)
    assert sorted(names_of_rows("Functionals")) == sorted(FUNCTIONAL_NAMES)
