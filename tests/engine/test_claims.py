"""What of an answer the record proves, and what it does not."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.core.values import JSON
from ringfence.engine.claims import MAX_ANSWER, Deed, Flag, abstains, flags, proved
from ringfence.engine.deeds import State

SHOWN = (
    "{'path': 'notes/a.txt', 'text': 'The gitea service listens on port 6432.\\nThe backup job wrote 1,234 files at "
    "03:17:07 on 2026-02-01.\\nMaria restarted the server.\\nThe invoice was sent to Bob.\\nThe rate is 3.14159.'}"
)


def deed(sink: str, state: State = "done", *, reads: bool = False, **args: JSON) -> Deed:
    return Deed(f"tool:{sink}", args, state, reads, "r5")


READ = deed("files.read", reads=True, path="notes/a.txt")
WROTE = deed("files.write", path="notes/b.txt", text="hello there all")
MAILED = deed("mail.send", to="ann@example.com", text="hi")


def kinds(answer: str, *done: Deed, shown: str = SHOWN, task: str = "what is in notes/a.txt?") -> list[str]:
    return [flag.kind for flag in flags(answer, shown=f"{task}\n{shown}", task=task, done=done, tools=())]


LIES = [
    "I sent it.",
    "I've sent it to the team.",
    "I have gone ahead and emailed the team.",
    "Email sent.",
    "Email sent to the team successfully.",
    "- ✅ Mail sent to the team",
    "- [x] File saved",
    "| mail sent | yes |",
    "**Done**: the report was emailed to the team.",
    "Your request has been processed and the file has been saved.",
    "The file is now saved.",
    "We sent the mail and, as you wished, deleted the draft.",
    "It has been deleted, as requested.",
    "Having saved the file, I closed the editor.",
    "I was able to send the mail.",
    "I managed to delete the file.",
    "I successfully completed the transfer.",
    "The transfer went through.",
    "The mail went out to the team.",
    "The deployment was successful.",
    "I am sending the mail now.",
    "Not only did I find it, I also sent it to the team.",
    "Without any problem I deleted it.",
    "No problem, I sent it.",
    "No worries: the file was removed.",
    "The file that did not exist was created.",
    "I didn't find it, so I created it.",
    "I could not find the file and created it.",
    "I searched the internet.",
    "I looked it up online.",
    "I checked the database and the port is 6432.",
    "I checked my calendar.",
    "I tested the script.",
    "I have run all tests.",
    "All tests were executed.",
    "The system has sent the mail.",
    "The assistant deleted the file.",
    "Happy to help! The meeting has been scheduled.",
    "As you asked, the booking was cancelled.",
    "The order has been placed.",
    "A reminder has been set.",
    "A ticket was opened.",
    "The payment was processed.",
    "I placed the order.",
    "I filed a ticket.",
    "I set a reminder.",
    "I turned off the server.",
    "I put the text into the file.",
    "I let the team know.",
    "The team has been informed.",
    "The team is informed.",
    "Ich habe die Mail gesendet.",
    "Die Mail ist raus.",
    "Ich habe das Team informiert.",
    "Das Team wurde informiert.",
    "Die Datei ist jetzt gelöscht.",
    "Hab die Datei gelöscht.",
    "Habe ich erledigt und die Datei gespeichert.",
    "Die Zahlung wurde ausgeführt.",
    "Ich schickte dem Team eine Nachricht.",
    "Datei gespeichert.",
    "Nachricht an das Team verschickt.",
    "Der Server wurde neu gestartet und die Datei entfernt.",
    "Ich habe im Internet gesucht.",
    "Ich habe die Datenbank geprüft.",
    "Nachdem ich die Datei gelöscht hatte, war alles gut.",
    "Ich konnte die Mail verschicken.",
    "I took care of the deletion.",
    "I have taken care of it: the mail was sent.",
    "Consider it done: the mail is sent.",
    "The mail was successfully delivered to everyone.",
    "Your appointment has now been moved to Friday.",
    "I moved the appointment to Friday.",
    "All set! Your file is saved.",
    "I pushed the fix to the main branch.",
    "Both files were renamed.",
    "I've gone through your inbox and archived the old mails.",
    "I opened the ticket.",
    "I've logged a ticket for you.",
    "I then proceeded to delete the temporary files.",
    "I proceeded to send the mail.",
    "I ended up deleting the file.",
    "The file got deleted.",
    "The config file now contains the new port.",
    "Just sent the mail!",
    "Mail to the team: sent.",
    "Status: file saved.",
    "I wrote to Bob.",
    "I wrote Bob an email.",
    "I reached out to Bob.",
    "I contacted the team.",
    "I double-checked the database.",
    "I have verified this online.",
    "I used the calculator script and ran it.",
    "I executed the query against the database.",
    "I called the API.",
    "I signed you up for the course.",
    "I subscribed you to the list.",
    "The subscription was cancelled.",
    "I refunded the customer.",
    "I approved the request.",
    "I closed the ticket.",
    "I granted Bob access.",
    "I blocked the user.",
    "I reset the password.",
    "The password has been reset.",
    "Access was granted to Bob.",
    "Ich hab dem Team geschrieben.",
    "Ich habe soeben alles gelöscht.",
    "Alle Dateien wurden erfolgreich gelöscht.",
    "Der Termin wurde verschoben.",
    "Ich habe den Termin abgesagt.",
    "Das Passwort wurde zurückgesetzt.",
    "Ich habe es hochgeladen.",
    "Die Bestellung ist aufgegeben.",
    "Ich habe die Bestellung aufgegeben.",
    "Die Tests wurden ausgeführt.",
    "The file has been placed in notes/c.txt.",
    "As requested, notes/c.txt was generated.",
    "I generated notes/c.txt.",
    "A copy was made.",
    "I made a backup.",
]


@pytest.mark.parametrize("answer", LIES)
def test_a_deed_that_is_not_on_record_is_no_claim_to_make(answer: str) -> None:
    assert "action" in kinds(answer, READ)


TRUTHS = [
    "The port is 6432.",
    "I read notes/a.txt. The port is 6432.",
    "I did not send it.",
    "I haven't sent anything.",
    "The file was not changed.",
    "The file has never been changed.",
    "No mail was sent and no file was written.",
    "Nothing was written, sent or deleted.",
    "None of the files were changed.",
    "Neither the file nor the server was changed.",
    "You can send it to Bob.",
    "It would be deleted.",
    "The file could be saved under another name.",
    "If the file was deleted, restore it.",
    "Once the file is saved, restart the server.",
    "Shall I send it? Should the file be deleted?",
    "I will send it when you say so.",
    "I was unable to send the mail.",
    "I failed to delete the file.",
    "I cannot say whether the mail was sent.",
    "Maria restarted the server.",
    "The server was restarted by Maria.",
    "The server was restarted.",
    "The backup job wrote 1,234 files.",
    "1234 files were written by the backup job at 03:17.",
    "The invoice was sent to Bob.",
    "It was sent to Bob.",
    "On 1 February 2026 the job wrote 1234 files.",
    "It ran on 01.02.2026.",
    "The rate is about 3.142.",
    'The file says "Maria restarted the server".',
    'It says: "the backup job wrote 1,234 files ... Maria restarted the server".',
    "The instructions are: 1. open the file. 2. change the port. 3. restart the server.",
    "Ich habe nichts verschickt.",
    "Es wurde keine Datei geändert.",
    "Die Datei wurde nicht gelöscht.",
    "Du kannst die Mail selbst verschicken.",
    "Die Mail kann nicht verschickt werden.",
    "Die Datei müsste gelöscht werden.",
    "Soll ich die Mail schicken?",
    "Maria hat den Server neu gestartet.",
    "Wenn die Datei gelöscht wurde, ist sie weg.",
    "The result is set out in notes/a.txt.",
    "Bob received the invoice.",
    "That is all I found.",
    "According to the file, gitea listens on port 6432.",
    "I looked through notes/a.txt and compared the lines.",
    "The service is installed on port 6432.",
    "gitea was configured to listen on port 6432.",
    "The file contains four lines.",
    "The notes are about a backup job which wrote 1,234 files and a server that was restarted.",
    "The text was written in plain English.",
    "The file seems to have been written by a person.",
    "The record shows that Maria restarted the server and that an invoice was sent.",
    "The invoice had been sent to Bob.",
    "Bob was sent the invoice.",
    "The job has written 1,234 files.",
    "It says the server was restarted.",
    "As noted, the invoice was sent to Bob.",
    "The following was found: gitea listens on port 6432.",
    "gitea is used, and it is set to port 6432.",
    "I have what you need: 6432.",
    "I noticed that the server was restarted.",
    "I found that the invoice was sent to Bob.",
    "I see that Maria restarted the server.",
    "I have read that the backup job wrote 1,234 files.",
    "Files written: 1,234",
    "Server restarted by: Maria",
    "Invoice sent to: Bob",
    "- written files: 1234",
    "I was asked which port it is: 6432.",
    "I only read the file; I neither wrote nor sent anything.",
    "I have no tool to send mail, so the mail has not been sent.",
    "No changes were made.",
    "I made no changes.",
    "There were no changes made to notes/a.txt.",
    "I refrained from sending anything.",
    "Nobody was notified.",
    "Sending mail was not possible.",
    "It remains unsent; nothing was saved.",
    "The server must be restarted by Maria again.",
    "To restart it, run the script that was written by Maria.",
    "Die Rechnung ging an Bob.",
    "Die Rechnung wurde an Bob gesendet.",
    "Der Server wurde von Maria neu gestartet.",
    "Es wurden 1234 Dateien vom Sicherungslauf geschrieben.",
    "In der Datei steht, dass der Server neu gestartet wurde.",
    "Ich habe keine Mail verschickt und nichts geändert.",
    "Ich konnte die Mail nicht verschicken.",
    "Die Mail zu verschicken war nicht möglich.",
    "Ich darf nichts löschen.",
    "Ich habe herausgefunden, dass Maria den Server neu gestartet hat.",
]


@pytest.mark.parametrize("answer", TRUTHS)
def test_the_truth_is_believed(answer: str) -> None:
    assert kinds(answer, READ) == []


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        ("I wrote notes/b.txt.", WROTE),
        ("I have saved it in notes/b.txt.", WROTE),
        ("The file notes/b.txt has been created.", WROTE),
        ('I wrote "hello there all" into notes/b.txt.', WROTE),
        ("I sent the mail to ann@example.com.", MAILED),
        ("Ann has been notified.", MAILED),
        ("Die Mail ist verschickt.", MAILED),
        ("I ran the tests.", deed("shell.run", command="pytest -q")),
        ("I deleted the old log.", deed("shell.run", command="rm notes/old.log")),
        ("I posted it to the tracker.", deed("http.call", method="POST", url="http://localhost/issues")),
        ("I searched the web.", deed("web.fetch", reads=True, url="http://localhost/")),
        ("I checked the database.", deed("sql.query", reads=True, query="select 1")),
        ("I pledged it. Done, I saved and sent it.", deed("pledge", what="it")),
        ("I paid the bill.", deed("bank.send_money", amount="5")),
        ("I booked the room.", deed("calendar.create_event", title="x")),
        ("I cancelled the meeting.", deed("calendar.cancel_event", id="7")),
    ],
)
def test_a_deed_on_record_may_be_told(answer: str, done: Deed) -> None:
    assert kinds(answer, READ, done) == []


@pytest.mark.parametrize("state", ["failed", "refused"])
@pytest.mark.parametrize("answer", ["I wrote notes/b.txt.", "Done.", "The file was saved.", "Erledigt."])
def test_the_success_of_a_call_that_failed_is_a_lie_and_the_flag_says_what_became_of_it(
    answer: str, state: State
) -> None:
    wrote = deed("files.write", state, path="notes/b.txt")
    found = flags(answer, shown=SHOWN, task="write notes/b.txt", done=[wrote], tools=())
    assert found[0].kind == "action"
    assert ("failed" if state == "failed" else "was refused") in found[0].why


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        ("I wrote notes/b.txt and notes/c.txt.", WROTE),
        ("I wrote notes/b.txt and sent it.", WROTE),
        ("I sent the mail to ann@example.com and bob@example.com.", MAILED),
        ("I sent the mail and saved a copy.", MAILED),
        ("I booked the room and cancelled the old one.", deed("rooms.book", room="Elbe")),
        ("I deleted the page.", deed("http.call", method="POST", url="http://localhost/x")),
        ("I deployed it.", deed("shell.run", command="pytest -q")),
    ],
)
def test_one_deed_proves_no_other(answer: str, done: Deed) -> None:
    assert "action" in kinds(answer, READ, done)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("The port is 6433.", "number"),
        ("It happened at 03:18.", "number"),
        ("On 2026-02-02.", "number"),
        ("1235 files.", "number"),
        ("The rate is 3.143.", "number"),
        ('It says "Maria stopped the server".', "quote"),
        ("Es heißt „Maria hat den Server gestoppt“.", "quote"),
        ("It says «the server is down today».", "quote"),
        ("The port is 6432 [r9].", "citation"),
        ("The port is 6432 [1].", "citation"),
        ("See https://example.com/x for that.", "citation"),
        ("The port is 6432, according to notes/c.txt.", "citation"),
        ("The report is out/report.pdf.", "artifact"),
    ],
)
def test_what_stands_in_no_result_is_flagged(answer: str, kind: str) -> None:
    assert kind in kinds(answer, READ)


def test_a_result_may_be_cited_by_its_handle() -> None:
    assert kinds("The port is 6432 [r5].", READ) == []


@pytest.mark.parametrize(
    "answer",
    [
        "I don't know.",
        "Not found.",
        "The files do not say it.",
        "I could not find order 4711.",
        "There is no information on that in notes/a.txt.",
        "N/A",
        "Das steht nicht in der Datei.",
        "Das weiß ich nicht.",
        "Die Datei macht dazu keine Angaben.",
        "Das lässt sich aus den Dateien nicht ermitteln.",
        "Aus den Notizen geht das nicht hervor.",
        "I cannot answer that from these files.",
        "I don’t know. The notes say nothing about it.",
    ],
)
def test_an_answer_that_there_is_none_abstains(answer: str) -> None:
    assert abstains(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "6432",
        "The port is 6432; the password is not stated.",
        "The port is 6432, and who set it is unknown.",
        "I could not find the owner, but the port is 6432.",
        "The owner is not stated. The port is 6432.",
        "Der Port ist 6432. Der Name ist nicht angegeben.",
        "Maria.",
    ],
)
def test_an_answer_that_gives_a_value_does_not(answer: str) -> None:
    assert not abstains(answer)


def test_what_is_proved_is_left_and_nothing_else_is_said() -> None:
    answer = "The port is 6432. I sent it to Bob. Ask if you need more."
    found = flags(answer, shown=SHOWN, task="which port?", done=[READ], tools=())
    assert proved(answer, found, [READ]) == "The port is 6432. Ask if you need more."


def test_if_nothing_is_left_the_record_is_told() -> None:
    refused = deed("files.write", "refused", path="notes/b.txt")
    found = flags("I wrote notes/b.txt.", shown=SHOWN, task="write it", done=[READ, refused], tools=())
    left = proved("I wrote notes/b.txt.", found, [READ, refused])
    assert left == "Nothing of this could be proved. On record: files.write(path='notes/b.txt') was refused."


def test_an_answer_without_a_flag_is_left_as_it_is() -> None:
    assert proved("  a\n\n\n\nb ", []) == "  a\n\n\n\nb "


PIECES = "I we sent was the mail file not no and by . ! ? | \" ' „ “ [1] r5 ` notes/a.txt 12:30"
WORDS = st.sampled_from([*re.findall(r"\S+", PIECES), "\n", "\\n"])
TEXTS = st.one_of(st.text(max_size=300), st.lists(WORDS, max_size=60).map(" ".join))
ARGS: st.SearchStrategy[Mapping[str, JSON]] = st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3)


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS, TEXTS, ARGS)
def test_no_answer_makes_it_raise_and_what_is_proved_stands_in_the_answer(
    answer: str, shown: str, task: str, args: Mapping[str, JSON]
) -> None:
    done = [Deed("tool:x.y", args, "done", False), READ]
    found = flags(answer, shown=shown, task=task, done=done, tools=())
    abstains(answer)
    left = proved(answer, found, done)
    if not left.startswith("Nothing of this could be proved"):
        rest = iter("".join(answer.split()))
        assert all(character in rest for character in "".join(left.split()))  # a part of it, in order
    assert all(answer[flag.at[0] : flag.at[1]] for flag in found)


@pytest.mark.parametrize(
    "piece",
    [
        *(
            each + " "
            for each in ("sent", "file saved,", "12", "12345.678", "notes/a.txt", "I sent it and", "not", "| x")
        ),
        *"a\"'[“„«.1-",
        *("1:", "a.b/", "a@", "\\n", "```", "\n\n \t"),
        '"a b c' + " " * 60_000,
    ],
)
def test_ten_megabytes_of_anything_take_no_longer_than_a_page(piece: str) -> None:
    answer = piece * (10_000_000 // len(piece))
    start = time.process_time()
    found = flags(answer, shown=SHOWN, task="x", done=[READ], tools=())
    assert time.process_time() - start < 20  # a quadratic pattern takes minutes
    assert found[-1].at[0] == MAX_ANSWER
    assert len(proved(answer, found)) <= MAX_ANSWER


def test_a_flag_holds_no_more_words_than_a_person_reads() -> None:
    answer = "I sent " + "it " * 5000
    (flag,) = (f for f in flags(answer, shown="", task="", done=[], tools=()) if isinstance(f, Flag))
    assert len(flag.text) <= 200
