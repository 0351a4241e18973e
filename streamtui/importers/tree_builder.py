"""Grows the tree of a session from the nodes of another program, some of which are no messages."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from streamtui.core.message import Attachment, FinishReason, Message, Role
from streamtui.core.session import Session, title_from


@dataclass(frozen=True, slots=True)
class Node:
    """A place in a tree."""

    id: str
    """The id its message gets, or would get."""
    parent_id: str | None
    message: Message | None = None
    """What was said there; None for what a model did before it spoke, and for nothing."""
    workings: str = ""
    """What a model did there, as Markdown: it goes into the reasoning of the reply that follows."""
    attachments: tuple[Attachment, ...] = ()
    """Files that came of it."""


def build_tree(session: Session, nodes: Iterable[Node], current: str | None = None) -> None:
    """Puts the messages of `nodes` into `session`, oldest first, and shows the path to `current` or to the newest.

    A parent that is not there makes a beginning, a circle is cut, a message without a time has its parent's,
    and the first the session's.
    """
    growth = _TreeBuilder({node.id: node for node in nodes}, session.created)
    growth.walk()
    in_order = [message for _, message in sorted(growth.found, key=lambda pair: pair[0])]
    session.messages = {message.id: message for message in in_order}
    newest = in_order[-1].id if in_order else None
    session.leaf_id = growth.shown.get(current or "") or newest
    session.created = session.created or (in_order[0].created if in_order else 0.0)
    session.updated = max([session.updated, *(message.created for message in in_order)])
    if not session.title:
        session.title = title_from(next((m.text for m in in_order if m.role is Role.USER), ""))


@dataclass(frozen=True, slots=True)
class _Place:
    """What stands above a node: a message, and what a model did since."""

    message_id: str | None = None
    created: float = 0.0
    order: float = 0.0
    """The latest time on the way there: no message comes before its parent, whatever their clocks said."""
    workings: str = ""
    attachments: tuple[Attachment, ...] = ()
    worked_at: str = ""
    """The last node of that."""


class _TreeBuilder:
    def __init__(self, nodes: dict[str, Node], created: float) -> None:
        self._created = created
        self.found: list[tuple[float, Message]] = []
        self.shown: dict[str, str | None] = {}
        """For every node walked, the message that shows it."""
        self._nodes = nodes
        self._made: set[str] = set()
        self._children: dict[str | None, list[Node]] = {}
        for node in nodes.values():
            parent = node.parent_id if node.parent_id in nodes else None
            self._children.setdefault(parent, []).append(node)

    def walk(self) -> None:
        """Goes through all nodes, parents first; what hangs in a circle begins anew at its first node."""
        for start in (*self._children.get(None, ()), *self._nodes.values()):
            waiting = [(start, _Place(created=self._created))]
            while waiting:
                node, place = waiting.pop()
                if node.id not in self.shown:
                    children = self._children.get(node.id, [])
                    place = self._step(node, place, last=not children)
                    self.shown[node.id] = place.message_id
                    waiting += [(child, place) for child in reversed(children)]

    def _step(self, node: Node, place: _Place, *, last: bool) -> _Place:
        message = node.message
        if message is None:
            if node.workings or node.attachments:
                place = replace(
                    place,
                    workings=_joined(place.workings, node.workings),
                    attachments=place.attachments + node.attachments,
                    worked_at=node.id,
                )
            return self._let_out(place) if last else place
        if message.role is not Role.ASSISTANT:
            return self._add(message, self._let_out(place))
        message.reasoning = _joined(place.workings, message.reasoning)
        message.attachments = place.attachments + message.attachments
        return self._add(message, place)

    def _let_out(self, place: _Place) -> _Place:
        """A model that worked and then said nothing has a message of its own for it."""
        if not place.worked_at:
            return place
        reply = Message(
            Role.ASSISTANT,
            id=place.worked_at,
            created=0.0,
            reasoning=place.workings,
            finish_reason=FinishReason.STOPPED,
            attachments=place.attachments,
        )
        return self._add(reply, place)

    def _add(self, message: Message, place: _Place) -> _Place:
        message.parent_id = place.message_id
        message.created = message.created or place.created
        order = max(place.order, message.created)
        if message.id not in self._made:
            self._made.add(message.id)
            self.found.append((order, message))
        return _Place(message.id, message.created, order)


def _joined(*texts: str) -> str:
    return "\n\n".join(filter(None, texts))
