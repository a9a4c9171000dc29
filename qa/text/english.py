"""Word tables of English: every list of words that several parts of the product use, once."""

STOP_WORDS = frozenset(
    """a about according also am an and any anybody anyone anything are as at be been being both
    but by can could did do does doing for from get give gave given got had has have having he her
    here hers him his how i if in into is it its itself me might my of on one or our ours out shall
    she should so some somebody someone something such tell than that the their theirs them then
    there these they this those to too under up was we were what when where which while who whom
    whose why will with would you your yours please s t d re ve ll m""".split()
)
"""Words that do not show what a question is about; "us" is not one, as a country in lower case."""

QUESTION_WORDS = frozenset(
    "who what when where why how which did does do is are was were can could has have".split()
)
"""Words that open a question."""
AUXILIARIES = frozenset(
    """is are was were be been do does did has have had can could will would shall should may might
    must""".split()
)
"""Verbs that stand before the subject of a question."""
PREPOSITIONS = frozenset(
    """about after against at before behind between by during for from in into near of on over
    since through to towards under until with within without""".split()
)
PREDICATES = frozenset(
    """begun born bought brought built caught chosen cut done drawn driven drunk eaten fallen felt
    flown fought found given gone grown heard held hidden hit hurt kept known laid left lent let
    lost made meant met paid put read ridden risen run said seen sent set shot shown shut sold
    spent spoken stolen sung taken taught thrown told understood won worn written
    open due available absent""".split()
)
"""Participles that do not end in -ed, and adjectives that stand in their place."""

MONTHS = tuple(
    """January February March April May June
    July August September October November December""".split()
)
WEEKDAYS = tuple("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split())
CALENDAR_HOMONYMS = ("March", "May", "August")
"""Months that in lower case are other words."""
SHORT_CALENDAR_NAMES = tuple(
    """Jan Feb Mar Apr Jun Jul Aug Sept? Oct Nov Dec
    Mon Tues? Wed Thurs? Thu Fri Sat Sun""".split()
)
"""Patterns of abbreviated months and weekdays."""

SCALES = {
    "hundred": 1e2,
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "trillion": 1e12,
    "dozen": 12.0,
}
SHORT_SCALES = {
    "mn": 1e6,
    "bn": 1e9,
    "tn": 1e12,
    "k": 1e3,
    "m": 1e6,
    "b": 1e9,
    "t": 1e12,
}
FRACTIONS = {
    "half": 1 / 2,
    "third": 1 / 3,
    "quarter": 1 / 4,
}
HEDGES = tuple(
    """about|around|approximately|roughly|nearly|almost|some|over|under|up to|more than|less than|
    at least|at most|close to|estimated|an? estimated|in excess of""".replace("\n    ", "").split(
        "|"
    )
)
"""Patterns of words before a number that is given as about so much."""

VERBS_OF_SAYING = tuple(
    """said says added adds argued explained noted told stated continued warned stressed insisted
    claimed wrote asked replied concluded emphasi[sz]ed observed pointed recalled
    suggested""".split()
)
"""Patterns of verbs that name a speaker."""
