"""Words for what a model does in its head or in its answer: nothing that a record would have to prove."""

from __future__ import annotations

import re

from .verbs import listed

_ENGLISH = listed(
    "used tried attempted failed wanted needed decided assumed concluded noticed noted observed identified "
    "located determined inferred derived extracted summarized summarised listed described explained provided "
    "answered mentioned included excluded considered interpreted translated rounded added calculated estimated "
    "converted compared counted sorted ordered grouped filtered matched parsed traced followed relied based "
    "focused focussed started finished completed stopped ended returned received retrieved collected gathered "
    "obtained quoted cited referred referenced reported stated named called asked believed expected guessed "
    "skipped ignored omitted limited missed reached encountered faced realized realised recognized recognised "
    "learned remembered recalled discovered detected picked selected offered suggested recommended proposed "
    "advised planned prepared drafted intended hoped agreed refused declined denied rejected refrained avoided "
    "apologized apologised repeated stayed remained worked proceeded continued turned discussed highlighted "
    "emphasized emphasised outlined presented displayed showed demonstrated shortened simplified rephrased "
    "paraphrased reworded marked labelled labeled combined joined assembled formatted happened liked loved helped "
    "managed supposed related indicated confirmed verified checked double-checked required allowed inspected "
    "examined reviewed consulted analysed analyzed tested cross-checked multiplied divided subtracted summed "
    "totalled totaled averaged searched scanned skimmed passed looked viewed visited entitled titled unable "
    "detailed specified given defined contained dated numbered involved concerned mistaken informed told thanked "
    "wondered figured reasoned thought deduced doubted proved proven resolved interested addressed covered "
    "expressed clarified elaborated commented pointed supported experienced enjoyed understood worried pulled "
    "spotted scrolled arrived glanced peeked paged combed sifted scoured landed pieced tallied surveyed studied "
    "cross-referenced correlated aggregated tabulated evaluated assessed judged rated ranked weighed narrowed "
    "condensed echoed merely"
)
_GERMAN = listed(
    "gefunden gelesen gesehen gesucht gedacht gemacht verstanden versucht verwendet benutzt genutzt beantwortet "
    "gegeben genommen bekommen erhalten herausgefunden festgestellt bemerkt erkannt ermittelt entnommen "
    "angenommen vermutet geschätzt gerundet zusammengefasst aufgelistet gesammelt genannt erwähnt beschrieben "
    "erklärt übersetzt umgerechnet addiert sortiert gefiltert verglichen gezählt berechnet angegeben gemeint "
    "gewusst gekonnt gemerkt gehalten gesagt gezeigt aufgeführt ausgewählt betrachtet untersucht ausgewertet "
    "begonnen beendet entschieden beschränkt berücksichtigt ignoriert übersprungen verzichtet unterlassen "
    "abgelehnt gebraucht enthalten erfahren gehört geholfen gearbeitet gefragt geglaubt gehofft gewollt gesollt "
    "gemusst gedurft gelassen gegangen gekommen geworden gewesen zitiert zugeordnet abgeleitet geschlossen "
    "überlegt gerechnet erledigt nachgedacht orientiert gestützt verlassen"
)
_PARTICIPLE = re.compile(r"[a-z-]{3,}(?<!e)ed")
_PARTIZIP = re.compile(
    r"(?:ab|an|auf|aus|be|ein|ent|er|ge|her|hin|hinter|los|mit|nach|um|unter|ver|vor|weg|zer|zu|zurück|über)"
    r"[a-zäöüß]{2,30}(?:t|en)|[a-zäöüß]{3,30}iert"
)


def participle(word: str) -> bool:
    """Whether a word looks like an English past form or a German participle of something done, and not just thought."""
    return len(word) < 40 and _PARTICIPLE.fullmatch(word) is not None and word not in _ENGLISH


def partizip(word: str) -> bool:
    """The same of a German one, which only its clause can tell from another word."""
    return len(word) < 40 and _PARTIZIP.fullmatch(word) is not None and word not in _GERMAN
