"""Tickets and cookies of `streamtui web`."""

from streamtui.web.ticket_auth import MAX_COOKIES, MAX_TICKETS, TicketAuth


def test_ticket_is_valid_once() -> None:
    auth = TicketAuth()
    ticket = auth.new_ticket()
    cookie = auth.redeem(ticket)
    assert cookie is not None
    assert auth.is_valid(cookie)
    assert auth.redeem(ticket) is None


def test_other_strings_are_rejected() -> None:
    auth = TicketAuth()
    ticket = auth.new_ticket()
    assert auth.redeem("") is None
    assert auth.redeem(ticket[:-1]) is None
    assert auth.redeem("é\udc80") is None
    assert not auth.is_valid("")
    assert not auth.is_valid(ticket)


def test_oldest_tickets_and_cookies_expire() -> None:
    auth = TicketAuth()
    tickets = [auth.new_ticket() for _ in range(MAX_TICKETS + 1)]
    assert auth.redeem(tickets[0]) is None
    assert auth.redeem(tickets[1]) is not None
    cookies = [auth.redeem(auth.new_ticket()) or "" for _ in range(MAX_COOKIES + 1)]
    assert not auth.is_valid(cookies[0])
    assert all(map(auth.is_valid, cookies[1:]))
