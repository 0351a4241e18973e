"""Who is let in."""

from streamtui.web.ticket_auth import PASSES, TICKETS, Door


def test_ticket_is_valid_once() -> None:
    door = Door()
    ticket = door.ticket()
    pass_ = door.enter(ticket)
    assert pass_ is not None
    assert door.knows(pass_)
    assert door.enter(ticket) is None


def test_other_strings_are_rejected() -> None:
    door = Door()
    ticket = door.ticket()
    assert door.enter("") is None
    assert door.enter(ticket[:-1]) is None
    assert door.enter("é\udc80") is None
    assert not door.knows("")
    assert not door.knows(ticket)


def test_oldest_tickets_and_cookies_expire() -> None:
    door = Door()
    tickets = [door.ticket() for _ in range(TICKETS + 1)]
    assert door.enter(tickets[0]) is None
    assert door.enter(tickets[1]) is not None
    passes = [door.enter(door.ticket()) or "" for _ in range(PASSES + 1)]
    assert not door.knows(passes[0])
    assert all(map(door.knows, passes[1:]))
