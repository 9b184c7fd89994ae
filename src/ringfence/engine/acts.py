"""Which deeds that an answer claims stand on record, and which a result tells of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ringfence.core.policy import SinkSpec

from .clauses import Said, ours, said
from .deeds import Deed
from .gone import Gone, gone
from .sources import plain
from .step import leaves
from .verbs import BASES, COMMANDS, DOMAINS, EFFECTS, GERMAN, NOUNS, TELLING, WEAK, listed, widened
from .words import Token, pathlike, tokens

_LINE = re.compile(r"\\n|\n|(?<=[.!?;])\s|\}, ?\{|\], ?\[")
_WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
_SPLIT = re.compile(r"[^A-Za-zÄÖÜäöüß]+|(?<=[a-z])(?=[A-Z])")
_QUOTED = re.compile(r"\"[^\"\n]*\"|“[^“”\n]*”|„[^„“”\n]*[“”]|«[^«»\n]*»|`[^`\n]*`")
_ALONE = re.compile(r"\W*`((?:I|We|Ich|Wir)\b[^`\n]*|[^`\n]+[.!])`\W*")  # a sentence that is nothing but a code span
_MAKES = frozenset({"write", "change"})
_ALWAYS = listed("send delete pay book cancel publish move")
_GENERAL = listed("shell bash terminal python http exec")
_POST = listed("send write change book pay publish run")
_METHODS = {"POST": _POST, "PUT": frozenset({"write", "change", "publish"}), "PATCH": frozenset({"change"})}
_ATTRIBUTED = re.compile(
    r"\b(?:according to|based on|as per|laut|gemäß|zufolge|"
    r"(?:notes?|file|log|report|result|record|document|table|text|page|mail|message|entry) "
    r"(?:says?|states?|mentions?|records?|shows?|notes?|lists?|reports?|tells?))\b",
    re.I,
)
_FILLERS = listed(
    "a an the of to in on at for from with by as it its this that these those and or you your i me my we our he she "
    "they was were is are been be has have had also now just total altogether all which there here so then der die "
    "das den dem des ein eine einen einem einer und oder es ich wir sie du ihr mein dein ihnen dir dich zu im in am "
    "an auf für von mit bei aus wurde wurden worden ist sind hat haben insgesamt auch nun jetzt according based"
)
_SOMEBODY = listed("someone somebody others another other whoever jemand anderen")
_MENDED = listed("fixed behoben repaired repariert resolved gelöst corrected korrigiert")
_MISSING = re.compile(
    r"missing|not found|no such|\bgone\b|does(?:n't| not) exist|no longer|nonexist|vanished|disappeared|"
    r"fehlt|nicht gefunden|nicht vorhanden|nicht mehr|verschwunden|existiert nicht"
)
_REMOVED = re.compile(
    _MISSING.pattern + r"|\b(?:delet|remov|eras|purg|wip|mov|archiv)ed\b|gelöscht|entfernt|verschoben"
)
_UNDOES = listed("undo patch revert restore clean cleanup sync")
_DRAFT = re.compile(r"\b(?:draft|compose|entwurf|entwirf|entwerfen?|formulier\w*|verfass\w*)\b", re.I)
_LEAST = 3  # words that are a quotation
_MOST_LENT = 400  # sentences of one answer that are looked for in all results
_YES = listed("yes ja done ✓ ✅ ✔ x")
_FROM = listed("from of aus von")
_FAILS = listed(
    "not no never nothing none cannot could would can may might if unless unable without failed fails failing refused "
    "denied declined blocked rejected forbidden tried attempted missing impossible nicht kein keine nichts nie konnte "
    "könnte kann fehlgeschlagen abgelehnt verweigert verboten versucht fehlt gescheitert ohne falls wenn to"
)


class Acts:
    """The record that the deeds of one answer are held against."""

    def __init__(self, task: str, shown: str, done: Sequence[Deed], tools: Sequence[SinkSpec]) -> None:
        self._done = done
        self._specs = {spec.name: spec for spec in tools}
        self._shown, self._task = shown, task
        self._results = shown.replace(task, " ", 1) if task else shown
        self._lower = self._results.casefold()
        self._lines: dict[str, list[set[str]]] | None = None
        self._telling: dict[re.Pattern[str], str] = {}
        self._plain: str | None = None
        self._lent = 0
        asked = [BASES[word] for word in _words(task[:20_000]) if word in BASES]
        self._asked: frozenset[str] = frozenset().union(*asked)

    def unproved(self, sentence: str, *, asked: bool = False) -> Iterator[str]:
        """Why what a sentence claims was not done, as far as anybody knows: one reason for each such claim, once.

        asked  it asks: only what it says of us, in so many words, is a claim
        """
        if sentence.lstrip().startswith("|"):
            sentence = _row(sentence)
        if (alone := _ALONE.fullmatch(sentence)) and not self.lent(alone[1]):
            sentence = sentence.replace("`", " ")
        blank = _QUOTED.sub(_blanked, sentence)
        attributed, reasons = _ATTRIBUTED.search(blank) is not None, set()
        for claim in said(tokens(blank)):
            if asked and not ours(claim):
                continue
            why = self._why_not(claim, attributed=attributed)
            if why and why not in reasons:
                reasons.add(why)
                yield why
        if not (reasons or asked) and (why := self._laid(tokens(blank)) or self._gone(blank)):
            yield why

    def lent(self, words: str) -> bool:
        """Whether words in a fence or a code span are another's or asked for: a result or a call has them."""
        if self._plain is None:
            given = (str(leaf) for deed in self._done for leaf in leaves(deed.args))
            self._plain = plain("\n".join((self._results, *given)))
        wanted, self._lent = plain(words).strip(" .,;:!?"), self._lent + 1
        stands = self._lent <= _MOST_LENT and len(wanted.split()) >= _LEAST and wanted in self._plain
        return stands or _DRAFT.search(self._task) is not None

    def _laid(self, words: Sequence[Token]) -> str:
        """Why what a sentence says of a path cannot be: nothing but calls that failed have named it, and it does not
        say so itself. "You will find it in a.txt", "a.txt is ready"."""
        if any(token.word in _FAILS or token.word.endswith("n't") for token in words):
            return ""
        for token in (token for token in words if pathlike(token)):
            wanted = token.raw.removeprefix("./").casefold()
            named = [d for d in self._done if any(wanted in str(leaf).casefold() for leaf in leaves(d.args))]
            if named and not any(deed.state == "done" for deed in named) and wanted not in self._shown.casefold():
                return f"{named[-1]}: do not say that it is there"
        return ""

    def _gone(self, sentence: str) -> str:
        """Why what a sentence says to be gone is not, as far as anybody knows: no call took it, no result misses it."""
        if (what := gone(sentence)) is None:
            return ""
        fitting = [deed for deed in self._done if self._takes(deed, what.kinds)]
        succeeded = [deed for deed in fitting if deed.state == "done"]
        left = [token.raw for token in what.paths if not self._touched(token, "", succeeded)]
        names = [name.removeprefix("./").casefold() for name in left]
        if (succeeded and not names) or self._misses(names, what, fitting, sentence):
            return ""
        if fitting and not succeeded:
            return f"{fitting[-1]}: do not say that it was done"
        return f"no call on record took {left[0][:80] if left else 'it'} away: do it with a tool, or leave it out"

    def _takes(self, deed: Deed, kinds: frozenset[str]) -> bool:
        undoes = not deed.reads and not _UNDOES.isdisjoint(_words(deed.sink))
        return undoes or self._fits(deed, kinds)

    def _misses(self, names: Sequence[str], what: Gone, fitting: Sequence[Deed], sentence: str) -> bool:
        """Whether a result says that it is not there, or shows nothing of what was only asked about."""
        if not what.paths and what.kinds is EFFECTS and fitting:  # "the old text is gone": no, its edit failed
            return not _FAILS.isdisjoint(_words(sentence))
        told = self._tells(_MISSING if fitting else _REMOVED)
        if told and all(name in told or self._in_vain(name) for name in names):
            return True
        about = names or [token.raw.casefold() for token in tokens(self._task[:20_000]) if pathlike(token)]
        done = [deed for deed in self._done if deed.state == "done"]
        seen = any(name in self._lower or any(name in _about(deed) for deed in done) for name in about)
        return bool(about and done) and not (seen or fitting) and self._asked.isdisjoint({"delete", "move"})

    def _in_vain(self, name: str) -> bool:
        """Whether a call that failed was about it."""
        return any(deed.state == "failed" and name in _about(deed) for deed in self._done)

    def _tells(self, pattern: re.Pattern[str]) -> str:
        """The lines of the results that have such a word."""
        if pattern not in self._telling:
            self._telling[pattern] = "\n".join(line for line in _LINE.split(self._lower) if pattern.search(line))
        return self._telling[pattern]

    def _why_not(self, claim: Said, *, attributed: bool) -> str:
        if claim.voice != "us":
            if claim.agent and self._told_of(claim.agent):
                return ""
            if self._shows(claim, attributed=attributed):
                return ""
            if claim.now and not self._bold(claim):
                return ""
        if not claim.kinds:
            return self._generic()
        if claim.kinds - {"read"} == frozenset():
            return self._looked(claim)
        fitting = [deed for deed in self._done if self._fits(deed, claim.kinds)]
        named = [token for token in claim.segment if pathlike(token)]
        succeeded = [deed for deed in fitting if deed.state == "done"]
        if not succeeded:
            if fitting:
                return f"{fitting[-1]}: do not say that it was done"
            return f"no call on record did this ({claim.word}): do it with a tool, or leave it out"
        for i, token in enumerate(claim.segment):
            if token in named and not self._touched(token, claim.segment[i - 1].word if i else "", succeeded):
                return f"no call on record did this with {token.raw[:80]}"
        return ""

    def _generic(self) -> str:
        """Of "Done.": what the task wanted done, was it?"""
        effects = [deed for deed in self._done if not deed.reads]
        if any(deed.state == "done" for deed in effects):
            return ""
        if effects:
            return f"{effects[-1]}: do not say that it was done"
        return "nothing was done: no call on record changed or sent anything" if self._ordered() else ""

    def _ordered(self) -> bool:
        first = _words(self._task[:2000])[:2]
        return any(word in BASES for word in first)

    def _looked(self, claim: Said) -> str:
        done = [deed for deed in self._done if deed.state == "done"]
        for word in (claim.word, *(token.word for token in claim.segment)):
            wanted = DOMAINS.get(word)
            if wanted and not any(any(part in _about(deed) for part in wanted) for deed in done):
                return f"no call on record did this ({word})"
        return "" if done else f"no call on record did this ({claim.word})"

    def _fits(self, deed: Deed, kinds: frozenset[str]) -> bool:
        if "read" in kinds and deed.reads:
            return True
        return not kinds.isdisjoint(self._kinds(deed))

    def _kinds(self, deed: Deed) -> frozenset[str]:
        """What kinds of deed a call is, by the words of its tool, its arguments or, for want of both, all."""
        name = deed.sink.partition(":")[2] or deed.sink
        words = _words(name)
        if _GENERAL.intersection(words):
            given = " ".join(map(str, leaves(deed.args)))[:20_000]
            method = str(deed.args.get("method", "")).upper()
            if "http" in words and method:
                return _METHODS.get(method, frozenset({"delete"} if method == "DELETE" else ()))
            writes = frozenset({"write"} if ">" in given else ())
            return widened(
                writes | frozenset({"run"}).union(*(COMMANDS.get(word, frozenset()) for word in _words(given)))
            )
        if deed.reads:
            return frozenset()
        last = _words(name.rpartition(".")[2])
        kinds: frozenset[str] = frozenset().union(*(BASES.get(word, frozenset()) for word in last))
        if not kinds or kinds <= _MAKES:
            kinds = kinds.union(*(NOUNS.get(w, BASES.get(w, frozenset())) for w in words))
        if not kinds and (spec := self._specs.get(deed.sink)):
            kinds = frozenset().union(*(BASES.get(word, frozenset()) for word in _words(spec.summary)))
        return widened(kinds) if kinds else EFFECTS

    def _touched(self, token: Token, before: str, succeeded: Sequence[Deed]) -> bool:
        wanted = token.raw.removeprefix("./").casefold()
        if any(wanted in str(leaf).casefold() for deed in succeeded for leaf in leaves(deed.args)):
            return True
        return before in _FROM and wanted in self._shown.casefold()

    def _told_of(self, agent: Sequence[Token]) -> bool:
        head = next((token.word for token in agent if token.word not in _FILLERS), "")
        return bool(head) and (head in self._lower or head in _SOMEBODY)

    def _bold(self, claim: Said) -> bool:
        """Whether "is stored" tells of a deed, and not of how things are."""
        if claim.kinds & _ALWAYS or not claim.kinds or claim.kinds & self._asked:
            return True
        if any(deed.state != "done" and self._fits(deed, claim.kinds) for deed in self._done):
            return True  # what was tried and failed is not so
        marked = claim.word in _MENDED or any(
            token.word in {"now", "already", "successfully", "jetzt", "nun"} for token in claim.segment
        )
        return marked or any(pathlike(t) and t.raw.casefold() not in self._lower for t in claim.segment)

    def _shows(self, claim: Said, *, attributed: bool) -> bool:
        """Whether a line of a result tells of such a deed, with the words that matter."""
        if claim.word not in TELLING and claim.word[:6] in self._lower:
            return True
        content = [token for token in claim.segment if token.word not in _FILLERS and token.word not in WEAK]
        if claim.label:
            content = []
        telling = [t for t in content if _distinct(t)]
        if any(not self._stands(token) for token in telling):
            return False
        plain = [t for t in content if t not in telling]
        if telling and all(token.word[0].isdigit() for token in telling) and not plain:
            return True
        if attributed and plain and sum(t.word[:5] in self._lower for t in plain) * 2 >= len(plain):
            return True
        if not claim.kinds & _ALWAYS and self._retold(content):
            return True
        if not content and not claim.label:
            return False
        wanted = {token.word for token in telling if not token.word[0].isdigit()}
        german = claim.word in GERMAN and bool(telling)
        for kind in claim.kinds:
            for line in self._told().get(kind, ()):
                if claim.perfect and claim.word not in line:
                    continue  # "has been sent" tells of now, not of what some text once told
                if all(any(word in part for part in line) for word in wanted) and (
                    self._like(plain, telling, line) or (german and self._same_numbers(telling, line))
                ):
                    return True
        return False

    def _like(self, plain: Sequence[Token], telling: Sequence[Token], line: set[str]) -> bool:
        stems = {word[:5] for word in line}
        same = sum(token.word[:5] in stems for token in plain)
        names = sum(token.raw[:1].isupper() and token.word in line for token in plain)
        return same * 2 >= len(plain) or (names > 0 and same > 0) or (bool(telling) and same > 0)

    def _same_numbers(self, telling: Sequence[Token], line: set[str]) -> bool:
        """For a sentence in another language than the line: every number and name of it stands there."""
        plain = {word.strip(".,;:'\"").replace(",", "") for word in line}
        return all(token.word.replace(",", "").replace(".", "") in plain or token.word in plain for token in telling)

    def _retold(self, content: Sequence[Token]) -> bool:
        """Whether one line of the results holds nearly all of the words, whatever its verb."""
        stems = [token.word[:5] for token in content]
        lines = _LINE.split(self._lower[:200_000]) if len(stems) > 2 else ()
        return any(sum(stem in line for stem in stems) * 5 >= len(stems) * 4 for line in lines)

    def _stands(self, token: Token) -> bool:
        return token.word in self._lower or token.word[0].isdigit()

    def _told(self) -> dict[str, list[set[str]]]:
        """The lines of the results by the kinds of deed that they tell of."""
        if self._lines is None:
            self._lines = {}
            for line in _LINE.split(self._results):
                words = {word.casefold() for word in _WORD.findall(line[:4000])}
                kinds: frozenset[str] = frozenset().union(*(TELLING[word] for word in words if word in TELLING))
                parts = words | {part.casefold() for part in line[:4000].split()} if kinds else words
                for kind in kinds:
                    self._lines.setdefault(kind, []).append(parts)
        return self._lines


def _distinct(token: Token) -> bool:
    """A number, a path or an address: what a line has to hold as it is."""
    return pathlike(token) or any(c.isdigit() for c in token.word) or "@" in token.word


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _SPLIT.split(text) if word]


def _about(deed: Deed) -> str:
    return f"{deed.sink} {' '.join(str(leaf)[:200] for leaf in leaves(deed.args))}".casefold()


def _blanked(match: re.Match[str]) -> str:
    """Quoted words are nobody's claim; a quoted path or a single word is a name."""
    inner = match.group()[1:-1]
    return match.group() if len(inner.split()) < 2 else " " * len(match.group())


def _row(sentence: str) -> str:
    """A row of a table claims something where it says yes."""
    cells = [cell.strip() for cell in sentence.split("|")]
    yes = any(cell.casefold() in _YES for cell in cells)
    said = [cell for cell in cells if cell and cell.casefold() not in _YES]
    return ", ".join(said) if yes else ""
