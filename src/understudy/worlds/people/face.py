"""Faces: expressions, blinking and eyelids that follow the gaze, as mixes of anny's 52 facial actions.

The actions are named as in Apple's ARKit blend shapes, which follow the Facial Action Coding System (Ekman & Friesen, 1978).
"""

from __future__ import annotations

_BOTH = ("Left", "Right")

# Expression -> action (without its side) -> strength at full expression.
EXPRESSIONS: dict[str, dict[str, float]] = {
    "neutral": {},
    "smile": {"mouthSmile": 0.75, "cheekSquint": 0.35, "eyeSquint": 0.25, "mouthDimple": 0.2},
    "laugh": {"mouthSmile": 0.9, "jawOpen": 0.3, "cheekSquint": 0.6, "eyeSquint": 0.5, "mouthUpperUp": 0.3,
              "browOuterUp": 0.15},
    "talk": {"jawOpen": 0.28, "mouthFunnel": 0.25, "mouthLowerDown": 0.25},
    "frown": {"browDown": 0.7, "mouthFrown": 0.5, "mouthPress": 0.25, "noseSneer": 0.2},
    "surprise": {"browInnerUp": 0.7, "browOuterUp": 0.7, "eyeWide": 0.6, "jawOpen": 0.4},
    "squint": {"eyeSquint": 0.7, "cheekSquint": 0.4, "browDown": 0.35},
}
_ONE_SIDED = frozenset({"jawOpen", "mouthFunnel", "browInnerUp"})  # actions that have no left and right


def actions(expression: str, strength: float, blink: float, gaze_turn: float, gaze_nod: float) -> dict[str, float]:
    """Facial actions of an expression (0-1 strength), eyelids closed by ``blink`` (0-1), and the lids' share of a gaze
    (degrees to the subject's left and down)."""
    out: dict[str, float] = {}
    for action, amount in EXPRESSIONS[expression].items():
        for side in ("",) if action in _ONE_SIDED else _BOTH:
            out[action + side] = amount * strength
    for side in _BOTH:
        out[f"eyeLookDown{side}"] = max(0.0, gaze_nod) / 30
        out[f"eyeLookUp{side}"] = max(0.0, -gaze_nod) / 30
        out[f"eyeBlink{side}"] = blink
    leftwards = max(0.0, gaze_turn) / 30, max(0.0, -gaze_turn) / 30
    out["eyeLookOutLeft"], out["eyeLookInLeft"] = leftwards
    out["eyeLookInRight"], out["eyeLookOutRight"] = leftwards
    return {name: value for name, value in out.items() if value > 0}
