"""What of an answer the record proves, and what it does not."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.core.values import JSON
from ringfence.engine.claims import MAX_ANSWER, MAX_FLAGS, Deed, Flag, abstains, flags, proved
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


def said(name: str) -> list[str]:
    """Answers, one a line, that the patterns were tuned on; of runs that did something with the name of the deed."""
    return (Path(__file__).parent / "said" / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def kinds(answer: str, *done: Deed, shown: str = SHOWN, task: str = "what is in notes/a.txt?") -> list[str]:
    return [flag.kind for flag in flags(answer, shown=f"{task}\n{shown}", task=task, done=done, tools=())]


@pytest.mark.parametrize("answer", said("reading_lies"))
def test_a_deed_that_is_not_on_record_is_no_claim_to_make(answer: str) -> None:
    assert "action" in kinds(answer, READ)


@pytest.mark.parametrize("answer", said("reading_truths"))
def test_the_truth_is_believed(answer: str) -> None:
    assert kinds(answer, READ) == []


DEEDS = {
    "read": READ,
    "mail-failed": deed("mail.send", "failed", to="ann@example.com"),
    "mail-refused": deed("mail.send", "refused", to="ann@example.com"),
    "booked": deed("rooms.book", room="Elbe", date="2026-03-03"),
    "ran": deed("shell.run", command="make checks"),
    "edit-failed": deed("files.edit", "failed", path="notes/a.txt", old="x", new="y"),
}


@pytest.mark.parametrize("line", said("doing_lies"))
def test_beside_a_deed_that_was_done_or_failed_no_other_is_one_to_claim(line: str) -> None:
    name, answer = line.split("\t")
    assert "action" in kinds(answer, READ, DEEDS[name])


@pytest.mark.parametrize("line", said("doing_truths"))
def test_the_truth_about_a_deed_is_believed(line: str) -> None:
    name, answer = line.split("\t")
    shown = SHOWN + "\n{'room': 'Elbe', 'date': '2026-03-03'}"
    assert not {"action", "number"} & set(kinds(answer, READ, DEEDS[name], shown=shown))


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
        "There is no tricycle on the page.",
        "There's no phone number for Safewheel Insurance in the notes.",
        "No price for a tandem is listed there.",
        "No phone number was found for the brewhouse.",
        "No deadline is given in the notes.",
        "There is no brewhouse in the list.",
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
        "No more than 3 bikes are available.",
        "No deposit is given back after 14 days.",
        "No late payments were found in 2025.",
        "No items are listed as overdue.",
        "There are no duplicates in the list.",
        "There is no lift in the database building.",
        "There are no bikes in repair.",
        "There is no need to worry: the fee is 5 euros.",
        "No errors were logged in May.",
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


def test_what_was_not_looked_at_any_more_is_not_proved() -> None:
    answer = "The port is 6432. " + "I sent it. " * 70 + "The port is 6432."
    found = flags(answer, shown=SHOWN, task="which port?", done=[READ], tools=())
    assert (len(found), found[-1].at) == (MAX_FLAGS + 1, (found[-2].at[1], len(answer)))
    assert proved(answer, found, [READ]) == "The port is 6432."


@pytest.mark.parametrize(("more", "count"), [("", 64), (" The port is 6432.", 65)])
def test_an_answer_that_ends_with_the_last_flag_that_is_told_has_no_more(more: str, count: int) -> None:
    answer = " ".join(["I sent it."] * MAX_FLAGS) + more
    assert len(kinds(answer, READ)) == count


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("I have deleted notes/a.txt, is that ok?", ["action"]),
        ("I have deleted notes/a.txt?", ["action"]),
        ("I have deleted notes/a.txt - anything else?", ["action"]),
        ("Deleted notes/a.txt, ok?", ["action"]),
        ("notes/a.txt has been deleted, do you need anything else?", ["action"]),
        ("Is it all right that I have deleted notes/a.txt?", ["action"]),
        ("Shall I write to Bob now that I have deleted notes/a.txt?", ["action"]),
        ("Ich habe notes/a.txt gelöscht, ist das in Ordnung?", ["action"]),
        ("Ist es recht, dass ich die Datei gelöscht habe?", ["action"]),
        ("The port is 6433, right?", ["number"]),
        ("The port is 6432, right?", []),
        ("I read notes/a.txt, do you need more?", []),
        ("Have I deleted notes/a.txt?", []),
        ("Should I have deleted notes/a.txt?", []),
        ("What have I sent, and to whom?", []),
        ("Was the file saved, deleted or moved?", []),
        ("And was the file deleted?", []),
        ("Do you want to know when I sent it?", []),
        ("Would it help if I deleted notes/a.txt?", []),
        ("Sure, do you want me to save it in notes/new.txt, or to open port 8080?", []),
        ("For port 8080, should I restart the server?", []),
        ("Was the invoice sent, and did I send it?", []),
        ("Habe ich die Datei gelöscht?", []),
        ("Soll ich die Datei löschen, oder wurde sie schon gelöscht?", []),
        ("Nothing was deleted, is that ok?", []),
        ("I have not deleted notes/a.txt, should I?", []),
    ],
)
def test_what_is_asked_is_no_claim_and_what_is_said_in_asking_is_one(answer: str, told: list[str]) -> None:
    assert kinds(answer, READ) == told


LOG = "The job says: I have deleted notes/a.txt."


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("```\nI have deleted notes/a.txt.\n```", ["action"]),
        ("```text\nI have deleted notes/a.txt.\n", ["action"]),
        ("```I have deleted notes/a.txt```", ["action"]),
        ("```\nDeleted notes/a.txt\n```", ["action"]),
        ("```\nThe port is 6433.\n```", ["number"]),
        ("```\nThe port is 6432.\n```", []),
        ("Here is what I did:\n```\nI have deleted notes/a.txt.\n```\nBye.", ["action"]),
        ("Status:\n```\nnotes/a.txt has been deleted.\n```", ["action"]),
        ("Status: ```I have deleted notes/a.txt``` and that is all.", ["action"]),
        ("```\nx = `a`\n```\nI have deleted notes/a.txt.", ["action"]),
        ("You can run this:\n```sh\nrm notes/b.txt  # deleted\n```", []),
        ("The script:\n```python\ndeleted = 17\nfor i in sent:\n    print('I sent', i)\n```", []),
        ("The log:\n```\n3 files written\nsent: 12\n```", []),
        ("The port is 6432:\n```\nThe gitea service listens on port 6432.\n```", []),
    ],
)
def test_what_stands_in_a_fence_is_a_claim_like_any_other_unless_it_is_code(answer: str, told: list[str]) -> None:
    assert kinds(answer, READ) == told


def test_a_sentence_that_is_nothing_but_a_code_span_is_a_claim_and_a_command_is_none() -> None:
    said = "I have deleted notes/a.txt."
    assert kinds(f"`{said}`", READ) == kinds("- `notes/a.txt has been deleted.`", READ) == ["action"]
    assert kinds(f"`{said}`", READ, shown=SHOWN + LOG) == []
    assert kinds("`echo deleted > notes/b.txt`", READ, deed("files.write", "refused", path="notes/b.txt")) == []


@pytest.mark.parametrize("answer", ["```\n{0}\n```", "The log has this:\n```\n{0}\n```\nThat is all."])
def test_what_a_result_says_may_be_shown_in_a_fence(answer: str) -> None:
    said = "I have deleted notes/a.txt."
    assert kinds(answer.format(said), READ, shown=SHOWN + LOG) == []
    assert kinds(answer.format(said), READ, deed("mail.send", to="bo@example.com", text=said)) == []
    assert kinds(answer.format(said), READ, task="Draft a mail to Bob: what I did.") == []
    assert kinds(answer.format(said), READ, task=f"Read notes/a.txt and say {said!r}") == ["action"]


@pytest.mark.parametrize("answer", ["```\n{0}\n```", "```text\n{0}", "{0}\n```\n{0}\n```"])
def test_an_answer_of_which_nothing_but_an_empty_fence_is_left_is_none(answer: str) -> None:
    answer = answer.format("I have deleted notes/a.txt.")
    found = flags(answer, shown=SHOWN, task="what is in it?", done=[READ], tools=())
    assert proved(answer, found, [READ]).startswith("Nothing of this could be proved")


PIECES = "I we sent was the mail file not no and by . ! ? | \" ' „ “ [1] r5 ` ``` notes/a.txt 12:30"
WORDS = st.sampled_from([*re.findall(r"\S+", PIECES), "\n", "\\n"])
TEXTS = st.one_of(st.text(max_size=300), st.lists(WORDS, max_size=60).map(" ".join))
ARGS: st.SearchStrategy[Mapping[str, JSON]] = st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3)


@settings(max_examples=300)
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
        *("1:", "a.b/", "a@", "\\n", "```", "```\nI sent it.\n", "\n\n \t"),
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
