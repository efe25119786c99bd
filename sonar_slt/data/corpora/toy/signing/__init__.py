"""The sign languages of the toy world: a meaning becomes glosses, glosses become motion, motion becomes keypoints."""

from sonar_slt.data.corpora.toy.signing.camera import Camera
from sonar_slt.data.corpora.toy.signing.grammar import Gloss, glosses
from sonar_slt.data.corpora.toy.signing.language import SIGN_LANGUAGES, SignLanguage
from sonar_slt.data.corpora.toy.signing.performance import FRAME_RATES, Performance, perform
from sonar_slt.data.corpora.toy.signing.signer import Signer, signers

__all__ = [
    "FRAME_RATES",
    "SIGN_LANGUAGES",
    "Camera",
    "Gloss",
    "Performance",
    "SignLanguage",
    "Signer",
    "glosses",
    "perform",
    "signers",
]
