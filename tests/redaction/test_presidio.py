"""Names and addresses by Presidio: with a model that is there, and without one; never by the network.

The official models are on no package index. The one here is a true spaCy pipeline with a trained NER of a few seconds,
installed as a distribution under the official name: it shows the path, not the quality of theirs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.core.errors import ManifestError
from ringfence.manifest.record import Privacy
from ringfence.redaction import from_manifest

pytest.importorskip("presidio_analyzer")

TRAIN = """
import random, sys, warnings
warnings.simplefilter("ignore")
import spacy
from spacy.training import Example
from faker import Faker
from pathlib import Path

spacy.util.fix_random_seed(1)
fake = Faker("en_US"); fake.seed_instance(1)
nlp = spacy.blank("en")
ner = nlp.add_pipe("ner")
for label in ("PERSON", "GPE"):
    ner.add_label(label)
forms = (
    "{p} lives in {g}.", "I met {p} in {g} yesterday.", "Call {p} now.", "{p} and {q} moved to {g}.",
    "The report is late.", "Please read the file.",
)
examples = []
for number in range(240):
    form = forms[number % len(forms)]
    values = {"p": fake.name(), "q": fake.name(), "g": fake.city()}
    text, marks = form.format(**values), []
    for key, label in (("p", "PERSON"), ("q", "PERSON"), ("g", "GPE")):
        if "{" + key + "}" in form:
            at = text.index(values[key])
            marks.append((at, at + len(values[key]), label))
    examples.append(Example.from_dict(nlp.make_doc(text), {"entities": marks}))
optimizer = nlp.initialize(lambda: examples)
for _ in range(40):
    random.Random(1).shuffle(examples)
    nlp.update(examples[:120], sgd=optimizer)
    nlp.update(examples[120:], sgd=optimizer)
root = Path(sys.argv[1])
package = root / "en_core_web_sm"
package.mkdir()
nlp.meta.update(name="core_web_sm", version="0.0.1")
nlp.to_disk(package / "en_core_web_sm-0.0.1")
(package / "meta.json").write_text((package / "en_core_web_sm-0.0.1" / "meta.json").read_text())
(package / "__init__.py").write_text(
    "from spacy.util import load_model_from_init_py\\n"
    "def load(**given):\\n    return load_model_from_init_py(__file__, **given)\\n"
)
info = root / "en_core_web_sm-0.0.1.dist-info"
info.mkdir()
(info / "METADATA").write_text("Metadata-Version: 2.1\\nName: en_core_web_sm\\nVersion: 0.0.1\\n")
"""

WATCHED = """
import json, sys
seen = []
def watch(event, args):
    if event in (
        "socket.connect", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen", "os.system", "os.posix_spawn",
    ):
        seen.append(event)
sys.addaudithook(watch)
from ringfence.core.errors import ManifestError
from ringfence.manifest.record import Privacy
from ringfence.redaction import from_manifest
try:
    redactor = from_manifest(Privacy(names="presidio", language=sys.argv[1]), [])
    said = [redactor.text("r", text) for text in sys.argv[2:]]
except ManifestError as error:
    said = str(error)
print(json.dumps([said, seen]))
"""


def run(code: str, *args: str, path: Path | None = None) -> str:
    code = f"import sys; sys.path.insert(0, {str(path)!r})\n{code}" if path else code
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *args], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    run(TRAIN, str(folder))
    return folder


def test_names_and_places_are_replaced_with_a_model_that_is_here_and_nothing_is_fetched(model: Path) -> None:
    texts = ["John Miller lives in Lake Sarah. john@example.org", "John Miller came back."]
    said, seen = json.loads(run(WATCHED, "en", *texts, path=model))
    assert seen == []
    assert said[0] == "<NAME_1> lives in <ADDRESS_1>. <EMAIL_1>"
    assert "Miller" not in said[0] + said[1]


def test_without_a_model_it_fails_closed_and_says_what_to_do_and_nothing_is_fetched() -> None:
    said, seen = json.loads(run(WATCHED, "fi", "Matti Meikäläinen"))
    assert seen == []
    assert all(words in said for words in ("fi_core_news_lg", "never downloads", "pip install", "names: off"))


def test_without_the_extra_it_fails_closed_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.redaction.presidio.find_spec", lambda name: None)
    with pytest.raises(ManifestError, match=r"(?s)not installed.*ringfence\[privacy\]"):
        from_manifest(Privacy(names="presidio"), [])
