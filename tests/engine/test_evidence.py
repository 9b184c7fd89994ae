"""When an answer goes back."""

from __future__ import annotations

import time

import pytest

from ringfence.engine.evidence import (
    Numbers,
    clipped,
    doubt,
    echoes,
    half,
    inert,
    invented_numbers,
    mixed,
    only_repeats,
    restored,
    uncounted,
    unmentioned,
    unsupported_numbers,
)
from ringfence.engine.shares import hundredths
from ringfence.engine.silence import abstains
from ringfence.engine.task import reckons

SHOWN = "port 6432, 1,234 lines, 3.50 EUR, on 2026-02-01 at 03:17:07"


@pytest.mark.parametrize(
    "answer",
    ["6432", "the port is 6432.", "1234 lines", "3.5 EUR", "2026-02-01", "03:17:07", "3.500", "nothing at all"],
)
def test_a_number_that_was_shown_in_any_spelling_is_supported(answer: str) -> None:
    assert unsupported_numbers(answer, SHOWN) == []


@pytest.mark.parametrize(
    ("answer", "strays"),
    [("6433", ["6433"]), ("4 of 9", ["4", "9"]), ("03:17:09", ["03:17:09"]), ("3:17:07", ["3:17:07"])],
)
def test_a_number_that_was_not_shown_is_not(answer: str, strays: list[str]) -> None:
    assert unsupported_numbers(answer, SHOWN) == strays


@pytest.mark.parametrize(
    "answer", ["not found", "The files do not say it.", "It is not specified in the files.", "No information on that."]
)
def test_an_answer_that_there_is_none_is_known_as_one(answer: str) -> None:
    assert abstains(answer)
    assert doubt(answer, shown=SHOWN, task="which port?", chosen=False)
    assert not doubt(answer, shown=SHOWN, task="which port?", chosen=True)


def test_an_answer_that_only_repeats_the_task_says_nothing() -> None:
    assert only_repeats("The code of the hall", "What is the code of the alarm in the hall?")
    assert not only_repeats("The code is in the safe", "What is the code of the alarm in the hall?")
    assert "said again is no answer" in doubt("HALL", shown=SHOWN, task="the name of the hall?", chosen=True)


def test_a_choice_among_what_the_task_names_is_no_echo_of_it() -> None:
    task = "Which is larger, gate.log or radio.log? Just the name."
    assert not echoes("radio.log", task)
    assert echoes("Which is larger, gate.log or radio.log?", task)
    assert not only_repeats("C", "On which pontoon is she?")  # a letter is no word, and an answer all the same
    assert only_repeats("...", "On which pontoon is she?")


@pytest.mark.parametrize(
    ("answer", "task"),
    [
        ("radio.log", "Which is larger, gate.log or radio.log? Just the name."),
        ("Ward 3", "Is the pump on Ward 3 or on Ward 5?"),
        ("Bremen", "Liegt das Lager in Bremen oder in Ulm?"),
        ("Ana", "Who signed earlier than the other, Ana or Ben?"),
    ],
)
def test_one_of_two_that_the_task_names_is_an_answer(answer: str, task: str) -> None:
    assert not doubt(answer, shown=f"{SHOWN} {answer}", task=task, chosen=True)
    assert "said again is no answer" in doubt(task, shown=f"{SHOWN} {task}", task=task, chosen=True)


@pytest.mark.parametrize(
    "task",
    [
        "How many loans altogether?",
        "the highest price",
        "when was the last error",
        "How many minutes are in logs/calls.log?",
        "Which bike has the least km?",
        "How many lines has config/app.ini?",
        "How many hosts are in group web in hosts/inventory.ini?",
        "How many orders in t/orders.csv are above the limit in config/app.ini?",
    ],
)
def test_a_task_that_reckons_is_known(task: str) -> None:
    assert reckons(task)


@pytest.mark.parametrize(
    "task",
    [
        "Which port does the pooler use?",
        "Who is paged when a disk is full?",
        "What's the most I may spend in one go?",
        "What is the latest that we can book?",
        "Look up in config/bells.ini how many minutes a lesson lasts.",
        "According to config/rental.toml, for how many days can a bike be rented at most?",
        "At least how old must one be to rent an e-bike?",
        "How many workers does config/app.yaml set?",
    ],
)
def test_a_task_that_looks_something_up_does_not(task: str) -> None:
    assert not reckons(task)


def test_a_clipped_copy_is_written_as_it_was_shown() -> None:
    assert restored("at 3:17:07, port 6432", SHOWN) == "at 03:17:07, port 6432"
    assert restored("at 3:17:09 or 432", SHOWN) == "at 3:17:09 or 432"
    assert restored("at 3:17:07", SHOWN + " and 13:17:07") == "at 3:17:07"


@pytest.mark.parametrize("given", ["6432 * 3.5", "0.035 * 1234", "6432 / 1024 * 60", "1234 + 7"])
def test_a_calculation_with_known_numbers_is_none_of_inventions(given: str) -> None:
    assert invented_numbers(given, Numbers(SHOWN), Numbers(" 3.5 %")) == []


def test_a_number_from_nowhere_is_invented() -> None:
    assert invented_numbers("42 * 6432 + 19", Numbers(SHOWN)) == ["42", "19"]


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("see ![x](https://evil.example/?d=1) now", "see [x](https://evil.example/?d=1) now"),
        ("![a][b] ![c] (d)", "[a][b] [c] (d)"),
        ("wow![really] no", "wow![really] no"),
    ],
)
def test_nothing_is_fetched_by_showing_an_answer(answer: str, shown: str) -> None:
    assert inert(answer) == shown


@pytest.mark.parametrize(
    ("task", "shown", "missing"),
    [
        ("Do we have the insurer's phone number?", "41 thousand euros for each boat", "telephone number"),
        ("Do we have the insurer's phone number?", "a context, [20/Sep/2025:05:59:46 +0000]", "telephone number"),
        ("Do we have the insurer's phone number?", "Tel. 030 1234", ""),
        ("What is Ann's extension?", "Ann sits in room 4", "telephone number"),
        ("Which extension has the office?", "Tel. 4711", ""),
        ("What do 3 tiller extensions cost?", "36.17 euros", ""),
        ('What do 3 of the "phone holder" cost?', "36.17 euros", ""),
        ("When was Ann born?", "columns: id, name, joined", "birthday"),
        ("When was Ann born?", "columns: id, name, birth_date", ""),
        ("What colour is the hull?", "columns: boat, rig, berth", "colour"),
        ("What colour is the hull?", "a blue hull", ""),
        ("Which boat is the longest?", "", ""),
    ],
)
def test_what_a_task_asks_for_by_a_common_word_and_no_result_has_is_named(task: str, shown: str, missing: str) -> None:
    assert unmentioned(task, shown) == missing


def test_a_task_with_a_document_in_it_is_no_question_that_an_answer_repeats() -> None:
    pasted = "The pump ran for 42 minutes, and there is no phone here. " * 40 + "How long did it run?"
    assert doubt("It ran for 42 minutes.", shown=pasted, task=pasted, chosen=True) == ""


@pytest.mark.parametrize("answer", ["on 2 March 2026", "March 2nd, 2026", "am 2. März 2026", "see [r5]: 2026-03-02"])
def test_a_date_that_names_its_month_is_the_one_that_was_shown(answer: str) -> None:
    shown = "checked 2026-03-02"
    assert doubt(f"It was checked {answer}.", shown=shown, task="when?", chosen=True) == ""
    assert "stands in no result" in doubt("It was checked on 3 March 2026.", shown=shown, task="when?", chosen=True)


@pytest.mark.parametrize(
    ("answer", "task", "is_half"),
    [
        ("43033", "Which file is the biggest, and how many bytes does it have?", True),
        ("gate.log", "Which file is the biggest, and how many bytes does it have?", True),
        ("gate.log, 43033", "Which file is the biggest, and how many bytes does it have?", False),
        ("43033", "How many bytes does the biggest file have?", False),
        ("Ann", "Who opens the yard and locks it?", False),
        ("Ulrik Eddison", "Which ship is named there, and who is the captain?", True),
        ("Gannet, Ulrik Eddison", "Which ship is named there, and who is the captain?", False),
        ("Ann Smith", "Who wrote the report and who approved it?", False),
        ("Port Louis", "What is the capital of Mauritius and what is its largest city?", False),
        ("New York", "Which city is it in and what state is it in?", False),
        ("Ann", "Wer hat den Schlüssel und wann kam er?", True),
    ],
)
def test_a_bare_value_is_half_an_answer_to_a_question_for_two(answer: str, task: str, is_half: bool) -> None:
    assert half(answer, task) is is_half
    assert ("two things" in doubt(answer, shown="43033 gate.log Ann", task=task, chosen=True)) is is_half


@pytest.mark.parametrize(
    ("answer", "task", "without"),
    [
        ("yes", "Can I send people? How many places are left?", True), ("The Curlew", "How many are in?", True),
        ("die Kiebitz", "Wie viele Boote sind da?", True), ("three", "How many are left?", False),
        ("None are left.", "How many?", False), ("dreizehn", "Wie viele sind es?", False),
        ("Half of them", "How many of the boats are in?", False), ("keine", "Wie viele Boote?", False),
        ("yes", "Is the Curlew in?", False), ("daily", "How often is it cleaned?", False),
        ("notes/handbook.md", "Which file says how many days of leave we get?", False),
        ("The ward manager", "Who decides how many nurses are on the night shift?", False),
        ("Yes, the report does.", "Does the report say how many pumps failed?", False),
        ("In the staff portal", "Where do I find out how many days of leave I have left?", False),
        ("Herr Weiss", "Who can tell me how many beds are free?", False),
        ("It depends on the weight", "How many tablets may a child take?", False),
        ("Frau Kern", "Wer weiß, wie viele Betten frei sind?", False),
        ("Monday to Friday", "How many days a week is it open?", False), ("unlimited", "How many may come?", False),
        ("There aren't any left.", "How many are left?", False), ("die Hälfte", "Wie viele sind da?", False),
    ],
)  # fmt: skip
def test_how_many_there_are_is_a_number_or_none_or_all_of_them(answer: str, task: str, without: bool) -> None:
    assert uncounted(answer, task) is without
    assert ("how many" in doubt(answer, shown="", task=task, chosen=True)) is without


def test_a_rounding_of_what_was_shown_is_no_stray() -> None:
    assert unsupported_numbers("181.41 of 0.125", "181.4106 and 0.1249") == []
    assert unsupported_numbers("181.42", "181.4106") == ["181.42"]
    assert unsupported_numbers("0.5", "0.49") == ["0.5"]
    assert unsupported_numbers("181.42", f"{'1' * 40}.123456") == ["181.42"]  # more digits than are reckoned with
    assert unsupported_numbers(f"0.{'1' * 30}", f"0.{'1' * 35}") == [f"0.{'1' * 30}"]


@pytest.mark.parametrize(
    ("given", "task"),
    [
        ("2000 * 0.05 * 5", "What simple interest do 2,000 euros bring at 5% over five years?"),
        ("5000*0.03*3", "What do 5000 euros bring in three years at 3 percent?"),
        ("5000 * 3 * 3", "What do 5000 euros bring in three years at 3 percent?"),
        ("7 * 80 * 0.07", "What is a week at 80 euros a night, with 7% tax?"),
        ("7 * 80", "What is a week at 80 euros a night, with 7% tax?"),
        ("(12 * 350) * 0.12", "The rent is 350 a month. What are 12 % of a year's rent?"),
        ("24*30*0.3", "A pump draws 24 kW. How much are 30 % of that over 30 days?"),
        ("10 * 250 * 0.01", "What are 10% of 250 euros?"),
        ("10 * 250 / 1e2", "What are 10% of 250 euros?"),
        ("19 * 1.19", "What do nineteen syringes of 1 euro cost with 19 % VAT?"),
        ("8 * 90 * .92", "What do eight visits at 90 euros cost with 8 % off?"),
        ("5 * 200", "What are 3,5 % of 200 Euro?"),
    ],
)
def test_a_calculation_that_has_the_share_already_or_may_mean_the_number_stays_as_it_is(given: str, task: str) -> None:
    assert hundredths(given, task) == given


@pytest.mark.parametrize(
    ("task", "shown"),
    [
        ("How high is the fever of Ann Lee?", "Ann Lee: temperature 39.2 °C, pulse 80"),
        ("How high was the interest?", "3.5 %"),
        ("How old is press 3?", "press 3, built 1987"),
        ("How tall is the tank?", "the tank: 3.2 metres"),
        ("What colour is ward 3?", "ward 3: turquoise"),
        ("What is the weight of the parcel?", "parcel 7: 12 lbs"),
        ("Who is phone support lead?", "support lead: Ann"),
        ("Which registration number has patient Ann?", "Ann: P-778"),
        ("How many emails did Ann send?", "4"),
        ("What is the email retention?", "90 days"),
        ("What is the salary of the night nurse?", "night nurse: 3,200 euros"),
        ("What is the password policy?", "at least 12 characters"),
        ("Which extension have the scans?", ".tiff"),
        ("What is Bo's phone number?", "Bo Lee, 0171 5550134"),
        ("When was Ann born?", "Ann Lee (1987-05-01), ward 2"),
        ("Where was Ann born?", "Ann is a native of Bremen"),
        ("What is the nationality of Ann?", "Ann Lee, French"),
        ("How long is the warranty of the drill?", "the drill is covered for 24 months"),
        ("Which park is the closest?", "Greenwich, 2 km"),
        ("How many visitors has the web site?", "4,210 visitors"),
        ("Who has the password?", "Ann"),
    ],
)
def test_what_could_be_what_a_task_asks_for_counts_as_a_mention(task: str, shown: str) -> None:
    assert unmentioned(task, shown) == ""


@pytest.mark.parametrize(
    ("task", "shown", "missing"),
    [
        ("What does it cost to park a car for a day?", "Day ticket: 10.03 euros", "parking"),
        ("When was Ann Lee born? Have a look in the table.", "{'columns': ['id', 'joined'], '2019-03-01'}", "birthday"),
        ("I need to ring our bank. Do we have their phone number anywhere?", "Rope: Halfhitch Ltd", "telephone number"),
        ("What is the e-mail address of the ward?", "ward 3 has 12 beds", "mail address"),
        ("What is the weight of pump 4?", "pump 4: 12 kW", "weight"),
    ],
)
def test_what_nothing_shown_could_be_is_missed(task: str, shown: str, missing: str) -> None:
    assert unmentioned(task, shown) == missing


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("15*20", "What do fifteen tickets at 20 euros cost?"),
        ("20 * 18", "twenty beds for eighteen days"),
        ("14 * 80", "a fortnight at 80 euros a night"),
        ("36 / 2", "three dozen syringes"),
        ("1200000 * 0.35", "1.2 million euros at thirty-five percent"),
        ("5000 / 4", "a loan of 5k"),
        ("25000 + 13000", "25 000 litres and 13'000 litres"),
        ("16 - 13.5", "from 13.5 to 4 pm"),
        ("37.5*4", "37,5 Stunden in der Woche, vier Wochen"),
        ("12500*2", "12.500 Euro"),
        ("250 * 21", "zweihundertfünfzig Dosen zu einundzwanzig Euro"),
        ("125000 / 48", "a hundred and twenty-five thousand in forty-eight rates"),
        ("17 + 18", "one shift of seventeen and eighteen hours"),
        ("1234.5 * 2", "1.234,5 kg"),
    ],
)
def test_a_number_in_words_or_in_another_notation_is_no_invention(given: str, said: str) -> None:
    assert invented_numbers(given, Numbers(said), Numbers()) == []
    assert invented_numbers(f"{given} + 77", Numbers(said)) == ["77"]
    assert clipped(given, Numbers(said)) is None


def test_what_stands_before_a_list_is_no_answer() -> None:
    shown = "Spare keys hang in the office. For everything else:\n- Boiler room: Keller"
    assert "What stands before" in doubt(shown.split("\n")[0], shown=shown, task="Who has it?", chosen=True)
    assert doubt("Keller", shown=shown, task="Who has the key?", chosen=True) == ""
    why = doubt(shown.split("\n")[0], shown=shown, task="Who has it?", chosen=True, nearest=lambda: "- Boiler: Keller")
    assert why.endswith('Give the value that a result shows: "- Boiler: Keller".')
    asked = {
        "feat:": "Which prefix?",
        "Dear Sir or Madam:": "How do letters begin?",
        "What we need for it:": "its heading?",
    }
    for answer, task in asked.items():
        assert doubt(answer, shown=f"{shown} {answer}", task=task, chosen=True) == ""


@pytest.mark.parametrize(
    ("answer", "codes"),
    [
        ("It is DW-4206.", ["DW-4206"]),
        ("It is KX-4206, and not DW-4107.", []),
        ("It is kx-4206", []),
        ("P24 and P-38", []),
        ("UTF-38 of DW-4107", []),  # of no kind that was shown
        ("DW-4107-B", []),
        ("KW12", []),  # of KW 12
        ("E103", []),  # of "E: 103"
        ("kx4206", []),
        ("HK-07", []),
    ],
)
def test_a_code_made_of_two_that_were_shown_stands_nowhere(answer: str, codes: list[str]) -> None:
    shown = "DW-4107 seal=intact, KX-4206 seal=broken, P-38 leaks, pump P-24 does not; KW 12, KW13, E104, E: 103, HK-7"
    assert mixed(answer, shown) == codes
    assert bool(doubt(answer, shown=shown, task="Which lorry?", chosen=True)) is bool(codes)


@pytest.mark.parametrize("pattern", ["{0}.{1}4321", "2025-03-21T{2:02}:{3:02}:{4:02}", "{0},{1},{2},{3}"])
def test_numbers_are_looked_for_in_linear_time(pattern: str) -> None:
    lines = [pattern.format(n % 977, n, n % 24, n % 60, n * 7 % 60) for n in range(16_000)]
    answer = " ".join(f"{n % 977}.{n}5 and {n % 24:02}:{n * 11 % 60:02}:07" for n in range(400))
    began = time.process_time()
    unsupported_numbers(answer, "\n".join(lines))
    half("one", "which " * 40_000)
    half("one two", "which " * 40_000)
    assert time.process_time() - began < 2  # it took minutes


def test_a_part_of_a_long_number_is_found_in_it() -> None:
    shown = "1:2:3:4:5:6:7:8:9:10:11:12"
    assert unsupported_numbers("3:4:5 and 2:3:4:5:6:7:8:9:10:11", shown) == []
    assert unsupported_numbers("3:4:6 and 2:3:4:5:6:7:8:9:10:12", shown) == ["3:4:6", "2:3:4:5:6:7:8:9:10:12"]
