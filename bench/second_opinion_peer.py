"""What MediaPipe sees in pictures: the peer of bench/second_opinion.py.

    MEDIAPIPE_PYTHON bench/second_opinion_peer.py JOBS.json OUT.json

Runs in an environment that holds ``mediapipe`` and ``opencv`` (a process of its own, nothing of Understudy is imported).
JOBS lists pictures with, for each person, the box of the face and of the body in pixels (or null); OUT holds, in the same
order, the faces that were detected in the whole picture, and the landmarks found in a crop around each true box of a face,
a body and the hands.
"""

import json
import sys
from pathlib import Path

import cv2
import mediapipe as mp
import numpy as np

_FACE_PX, _BODY_PX, _HAND_PX = 320, 448, 256  # crops are brought to this size


def main() -> None:
    jobs = json.loads(Path(sys.argv[1]).read_text())
    solutions = mp.solutions
    detectors = [solutions.face_detection.FaceDetection(model_selection=k, min_detection_confidence=0.5) for k in (0, 1)]
    mesh = solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=False,
                                        min_detection_confidence=0.3)
    poses = solutions.pose.Pose(static_image_mode=True, model_complexity=1, min_detection_confidence=0.3)
    hands = solutions.hands.Hands(static_image_mode=True, max_num_hands=2, min_detection_confidence=0.3)
    out = []
    for job in jobs:
        image = cv2.cvtColor(cv2.imread(job["path"]), cv2.COLOR_BGR2RGB)
        people = [{"face": found(mesh, image, p["face"], 0.6, _FACE_PX, "multi_face_landmarks"),
                   "body": found(poses, image, p["body"], 0.12, _BODY_PX, "pose_landmarks"),
                   "hands": [found(hands, image, box, 0.7, _HAND_PX, "multi_hand_landmarks") for box in p["hands"]]}
                  for p in job["people"]]
        out.append({"faces": [box for detector in detectors for box in faces(detector, image)], "people": people})
    Path(sys.argv[2]).write_text(json.dumps(out))


def faces(detector, image) -> list[list[float]]:
    """Boxes, xyxy in pixels, with the score last."""
    h, w = image.shape[:2]
    boxes = []
    for one in detector.process(image).detections or ():
        box = one.location_data.relative_bounding_box
        boxes.append([box.xmin * w, box.ymin * h, (box.xmin + box.width) * w, (box.ymin + box.height) * h,
                      float(one.score[0])])
    return boxes


def found(model, image, box, margin, size, field):
    """Landmarks (k, 2) in the picture's pixels, of the crop around ``box``, where there are several those nearest to its
    middle; null where there is no box or nothing found."""
    if box is None:
        return None
    x0, y0, x1, y1 = box
    side = max(x1 - x0, y1 - y0) * (1 + 2 * margin)
    x0, y0 = (x0 + x1 - side) / 2, (y0 + y1 - side) / 2
    scale = size / side
    crop = cv2.warpAffine(image, np.array([[scale, 0, -x0 * scale], [0, scale, -y0 * scale]]), (size, size),
                          flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    result = getattr(model.process(crop), field)
    if not result:
        return None
    each = [np.array([[m.x, m.y] for m in marks.landmark]) for marks in (result if isinstance(result, list) else [result])]
    nearest = min(each, key=lambda points: float(np.abs(points.mean(0) - 0.5).sum()))
    return (nearest * size / scale + [x0, y0]).tolist()


if __name__ == "__main__":
    main()
