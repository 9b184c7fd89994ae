"""Names and addresses, by Presidio and a spaCy model that is on this machine: nothing is ever fetched.

Presidio downloads the model that it does not find, and its recognisers of e-mails ask for a list of domains. So the
model is loaded here, by a name that is known to be installed, and one recogniser alone is registered.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, Final

from ringfence.core.errors import ManifestError

from .spans import Kind, Span

_KINDS: Final = {"PERSON": Kind.NAME, "LOCATION": Kind.ADDRESS}
_SURE: Final = 0.5  # of 1: what Presidio gives to a find of spaCy is 0.85
_CHUNK: Final = 100_000  # characters that one call reads: spaCy takes a gigabyte for every 100,000
_WHERE: Final = "https://github.com/explosion/spacy-models/releases"


def models(language: str) -> tuple[str, ...]:
    """The names of the models that know a language, the best first."""
    family = {"en": "core_web", "zh": "core_web"}.get(language, "core_news")
    return (*(f"{language}_{family}_{size}" for size in ("lg", "md", "sm")), "xx_ent_wiki_sm")


class Presidio:
    """A `NameFinder`. Raises ManifestError when it is made if the extra or a model for the language is missing."""

    def __init__(self, language: str = "en") -> None:
        missing = [name for name in ("presidio_analyzer", "spacy") if find_spec(name) is None]
        if missing:
            raise ManifestError(
                f"privacy.names: presidio needs {' and '.join(missing)}, which are not installed",
                todo="pip install 'ringfence[privacy]', or write names: off",
            )
        import spacy

        installed = [name for name in models(language) if spacy.util.is_package(name)]
        if not installed:
            first = models(language)[0]
            raise ManifestError(
                f"privacy.names: presidio needs a spaCy model for the language {language!r}, and none of"
                f" {', '.join(models(language))} is installed; Ringfence never downloads one",
                todo=f"fetch the wheel of {first} from {_WHERE} and pip install it here, or write names: off",
            )
        self.model = installed[0]
        self._language = language
        self._engine = _engine(spacy.load(self.model), language)

    def spans(self, text: str) -> Iterator[Span]:
        """Names of people, and places."""
        for start in range(0, len(text), _CHUNK):
            part = text[start : start + _CHUNK].replace("\0", "\n")
            for found in self._engine.analyze(part, self._language, entities=list(_KINDS), score_threshold=_SURE):
                value = part[found.start : found.end].strip()
                if value:
                    at = start + found.start + part[found.start : found.end].index(value)
                    yield Span(at, at + len(value), _KINDS[found.entity_type], " ".join(value.split()))


def _engine(nlp: Any, language: str) -> Any:
    """Presidio on a model that is loaded already, with the one recogniser that reads what the model found."""
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import SpacyNlpEngine
    from presidio_analyzer.predefined_recognizers import SpacyRecognizer

    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)

    class Loaded(SpacyNlpEngine):
        def load(self) -> None:
            self.nlp = {language: nlp}  # type: ignore[assignment]

    registry = RecognizerRegistry(supported_languages=[language])
    registry.add_recognizer(SpacyRecognizer(supported_language=language, supported_entities=list(_KINDS)))
    models = [{"lang_code": language, "model_name": nlp.meta["name"]}]
    return AnalyzerEngine(registry=registry, nlp_engine=Loaded(models=models), supported_languages=[language])
