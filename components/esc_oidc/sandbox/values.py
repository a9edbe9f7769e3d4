"""What ESC expressions evaluate to: values that may be secret or unknown, and merge over what was imported.

A port of eval/value.go of github.com/pulumi/esc v0.26.0.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal, Optional

from .document import Number, Place, Scalar

Content = Scalar | list["Value"] | dict[str, "Value"]

Kind = Literal["any", "string", "object"]
"""What is known of an unknown value."""


@dataclass(eq=False)
class Value:
    """The result of an expression.

    Attributes:
        content: What the expression itself says; for maps without what is merged in from `base`.
        secret: It must not be shown.
        unknown: It is not known, because of an error or because a check opens nothing. It has no content.
        base: The imported value that this one is merged over.
        kind: What an unknown value would be.
        texts: The keys that an unknown map has, and under which there are texts.
        place: Where the expression stands.
        member_of: Of which unknown value this is which property.
    """

    content: Content = None
    secret: bool = False
    unknown: bool = False
    base: Optional["Value"] = None
    kind: Kind = "any"
    texts: tuple[str, ...] = ()
    place: Place | None = None
    member_of: tuple["Value", str] | None = None

    def keys(self) -> list[str]:
        """The keys of a map and of the maps it is merged over, sorted."""
        if not isinstance(self.content, dict):
            return []
        return sorted({*self.content, *(self.base.keys() if self.base else ())})

    def get(self, key: str) -> Optional["Value"]:
        """The value of a key, own or merged in. An unknown value has every key, with an unknown value."""
        inherited = self.base.get(key) if self.base and (self.is_map or self.unknown) else None
        if isinstance(self.content, dict):
            return self.content.get(key, inherited)
        if not self.unknown:
            return None
        member = self.member(key, inherited)
        # What is merged over this is asked for its keys before anything is known: Pulumi then expects no map.
        member.kind = "string" if self.kind == "any" else member.kind
        return member

    def member(self, key: str, base: Optional["Value"] = None) -> "Value":
        """What is under a key of an unknown value."""
        # What is merged in may be anything.
        merged = self.base is not None and self.base.may_be_map
        kind: Kind = "any"
        if self.kind == "object" and (key in self.texts or not merged):
            kind = "string"
        return Value(secret=self.secret, unknown=True, base=base, kind=kind, place=self.place, member_of=(self, key))

    @property
    def is_map(self) -> bool:
        """Whether it is known to be a map."""
        return isinstance(self.content, dict)

    @property
    def may_be_map(self) -> bool:
        """Whether it is a map or, unknown, may turn out to be one."""
        return self.kind != "string" if self.unknown else self.is_map

    def nested(self) -> list["Value"]:
        """The items of a list, the values of a map with what is merged in, nothing for the rest."""
        if isinstance(self.content, list):
            return self.content
        found = (self.get(key) for key in self.keys())
        return [value for value in found if value is not None]

    def contains_unknowns(self) -> bool:
        """Whether it or anything in it is unknown."""
        return self.unknown or any(value.contains_unknowns() for value in self.nested())

    def merge(self, base: Optional["Value"]) -> None:
        """Put this value over another: maps are merged key by key, everything else hides what is below."""
        if base is None or self._is(base):
            return
        if self.base is None:
            self.base = base
        else:
            self.base.merge(base)
        if isinstance(self.content, dict):
            for key, own in self.content.items():
                own.merge(self.base.get(key))

    def _is(self, other: "Value") -> bool:
        if self is other:
            return True
        if self.member_of is None or other.member_of is None:
            return False
        (mine, key), (theirs, other_key) = self.member_of, other.member_of
        return key == other_key and mine._is(theirs)  # noqa: SLF001 - of the same class

    def copy(self, copies: dict[int, "Value"] | None = None) -> "Value":
        """A copy down to the last value, that a merge may change; what occurs twice stays one value."""
        copies = {} if copies is None else copies
        if id(self) in copies:
            return copies[id(self)]
        copies[id(self)] = copied = Value(
            None, self.secret, self.unknown, None, self.kind, self.texts, self.place, self.member_of
        )
        if isinstance(self.content, dict):
            copied.content = {key: value.copy(copies) for key, value in self.content.items()}
        elif isinstance(self.content, list):
            copied.content = [value.copy(copies) for value in self.content]
        else:
            copied.content = self.content
        copied.base = self.base.copy(copies) if self.base else None
        return copied

    def text(self) -> tuple[str, bool, bool]:
        """The text that stands for the value inside another text, whether it is unknown and whether secret.

        Of maps, what is merged in does not show.
        """
        if self.unknown:
            return "[unknown]", True, self.secret
        if not isinstance(self.content, list | dict):
            return _scalar_text(self.content), False, self.secret
        if isinstance(self.content, list):
            labelled = [("", item) for item in self.content]
        else:
            labelled = [(f"{quote(key)}=", self.content[key]) for key in sorted(self.content)]
        texts = [(label, *value.text()) for label, value in labelled]
        return (
            ",".join(f"{label}{quote(text)}" for label, text, _, _ in texts),
            any(unknown for _, _, unknown, _ in texts),
            self.secret or any(secret for _, _, _, secret in texts),
        )

    def plain(self) -> Any:
        """The value as JSON, without wrapping. What is unknown is null."""
        if isinstance(self.content, dict):
            return {key: value.plain() for key, value in zip(self.keys(), self.nested(), strict=True)}
        if isinstance(self.content, list):
            return [value.plain() for value in self.content]
        return self.content.plain() if isinstance(self.content, Number) else self.content

    def wrapped(self, *, show_secrets: bool = True) -> dict[str, Any]:
        """The value as Pulumi's REST API writes it: wrapped, and every value inside it too."""
        content: Any
        if self.unknown:
            content = None
        elif self.secret and not show_secrets:
            content = "[secret]"
        elif isinstance(self.content, dict | list):
            inner = [value.wrapped(show_secrets=show_secrets) for value in self.nested()]
            content = dict(zip(self.keys(), inner, strict=True)) if self.is_map else inner
        else:
            content = self.plain()
        wrapped = {"value": content}
        if self.secret:
            wrapped["secret"] = True
        if self.unknown:
            wrapped["unknown"] = True
        return wrapped


def from_json(json: Any, place: Place | None = None, *, secret: bool = False) -> Value:
    """The value that a JSON value stands for, every part of it secret or none."""
    if isinstance(json, dict):
        properties = {key: from_json(value, place, secret=secret) for key, value in json.items()}
        return Value(properties, secret, place=place)
    if isinstance(json, list):
        return Value([from_json(value, place, secret=secret) for value in json], secret, place=place)
    if isinstance(json, int | float) and not isinstance(json, bool):
        return Value(Number(str(json)), secret, place=place)
    return Value(json, secret, place=place)


def _scalar_text(content: Scalar) -> str:
    if content is None:
        return ""
    if isinstance(content, bool):
        return "true" if content else "false"
    return content.text if isinstance(content, Number) else content


_ESCAPES: Final = {
    **{ord(character): f"\\{letter}" for character, letter in zip("\a\b\f\n\r\t\v", "abfnrtv", strict=True)},
    ord('"'): '\\"',
    ord("\\"): "\\\\",
}


def quote(text: str) -> str:
    """The text as Go's strconv.Quote writes it."""
    return f'"{"".join(map(_quote_character, text))}"'


def _quote_character(character: str) -> str:
    code = ord(character)
    if code in _ESCAPES:
        return _ESCAPES[code]
    if character.isprintable():
        return character
    if code < 0x80:  # noqa: PLR2004 - the end of ASCII
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004 - the end of 16 bits
