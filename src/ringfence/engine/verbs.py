"""The words by which something is said to have been done, in English and German, and what kind of deed each names."""

from __future__ import annotations

from collections.abc import Mapping


def listed(words: str) -> frozenset[str]:
    """The words of a line, as a set."""
    return frozenset(words.split())


# Past forms and participles that name a deed whoever is the subject.
_STRONG = {
    "write": "zipped attached wrote written saved backed stored created added appended inserted exported generated "
    "overwrote overwritten geschrieben gespeichert abgespeichert angelegt erstellt abgelegt hinzugefügt "
    "eingefügt ergänzt eingetragen überschrieben schrieb speicherte erstellte",
    "change": "rolled cleaned set gesetzt changed edited updated modified replaced corrected fixed adjusted amended "
    "overwrote overwritten renamed configured reconfigured enabled disabled patched repaired reverted "
    "restored undone undid reset added appended granted revoked inserted geändert abgeändert verändert "
    "bearbeitet aktualisiert ersetzt korrigiert angepasst umbenannt behoben repariert aktiviert "
    "deaktiviert zurückgesetzt wiederhergestellt überschrieben änderte ersetzte",
    "delete": "emptied cleaned deleted removed erased purged wiped uninstalled discarded gelöscht entfernt löschte "
    "entfernte",
    "move": "moved renamed copied relocated archived verschoben kopiert umbenannt archiviert",
    "send": "attached sent mailed emailed e-mailed messaged notified forwarded delivered posted informed invited "
    "transmitted submitted alerted texted dispatched told contacted geschickt verschickt abgeschickt "
    "gesendet versendet versandt abgesendet benachrichtigt informiert weitergeleitet zugestellt gemailt "
    "eingeladen eingereicht übermittelt schickte sendete",
    "publish": "uploaded published deployed pushed committed merged posted veröffentlicht hochgeladen deployt "
    "ausgerollt",
    "run": "stoppte startete ran run executed launched started restarted stopped rebooted installed triggered "
    "upgraded terminated ausgeführt gestartet neugestartet gestoppt installiert",
    "book": "booked subscribed reserved scheduled rescheduled gebucht reserviert vereinbart verschoben angesetzt "
    "buchte",
    "cancel": "cancelled canceled unsubscribed storniert abgesagt gekündigt abbestellt",
    "pay": "paid transferred refunded purchased bought bezahlt überwiesen beglichen gezahlt gekauft erstattet",
}
# Forms that say so of us alone: with another subject they are what any text tells.
_WEAK = {
    "write": "recorded logged noted documented put registered notiert protokolliert festgehalten",
    "change": "resolved applied approved blocked unblocked closed gelöst",
    "delete": "cleared dropped",
    "send": "phoned asked angerufen shared reported replied answered contacted told reached geteilt gemeldet "
    "mitgeteilt geantwortet kontaktiert",
    "publish": "released shared",
    "run": "printed tested built compiled invoked called getestet kompiliert aufgerufen",
    "book": "arranged ordered registered signed bestellt angemeldet",
    "pay": "charged wired settled donated ordered bestellt",
    "move": "transferred",
    "read": "searched queried checked double-checked read looked reviewed verified examined inspected analysed "
    "analyzed scanned consulted browsed fetched downloaded counted computed calculated compared visited "
    "accessed opened gesucht durchsucht geprüft überprüft gelesen nachgesehen nachgeschaut angesehen "
    "abgefragt kontrolliert analysiert abgerufen heruntergeladen gezählt berechnet verglichen",
}
_GERUNDS = {
    "write": "writing saving storing creating adding",
    "change": "changing editing updating modifying replacing fixing correcting renaming adding",
    "delete": "deleting removing erasing",
    "move": "moving copying renaming",
    "send": "sending mailing emailing notifying forwarding informing inviting posting",
    "publish": "uploading publishing deploying pushing committing posting",
    "run": "running executing restarting starting stopping installing",
    "book": "booking reserving scheduling",
    "cancel": "cancelling canceling unsubscribing",
    "pay": "paying transferring refunding",
}
# What is made by "I placed the order", "a ticket was opened": these verbs tell of a deed with these nouns alone.
OPENED = listed("placed opened set filed raised submitted logged left")
_OPENED = {
    "publish": "request",
    "write": "reminder alarm ticket issue case complaint account task comment remark",
    "send": "alert order ticket issue case complaint",
    "book": "order reminder alarm",
    "pay": "order",
}
# What a tool or an argument is called, and what a task orders.
_BASES = {
    "write": "write save create append add insert put store note keep make new touch tee mkdir schreibe schreib "
    "schreiben speichere speichern erstelle erstellen anlegen lege",
    "change": "edit change update modify patch replace set fix correct rename undo revert restore configure sed "
    "ändere ändern bearbeite ersetze ersetzen korrigiere aktualisiere",
    "delete": "delete remove erase purge drop clear rm rmdir unlink lösche löschen entferne entfernen",
    "move": "move rename copy archive mv cp verschiebe kopiere",
    "send": "send mail email message reply post notify forward share invite sms tell inform submit sendmail "
    "schicke schicken sende senden benachrichtige informiere informieren benachrichtigen verschicken "
    "versenden mailen",
    "publish": "publish upload push commit deploy release post share merge",
    "run": "run exec execute shell command script python restart start stop install deploy launch trigger starte führe",
    "book": "book booking reserve reservation schedule reschedule calendar event meeting appointment buche buchen "
    "reserviere reservieren vereinbaren",
    "cancel": "cancel cancellation unsubscribe delete remove storniere storno kündige stornieren absagen",
    "pay": "pay payment transfer refund charge purchase buy money invoice bezahle überweise bezahlen überweisen zahlen",
}
_NOUNS = {
    "write": "save creation entry file copy note backup datei eintrag",
    "change": "change changes edit edits update updates replacement correction corrections fix modification "
    "adjustment änderung änderungen korrektur ersetzung anpassung aktualisierung",
    "delete": "deletion removal cleanup löschung",
    "move": "rename move copy",
    "send": "mail email e-mail message notification invitation invitations bescheid reply confirmation antwort "
    "bestätigung nachricht benachrichtigung "
    "einladung",
    "publish": "upload deployment release commit push",
    "run": "run restart installation execution neustart installation ausführung",
    "book": "booking reservation appointment meeting buchung reservierung termin",
    "cancel": "cancellation stornierung absage kündigung",
    "pay": "payment transfer refund purchase order bestellung zahlung überweisung",
    "read": "search query count lookup check suche abfrage",
}

# Words behind a verb that make another one of it: stopped looking, started with, set out, ordered by.
IDIOMS: Mapping[str, frozenset[str]] = {
    "stopped": listed("looking searching reading there at"),
    "started": listed("with from by looking reading searching"),
    "set": listed("out about forth aside"),
    "put": listed("together"),
    "called": listed("it this that them him her"),
    "copied": listed("value number name date line words word text quote answer figure"),
    "ordered": listed("by"),
    "cleared": listed("up"),
    "noted": listed("that"),
    "fixed": listed("on upon"),
    "opened": listed("with"),
    "reported": listed("that"),
    "told": listed("apart"),
}
NEEDS: Mapping[str, frozenset[str]] = {
    "answered": listed("mail email message request nachricht mails"),
    "asked": listed("to"),
    "rolled": listed("back out"),
}

EFFECTS = frozenset(_STRONG)
GENERIC = listed("done completed finished erledigt complete abgeschlossen fertig")
PREDICATES = GENERIC | listed(
    "made performed carried processed raus übernommen out place gegeben aufgegeben applied submitted successful "
    "succeeded confirmed through run erfolgreich vorgenommen durchgeführt erfolgt bestätigt"
)
OBJECTS = listed(
    "process deployment pipeline job build download upload transfer mail mails email emails e-mail message "
    "messages file files note notes text texts change changes report copy meeting event appointment "
    "booking invoice payment setting settings entry summary result results document script command "
    "service server table row rows line lines room order ticket task reminder invitation notification "
    "backup update datei dateien nachricht nachrichten änderung änderungen bericht termin buchung "
    "rechnung eintrag notiz skript befehl dienst zeile einladung überweisung"
)
DOMAINS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("database", "db", "datenbank", "databases"), ("sql", "db", "database")),
    **dict.fromkeys(
        ("web", "internet", "online", "google", "website", "webseite", "wikipedia"), ("web", "http", "fetch", "browse")
    ),
    **dict.fromkeys(("downloaded", "heruntergeladen"), ("web", "http", "fetch", "curl", "wget", "download")),
    **dict.fromkeys(("calendar", "kalender"), ("cal", "event")),
    **dict.fromkeys(("inbox", "mailbox", "postfach"), ("mail", "inbox")),
}


def _index(*tables: Mapping[str, str]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for table in tables:
        for kind, words in table.items():
            for word in words.split():
                found.setdefault(word, set()).add(kind)
    return {word: frozenset(kinds) for word, kinds in found.items()}


STRONG = _index(_STRONG)
WEAK = _index(_WEAK, _STRONG)
GERUNDS = _index(_GERUNDS)
BASES = _index(_BASES)
NOUNS = _index(_NOUNS)
MADE = _index(_OPENED)
ANY_FORM = _index(_STRONG, _WEAK, _GERUNDS, _BASES)
_GERMAN_STARTS = (
    "ge",
    "ver",
    "ab",
    "an",
    "ein",
    "hinzu",
    "über",
    "um",
    "be",
    "wieder",
    "durch",
    "nach",
    "herunter",
    "hoch",
)
_GERMAN = listed(
    "stoppte startete schrieb speicherte schickte sendete buchte änderte ersetzte löschte entfernte "
    "erstellte erstellt erstattet ersetzt entfernt zurückgesetzt weitergeleitet zugestellt neugestartet "
    "festgehalten mitgeteilt ausgeführt ausgerollt deployt übermittelt"
)
GERMAN = frozenset(
    word
    for word in WEAK
    if word in _GERMAN
    or (word.endswith("iert") or (word.startswith(_GERMAN_STARTS) and not word.endswith(("ed", "ght"))))
)

# Words that name a tool or its matter, and so tell in a line of a result of no deed.
_NAMES = listed(
    "mail email message note store money invoice calendar event meeting appointment order script command "
    "shell python booking reservation payment charge share post reply make new keep set put start"
)
TELLING = {word: kinds for word, kinds in ANY_FORM.items() if word not in _NAMES}

# What a command line or a program does, by its words.
_COMMANDS = {
    "write": "touch tee mkdir cp dd write save dump to_csv savefig writelines mktemp",
    "change": "sed patch chmod chown apply write ln edit alter update insert",
    "delete": "rm rmdir unlink shred remove rmtree delete drop truncate",
    "move": "mv cp rename move copy rsync scp",
    "send": "mail sendmail mutt smtplib sendmsg curl post send notify",
    "publish": "push commit deploy publish upload scp rsync release merge",
    "book": "book reserve schedule",
    "cancel": "cancel unsubscribe",
    "pay": "pay transfer refund",
}
COMMANDS = _index(_COMMANDS)

# A deed of the first kind is one of the others too: who writes a file changes it.
_ALSO = {
    "write": {"change"},
    "change": {"write"},
    "move": {"change", "write"},
    "publish": {"send"},
    "send": {"publish"},
    "pay": {"send"},
}


def widened(kinds: frozenset[str]) -> frozenset[str]:
    """The kinds, and what a deed of theirs may be called as well."""
    return kinds.union(*(_ALSO.get(kind, set()) for kind in kinds))
