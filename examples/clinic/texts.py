"""The texts of the clinic, as Markdown; `{name}` is filled in by make_data.py. Nothing here is advice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    name: str
    complaint: str
    finding: str
    drugs: tuple[str, str]
    doses: tuple[str, ...]
    heat: tuple[float, ...]
    events: tuple[str, ...]


ALLERGIES = ("penicillin", "contrast medium", "nothing known", "latex", "ibuprofen", "nothing known")
HOMES = ("alone, second floor without a lift", "with the partner", "in a nursing home", "with a daughter's family")
HELP = ("nursing at home twice a day", "a walking frame", "meals on wheels", "no help is needed")
CASES = (
    Case(
        "pneumonia", "cough with fever", "shadow in the lower right lung on the X-ray",
        ("amoxicillin", "paracetamol"), ("500 mg", "750 mg", "1000 mg"), (38.4, 38.9, 39.3),
        ("needed 2 litres of oxygen a minute during the night", "coughed up some blood once, which stopped by itself"),
    ),
    Case(
        "heart failure", "shortness of breath on the stairs", "water in both lungs and a wide heart on the X-ray",
        ("furosemide", "ramipril"), ("20 mg", "40 mg", "60 mg"), (36.4, 36.8),
        ("lost 2.1 kg of weight overnight", "felt dizzy when getting up"),
    ),
    Case(
        "hip fracture", "fall in the kitchen and pain in the left hip", "fracture of the left femoral neck",
        ("enoxaparin", "metamizole"), ("20 mg", "40 mg"), (36.6, 37.1),
        ("was confused during the night and pulled the drip", "sat at the edge of the bed for the first time"),
    ),
    Case(
        "urinary infection", "pain when passing water, and shivering", "white cells and nitrite in the urine",
        ("ciprofloxacin", "paracetamol"), ("250 mg", "500 mg"), (38.1, 38.7),
        ("had a rash on both arms that faded", "shivered again at 22:00"),
    ),
    Case(
        "diabetes out of control", "thirst and tiredness", "blood sugar of 412 mg/dl on arrival",
        ("insulin glargine", "metformin"), ("12 units", "16 units", "22 units"), (36.5, 36.9),
        ("had a blood sugar of 58 mg/dl at 03:00 and was given juice", "learnt to inject by themselves"),
    ),
    Case(
        "stroke", "weakness of the right arm", "small closure of a vessel on the left side in the scan",
        ("clopidogrel", "atorvastatin"), ("75 mg",), (36.7, 37.0),
        ("coughed while drinking, so drinks are thickened", "could lift the right arm to the shoulder"),
    ),
)  # fmt: skip
RECORD = {
    "admission.md": """
# Admission of patient {number}

Admitted on {came} to ward {ward}, room {room}.

The patient is {age} years old and {sex}, and came with {complaint}, which began {days} days before.

## Known before

Allergies: {allergy}. The patient lives {home}.

## Examination

Temperature {temperature} degrees, blood pressure {pressure} mmHg, pulse {pulse} per minute, oxygen saturation {oxygen}
percent, weight {weight} kg. The examination showed: {finding}.

Diagnosis on admission: {case}.
""",
    "course.pdf": """
# Course of patient {number}

## Medicines from {came} on

The patient is given {drug} {dose} {often} a day. {second} is given {second_at}.

## {day2}

The patient slept badly. Blood pressure was measured every four hours.

## {day3}

The patient {event}. The ward round was told.

## {day5}

The patient walked {walked} metres in the corridor with help.
""",
    "discharge.docx": """
# Discharge letter of patient {number}

Discharged on {left} in better condition.

Diagnosis: {case}.

{drug} is taken for {stop} more days and then ended. A check-up by the family doctor is due after {check} days.

At home: {help}.
""",
}
GUIDELINES = {
    "guidelines/potassium.md": """
# Guideline: potassium

Made up for this example; not for use.

- A potassium below 3.5 mmol/l is measured again within 12 hours, and potassium chloride is given by mouth.
- A potassium above 5.5 mmol/l is told to the doctor on duty at once, and an ECG is written.
- While furosemide is given, potassium is measured every second day.
""",
    "guidelines/antibiotics.md": """
# Guideline: antibiotics

Made up for this example; not for use.

- Before amoxicillin is given, an allergy to penicillin is asked for. With such an allergy clarithromycin is given.
- The need for an antibiotic is looked at again after 48 hours.
- Ciprofloxacin is not given together with tizanidine.
""",
    "guidelines/falls.pdf": """
# Guideline: falls and hips

Made up for this example; not for use.

## After a fracture of the hip

The operation takes place within 24 hours. Enoxaparin is given from 12 hours after the operation on, for 35 days.

## On the ward

The bed is kept low and one lamp stays on. A fall is reported on the form F7 before the end of the shift.
""",
    "guidelines/swallowing.html": """
# Guideline: swallowing after a stroke

Made up for this example; not for use.

Nothing is given by mouth before a swallowing test with 50 ml of water. Who coughs gets thickened drinks until the
speech therapist has looked.
""",
    "guidelines/blood-sugar.docx": """
# Guideline: blood sugar

Made up for this example; not for use.

| blood sugar | what is done |
| --- | --- |
| below 70 mg/dl | 200 ml of juice, measured again after 15 minutes |
| 70 to 180 mg/dl | nothing |
| 180 to 300 mg/dl | correction by the scheme on the ward |
| above 300 mg/dl | the doctor on duty is called |
""",
}
