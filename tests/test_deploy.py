"""What is given for deployment fits the program, and holds what it says."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer.main

from hackles.cli.commands import app
from hackles.configuration import example
from hackles.live.metrics import Metrics
from hackles.live.news import Report

DEPLOY = Path(__file__).parents[1] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def metrics() -> set[str]:
    """Return the metrics of a daemon with a sink and a device; of a histogram, what is needed."""
    all_of_them = Metrics()
    all_of_them.report(0, Report())
    all_of_them.device(is_heard=True)
    page = all_of_them.page({"jsonl": (0, 0)}).decode()
    names = {line.partition("{")[0].split()[0] for line in page.splitlines() if line[0] != "#"}
    return {name for name in names if not name.endswith(("_sum", "_count"))}


def test_the_configuration_is_the_one_that_the_program_prints():
    path = DEPLOY / "hackles.toml"
    assert path.read_text(encoding="utf-8") == example()


def test_the_dashboard_shows_every_metric_and_no_other():
    dashboard = json.loads((DEPLOY / "grafana" / "hackles.json").read_text(encoding="utf-8"))
    targets = [target for panel in dashboard["panels"] for target in panel["targets"]]
    shown = {name for one in targets for name in re.findall(r"hackles_\w+", one["expr"])}
    assert shown == metrics()
    assert {one["datasource"]["uid"] for one in targets} == {"${source}"}
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_no_panel_lies_upon_another():
    dashboard = json.loads((DEPLOY / "grafana" / "hackles.json").read_text(encoding="utf-8"))
    taken = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_the_alerting_rules_ask_for_metrics_that_there_are():
    rules = (DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"hackles_\w+", rules)) <= metrics()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_a_command_that_there_is(unit):
    (words,) = re.findall(r"^ExecStart=(.*)$", unit.read_text(), re.MULTILINE)
    command, *options = words.split()[1:]
    typer.main.get_command(app).commands[command].make_context(command, options)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_finds_nothing_wrong_with_a_unit(unit, tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    copy = tmp_path / unit.name
    text = re.sub(r"^(Exec\w+=)\S*/hackles", r"\1/bin/true", unit.read_text(), flags=re.MULTILINE)
    copy.write_text(text)
    command = ["systemd-analyze", "verify", "--man=no", str(copy)]
    if "agent" in unit.stem:
        command.insert(2, "--user")
    done = subprocess.run(
        command,
        env={"XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
