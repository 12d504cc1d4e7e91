"""Pure feature functions: frames to descriptors, windows of descriptors to functionals.

They know nothing of calls, time or models, and a row's result depends on no other row.
"""

from hackles.features.contours import N_CONTOURS, contour_codes, contours
from hackles.features.descriptors import (
    LLD,
    LLD_NAMES,
    N_LLDS,
    Described,
    Frames,
    Pitches,
    Spectra,
    in_tiles,
    low_level_descriptors,
    spectra,
)
from hackles.features.functionals import (
    FUNCTIONAL,
    FUNCTIONAL_NAMES,
    N_FUNCTIONALS,
    functionals,
)
from hackles.features.harmonicity import VOICED

__all__ = [
    "FUNCTIONAL",
    "FUNCTIONAL_NAMES",
    "LLD",
    "LLD_NAMES",
    "N_CONTOURS",
    "N_FUNCTIONALS",
    "N_LLDS",
    "VOICED",
    "Described",
    "Frames",
    "Pitches",
    "Spectra",
    "contour_codes",
    "contours",
    "functionals",
    "in_tiles",
    "low_level_descriptors",
    "spectra",
]
