"""How published corpora spell labels in their file names: data, which `published.py` reads."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Speakers:
    """A table of the speakers' sex that is published with the clips: its file and columns."""

    file: str
    delimiter: str
    speaker: str
    sex: str


@dataclass(frozen=True, slots=True)
class Layout:
    """How one corpus spells its labels.

    Attributes:
        corpus, language: of all its clips.
        example: a path below the folder.
        name: matches a path below the folder, without its suffix and whatever folders come first.
            The groups `speaker`, `emotion`, `intensity`, `text` and `sex` are codes; all groups
            together tell one recording from another.
        emotions, intensities, sexes: what the codes mean; `sexes` is by speaker where the name has
            no code for it.
        speaker, text: what the speaker and the text are called, out of the codes.
        left_out: matches what the corpus holds beside speech.
        table: says the sex, where the name does not.
    """

    corpus: str
    language: str
    example: str
    name: str
    emotions: Mapping[str, str]
    sexes: Mapping[str, str] = field(default_factory=dict)
    intensities: Mapping[str, str] = field(default_factory=dict)
    speaker: str = "{speaker}"
    text: str = "{text}"
    left_out: str = ""
    table: Speakers | None = None

    def match(self, path: str) -> re.Match[str] | None:
        """Match a path below the folder, without its suffix."""
        return _match(self.name, path)

    def leaves_out(self, path: str) -> bool:
        """Return whether a path is of this corpus and yet no speech to train on."""
        return bool(self.left_out and _match(self.left_out, path))

    def row(self, found: re.Match[str]) -> Row:
        """Return what a name says."""
        codes = {name: code or "" for name, code in found.groupdict().items()}
        return {
            "corpus": self.corpus,
            "speaker": f"{self.corpus}:{self.speaker.format(**codes)}",
            "sex": self.sexes.get(codes.get("sex", codes["speaker"]), ""),
            "language": self.language,
            "emotion": self.emotions[codes["emotion"]],
            "intensity": self.intensities.get(codes.get("intensity", ""), ""),
            "text_id": self.text.format(**codes),
        }


def _match(pattern: str, path: str) -> re.Match[str] | None:
    return re.fullmatch(rf"(?:.*/)?(?:{pattern})", path, re.DOTALL)


CREMAD = Layout(
    corpus="cremad",
    language="en",
    example="1001_DFA_ANG_XX.wav",
    # One of the published files ends in _X.
    name=r"(?P<speaker>1[0-9]{3})_(?P<text>[A-Z]{3})_"
    r"(?P<emotion>ANG|DIS|FEA|HAP|NEU|SAD)_(?P<intensity>LO|MD|HI|XX?)",
    emotions={
        "ANG": "anger",
        "DIS": "disgust",
        "FEA": "fear",
        "HAP": "happiness",
        "NEU": "neutral",
        "SAD": "sadness",
    },
    intensities={"LO": "low", "MD": "normal", "HI": "strong"},
    table=Speakers("VideoDemographics.csv", ",", "ActorID", "Sex"),
)

RAVDESS = Layout(
    corpus="ravdess",
    language="en",
    example="03-01-05-02-01-01-12.wav",
    name=r"0[13]-01-(?P<emotion>0[1-8])-(?P<intensity>0[12])-(?P<text>0[12])-(0[12])-"
    r"(?P<speaker>[0-9]{2})",
    emotions={
        "01": "neutral",
        "02": "calm",
        "03": "happiness",
        "04": "sadness",
        "05": "anger",
        "06": "fear",
        "07": "disgust",
        "08": "surprise",
    },
    sexes={f"{actor:02d}": "male" if actor % 2 else "female" for actor in range(1, 25)},
    intensities={"01": "normal", "02": "strong"},
    text="statement{text}",
    left_out=r"(?:02-0[12]|0[13]-02)(?:-[0-9]{2}){5}",  # pictures without sound, and song
)

EMODB = Layout(
    corpus="emodb",
    language="de",
    example="03a01Wa.wav",
    name=r"(?P<speaker>[0-9]{2})(?P<text>[ab][0-9]{2})(?P<emotion>[WLEAFTN])([a-z])",
    emotions={
        "W": "anger",
        "L": "boredom",
        "E": "disgust",
        "A": "fear",
        "F": "happiness",
        "T": "sadness",
        "N": "neutral",
    },
    sexes=dict.fromkeys(("03", "10", "11", "12", "15"), "male")
    | dict.fromkeys(("08", "09", "13", "14", "16"), "female"),
)

NEMO = Layout(
    corpus="nemo",
    language="pl",
    example="EB0_anger_12.wav",
    name=r"(?P<speaker>[A-Z]{2}[0-9])_"
    r"(?P<emotion>anger|fear|happiness|neutral|sadness|surprised)_(?P<text>[0-9]{1,2})",
    emotions={
        "anger": "anger",
        "fear": "fear",
        "happiness": "happiness",
        "neutral": "neutral",
        "sadness": "sadness",
        "surprised": "surprise",
    },
    table=Speakers("data.tsv", "\t", "speaker_id", "gender"),
)

TESS = Layout(
    corpus="tess",
    language="en",
    example="OAF_back_angry.wav",
    # One of the published files begins with OA_.
    name=r"(?P<speaker>OA|YA)F?_(?P<text>[a-z]+)_"
    r"(?P<emotion>angry|disgust|fear|happy|neutral|ps|sad)",
    emotions={
        "angry": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "happy": "happiness",
        "neutral": "neutral",
        "ps": "surprise",
        "sad": "sadness",
    },
    sexes={"OA": "female", "YA": "female"},
    speaker="{speaker}F",
)

EMOVO = Layout(
    corpus="emovo",
    language="it",
    example="rab-f1-b1.wav",
    name=r"(?P<emotion>rab|dis|gio|pau|sor|tri|neu)-(?P<speaker>(?P<sex>[fm])[123])-"
    r"(?P<text>[a-z][0-9])",
    emotions={
        "rab": "anger",
        "dis": "disgust",
        "gio": "happiness",
        "pau": "fear",
        "sor": "surprise",
        "tri": "sadness",
        "neu": "neutral",
    },
    sexes={"f": "female", "m": "male"},
)

SAVEE = Layout(
    corpus="savee",
    language="en",
    example="DC/a01.wav or DC_a01.wav",
    name=r"(?P<speaker>DC|JE|JK|KL)[/_](?P<emotion>a|d|f|h|n|sa|su)(?P<text>[0-9]{2})",
    emotions={
        "a": "anger",
        "d": "disgust",
        "f": "fear",
        "h": "happiness",
        "n": "neutral",
        "sa": "sadness",
        "su": "surprise",
    },
    sexes=dict.fromkeys(("DC", "JE", "JK", "KL"), "male"),
    text="{emotion}{text}",  # every emotion has sentences of its own
)

URDU = Layout(
    corpus="urdu",
    language="ur",
    example="Angry/SM1_F10_A010.wav",
    # The folder's first letter comes again in the name.
    name=r"(?P<emotion>A(?=ngry/)|H(?=appy/)|N(?=eutral/)|S(?=ad/))[a-z]+/"
    r"(?P<speaker>S(?P<sex>[MF])[0-9]{1,2})_F([0-9]{1,2})_(?P=emotion)(0[0-9]{1,3})",
    emotions={"A": "anger", "H": "happiness", "N": "neutral", "S": "sadness"},
    sexes={"M": "male", "F": "female"},
    text="",
)

LAYOUTS = (CREMAD, RAVDESS, EMODB, NEMO, TESS, EMOVO, SAVEE, URDU)
EXAMPLES = ", ".join(f"{layout.corpus} {layout.example}" for layout in LAYOUTS)
