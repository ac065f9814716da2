"""Faces: expressions, blinking and eyelids that follow the gaze, as mixes of anny's 52 facial actions.

The actions are named as in Apple's ARKit blend shapes, which follow the Facial Action Coding System (Ekman & Friesen, 1978).
"""

from __future__ import annotations

_BOTH = ("Left", "Right")

# Expression -> action (without its side where both do the same) -> strength at full expression.
EXPRESSIONS: dict[str, dict[str, float]] = {
    "neutral": {},
    "smile": {"mouthSmile": 0.75, "cheekSquint": 0.35, "eyeSquint": 0.25, "mouthDimple": 0.2},
    "laugh": {"mouthSmile": 0.9, "jawOpen": 0.3, "cheekSquint": 0.6, "eyeSquint": 0.5, "mouthUpperUp": 0.3,
              "browOuterUp": 0.15},
    "talk": {"jawOpen": 0.28, "mouthFunnel": 0.25, "mouthLowerDown": 0.25},
    "frown": {"browDown": 0.7, "mouthFrown": 0.5, "mouthPress": 0.25, "noseSneer": 0.2},
    "surprise": {"browInnerUp": 0.7, "browOuterUp": 0.7, "eyeWide": 0.6, "jawOpen": 0.4},
    "squint": {"eyeSquint": 0.7, "cheekSquint": 0.4, "browDown": 0.35},
    "grin": {"mouthSmile": 0.8, "mouthUpperUp": 0.45, "mouthLowerDown": 0.35, "cheekSquint": 0.5, "eyeSquint": 0.3},
    "shout": {"jawOpen": 0.75, "mouthUpperUp": 0.35, "mouthLowerDown": 0.4, "browDown": 0.5, "eyeSquint": 0.35,
              "mouthStretch": 0.3},
    "anger": {"browDown": 0.9, "eyeWide": 0.25, "noseSneer": 0.55, "mouthPress": 0.5, "mouthRollLower": 0.3,
              "jawForward": 0.3},
    "sadness": {"browInnerUp": 0.8, "mouthFrown": 0.7, "mouthShrugLower": 0.5, "eyeSquint": 0.2},
    "fear": {"browInnerUp": 0.8, "browOuterUp": 0.3, "eyeWide": 0.8, "mouthStretch": 0.6, "jawOpen": 0.15},
    "disgust": {"noseSneer": 0.9, "mouthUpperUp": 0.5, "browDown": 0.5, "mouthFrown": 0.35, "cheekSquint": 0.4},
    "contempt": {"mouthSmileLeft": 0.6, "mouthDimpleLeft": 0.5, "eyeSquintLeft": 0.3},
    "wink": {"eyeBlinkRight": 1.0, "cheekSquintRight": 0.6, "mouthSmileRight": 0.5, "mouthSmileLeft": 0.2},
    "kiss": {"mouthPucker": 0.9, "mouthFunnel": 0.15},
    "puff": {"cheekPuff": 0.9, "mouthPress": 0.3},
    "bite": {"mouthRollLower": 0.8, "mouthRollUpper": 0.3, "jawOpen": 0.05},
    "aside": {"mouthLeft": 0.6, "jawLeft": 0.4, "browOuterUpLeft": 0.4},
    "chew": {"jawRight": 0.5, "jawOpen": 0.08, "mouthRight": 0.25, "mouthClose": 0.08, "mouthShrugUpper": 0.3},
    "yawn": {"jawOpen": 1.0, "eyeSquint": 0.8, "browInnerUp": 0.3, "mouthStretch": 0.2},
    "tongue": {"tongueOut": 0.9, "jawOpen": 0.35, "eyeSquint": 0.3},
}
# Actions that have no left and right.
_ONE_SIDED = frozenset({"jawOpen", "jawForward", "jawLeft", "jawRight", "mouthFunnel", "mouthPucker", "mouthClose",
                        "mouthLeft", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower",
                        "mouthShrugUpper", "cheekPuff", "browInnerUp", "tongueOut"})


def actions(expression: str, strength: float, blink: float, gaze_turn: float, gaze_nod: float) -> dict[str, float]:
    """Facial actions of an expression (0-1 strength), eyelids closed by ``blink`` (0-1), and the lids' share of a gaze
    (degrees to the subject's left and down)."""
    out: dict[str, float] = {}
    for action, amount in EXPRESSIONS[expression].items():
        whole = action in _ONE_SIDED or action.endswith(_BOTH)
        for side in ("",) if whole else _BOTH:
            out[action + side] = amount * strength
    for side in _BOTH:
        out[f"eyeLookDown{side}"] = max(0.0, gaze_nod) / 30
        out[f"eyeLookUp{side}"] = max(0.0, -gaze_nod) / 30
        out[f"eyeBlink{side}"] = max(blink, out.get(f"eyeBlink{side}", 0.0))
    leftwards = max(0.0, gaze_turn) / 30, max(0.0, -gaze_turn) / 30
    out["eyeLookOutLeft"], out["eyeLookInLeft"] = leftwards
    out["eyeLookInRight"], out["eyeLookOutRight"] = leftwards
    return {name: value for name, value in out.items() if value > 0}
