"""Other models than the one that travels with hackles: installed, in use, taken back."""

import io
import json
import os
import pickle
import sys
from importlib import resources

import onnx
import pytest
from onnx import helper

import hackles_models
from hackles import cli
from hackles.errors import ModelError, UsageError
from hackles.models import DEFAULT, SHOWN, Models, chosen
from hackles.models.installed import data_folder
from tests.conftest import SAMPLES
from tests.test_classifier import told_by

SHIPPED = (resources.files(hackles_models) / "default.onnx").read_bytes()
FIGURES = {
    "false_per_hour": 0.5,
    "false_per_hour_below": 0.94,
    "recall": 0.62,
    "early_share": 0.41,
    "delay_median_s": 5.12,
}


def other(path, name, sensitive=True):
    """Write a model like the shipped one, but of another name, and with figures."""
    model = onnx.load_from_string(SHIPPED)
    told = told_by(model) | {"name": name, "measured_on": "made-up calls"}
    for one in told["sensitivities"].values():
        one |= dict.fromkeys(FIGURES)
    told["sensitivities"]["medium"] |= FIGURES if sensitive else {}
    told["sensitivities"]["high"]["tracker"] |= {"rising": 0.5, "irritated": 0.85}
    helper.set_model_props(model, {"hackles": json.dumps(told)})
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture
def models(tmp_path):
    return Models(tmp_path / "models")


@pytest.fixture
def own(tmp_path):
    return other(tmp_path / "my model (2).onnx", "my own")


def test_without_any_other_the_one_that_came_with_hackles_is_in_use(models):
    assert models.names() == [DEFAULT]
    assert models.model() == models.model(DEFAULT)
    assert models.model().content == SHIPPED
    assert not models.folder.exists()


def test_an_installed_model_has_a_readable_name_with_its_digest(models, own):
    name, is_new = models.install(own)
    assert is_new
    assert name == f"my-model-2-{chosen(str(own)).digest[:SHOWN]}"
    assert models.names() == [DEFAULT, name]
    for text in (name, f"{name}.onnx", "my-model-2", name[-SHOWN:], name[-SHOWN:-4]):
        assert models.model(text).content == own.read_bytes()
    assert models.in_use() == DEFAULT


def test_the_same_model_is_installed_once_whatever_its_file_is_called(models, own, tmp_path):
    name, _ = models.install(own)
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(own.read_bytes())
    assert models.install(copy) == (name, False)


def test_what_is_no_model_is_not_installed(models, tmp_path):
    (tmp_path / "m.onnx").write_text("not a model")
    with pytest.raises(ModelError, match="not an ONNX model"):
        models.install(tmp_path / "m.onnx")
    assert not models.folder.exists()


def test_a_swap_is_taken_back_step_by_step(models, own, tmp_path):
    first, _ = models.install(own)
    second, _ = models.install(other(tmp_path / "b.onnx", "another"))
    assert [models.use(name) for name in (first, second, second)] == [first, second, second]
    assert models.model().name == second
    assert [models.rollback(), models.rollback()] == [first, DEFAULT]
    with pytest.raises(UsageError, match="No model was in use before default"):
        models.rollback()


def test_a_model_in_use_that_has_gone_is_an_error_and_no_other_is_taken(models, own):
    name = models.use(models.install(own)[0])
    (models.folder / f"{name}.onnx").unlink()
    with pytest.raises(ModelError, match=f"The model in use, {name}, .*models use default"):
        models.model()
    assert models.use(DEFAULT) == DEFAULT
    with pytest.raises(ModelError, match="which was in use before, cannot be read"):
        models.rollback()
    assert models.in_use() == DEFAULT


def test_a_model_that_was_changed_since_it_was_installed_is_refused(models, own):
    name, _ = models.install(own)
    (models.folder / f"{name}.onnx").write_bytes(SHIPPED)
    for do in (models.model, models.use):
        with pytest.raises(ModelError, match="was changed since it was installed"):
            do(name)
    with pytest.raises(ModelError, match="was changed"):
        models.install(own)


@pytest.mark.parametrize("text", ["in_use = 3", "in_use = 'x", "nothing = ''"])
def test_what_is_in_use_must_be_readable_and_can_be_written_anew(models, own, text):
    name, _ = models.install(own)
    (models.folder / "in_use.toml").write_text(text)
    with pytest.raises(UsageError, match="does not say which model is in use"):
        models.model()
    assert models.use(name) == models.in_use() == name


def test_nothing_leads_out_of_the_folder(models, own, tmp_path):
    models.install(own)
    (models.folder / "in_use.toml").write_text('in_use = "../my model (2)"')
    with pytest.raises((UsageError, ModelError), match=r"cannot be read|was changed"):
        models.model()


def test_a_name_that_may_be_several_is_told(models, own, tmp_path):
    names = [models.install(own)[0]]
    names += [models.install(other(own, "another"))[0]]
    with pytest.raises(UsageError, match=r" or .*give the whole name"):
        models.model("my-model-2")
    with pytest.raises(UsageError, match="no model of that name is installed"):
        models.model("nobody's")


def test_a_chosen_model_stays_the_same_whatever_becomes_of_its_file(own):
    model = chosen(str(own), "high")
    own.write_bytes(SHIPPED)
    for same in (model, pickle.loads(pickle.dumps(model))):
        assert same.load().tracker.rising == 0.5
        assert same.load().digest == model.digest


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has a folder of its own")
def test_the_folder_is_that_of_the_user_s_data(monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert str(data_folder()) == "/data/hackles"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert data_folder().parts[-3:] == (".local", "share", "hackles")


@pytest.fixture
def run(tmp_path, capfd, monkeypatch):
    """Run a command in this process; return exit code, output and errors."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")

    def run_here(*arguments):
        monkeypatch.setattr(sys, "argv", ["hackles", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return exit_.value.code or 0, *capfd.readouterr()

    return run_here


def test_models_are_listed_with_what_they_are_worth(run, own):
    code, out, err = run("models", "install", own, "--use")
    name = out.split()[1].rstrip(".")
    assert (code, err) == (0, "")
    assert f"In use: {name}." in out
    code, out, err = run("models")
    assert (code, err) == (0, "")
    shipped, its = out.split("* my-model-2-", 1)
    assert "default (" in shipped
    assert shipped.count("non-commercial use only.") == 1
    assert "medium: 0.5 false alerts per hour of speech (at most 0.94 with 95 % confidence)" in its
    assert "62 % of escalations warned of, 41 % before their height" in its
    assert "low:    not measured" in its


def test_show_says_all_of_a_file_or_of_an_installed_one(run, own):
    code, out, _ = run("models", "show", own)
    assert code == 0
    assert "sensitivities, measured on made-up calls:" in out
    assert "high:   not measured (rising 0.5, irritated 0.85, eased 2)" in out
    assert run("models", "show", "default")[0] == 0
    code, _, err = run("models", "show", "no such")
    assert (code, err.count("\n")) == (2, 1)


def test_rollback_says_to_which(run, own):
    run("models", "install", own, "--use")
    code, out, _ = run("models", "rollback")
    assert code == 0
    assert out.startswith("In use again: default, instead of my-model-2-")
    assert run("models", "rollback")[0] == 2


def test_another_folder_can_be_named(run, own, tmp_path):
    folder = tmp_path / "elsewhere"
    run("models", "install", own, "--folder", folder)
    assert "my-model-2" in run("models", "--folder", folder)[1]
    assert "my-model-2" not in run("models")[1]
    assert run("models", "--folder", folder, "use", "my-model-2")[0] == 0
    assert Models(folder).in_use().startswith("my-model-2")


def test_a_broken_one_is_told_among_the_others(run, own, tmp_path):
    run("models", "install", own, "--use")
    folder = tmp_path / "data" / "hackles" / "models"
    (path,) = folder.glob("*.onnx")
    path.write_bytes(SHIPPED)
    code, out, _ = run("models")
    assert code == 1
    assert "was changed since it was installed" in out
    path.unlink()
    code, out, _ = run("models")
    assert code == 1
    assert f"The model in use, {path.stem}, is not there" in out


def test_score_takes_the_model_in_use_unless_another_is_named(run, own, tmp_path):
    call = SAMPLES / "pl_calm_1.wav"
    score = ("score", call, "--customer", "right", "--format", "jsonl", "--sensitivity", "high")
    calm = run(*score)[1]
    run("models", "install", own, "--use")
    assert run(*score)[1] != calm
    assert run(*score, "--model", "default")[1] == calm
    (path,) = (tmp_path / "data" / "hackles" / "models").glob("*.onnx")
    path.unlink()
    code, out, err = run(*score)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "install it again, or run `hackles models use default`" in err


def test_a_sensitivity_or_a_model_that_is_none_is_one_sentence(run):
    call = SAMPLES / "pl_calm_1.wav"
    code, _, err = run("score", call, "--customer", "right", "--sensitivity", "loud")
    assert code == 2
    assert "'loud' is not one of 'low', 'medium', 'high'" in err
    code, _, err = run("demo", "--model", "none.onnx")
    assert (code, err) == (1, "hackles: There is no model at none.onnx; name an .onnx file.\n")


@pytest.mark.skipif(os.name == "nt", reason="the daemon needs Linux or macOS")
def test_doctor_names_the_model_in_use_and_what_its_sensitivity_is_worth(run, own, monkeypatch):
    monkeypatch.chdir(own.parent)
    silent = other(own.parent / "silent.onnx", "silent", sensitive=False)
    run("models", "install", silent, "--use")
    assert "sensitivity: medium; the model does not say what that is worth" in run("doctor")[1]
    run("models", "install", own, "--use")
    _, out, _ = run("doctor")
    assert f"blake2b {chosen(str(own)).digest[:SHOWN]}" in out
    assert "sensitivity: medium: 0.5 false alerts per hour" in out
    assert "; measured on made-up calls" in out
