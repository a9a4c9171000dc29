"""Near misses: a question whose name, date or number was exchanged for one that the document does not have.

English only. A person must confirm each: a document may answer a question although it never has its words.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from qa.text.facts import is_named_in, months_and_weekdays, numbers


@dataclass(frozen=True, slots=True)
class NearMiss:
    """The question, what was taken out of it, and what was put in its place."""

    question: str
    old: str
    new: str


def near_miss(question: str, text: str, rng: random.Random) -> NearMiss | None:
    """A question that the text does not answer but nearly; None: nothing in this one can be exchanged for certain."""
    for place, others in _places(question):
        shuffled = rng.sample(others, len(others))
        if absent := next((other for other in shuffled if not _has(text, other)), None):
            start, end = place.span("old")
            return NearMiss(f"{question[:start]}{absent}{question[end:]}", place["old"], absent)
    return None


def _places(question: str) -> Iterator[tuple[re.Match[str], Sequence[str]]]:
    """What can be exchanged (the group `old`), and for what, the surest first."""
    for year in _YEAR.finditer(question):
        yield year, [str(int(year[0]) + shift) for shift in (*range(-9, 0), *range(1, 10))]
    for names in _NAMES.values():
        known = "|".join(sorted(names, key=len, reverse=True))
        for found in re.finditer(rf"(?<![\w’'-])(?P<old>{known})(?![\w-])", question):
            yield found, names
    for number in _NUMBER.finditer(question):
        if not _YEAR.fullmatch(number[0]):
            value = int(number[0].replace(",", ""))
            yield (
                number,
                [
                    f"{value * factor:,}" if "," in number[0] else str(value * factor)
                    for factor in (2, 3, 5, 7)
                ],
            )
    for pattern in _PERSONS:
        if person := pattern.search(question):
            yield person, _SURNAMES


def _has(text: str, word: str) -> bool:
    """Whether a text has a name, also as that of its people, a month or weekday, or a number, however written."""
    if dates := months_and_weekdays(word):
        return bool(dates & months_and_weekdays(text))
    if word[0].isdigit():
        return any(number.is_among(numbers(text)) for number in numbers(word))
    return is_named_in(word, text)


_YEAR = re.compile(r"\b(?P<old>(?:1[5-9]|20)\d\d)\b")
_NUMBER = re.compile(r"(?<![\w.,$€£-])(?P<old>[1-9]\d{0,2}(?:,\d{3})*|[1-9]\d{3,})(?![\w.,%-])")
_CAPITAL = r"[A-Z][\w’'-]+"
_PERSONS = (
    re.compile(rf"^Who is (?:{_CAPITAL} )*(?P<old>{_CAPITAL})\?$"),
    re.compile(rf"^What did (?:{_CAPITAL} )*(?P<old>{_CAPITAL}) say about "),
)
"""Where a question has a person's last name, or that of something that speaks as one."""
_NAMES: Mapping[str, Sequence[str]] = {
    "months": (
        *("January", "February", "March", "April", "June", "July"),
        *("August", "September", "October", "November", "December"),
    ),
    "days": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "countries": (
        *(
            "Afghanistan",
            "Algeria",
            "Argentina",
            "Australia",
            "Austria",
            "Bangladesh",
            "Belgium",
            "Bolivia",
            "Brazil",
        ),
        *(
            "Bulgaria",
            "Cambodia",
            "Canada",
            "Chile",
            "China",
            "Colombia",
            "Cuba",
            "Denmark",
            "Ecuador",
            "Egypt",
        ),
        *(
            "Ethiopia",
            "Finland",
            "France",
            "Germany",
            "Ghana",
            "Greece",
            "Hungary",
            "Iceland",
            "India",
            "Indonesia",
        ),
        *(
            "Iran",
            "Iraq",
            "Ireland",
            "Israel",
            "Italy",
            "Japan",
            "Kenya",
            "Lebanon",
            "Libya",
            "Malaysia",
            "Mexico",
        ),
        *(
            "Mongolia",
            "Morocco",
            "Nepal",
            "Nigeria",
            "North Korea",
            "Norway",
            "Pakistan",
            "Peru",
            "Philippines",
        ),
        *(
            "Poland",
            "Portugal",
            "Romania",
            "Russia",
            "Saudi Arabia",
            "Senegal",
            "Serbia",
            "Singapore",
            "Somalia",
        ),
        *(
            "South Africa",
            "South Korea",
            "Spain",
            "Sri Lanka",
            "Sudan",
            "Sweden",
            "Switzerland",
            "Syria",
            "Taiwan",
        ),
        *(
            "Tanzania",
            "Thailand",
            "Tunisia",
            "Turkey",
            "Uganda",
            "Ukraine",
            "Uruguay",
            "Venezuela",
            "Vietnam",
        ),
        *("Yemen", "Zambia", "Zimbabwe"),
    ),
    "cities": (
        *(
            "Amsterdam",
            "Athens",
            "Baghdad",
            "Bangkok",
            "Beijing",
            "Berlin",
            "Boston",
            "Brussels",
            "Budapest",
            "Cairo",
        ),
        *(
            "Chicago",
            "Delhi",
            "Dublin",
            "Geneva",
            "Helsinki",
            "Islamabad",
            "Istanbul",
            "Jakarta",
            "Kabul",
            "Karachi",
        ),
        *(
            "Lagos",
            "Lahore",
            "Lima",
            "Lisbon",
            "London",
            "Los Angeles",
            "Madrid",
            "Manila",
            "Melbourne",
            "Montreal",
        ),
        *(
            "Moscow",
            "Mumbai",
            "Nairobi",
            "Oslo",
            "Ottawa",
            "Paris",
            "Prague",
            "Rome",
            "Seattle",
            "Seoul",
            "Shanghai",
        ),
        *("Stockholm", "Sydney", "Tehran", "Tokyo", "Toronto", "Vienna", "Warsaw", "Zurich"),
    ),
    "organisations": (
        *(
            "African Union",
            "Amnesty International",
            "Asian Development Bank",
            "European Central Bank",
        ),
        *(
            "European Union",
            "Human Rights Watch",
            "International Monetary Fund",
            "Red Cross",
            "UNESCO",
            "UNICEF",
        ),
        *("United Nations", "World Bank", "World Health Organization", "World Trade Organization"),
    ),
    "companies": (
        *(
            "Airbus",
            "Amazon",
            "Apple",
            "Boeing",
            "Facebook",
            "Google",
            "Honda",
            "IBM",
            "Intel",
            "Microsoft",
            "Nokia",
        ),
        *("Samsung", "Siemens", "Sony", "Toyota", "Twitter", "Volkswagen", "Wikipedia"),
    ),
}
"""Of each kind, any stands where another does. May is no month here: it is mostly a verb."""
_SURNAMES = (
    *(
        "Abernathy",
        "Castellano",
        "Dimitrov",
        "Eriksson",
        "Fairbanks",
        "Haddad",
        "Lindqvist",
        "Mbeki",
        "Nakamura",
    ),
    *(
        "Okafor",
        "Petrova",
        "Quintero",
        "Rahman",
        "Silva",
        "Thorne",
        "Villanueva",
        "Weatherby",
        "Yilmaz",
    ),
)
