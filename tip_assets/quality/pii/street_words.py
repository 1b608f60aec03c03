"""The words that end a street's name, and how each is shortened."""

STREET_SUFFIXES = {
    "street": "st",
    "avenue": "ave",
    "road": "rd",
    "boulevard": "blvd",
    "lane": "ln",
    "drive": "dr",
    "court": "ct",
    "circle": "cir",
    "place": "pl",
    "terrace": "ter",
    "parkway": "pkwy",
    "highway": "hwy",
    "trail": "trl",
    "square": "sq",
    "way": "way",
    "loop": "loop",
}
STREET_SUFFIX_WORDS = frozenset(STREET_SUFFIXES) | frozenset(STREET_SUFFIXES.values())
SUFFIX_VARIANTS = {word: pair for pair in STREET_SUFFIXES.items() for word in pair}
