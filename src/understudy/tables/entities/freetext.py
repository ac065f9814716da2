"""Entities inside free text: found by Presidio (patterns, checksums; names with a spaCy model), replaced by fakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from understudy.errors import MissingDependency, UsageError
from understudy.tables.entities.fakes import fake
from understudy.tables.entities.find import form

# Presidio's name -> ours.
KINDS = {
    "EMAIL_ADDRESS": "email",
    "IBAN_CODE": "iban",
    "CREDIT_CARD": "card",
    "US_SSN": "ssn",
    "PHONE_NUMBER": "phone",
    "PERSON": "name",
}
_SURE = 0.4  # Presidio's score from which a find counts


@dataclass(frozen=True)
class Span:
    """text[start:end] is an entity of ``kind``."""

    start: int
    end: int
    kind: str


Finder = Callable[[str], list[Span]]


def finder(language_model: str = "") -> Finder:
    """Spans of English text, none overlapping. MissingDependency: no Presidio; UsageError: no such model.

    language_model : a spaCy model that is installed; without one, names of people are not looked for
    """
    if find_spec("presidio_analyzer") is None:
        raise MissingDependency(
            "Presidio is missing: it finds entities in free text", remedy="pip install 'understudy[text]'"
        )
    import spacy
    import tldextract.tldextract
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    try:
        language = spacy.load(language_model) if language_model else spacy.blank("en")
    except OSError:
        raise UsageError(
            "there is no such language model",
            where="--language-model",
            got=language_model,
            wanted="a spaCy model that is installed",
            remedy="python -m spacy download en_core_web_sm",
        ) from None
    # e-mails are checked against the list of domains that tldextract carries; by itself it would fetch a newer one
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    engine = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": language_model or "blank"}])
    engine.nlp = {"en": language}  # loaded here: Presidio would download what is absent
    registry = RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
    analyzer = AnalyzerEngine(nlp_engine=engine, registry=registry, supported_languages=["en"])
    wanted = [name for name in KINDS if name != "PERSON" or language_model]

    def find(text: str) -> list[Span]:
        found = analyzer.analyze(text, "en", entities=wanted, score_threshold=_SURE)
        kept: list[Span] = []
        for one in sorted(found, key=lambda r: (-r.score, r.start - r.end)):
            if all(one.end <= k.start or one.start >= k.end for k in kept):
                kept.append(Span(one.start, one.end, KINDS[one.entity_type]))
        return sorted(kept, key=lambda s: s.start)

    return find


def rewritten(text: str, find: Finder, words: Callable[[str, str], tuple[int, int]]) -> str:
    """``text`` with every entity replaced. words : (kind, entity) -> two random words, always the same ones."""
    parts, at = [], 0
    for span in find(text):
        own = text[span.start : span.end]
        made = fake(span.kind, np.array([words(span.kind, own)], np.uint64), form([own], span.kind, 1))
        parts += [text[at : span.start], str(made[0])]
        at = span.end
    return "".join([*parts, text[at:]])
