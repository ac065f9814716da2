"""The label auditor: every statement of a data set that can be checked against another one is.

:func:`audit_record` and :func:`audit_records` judge records in memory; :func:`audit` judges a folder or a COCO file, ours
or anyone's: first the files as they stand, then the records that they read as. What a foreign set does not hold is not
asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from understudy.checks import joints, maps, shapes
from understudy.checks.coco import audit_coco, coco_files
from understudy.checks.exhibit import Exhibit, Rule
from understudy.checks.files import PictureCheck, ledger_findings, name_of, pictures_in
from understudy.checks.finding import BY_HAND, EXACT, Finding, Tolerance
from understudy.checks.yolo import audit_yolo, looks_like_yolo
from understudy.errors import DatasetError, UnderstudyError
from understudy.record import Record

RULES: tuple[Rule, ...] = (*shapes.RULES, *joints.RULES, *maps.RULES)
# Rules on files and on the set as a whole, which read no single record: name -> what they demand.
SET_RULES = {
    "index-unique": "record has a number of its own",
    "categories-same": "record lists the same categories in the same order",
    "picture-twice": "picture is in the set once",
    "picture-missing": "picture that is listed is there",
    "picture-orphan": "picture that is there is listed",
    "label-orphan": "label file has a picture",
    "label-missing": "picture has a label file",
    "label-line": "line of a label file is a class and its coordinates",
    "box-polygon": "polygon has a box, where a set keeps both",
    "json": "annotation file is JSON with COCO's tables",
    "ids": "id is a whole number from 1, once",
    "dangling": "id that is pointed at is there",
    "category": "category has a name of its own",
    "annotation": "annotation's flags are legal",
    "annotation-twice": "object is labelled once",
    "bbox": "bbox is finite, has an area, and lies in the picture",
    "bbox-segmentation": "bbox is the segmentation's",
    "segmentation": "segmentation is legal, of the picture's size, and has an area",
    "keypoints": "list of key points is legal and counted right",
    "ledger": "committed file is there, with the bytes that were made",
    "readable": "record can be read back",
}


@dataclass(frozen=True)
class Report:
    """What an audit found.

    findings : the first ``limit`` of them; tally : how many of each rule, all counted; counts : what was looked at
    """

    path: str
    kind: str
    findings: tuple[Finding, ...]
    tally: Mapping[str, int]
    counts: Mapping[str, int]
    errors: int
    warnings: int

    @property
    def ok(self) -> bool:
        """No error was found (warnings may have been)."""
        return self.errors == 0


def audit_record(record: Record, tolerance: Tolerance = EXACT) -> list[Finding]:
    """Everything wrong with one record."""
    exhibit = Exhibit(record, tolerance)
    return [finding for rule in RULES for finding in rule.check(exhibit)]


def audit_records(records: Iterable[Record], tolerance: Tolerance = EXACT) -> list[Finding]:
    """Everything wrong with a set of records: each one's findings, then those between them."""
    return list(_over(records, tolerance, Counter(), between=True))


def audit(path: str | Path, *, limit: int = 1000) -> Report:
    """Audit a data set on disk. Raises DatasetError where there is nothing that can be checked."""
    path = Path(path)
    if not path.exists():
        raise DatasetError("there is nothing here", where=path, remedy="Name a data set's folder, or a COCO file.")
    counts: Counter[str] = Counter()
    kept: list[Finding] = []
    tally: Counter[str] = Counter()
    severity: Counter[str] = Counter()
    ours = (path / "run.json").is_file()
    files = coco_files(path)
    kind = "coco" if files else "yolo" if looks_like_yolo(path) else "records"
    for finding in _all(path, kind, files, ours, counts):
        tally[finding.rule] += 1
        severity[finding.severity] += 1
        if len(kept) < limit:
            kept.append(finding)
    if not counts["annotations"] and not counts["records"] and not counts["pictures"] and not severity["error"]:
        raise DatasetError("nothing here could be checked", where=path, wanted="a COCO, YOLO or WebDataset data set",
                           remedy="Name the folder that holds the pictures and the labels.")
    if kind == "records":
        kind = _format(path) or kind
    return Report(str(path), kind + (" made by understudy" if ours else ""), tuple(kept), dict(tally),
                  {name: n for name, n in counts.items() if n}, severity["error"], severity["warning"])


def _all(path: Path, kind: str, files: list[Path], ours: bool, counts: Counter) -> Iterator[Finding]:
    tolerance = EXACT if ours else BY_HAND
    sound = True
    if kind == "coco":
        pictures = PictureCheck(path)
        for file in files:
            for finding in audit_coco(file, path, pictures, tolerance, counts):
                sound &= finding.severity != "error"
                yield finding
        counts["pictures"] = pictures.count
        if path.is_dir() and counts["annotation files"] == len(files):
            yield from _orphans(path, files, pictures)
    elif kind == "yolo":
        for finding in audit_yolo(path, PictureCheck(path), counts):
            sound &= finding.severity != "error"
            yield finding
    if ours:
        findings, counts["committed files"] = ledger_findings(path)
        yield from findings
    if sound and (kind != "yolo" or ours or _format(path) == "yolo"):
        yield from _over(_read(path), tolerance, counts, between=kind == "records")


def _over(records: Iterable[Record], tolerance: Tolerance, counts: Counter, *, between: bool) -> Iterator[Finding]:
    seen: set[int] = set()
    digests: dict[bytes, int] = {}
    categories: tuple[str, ...] | None = None
    try:
        for record in records:
            counts["records"] += 1
            counts["instances"] += len(record.instances)
            counts["points"] += sum(len(p.names) for i in record.instances for p in i.points)
            counts["maps"] += len(record.maps)
            yield from audit_record(record, tolerance)
            where = f"record {record.index}"
            if record.index in seen:
                yield Finding("index-unique", where, "two records have this number")
            seen.add(record.index)
            if categories is not None and record.categories != categories:
                yield Finding("categories-same", where, "the categories change within the set", str(categories),
                              str(record.categories))
            categories = record.categories
            digest = blake2b(record.picture.data, digest_size=16).digest()
            if between and digest in digests:
                yield Finding("picture-twice", where, f"the same picture as record {digests[digest]}", "each picture once",
                              severity="warning")
            digests.setdefault(digest, record.index)
    except UnderstudyError as error:
        yield Finding("readable", str(error.where or "data set"), error.message, error.wanted and str(error.wanted),
                      error.got and str(error.got))


def _orphans(root: Path, files: list[Path], pictures: PictureCheck) -> Iterator[Finding]:
    """Pictures that no entry names, beside pictures that one does (other folders may hold maps, or another set)."""
    homes = {p.parent for p in pictures.known}
    orphans = [p for p in pictures_in(root) if p.parent in homes and p not in pictures.known]
    for path in orphans[:20]:
        yield Finding("picture-orphan", name_of(path, root), "no annotation file lists this picture", severity="warning")
    if len(orphans) > 20:
        yield Finding("picture-orphan", str(root), f"{len(orphans) - 20} more pictures are listed by no annotation file",
                      severity="warning")


def _read(path: Path) -> Iterator[Record]:
    from understudy.writers import read

    return read(path)


def _format(path: Path) -> str | None:
    """The format that the readers take the path for; None if they take it for none."""
    from understudy.writers import detect

    try:
        return detect(path)[0]
    except DatasetError:
        return None
