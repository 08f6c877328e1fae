"""What a voter writes, read exactly: rankings `B>A=C`, approvals `A,C`, one choice. A wrong word is named.

An option is a number from 0 in the order of the ballot; a ranking is a tuple of groups, the best first, of
options that rank equally. What a ranking leaves out ranks last, equally.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.coop.quotes import quoted
from bot.errors import Usage

Ranking = tuple[tuple[int, ...], ...]
Approval = tuple[int, ...]

CHOICES = ("yes", "no", "abstain")
"""The words of a yes/no ballot."""

SIGNS = ">=,"
"""What parts the options of a ballot, so that no option's name may hold it."""

MOST_OPTIONS = 100
"""How many options can be counted in a reasonable time, whatever the ballots."""

_WORD, _LISTED, _NOTHING = 40, 8, "-"
_ALIKE = str.maketrans(
    "авекмнорстухіјѕԁһԛԝαβεηικνορτυχ",
    "abekmhopctyxijsdhqwabehikvoptux",
)


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one ballot, found by their names; made by `options`."""

    names: tuple[str, ...]
    _exact: dict[str, int] = field(repr=False)
    _folded: dict[str, int] = field(repr=False)
    _alike: dict[str, int] = field(repr=False)

    def __len__(self) -> int:
        return len(self.names)

    def find(self, word: str) -> int:
        """Return the number of an option by its name, in any case; Usage names what is none."""
        word = word.strip()
        if (number := self._exact.get(word)) is not None:
            return number
        if (number := self._folded.get(_fold(word), -1)) >= 0:
            return number
        raise Usage(self._stranger(word))

    def called(self, word: str, name: str) -> "Options":
        """Return the same options, one of which is also found by a word that is no option's name."""
        also = {_fold(word): self.find(name), **self._folded}
        return replace(self, _folded=also)

    def _stranger(self, word: str) -> str:
        if not word:
            return "an option is missing"
        known = self._alike.get(_skeleton(word))
        strange = next((char for char in word if not char.isascii()), None)
        if known is not None and strange is not None:
            what = f"U+{ord(strange):04X} {unicodedata.name(strange, '')}".rstrip()
            return f"{shown(word)} only looks like {shown(self.names[known])}: it has {what}"
        return f"{shown(word)} is no option ({_listed(self.names)})"


def options(names: Sequence[str], *, signs: str = SIGNS) -> Options:
    """Return the options of a ballot whose parts are parted by `signs`; Usage names what cannot be one."""
    if not names:
        raise Usage("there are no options")
    if len(names) > MOST_OPTIONS:
        raise Usage(f"{len(names)} options are too many: at most {MOST_OPTIONS}")
    exact: dict[str, int] = {}
    folded: dict[str, int] = {}
    for number, name in enumerate(names):
        if not name.strip():
            raise Usage(f"option {number + 1} has no name")
        if bad := [sign for sign in signs if sign in name]:
            raise Usage(f"option {shown(name)} has a “{bad[0]}”, which parts options")
        if name.strip() in exact:
            raise Usage(f"option {shown(name)} stands there twice")
        exact[name.strip()] = number
        # Two options that differ in case only are told apart by case, so neither has a folded name.
        folded[_fold(name)] = -1 if _fold(name) in folded else number
    alike = {_skeleton(name): number for number, name in reversed(list(enumerate(names)))}
    return Options(tuple(name.strip() for name in names), exact, folded, alike)


def offered(names: Sequence[str]) -> Options:
    """Return a new motion's options; Usage also where two look alike or one is named like a choice."""
    found = options(names)
    seen: dict[str, str] = {}
    for name in found.names:
        skeleton = _skeleton(name)
        if skeleton in CHOICES or skeleton == "retract":
            raise Usage(f"no option can be named {shown(name)}: it is a word of the ballot")
        if skeleton in seen:
            raise Usage(f"the options {shown(seen[skeleton])} and {shown(name)} look alike")
        seen[skeleton] = name
    return found


def choice(text: str, among: Sequence[str] = CHOICES) -> str:
    """Return which of the words a voter wrote, in any case; Usage names another one."""
    word = _fold(text)
    _not_empty(word)
    if word not in among:
        raise Usage(f"{shown(text.strip())} is no choice ({', '.join(among)})")
    return word


def ranking(text: str, of: Options) -> Ranking:
    """Return a ranking like `B>A=C`; Usage names the first wrong word."""
    _not_empty(text)
    groups = tuple(tuple(sorted(map(of.find, group.split("=")))) for group in text.split(">"))
    _once([option for group in groups for option in group], of)
    return groups


def strict(ranked: Ranking, of: Options) -> tuple[int, ...]:
    """Return a ranking without equal ranks; Usage names options that rank equally.

    Equal ranks that end a whole ranking say the same as leaving these options out.
    """
    whole = sum(map(len, ranked)) == len(of)
    kept = ranked[:-1] if whole and len(ranked[-1]) > 1 else ranked
    for group in kept:
        if len(group) > 1:
            equal = "=".join(of.names[option] for option in group)
            raise Usage(f"{shown(equal)} rank equally, which this method cannot count")
    return tuple(option for group in kept for option in group)


def first(ranked: Ranking, of: Options) -> int:
    """Return a ranking's one first option; Usage if several share that place."""
    if len(ranked[0]) > 1:
        equal = "=".join(of.names[option] for option in ranked[0])
        raise Usage(f"{shown(equal)} share the first place: name one option")
    return ranked[0][0]


def approvals(text: str, of: Options) -> Approval:
    """Return the approved options of a ballot like `A,C`; Usage names the first wrong word."""
    _not_empty(text)
    approved = [of.find(word) for word in text.split(",")]
    _once(approved, of)
    return tuple(sorted(approved))


def sheet(text: str, size: int) -> Ranking:
    """Return the ranking of a Debian tally sheet: a rank for each option (1-9, then A-Z), `-` for none."""
    ranks = text.strip()
    _not_empty(ranks)
    if len(ranks) != size:
        raise Usage(f"{shown(ranks)} has {len(ranks)} ranks for {size} options")
    places: dict[int, list[int]] = {}
    for option, rank in enumerate(ranks):
        if rank == _NOTHING:
            continue
        if rank == "0" or not (rank.isascii() and rank.isalnum()):
            raise Usage(f"{shown(rank)} in {shown(ranks)} is no rank (1-9, A-Z or -)")
        places.setdefault(int(rank, 36), []).append(option)
    return tuple(tuple(places[place]) for place in sorted(places))


def shown(word: str) -> str:
    """Return people's words in quotes, cut if long."""
    return quoted(word, _WORD + 1)  # and what tells that it was cut


def _not_empty(text: str) -> None:
    if not text.strip():
        raise Usage("the ballot is empty")


def _once(named: Sequence[int], of: Options) -> None:
    seen: set[int] = set()
    for option in named:
        if option in seen:
            raise Usage(f"{shown(of.names[option])} stands there twice")
        seen.add(option)


def _listed(names: Sequence[str]) -> str:
    words = [name if len(name) <= _WORD else f"{name[:_WORD]}…" for name in names[:_LISTED]]
    return ", ".join([*words, *(["..."] if len(names) > _LISTED else [])])


def _fold(word: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", word).casefold().split())


def _skeleton(word: str) -> str:
    """Return what a word looks like: without marks and invisible characters, foreign look-alikes as Latin."""
    parts = unicodedata.normalize("NFKD", _fold(word).translate(_ALIKE))
    return "".join(char for char in parts if unicodedata.category(char) not in {"Mn", "Cf", "Me"})
