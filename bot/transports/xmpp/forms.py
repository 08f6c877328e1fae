"""Ad-hoc commands (XEP-0050) and their data forms (XEP-0004) as values: read here, and made here. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal
from xml.etree.ElementTree import Element, SubElement

from bot.model import FormField, Offer
from bot.transports.lines import clean
from bot.transports.xmpp.stanzas import CLIENT, IQ

NODE = "http://jabber.org/protocol/commands"
ITEMS, INFO = "http://jabber.org/protocol/disco#items", "http://jabber.org/protocol/disco#info"
DATA = "jabber:x:data"
YES = "yes"
"""The field of the form that asks for a yes."""

_COMMAND = f"{{{NODE}}}command"
_STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
_LONGEST, _FIELDS = 10_000, 50
_TYPES = {"bad-request": "modify", "item-not-found": "cancel", "resource-constraint": "wait"}


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks of a command: `session` is empty at its first step, `values` are what was filled in.

    `submits` tells that a form came along; `action` is execute, next, complete, prev or cancel.
    """

    node: str
    session: str = ""
    action: str = "execute"
    submits: bool = False
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def request(stanza: Element) -> Request | None:
    """Read an <iq/> that runs a command; None for any other."""
    found = stanza.find(_COMMAND) if stanza.get("type") == "set" else None
    if found is None:
        return None
    form = found.find(f"{{{DATA}}}x")
    submits = form is not None and form.get("type") == "submit"
    return Request(
        node=found.get("node", ""),
        session=found.get("sessionid", ""),
        action=found.get("action", "execute"),
        submits=submits,
        values=_values(form) if form is not None and submits else {},
    )


def asks_for(stanza: Element) -> tuple[str, str] | None:
    """Return what a disco question is about, (ITEMS or INFO, node), if it is about commands; else None."""
    for kind in (ITEMS, INFO):
        found = stanza.find(f"{{{kind}}}query") if stanza.get("type") == "get" else None
        if found is not None and (node := found.get("node")):
            return kind, node
    return None


def _values(form: Element) -> dict[str, str]:
    """Return what was filled in; several values of a field are its lines."""
    values = {}
    for part in form.findall(f"{{{DATA}}}field")[:_FIELDS]:
        lines = (value.text or "" for value in part.findall(f"{{{DATA}}}value"))
        values[part.get("var", "")] = clean(" ".join(lines)[:_LONGEST]).strip()
    return values


def answer(stanza: Element) -> Element:
    """Return the empty answer to an <iq/>."""
    return Element(IQ, {"type": "result", "id": stanza.get("id", ""), "to": stanza.get("from", "")})


def refusal(stanza: Element, condition: str) -> Element:
    """Return an error for an <iq/>; `condition` is one of RFC 6120's."""
    made = Element(IQ, {"type": "error", "id": stanza.get("id", ""), "to": stanza.get("from", "")})
    error = SubElement(made, f"{CLIENT}error", {"type": _TYPES.get(condition, "cancel")})
    SubElement(error, f"{{{_STANZAS}}}{condition}")
    return made


def listed(stanza: Element, jid: str, offers: Sequence[Offer]) -> Element:
    """Return the answer that lists commands; the node of a command is its name."""
    made = answer(stanza)
    query = SubElement(made, f"{{{ITEMS}}}query", {"node": NODE})
    for offer in offers:
        SubElement(
            query,
            f"{{{ITEMS}}}item",
            {"jid": jid, "node": offer.command, "name": f"{offer.command}: {offer.summary}"},
        )
    return made


def described(stanza: Element, node: str) -> Element:
    """Return the answer to what a node is: the list of commands, or one of them."""
    made = answer(stanza)
    query = SubElement(made, f"{{{INFO}}}query", {"node": node})
    kind = "command-list" if node == NODE else "command-node"
    SubElement(query, f"{{{INFO}}}identity", {"category": "automation", "type": kind, "name": node})
    for feature in (NODE, DATA):
        SubElement(query, f"{{{INFO}}}feature", {"var": feature})
    return made


def done(stanza: Element, node: str, session: str, text: str) -> Element:
    """Return the end of a command, with what is said as its note."""
    command = _command(made := answer(stanza), node, session, "completed")
    SubElement(command, f"{{{NODE}}}note", {"type": "info"}).text = text
    return made


def cancelled(stanza: Element, node: str, session: str) -> Element:
    """Return the end of a command that was given up."""
    made = answer(stanza)
    _command(made, node, session, "canceled")
    return made


def asking(
    stanza: Element, session: str, offer: Offer, note: str = "", kind: Literal["error", "info"] = "error"
) -> Element:
    """Return the form for a command's parameters; `note` says what was wrong with them, or their answer."""
    command = _command(made := answer(stanza), offer.command, session, "executing")
    _only_complete(command)
    form = _form(command, offer.command, offer.summary)
    for part in offer.fields:
        _ask(form, part)
    if note:
        SubElement(command, f"{{{NODE}}}note", {"type": kind}).text = note
    return made


def confirming(stanza: Element, node: str, session: str, question: str) -> Element:
    """Return the form that asks for a yes."""
    command = _command(made := answer(stanza), node, session, "executing")
    _only_complete(command)
    form = _form(command, node, question)
    part = SubElement(form, f"{{{DATA}}}field", {"var": YES, "type": "boolean", "label": "yes"})
    SubElement(part, f"{{{DATA}}}value").text = "0"
    return made


def agrees(values: Mapping[str, str]) -> bool:
    """Tell whether a form that asked for a yes got one (XEP-0004, section 3.3)."""
    return values.get(YES, "").casefold() in {"1", "true", "yes"}


def _command(made: Element, node: str, session: str, status: str) -> Element:
    return SubElement(made, _COMMAND, {"node": node, "sessionid": session, "status": status})


def _only_complete(command: Element) -> None:
    SubElement(SubElement(command, f"{{{NODE}}}actions", {"execute": "complete"}), f"{{{NODE}}}complete")


def _form(command: Element, title: str, instructions: str) -> Element:
    form = SubElement(command, f"{{{DATA}}}x", {"type": "form"})
    SubElement(form, f"{{{DATA}}}title").text = title
    SubElement(form, f"{{{DATA}}}instructions").text = instructions
    return form


def _ask(form: Element, part: FormField) -> None:
    kind = "list-single" if part.choices else "text-private" if part.private else "text-single"
    made = SubElement(form, f"{{{DATA}}}field", {"var": part.name, "type": kind, "label": part.label})
    if part.required:
        SubElement(made, f"{{{DATA}}}required")
    for choice in part.choices if kind == "list-single" else ():
        option = SubElement(made, f"{{{DATA}}}option", {"label": choice})
        SubElement(option, f"{{{DATA}}}value").text = choice
