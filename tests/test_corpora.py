"""Corpora: a labels.csv and the published layouts say the same; what is wrong is told."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from hackles.errors import UsageError
from models.training.corpora import NEVER_TRAINED, read_clips, read_labels, read_samples
from models.training.export import TERMS, licence
from models.training.layouts import LAYOUTS

COLUMNS = ["corpus", "speaker", "sex", "language", "emotion", "intensity", "text_id"]
HEAD = "file,corpus,speaker,emotion\n"

# A published name, and the row of labels.csv that it stands for.
PUBLISHED = {
    "CREMA-D/AudioWAV/1001_DFA_ANG_XX.wav": "cremad 1001 male en anger - DFA",
    "CREMA-D/AudioWAV/1001_IEO_HAP_LO.wav": "cremad 1001 male en happiness low IEO",
    "CREMA-D/AudioWAV/1002_IEO_DIS_MD.wav": "cremad 1002 female en disgust normal IEO",
    "CREMA-D/AudioWAV/1002_IEO_FEA_HI.wav": "cremad 1002 female en fear strong IEO",
    "CREMA-D/AudioWAV/1040_ITH_SAD_X.wav": "cremad 1040 - en sadness - ITH",
    "CREMA-D/AudioWAV/1091_WSI_NEU_XX.wav": "cremad 1091 - en neutral - WSI",
    "Actor_12/03-01-05-02-01-01-12.wav": "ravdess 12 female en anger strong statement01",
    "Actor_12/03-01-01-01-02-01-12.wav": "ravdess 12 female en neutral normal statement02",
    "Actor_12/03-01-01-01-02-02-12.wav": "ravdess 12 female en neutral normal statement02",
    "Actor_07/03-01-02-01-02-02-07.wav": "ravdess 07 male en calm normal statement02",
    "Actor_07/03-01-08-01-02-02-07.WAV": "ravdess 07 male en surprise normal statement02",
    "emodb/wav/03a01Wa.wav": "emodb 03 male de anger - a01",
    "emodb/wav/16b10Lb.wav": "emodb 16 female de boredom - b10",
    "emodb/wav/16b10Tb.flac": "emodb 16 female de sadness - b10",
    "nEMO/samples/EB0_anger_12.wav": "nemo EB0 female pl anger - 12",
    "nEMO/samples/WR0_surprised_9.wav": "nemo WR0 male pl surprise - 9",
    "TESS/OAF_angry/OAF_back_angry.wav": "tess OAF female en anger - back",
    "TESS/OA_bite_neutral.wav": "tess OAF female en neutral - bite",
    "TESS/YAF_pleasant_surprised/YAF_dog_ps.wav": "tess YAF female en surprise - dog",
    "EMOVO/f1/rab-f1-b1.wav": "emovo f1 female it anger - b1",
    "EMOVO/m3/gio-m3-n4.wav": "emovo m3 male it happiness - n4",
    "SAVEE/AudioData/DC/a01.wav": "savee DC male en anger - a01",
    "SAVEE/AudioData/DC/sa01.wav": "savee DC male en sadness - sa01",
    "SAVEE/ALL/KL_su15.wav": "savee KL male en surprise - su15",
    "SAVEE/ALL/KL_n30.wav": "savee KL male en neutral - n30",
    "URDU/Angry/SM1_F10_A010.wav": "urdu SM1 male ur anger - -",
    "URDU/Neutral/SF9_F1_N01.wav": "urdu SF9 female ur neutral - -",
}
TABLES = {
    "CREMA-D/VideoDemographics.csv": '"ActorID","Age","Sex","Race","Ethnicity"\n'
    '1001,51,"Male","Caucasian","Not Hispanic"\n1002,21,"Female","Caucasian","Not Hispanic"\n',
    "nEMO/data.tsv": "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage\n"
    'EB0_anger_12.wav\tanger\t"Ród\tród\t        EB0\tfemale\t27\n'
    "WR0_surprised_9.wav\tsurprised\tDom.\tdom\t        WR0\tmale\t23\n",
}


def row(words):
    """Return the cells of a line of PUBLISHED."""
    corpus, speaker, *rest = ("" if word == "-" else word for word in words.split())
    return [corpus, f"{corpus}:{speaker}", *rest]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Two folders of the same clips: with a labels.csv, and named as published."""
    labelled, published = (tmp_path_factory.mktemp(name) for name in ("labelled", "published"))
    chance = np.random.default_rng(0)
    with (labelled / "labels.csv").open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["file", *COLUMNS])
        for number, (name, words) in enumerate(PUBLISHED.items()):
            file = f"{number:02d}{Path(name).suffix.lower()}"
            rate = (8000, 16000, 44100)[number % 3]
            soundfile.write(labelled / file, 0.1 * chance.standard_normal(800), rate)
            writer.writerow([file, *row(words)])
            (published / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(labelled / file, published / name)
    for name, text in TABLES.items():
        (published / name).write_text(text, encoding="utf-8")
    return labelled, published


@pytest.fixture
def place(tmp_path):
    """Return a function that puts silent clips in a folder."""

    def put(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(tmp_path / name, np.zeros(80), 8000)
        return tmp_path

    return put


def test_labels_and_published_names_say_the_same(both):
    labelled, published = both
    told = dict(zip(PUBLISHED, read_clips(labelled), strict=True))
    found = read_clips(published)
    assert len(found) == len(PUBLISHED)
    for clip in found:
        same = told[clip.path.relative_to(published).as_posix()]
        assert replace(clip, path=same.path) == same
        assert np.array_equal(read_samples(clip), read_samples(same))


def test_every_layout_is_tried_here():
    assert {row(words)[0] for words in PUBLISHED.values()} == {layout.corpus for layout in LAYOUTS}


def test_clips_come_sorted_by_path(both):
    paths = [clip.path for clip in read_clips(both[1])]
    assert paths == sorted(paths)


def test_a_corpus_can_be_named_by_itself_and_from_inside(both, monkeypatch):
    alone = read_clips(both[1] / "CREMA-D")
    assert [c for c in read_clips(both[1]) if c.corpus == "cremad"] == alone
    monkeypatch.chdir(both[1] / "CREMA-D")
    assert [clip.sex for clip in read_clips(Path())] == [clip.sex for clip in alone]


@given(data=st.data())
def test_no_name_is_of_two_layouts(data):
    layout = data.draw(st.sampled_from(LAYOUTS))
    folder = data.draw(st.sampled_from(["", "a/", "DC/", "Angry/", "Actor_12/", "03a01Wa/"]))
    name = data.draw(st.from_regex(layout.name, fullmatch=True))
    assert [other for other in LAYOUTS if other.match(folder + name)] == [layout]
    assert not any(other.leaves_out(folder + name) for other in LAYOUTS)


@given(data=st.data())
def test_every_name_that_matches_has_its_meaning(data):
    layout = data.draw(st.sampled_from(LAYOUTS))
    found = layout.match(data.draw(st.from_regex(layout.name, fullmatch=True)))
    assert set(layout.row(found)) == set(COLUMNS)


def test_song_silent_pictures_and_hidden_files_are_left_out(place):
    folder = place("03-01-05-02-01-01-12.wav", "03-02-05-02-01-01-12.wav")
    place("02-01-05-02-01-01-12.wav", "._03-01-05-02-01-01-11.wav", ".hidden/x.wav")
    assert [clip.path.name for clip in read_clips(folder)] == ["03-01-05-02-01-01-12.wav"]


def test_a_recording_that_lies_there_twice_is_taken_once_as_wav(place):
    folder = place("AudioMP3/1001_DFA_ANG_XX.mp3", "AudioWAV/1001_DFA_ANG_XX.wav")
    assert [clip.path.suffix for clip in read_clips(folder)] == [".wav"]


@pytest.mark.parametrize(
    "name",
    ["own.wav", "03-01-09-02-01-01-12.wav", "Happy/SM1_F10_A010.wav", "1001_DFA_ANG_XX_2.wav"],
)
def test_audio_of_no_layout_is_named_with_what_was_expected(place, name):
    with pytest.raises(UsageError, match=r"labels\.csv") as error:
        read_clips(place("03a01Wa.wav", name))
    assert name in str(error.value)
    assert all(layout.example in str(error.value) for layout in LAYOUTS)


def test_a_folder_without_speech_is_told(place, tmp_path):
    with pytest.raises(UsageError, match=r"no labels\.csv, and holds no audio.*03a01Wa"):
        read_clips(tmp_path)
    with pytest.raises(UsageError, match="no folder"):
        read_clips(tmp_path / "none")
    with pytest.raises(UsageError, match="song"):
        read_clips(place("03-02-05-02-01-01-12.wav"))
    with pytest.raises(UsageError, match=r"has no labels\.csv"):
        read_labels(tmp_path)


def test_a_table_that_is_not_as_published_is_told(place):
    folder = place("1001_DFA_ANG_XX.wav")
    (folder / "VideoDemographics.csv").write_text("Actor,Sex\n1001,Male\n")
    with pytest.raises(UsageError, match=r"VideoDemographics\.csv.*ActorID"):
        read_clips(folder)


def test_columns_that_may_be_missing_are_blank(tmp_path):
    (tmp_path / "labels.csv").write_text(
        "\ufefffile,corpus,speaker,emotion,notes\na.wav, own ,own:1,anger,loud\n", encoding="utf-8"
    )
    (clip,) = read_clips(tmp_path)
    assert (clip.path, clip.corpus, clip.emotion) == (tmp_path / "a.wav", "own", "anger")
    assert (clip.sex, clip.language, clip.intensity, clip.text_id) == ("", "", "", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: there is no column file"),
        ("file;corpus;speaker;emotion\n", "line 1: there is no column file"),
        ("file,corpus,speaker\na.wav,own,own:1\n", "line 1: there is no column emotion"),
        (HEAD, "names no clips"),
        (HEAD + "a.wav,own,own:1,anger\nb.wav,own,own:1,rage\n", "line 3.*rage.*write anger"),
        (HEAD + "a.wav,own, ,anger\n", "line 2: speaker is empty"),
        (HEAD + "a.wav,own\n", "line 2: speaker is empty"),
        (HEAD + "a.wav,own,1,anger,\n", "line 2: .*more cells"),
        (HEAD + "a.wav,own,1,anger\na.wav,own,2,anger\n", "line 3: line 2"),
        (HEAD + "a.wav,own,1,anger\nb.wav,new,1,anger\n", "line 3: in line 2"),
        (HEAD + "a.wav,own,1,\xff\n", "UTF-8"),
    ],
)
def test_what_is_wrong_in_labels_is_told_with_its_line(tmp_path, text, said):
    (tmp_path / "labels.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=rf"labels\.csv.*{said}"):
        read_clips(tmp_path)


def test_a_clip_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "labels.csv").write_text(HEAD + "a.wav,own,own:1,anger\n")
    (clip,) = read_clips(tmp_path)
    for _ in ("missing", "no sound"):
        with pytest.raises(UsageError, match=r"a\.wav cannot be read"):
            read_samples(clip)
        clip.path.write_text("no sound")


def test_the_terms_are_those_of_what_was_trained_on():
    shipped = licence(["nemo", "spanish", "ravdess", "emodb", "ased"])
    assert "for research, evaluation and non-commercial use only" in shipped
    assert "CC BY-NC-SA 4.0" in shipped
    assert "non-commercial" not in licence(["cremad"])
    assert "ODbL 1.0" in licence(["cremad"])
    assert "non-commercial" in licence(["cremad", "savee"])
    assert "own calls (the terms are those of the data's owner)" in licence(["own calls"])
    assert "non-commercial" not in licence(["cremad", "own calls"])


def test_the_terms_of_every_published_corpus_are_known():
    assert {layout.corpus for layout in LAYOUTS} <= set(TERMS) | NEVER_TRAINED
