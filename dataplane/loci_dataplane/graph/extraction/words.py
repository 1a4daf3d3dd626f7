"""Word lists of the extraction. Data only; each list says what its words have in common."""

from __future__ import annotations

from typing import Final


def word_set(words: str) -> frozenset[str]:
    """Words that are separated by spaces."""
    return frozenset(words.split())


MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar enero janvier janeiro gennaio",
            "february feb februar febrero février fevereiro febbraio",
            "march mar märz marzo mars março",
            "april apr abril avril aprile",
            "may mai mayo maio maggio",
            "june jun juni junio juin junho giugno",
            "july jul juli julio juillet julho luglio",
            "august aug agosto août",
            "september sep sept septiembre septembre setembro settembre",
            "october oct oktober octubre octobre outubro ottobre",
            "november nov noviembre novembre novembro",
            "december dec dezember diciembre décembre dezembro dicembre",
        ),
        1,
    )
    for name in names.split()
}
WEEKDAYS: Final = {
    name: number
    for number, names in enumerate(
        (
            "monday mon montag lunes lundi",
            "tuesday tue tues dienstag martes mardi",
            "wednesday wed mittwoch miércoles mercredi",
            "thursday thu thur thurs donnerstag jueves jeudi",
            "friday fri freitag viernes vendredi",
            "saturday sat samstag sábado samedi",
            "sunday sun sonntag domingo dimanche",
        )
    )
    for name in names.split()
}
NUMBERS: Final = {
    word: number
    for number, word in enumerate(
        (
            *(
                "zero",
                "one",
                "two",
                "three",
                "four",
                "five",
                "six",
                "seven",
                "eight",
                "nine",
                "ten",
                "eleven",
                "twelve",
            ),
            *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
        )
    )
} | {"a": 1, "an": 1, "couple": 2, "few": 3}
KIN: Final = word_set(
    "mother mom mum mama father dad papa sister brother son daughter wife husband girlfriend boyfriend partner fiancé "
    "fiancée fiance fiancee aunt uncle cousin niece nephew grandmother grandma granny grandfather grandpa grandson "
    "granddaughter stepmother stepfather stepsister stepbrother roommate flatmate boss manager coworker colleague "
    "mentor teacher coach therapist doctor dentist neighbor neighbour friend best-friend ex dog cat puppy kitten pet "
    "rabbit parrot hamster horse baby twin"
)
ONE_OF_A_KIND: Final = word_set(
    "mother mom mum mama father dad papa wife husband girlfriend boyfriend partner fiancé fiancée fiance fiancee boss "
    "manager"
)
"""Of these a person has one at a time."""
ATTRIBUTES: Final = word_set(
    "name nickname birthday email address phone job hometown major timezone pronouns age height weight occupation "
    "profession title employer diet company"
)
TITLES: Final = word_set(
    "mr mrs ms dr prof professor mr. mrs. ms. dr. prof. sir aunt uncle grandma grandpa captain sensei"
)
OCCUPATIONS: Final = word_set(
    "accountant actor actress analyst architect artist attorney author baker banker barber barista bartender biologist "
    "bookkeeper builder carpenter cashier chef chemist coach coder composer consultant contractor cook counselor "
    "counsellor dancer dentist designer developer director doctor driver economist editor electrician engineer "
    "entrepreneur farmer filmmaker firefighter florist freelancer gardener geologist hairdresser historian illustrator "
    "journalist judge lawyer lecturer librarian linguist manager mathematician mechanic midwife musician novelist "
    "nurse nutritionist optician painter paramedic pharmacist photographer physicist physiotherapist pianist pilot "
    "plumber "
    "poet policeman producer professor programmer psychiatrist psychologist radiologist realtor receptionist recruiter "
    "researcher salesman scientist sculptor secretary singer soldier statistician student surgeon tailor teacher "
    "therapist translator trainer veterinarian vet waiter waitress welder writer"
)
FUNCTION: Final = word_set(
    "a about above after again against ago all almost along already also although always am among an and another any "
    "anybody anyone anything are around as at away back be because been before behind being below beside besides "
    "between both but by can cannot come could did do does doing done down during each either else enough ever every "
    "everybody everyone everything except few for from get gets getting go goes going gone got had has have having he "
    "her here hers herself him himself his how however i if in inside instead into is it its itself just keep last "
    "later least less let like lot lots made make makes many may maybe me might mine more most much must my myself "
    "near neither never next no nobody none nor not nothing now of off often on once one only onto or other others our "
    "ours ourselves out outside over own per perhaps please put quite rather really said same say see seem seems "
    "several shall she should since so some somebody someone something soon still such take than that the their theirs "
    "them themselves then there these they this those though through thus till to today together tomorrow tonight too "
    "toward towards under until up upon us use used very via want wants was way we well went were what whatever when "
    "whenever where whether which while who whom whose why will with within without would yes yesterday yet you your "
    "yours yourself 's 'm 're 've 'd 'll n't back ago ever gonna gotta wanna lately recently these"
)
NOT_NAMES: Final = (
    FUNCTION
    | MONTHS.keys()
    | WEEKDAYS.keys()
    | word_set(
        "life family nature art music man yea hah ha mm oof oops woohoo gotcha agree remember tons "
        "thanks thank hey hi hello wow oh yeah yep yup nah nope ok okay sure cool great nice awesome amazing sorry "
        "congrats congratulations absolutely definitely totally exactly bye goodbye cheers please well lol haha ah aw "
        "aww hmm ugh yay whoa woah sounds looks glad good morning evening afternoon night happy merry god gosh omg "
        "dear plus btw fyi ps tv pm am id ok usa. true agreed right actually honestly anyway speaking looking love "
        "appreciate keep take let welcome wish hope mr mrs ms dr prof sir mom mum dad grandma grandpa user assistant "
        "ich wir du er sie es und aber yo tú él ella nosotros je tu il elle nous eu você ele ela el la los las le les "
        "der die das ein eine un una uno une des mi mein meine meu minha mon ma i'm"
    )
)
"""Words that are capitalised, at the start of a sentence or anywhere, but are not names."""
PLACE_PREPOSITIONS: Final = word_set("in to from near visit visited visiting nach aus en a à em de")
ORGANISATION_WORDS: Final = word_set(
    "inc ltd llc gmbh corp corporation company university college school academy institute hospital bank church "
    "foundation association committee council department ministry museum library club agency group studio studios "
    "airlines labs"
)
PLACE_WORDS: Final = word_set(
    "street avenue road park beach lake river mountain mount island islands valley bay square bridge city town county "
    "forest canyon falls desert coast peninsula"
)
PERSON_VERBS: Final = word_set(
    "said says told tells asked asks called calls lives lived works worked likes loves loved hates thinks wants moved "
    "bought visited joined married met plays played studies"
)
GENERIC: Final = word_set(
    "thing things stuff way ways time times lot lots bit kind kinds sort idea day days week weeks month months year "
    "years part parts point one ones people person guy guys man woman place places life world news question moment "
    "mind heart head side end rest top couple hand hands hour hours minute minutes look chance fact reason case self "
    "own best worst past future thought thoughts feeling feelings hope luck fun difference impact change changes goal "
    "goals "
    "story stories quality moments love work dream dreams state sense "
    "effort support help area journey"
)
"""Nouns that say too little to be a topic."""
NOT_NOUNS: Final = word_set(
    "new old good great nice big small little long short high low own first second third next last best better great "
    "amazing awesome beautiful happy sad real important special different hard easy tough big whole favorite favourite "
    "able ready sure proud glad excited inspired blessed thankful grateful young many few several other another such "
    "more most less least super really very so too quite pretty incredible wonderful lovely cozy recent free full tiny "
    "huge bigger smaller perfect fresh cute cool fun ton bunch lot safe safer better strong positive sometimes shared"
)
