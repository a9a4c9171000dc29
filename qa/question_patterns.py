"""Patterns that make a question of a sentence: each only where it is sure of the grammar. English only."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from qa.text.english import STOP_WORDS
from qa.text.facts import months_and_weekdays


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence on one line, with what the text around it tells of its words."""

    text: str
    names: frozenset[str]
    """Words that have a capital inside a sentence."""
    common: frozenset[str]
    """Words that have none."""


_UPPER = "".join(letter for letter in map(chr, range(0x250)) if letter.isupper())
_CAP = rf"(?:(?:[{_UPPER}]\.)+|[{_UPPER}][\w&-]*(?:[’'][{_UPPER}]\w+)?)(?!\w)"
_NAME = rf"{_CAP}(?: {_CAP})*"
_LONG_NAME = rf"{_NAME}(?: (?:of|for)(?: the)? {_NAME})*"
INSIDE = re.compile(rf"(?<=[a-z,;] ){_NAME}")
_AUX = "(?:is|are|was|were|has|have|had|will|would|can|could|should|may|might|must|do|does|did)"
_LINK = "(?:of|in|for|at|on|from|the|and|to|by|with|near|between|against|among|around)"
_BREAKS = re.compile(
    rf"(?i:\b(?:{_AUX}|be|been|that|which|who|whom|whose|what|when|where|while|if|as|because|since|but|or|than|after|"
    r"before|until|so|how|why|said|says|according|there|though|although|whether|including|being)\b)|[,;:]"
)
"""What ends a plain part of a sentence."""
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Jan\.|Feb\.|Aug\.|Sept?\.|Oct\.|Nov\.|Dec\.)"
)
_DAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_YEAR = r"(?:1[5-9]|20)\d\d"
_DATE = (
    rf"(?:[Oo]n (?:{_DAY}\b(?:, )?)?(?:{_MONTH} \d{{1,2}}|\d{{1,2}} {_MONTH})(?:,? {_YEAR})?|[Oo]n {_DAY}|"
    rf"[Ii]n (?:(?:early|late|mid) )?(?:{_MONTH} )?(?:of )?{_YEAR}|[Ii]n {_MONTH})\b"
)
_NUMBER = (
    r"(?:\d{1,3}(?:,\d{3})+|\d{1,3}(?:\.\d+)?(?: (?:million|billion|trillion))?|\d{4,}|"
    r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty|ninety)"
    r"(?: (?:hundred|thousand|million|billion))?)"
)
_HEDGE = r"(?:about|around|approximately|roughly|nearly|almost|over|some|at least|up to|more than|fewer than|an estimated)"
_PEOPLE = "people|men|women|children|pilgrims|participants|visitors|workers|students|teams|members|soldiers"
_PLURAL = rf"(?:(?!{_LINK}\b)[a-z-]+ ){{0,2}}(?:{_PEOPLE}|(?!{_LINK}\b)[a-z]{{3,}}[^siu\W]s)(?: of (?!the )[a-z]+)?"
_NOT_COUNTED = re.compile(
    r"\b(?:years?|months?|weeks?|days?|hours?|minutes?|seconds|times|dollars|euros|pounds|points|others|ones|"
    r"thousands|hundreds|millions|percent|s|has|was|does|goes|says)\b"
)
_REGULAR = (
    "abolish accuse acquire adopt advise agree allow analyse analyze announce appoint approve arrest arrive ask attack "
    "attend award bomb call cancel capture celebrate close collapse collect compete complete confirm convict cover "
    "crash create cross cure damage defeat delay demand depart destroy detain develop direct discover donate elect "
    "employ encourage end enter establish evacuate examine exhibit explode finance fine finish force found fund gather "
    "hire host increase injure inspect interview introduce invade invent invest invite join kill land launch live "
    "manage march measure merge move name need open order organise organize own participate pass perform plant play "
    "postpone present produce promise propose protest publish purchase raise receive recommend record recruit reduce "
    "refuse reject release repair replace report require rescue resign restore resume retire return reveal rule save "
    "score sentence serve sign start support survey suspend test train travel treat "
    "unveil urge use visit vote warn wound"
)
_IRREGULAR = (
    "banned:ban beat:beat became:become began:begin bought:buy broke:break brought:bring built:build came:come "
    "carried:carry cost:cost cut:cut denied:deny died:die drew:draw fell:fall flew:fly found:find gave:give "
    "held:hold hit:hit led:lead left:leave lost:lose made:make met:meet planned:plan referred:refer rose:rise saw:see "
    "sent:send shot:shoot sold:sell spoke:speak stopped:stop studied:study told:tell took:take went:go won:win "
    "wrote:write"
)
_BASE = {f"{base.removesuffix('e')}ed": base for base in _REGULAR.split()} | dict(
    pair.split(":") for pair in _IRREGULAR.split()
)
"""Verbs in the past, with what follows "did"."""
_DID = "|".join(_BASE)
_ALONE = frozenset(
    "open close begin end start die arrive leave fall rise retire resign come go meet explode collapse depart land "
    "live move return travel march gather protest participate compete perform speak vote join fly".split()
)
"""Verbs that need no object. Of others a past without one is mostly a participle: "the deal signed in May"."""
_AGENTS = {"written": "wrote", "drawn": "drew", "begun": "began"} | dict.fromkeys(
    "approved arrested built commissioned composed created designed developed directed discovered established financed "
    "founded funded introduced invented launched led opened organised organized painted published rejected rescued "
    "signed sponsored supported unveiled won".split()
)
"""Verbs of which somebody is the subject: "was written", with "wrote" where that is another form."""
_AFTER = (
    "accused of|convicted of|charged with|sentenced to|known for|named after|based on|made of|made up of|composed of|"
    "critical of|responsible for|famous for|capable of|home to|made from|related to|similar to|equal to|"
    "used for|measured in|linked to|dedicated to|powered by|covered with"
)
"""What is said of a thing in two words that end a question."""
_DOES_NOW = {
    f"{base}{s}{rest}": f"{base}{rest}"
    for base, s, rest in (
        ("focus", "es", " on"), ("deal", "s", " with"), ("consist", "s", " of"), ("depend", "s", " on"),
        ("contain", "s", ""), ("include", "s", ""), ("cover", "s", ""), ("require", "s", ""), ("provide", "s", ""),
        ("describe", "s", ""), ("measure", "s", ""), ("use", "s", ""), ("recommend", "s", ""),
        ("stand", "s", " for"), ("refer", "s", " to"), ("belong", "s", " to"), ("produce", "s", ""),
        ("prohibit", "s", ""), ("support", "s", ""), ("call", "s", " for"),
    )
}  # fmt: skip
"""Verbs in the present that say little without their object, with what follows "does"."""
_LATER = "and|after|before|when|while|as|since|because|who|that|during|near|despite|following|amid"
_PLACES = "Stadium|Arena|Hall|Centre|Center|Museum|University|Hotel|Palace|Park|Airport|Square|Theatre|Theater|Church"
_SAYS = (
    "said|says|added|adds|argued|explained|noted|stated|warned|stressed|insisted|claimed|emphasi[sz]ed|observed|"
    "suggested|concluded|wrote|replied"
)
_TITLES = (
    "professor|director|minister|president|spokesman|spokeswoman|spokesperson|senator|governor|mayor|lawyer|attorney|"
    "author|coauthor|writer|poet|painter|artist|actor|actress|singer|musician|composer|scientist|researcher|economist|"
    "analyst|engineer|physician|journalist|reporter|activist|politician|founder|co-founder|chairman|chairwoman|"
    "secretary|undersecretary|ambassador|coach|captain|historian|philosopher|physicist|chemist|biologist|"
    "mathematician|architect|photographer|psychologist"
)
_ROLES = (
    f"{_TITLES}|official|scholar|officer|consultant|doctor|nurse|teacher|student|editor|critic|manager|judge|king|"
    "queen|prince|princess|commander|player|farmer|expert|executive|mother|father|widow|wife|husband|son|daughter|"
    "lecturer|curator"
)
"""What only a person is; before a name, as a title, only the first of them are."""
_THINGS = (
    "company|organization|organisation|organisations|party|city|town|village|country|province|newspaper|magazine|"
    "website|project|island|river|lake|mountain|group|agency|university|school|festival|award|prize|law|treaty|"
    "programme|program|software|language|disease|drug|mineral|species|pilgrimage|holiday|ship|spacecraft|satellite|"
    "telescope|museum|church|mosque|temple|network|charity|foundation|association|union|system|method|technique|"
    "protocol|library|database|tool|framework|model|device|machine|process|measure|theory|plant|animal|metal|"
    "competition|tournament|league|conference|bank|firm|store|chain|brand|channel|show|film|book|novel|game|condition|"
    "disorder|movement|religion|region|state|territory|district|bridge|railway|airline|browser|service|format|"
    "materials|metals|minerals|elements|animals|plants|compounds|substances|particles|organisms|diseases|documents"
)
_APPOSITION = rf"(?P<of>(?:an?|the) (?:(?!(?:{_AUX}|{_LINK}|who|that|which)\b)[\w’'-]+ ){{0,5}}?"
_ASIDE = r"(?:, (?:which|who|an?|the) [^,;:“”\"]{3,90},)?"
_SUBJECT = (
    rf"(?:(?P<intro>{_DATE}), |(?:At|In|On|During|After|According to) [^,;:“”\"]{{3,60}}, )?"
    rf"(?P<subject>[^,;:()“”\"]{{2,70}}?){_ASIDE}"
)
_REST = r"(?P<rest>[^,;:()“”\"]{3,90}?)"


def _subject(told: Told, text: str) -> str | None:
    """A subject as it stands inside a question; None: it may be none, or is not known without what went before."""
    words = text.split()
    if (
        not words
        or len(words) > 9
        or _BREAKS.search(text)
        or months_and_weekdays(text)
        or re.search(r"\b(?:to|by|with)\b", text)
    ):
        return None
    if any(
        re.fullmatch(r"[a-z]+(?:ed|ing|ly)", word) and word in told.common for word in words[1:-1]
    ):
        return None
    if words[0] in ("The", "the") and len(words) > 1:
        return " ".join(["the", *words[1:]])
    if words[0].casefold() in told.common and _bare(words):
        return " ".join([words[0].lower(), *words[1:]])
    opens = words[0] in told.names or (
        len(words) > 1 and _unlike(told, words[0]) and words[1][0].isupper()
    )
    return text if opens and words[0].casefold() not in STOP_WORDS else None


def _active(told: Told, pattern: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Where a sentence begins with a subject and goes on like the pattern: the subject, as in a question, and all."""
    for match in re.finditer(f"^{_SUBJECT} {pattern}", told.text):
        if subject := _subject(told, match["subject"]):
            yield subject, match


def _bare(words: Sequence[str]) -> bool:
    """Whether a subject that opens with a common word is a noun without an article: "Iodine deficiency"."""
    plain = all(word.islower() for word in words[1:]) and len(words) <= 3
    return plain and words[0].casefold() not in STOP_WORDS and not _NO_NOUN.fullmatch(words[0])


def _unlike(told: Told, word: str) -> bool:
    """Whether a capital at a sentence's beginning is a name's: the text never has the word without one."""
    return word.casefold() not in told.common | STOP_WORDS and not _NO_NOUN.fullmatch(word)


_NO_NOUN = re.compile(
    r"[A-Z][a-z]+(?:ed|ing|ly)|Yesterday|Today|Later|Meanwhile|However|Both|Former|Last|Next|Every|Each|Many|Most|"
    r"Several|Few|Other|Senior|Then|Moreover|Finally|First|Second|Once|Although|Despite|During|Since|Until|Early|Late|"
    r"Two|Three|Four|Five|Six|No|Not|Such|Another|Local|Before|After|Because|While|Under|Over|More|Much|Less|Fewer|"
    r"Half|All|Dear|Mr|Sometimes|Often|Perhaps|Maybe|Instead|Still|Yet|Thus|Hence|Nobody|Nothing|Everyone|Everything|"
    r"Good|Bad|New|Old|Recent|Previous|Earlier|Further|People|Things|Without|Within|Between|Through|Even|Just|Same"
)
"""Words that open a sentence and are no noun, or none that can be asked for."""


def _plain(text: str, most: int = 9) -> bool:
    """Whether part of a predicate is of one piece: nothing of another clause is in it, nor does it end in the air."""
    words = text.split()
    hangs = (
        not words
        or re.fullmatch(rf"{_LINK}|an?", words[-1])
        or re.search(r"\band (?:\w+ed|built)$", text)
    )
    return (
        len(words) <= most
        and not hangs
        and not _BREAKS.search(text)
        and not months_and_weekdays(text)
    )


def _who_is(told: Told) -> Iterator[str]:
    role = rf"{_APPOSITION}(?:\w+-)?(?:{_ROLES}))\b|(?:{_ROLES}|Director|Chairman|President) (?:of|at|for|to) "
    appositive = rf", (?:{role})[^,;:]{{0,90}}[,.]"
    for match in re.finditer(
        rf"(?<![\w’'.-])(?P<name>{_CAP}(?: {_CAP}){{1,3}}){appositive}", told.text
    ):
        before = re.search(r"\b(?:and|of|in|at|from|for|near) $", told.text[: match.start()])
        if (
            not before
            and not months_and_weekdays(match["name"])
            and (match.start() or _subject(told, match["name"]))
        ):
            yield f"Who is {match['name']}?"


def _titled(told: Told) -> Iterator[str]:
    titles = "Secretary|Minister|President|Governor|Ambassador|Director|Administrator|Senator|Judge|Mayor|Chancellor"
    titled = rf"\b(?:{_TITLES}|{titles}) (?P<name>(?!General|{titles}){_CAP} {_CAP})(?=,| [a-z])(?! and| of| or)"
    yield from (f"Who is {match['name']}?" for match in re.finditer(titled, told.text))


def _how_many(told: Told) -> Iterator[str]:
    number = rf"(?:{_HEDGE} )?(?:the )?{_NUMBER} (?P<of>{_PLURAL})"
    does = (
        r"(?:were|are)(?! (?:the|an?|no|more)\b)|have|had|will|would|attended|died|gathered|participated|survived|"
        "live|lived|work|worked|took part"
    )
    inside = rf"(?<=[a-z] )(?<!\bof )(?<!\bto )(?<!\bfor )(?<!\bwith )(?<!\bby )(?<!\bfrom )(?<!\bin )(?={_HEDGE} )"
    begins = rf"(?:^|, |\bthat |{inside}){number}(?P<where> (?:around|in|from) (?:the )?\w+)?"
    for match in re.finditer(
        rf"(?i:{begins}) (?P<does>{does}) {_REST}(?=[,.;]| (?:{_LATER})\b)", told.text
    ):
        if _plain(match["rest"]) and not _NOT_COUNTED.search(match["of"]):
            yield f"How many {match['of']}{match['where'] or ''} {match['does']} {match['rest']}?"
    exists = rf"^There (?P<aux>are|were) {number} (?P<rest>(?:in|at|on|among) [^,;:]+?)[,.]"
    for match in re.finditer(exists, told.text):
        if _plain(match["rest"]) and not _NOT_COUNTED.search(match["of"]):
            yield f"How many {match['of']} {match['aux']} there {match['rest']}?"
    yield from _how_many_of(
        told, rf"(?P<verb>has|have|had|{_DID})(?P<to> to| with| for)? {number}\b(?! (?:more|old))"
    )


def _how_many_of(told: Told, has: str) -> Iterator[str]:
    inside = re.finditer(rf", (?P<name>{_NAME}) {has}", told.text)
    named = ((match["name"], match) for match in inside if not months_and_weekdays(match["name"]))
    for subject, match in chain(_active(told, has), named):
        verb, to = match["verb"], match["to"] or ""
        if not _NOT_COUNTED.search(match["of"]) and (not to or _BASE.get(verb) in _ALONE):
            did = {"has": "does", "have": "do"}.get(verb, "did")
            yield f"How many {match['of']} {did} {subject} {_BASE.get(verb, 'have')}{to}?"


def _how_much(told: Told) -> Iterator[str]:
    sum_ = rf"(?:{_HEDGE} )?(?:[A-Z]{{0,3}} ?[$€£¥] ?\d|{_NUMBER} (?:dollars|euros|pounds|yen|rupees|francs)\b)"
    forms = {
        "cost": "did {} cost",
        "costs": "does {} cost",
        "will cost": "will {} cost",
        "is worth": "is {} worth",
    }
    for subject, match in _active(told, rf"(?P<verb>{'|'.join(forms)}) {sum_}"):
        yield f"How much {forms[match['verb']].format(subject)}?"


def _passive(told: Told) -> Iterator[tuple[str, re.Match[str]]]:
    """The subject of "X was built …", with the match: `aux`, `done` and `after`, up to the sentence's next part."""
    aux = r"(?P<aux>is|are|was|were|will(?= be)|has(?= been)|have(?= been)|had(?= been))"
    done = r"(?P<done>(?:be |been )?[a-z]+(?:ed|lt|ld|rn|wn|en|ut|nd|ought|ung|nt|pt|de|id))"
    return _active(told, rf"{aux} {done} (?P<after>.+)$")


def _when(told: Told) -> Iterator[str]:
    for subject, match in _passive(told):
        date = re.match(rf"(?P<rest>[^,;:()]*?)\b{_DATE}", match["after"])
        whole = (
            re.match(r"(?P<rest>[^,;:()]+?)(?=[,.;]|$)", match["after"])
            if match["intro"] and not date
            else None
        )
        if (found := date or whole) and _dated(found["rest"], bool(date)):
            yield f"When {match['aux']} {subject} {match['done']} {found['rest']}?"
    done = rf"(?:(?P<will>will) (?P<base>(?!be\b)[a-z]+)|(?P<verb>{_DID}))"
    for subject, match in _active(told, rf"{done}(?: {_REST})?,? (?:{_DATE}|{_DAY}\b)"):
        if not match["intro"] and _dated(match["rest"] or "", True) and _complete(match):
            yield f"When {_did(match, subject)} {match['rest'] or ''}?"
    for subject, match in _active(told, rf"{done} {_REST}(?=[,.;])"):
        if match["intro"] and _dated(match["rest"], False) and _complete(match):
            yield f"When {_did(match, subject)} {match['rest']}?"


def _dated(rest: str, before: bool) -> bool:
    """Whether a date tells when all of it happened; before one, no participle may take it: "the deal signed in May"."""
    taken = before and re.search(r"\b[a-z]+(?:ed|ing|wn|ld|lt|de|en)$", rest.strip())
    return not rest.strip() or (_plain(rest) and not taken)


def _complete(match: re.Match[str]) -> bool:
    """Whether a past has its object, or needs none."""
    verb, rest = match["verb"], match["rest"] or ""
    return (
        not verb
        or _BASE[verb] in _ALONE
        or bool(rest and not re.match(rf"{_LINK}\b(?<!the)", rest))
    )


def _did(match: re.Match[str], subject: str) -> str:
    return (
        f"will {subject} {match['base']}"
        if match["will"]
        else f"did {subject} {_BASE[match['verb']]}"
    )


def _where(told: Told) -> Iterator[str]:
    at = rf"(?:in|at|near) (?:the )?(?:[a-z-]+ ){{0,2}}{_CAP}"
    placed = "held|located|built|born|based|found|buried|founded|arrested|displayed|discovered|opened|exhibited"
    for subject, match in _passive(told):
        after = re.sub(r"^(?:this|last) (?:week|month|year|weekend) ", "", match["after"])
        done = re.sub("^(?:be|been) ", "", match["done"])
        place = re.match(at, after) if done in placed.split("|") else None
        if done in ("sent", "moved", "taken", "relocated"):
            place = re.match(rf"to the {_CAP}", after)
        if place and not months_and_weekdays(place[0]):
            yield f"Where {match['aux']} {subject} {match['done']}?"
    there = rf"at the (?:{_CAP} )+(?:{_PLACES})\b"
    for subject, match in _active(told, rf"(?P<verb>{_DID}) (?P<rest>(?:the )?{_NAME}) {there}"):
        yield f"Where did {subject} {_BASE[match['verb']]} {match['rest']}?"
    for subject, match in _active(told, f"took place (?P<place>{at})"):
        if not months_and_weekdays(match["place"]):
            yield f"Where did {subject} take place?"


def _who_did(told: Told) -> Iterator[str]:
    for subject, match in _passive(told):
        by = re.match(rf"by (?:the )?{_CAP}", match["after"])
        if by and match["aux"] in ("was", "were") and match["done"] in _AGENTS:
            yield f"Who {_AGENTS[match['done']] or match['done']} {subject}?"
        elif by and re.fullmatch(
            "(?:be(?:en)? )?(?:owned|managed|led|run|organi[sz]ed|published)", match["done"]
        ):
            yield f"Who {match['aux']} {subject} {match['done']} by?"
    does = "|".join(past or done for done, past in _AGENTS.items())
    for subject, match in _active(told, rf"(?P<does>{does}) (?P<rest>the [^,;:()]+?)[,.]"):
        if re.fullmatch(_NAME, subject) and _plain(match["rest"]):
            yield f"Who {match['does']} {match['rest']}?"


def _why(told: Told) -> Iterator[str]:
    for subject, match in _passive(told):
        if match["done"] == "caused" and match["after"].startswith("by "):
            yield f"What caused {subject}?"
        because = re.match(r"(?P<rest>[^,;:()]*?)(?:because|due to)\b", match["after"])
        if because and _dated(because["rest"], False):
            yield f"Why {match['aux']} {subject} {match['done']} {because['rest']}?"
    for match in re.finditer(
        r"^[^,;:“”\"]{3,80} caused (?P<rest>(?:an?|the) [^,;:()“”\"]+?)[,.]", told.text
    ):
        if _plain(match["rest"]):
            yield f"What caused {match['rest']}?"
    for subject, match in _active(
        told, "(?P<may>can|could|may) (?P<do>lead to|cause|result in) [a-z]"
    ):
        yield f"What {match['may']} {subject} {match['do']}?"
    for subject, match in _active(told, rf"(?P<verb>{_DID}) {_REST},? because\b"):
        if _plain(match["rest"]) and _complete(match):
            yield f"Why did {subject} {_BASE[match['verb']]} {match['rest']}?"


def _past(bases: str) -> str:
    return "|".join(past for past, base in _BASE.items() if base in bases.split())


def _to_do(told: Told) -> Iterator[str]:
    asked = "expected|designed|required|intended|meant|forced|asked|told|advised|allowed|ordered|encouraged|obliged"
    for subject, match in _passive(told):
        if match["done"] in asked.split("|") and re.match(r"to (?!be\b)[a-z]", match["after"]):
            yield f"What {match['aux']} {subject} {match['done']} to do?"
    asks = _past("urge ask tell order invite advise encourage force warn")
    for subject, match in _active(
        told, rf"(?P<verb>{asks}) (?P<whom>[^,;:()“”\"]{{2,60}}?) to [a-z]+"
    ):
        if _plain(match["whom"]) and not re.search(
            rf"\b(?:not|about|over|out|off)\b|^{_LINK}\b(?<!the)", match["whom"]
        ):
            yield f"What did {subject} {_BASE[match['verb']]} {match['whom']} to do?"
    for subject, match in _active(
        told, "(?P<verb>plan|hope|intend|aim|want|refuse)(?P<s>s?) to [a-z]"
    ):
        yield f"What {'does' if match['s'] else 'do'} {subject} {match['verb']} to do?"


def _what_did(told: Told) -> Iterator[str]:
    """What was announced, and the like: verbs that say little without their object, so that asking for it is fair."""
    does = _past(
        "announce launch propose demand reveal unveil discover promise recommend win receive find"
    )
    what = rf"(?:(?:an?|the|that|new|several|{_NUMBER}) |{_CAP} )"
    for subject, match in _active(told, rf"(?:(?P<has>has|have) )?(?P<verb>{does}) {what}"):
        has, verb = match["has"], match["verb"]
        yield f"What {has} {subject} {verb}?" if has else f"What did {subject} {_BASE[verb]}?"
    for subject, match in _active(
        told, rf"(?P<does>{'|'.join(_DOES_NOW)}) (?!(?:{_LINK}|that)\b(?<!the))[a-z“]"
    ):
        yield f"What does {subject} {_DOES_NOW[match['does']]}?"
    for subject, match in _active(
        told, rf"(?P<aux>is|are|was|were) (?P<adverb>[a-z]+ly )?(?P<done>{_AFTER}) "
    ):
        yield f"What {match['aux']} {subject} {match['adverb'] or ''}{match['done']}?"
    given = "(?:be(?:en)? )?(?:awarded|given|granted|offered|named|called)"
    for subject, match in _passive(told):
        if re.fullmatch(given, match["done"]) and re.match(r"[“\"]|an? ", match["after"]):
            yield f"What {match['aux']} {subject} {match['done']}?"


def _what_is(told: Told) -> Iterator[str]:
    for match in re.finditer(
        rf"^(?P<name>(?:The )?{_LONG_NAME}) is {_APPOSITION}(?:{_ROLES}|{_THINGS}))\b", told.text
    ):
        if name := _subject(told, match["name"]):
            yield f"{'Who' if re.search(rf'(?:{_ROLES})$', match['of']) else 'What'} is {name}?"
    aside = rf"\bthe (?P<name>{_LONG_NAME}), {_APPOSITION}(?:{_THINGS}))\b[^,;:]{{0,60}}[,.]"
    for match in re.finditer(aside, told.text):
        if not match["name"].endswith("s"):
            yield f"What is the {match['name']}?"
    many = rf"^(?P<name>[A-Z][a-z]+(?: [a-z]+)? [a-z]+s) are {_APPOSITION}(?:{_THINGS}))\b"
    kind = r"^(?P<name>An? (?:[a-z-]+ ){0,2}[a-z-]+|[A-Z][a-z]+) is an? [a-z]"
    for verb, pattern in (("are", many), ("is", kind)):
        for match in re.finditer(pattern, told.text):
            first, *more = match["name"].split()
            if first in ("A", "An") or (first.casefold() in told.common and _bare([first, *more])):
                yield f"What {verb} {' '.join([first.lower(), *more])}?"


def _what_of(told: Told) -> Iterator[str]:
    """What a thing's aim is, and the like."""
    what = (
        "aim|aims|goal|goals|purpose|role|capital|population|cause|causes|theme|symptoms|name|symbol|motto|size|age|"
        "height|length|founder|president|mayor|director|author|currency|language|subject|topic|advantage"
    )
    whole = r"(?P<whole>[^,;:()“”\"]{3,60}?)"
    of = rf"^The (?:main )?(?P<what>{what}) of {whole} (?P<is>is|are|was|were) (?![a-z]+(?:ed|ing|n) |not )"
    for match in re.finditer(of, told.text):
        if _plain(match["whole"], 6) and not re.search(r"\b(?:to|by|with)\b", match["whole"]):
            asks = "Who" if re.fullmatch(_ROLES, match["what"]) else "What"
            yield f"{asks} {match['is']} the {match['what']} of {match['whole']}?"


def _said(told: Told) -> Iterator[str]:
    says = rf"(?:also )?(?:{_SAYS}|told (?:the )?(?>{_NAME}))"
    speaker = rf"(?<![\w’'.-])(?<!\bof )(?<!\band )(?<!\bfor )(?P<speaker>(?:[Tt]he )?{_NAME})"
    aside = r"(?:, [^,“”\"]{1,90},)?"
    patterns = (
        rf"(?P<clause>[“\"][^“”\"]+[,”\"]+) ?{speaker} {says}\b",
        rf"(?P<clause>[“\"][^“”\"]+[,”\"]+) ?(?:{_SAYS}) {speaker}\b(?! [{_UPPER}])",
        rf"{speaker}{aside} {says}\b(?:[,:]?(?= [“\"])| that\b) (?P<clause>.+)$",
        rf"{speaker}{aside} (?:also )?(?:said|says) (?!that\b)(?P<clause>[^“”\"].*)$",
    )
    for pattern in patterns:
        for match in re.finditer(pattern, told.text):
            name = re.sub(r"^The ", "the ", match["speaker"])
            clause = match["clause"]
            opens = match.start("speaker") == 0
            before = re.search(rf"(?:[-–—]|{_CAP}) $", told.text[: match.start("speaker")])
            if (
                before
                or "?" in clause
                or months_and_weekdays(name)
                or (opens and not _subject(told, match["speaker"]))
            ):
                continue
            for topic in _topics(clause):
                if not set(topic.split()) & set(name.split()):
                    yield f"What did {name} say about {topic}?"


def _topics(clause: str) -> Iterator[str]:
    """What is spoken of: a name that nothing is said of in one with the next word, or the clause's plain subject."""
    follows = (
        rf"(?=[’']s [a-z]|[,;!”\"]|(?<![{_UPPER}])\.|$|"
        rf" (?:{_AUX}|and|but|in|on|at|for|to|with|by|that|which|who|as|after|before)\b)"
    )
    for match in re.finditer(rf"(?:^|(?<=[a-z] ))(?>{_LONG_NAME}){follows}", clause):
        before = clause[: match.start()]
        if not months_and_weekdays(match[0]) and not re.search(
            r"(?:\b(?:and|or)|[’']s?) $", before
        ):
            article = "the " if re.search(r"\b[Tt]he $", before) else ""
            yield f"{article}{match[0]}"
    subject = rf"^[“\"]?(?P<it>[Tt]he (?:(?!{_LINK}\b)[a-z-]+ ){{2,4}})(?:{_AUX})\b"
    for match in re.finditer(subject, clause):
        words = match["it"].split()
        if not any(re.search("[^s]s$", word) for word in words[:-1]):
            yield " ".join(["the", *words[1:]])


PATTERNS: dict[str, Callable[[Told], Iterator[str]]] = {
    "who is": _who_is,
    "how much": _how_much,
    "how many": _how_many,
    "when": _when,
    "why": _why,
    "to do": _to_do,
    "what did": _what_did,
    "where": _where,
    "who did": _who_did,
    "what is": _what_is,
    "what of": _what_of,
    "said": _said,
    "titled": _titled,
}
"""What makes questions of a sentence, by kind; of two the first is sooner asked."""
RANK = {kind: place for place, kind in enumerate(PATTERNS)}
