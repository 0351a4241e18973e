"""The endpoint of a continued session: never another host."""

import pytest

from streamtui.config import Endpoint
from streamtui.config.session_endpoint import endpoint_at, endpoint_for, is_same_host

WORK = Endpoint("work", "https://work.example/v1?api-version=1", api_key="sk-work")
HERE = Endpoint("ollama", "http://localhost:11434/v1")
KNOWN = [WORK, HERE]


@pytest.mark.parametrize(
    ("name", "address", "expected"),
    [
        ("work", "https://work.example/v1", WORK),
        ("work", "https://work.example:443/v2", WORK),
        ("work", "", WORK),  # saved by a version without addresses
        ("work", "https://old.example/v1", None),
        ("work", "http://work.example/v1", None),
        ("work", "https://work.example.evil.example/v1", None),
        ("old", "https://work.example/v1", WORK),
        ("old", "https://old.example/v1", None),
        ("old", "", None),
        ("", "", None),
        # Named after its address, as with --base-url.
        ("localhost:11434", "http://localhost:11434/v1", HERE),
        ("localhost:9000", "http://localhost:9000/v1", Endpoint("localhost:9000", "http://localhost:9000/v1")),
        ("localhost:9000", "", None),
        ("localhost:9000", "http://other.example:9000/v1", None),
        # Invalid values in the database.
        ("x", "ftp://x/v1", None),
        ("x", "http://x:99999999/v1", None),
        ("x", "http://[x/v1", None),
        ("me:pw@x", "http://me:pw@x/v1", None),
    ],
)
def test_endpoint_of_a_session(name: str, address: str, expected: Endpoint | None) -> None:
    assert endpoint_for(name, address, KNOWN) == expected


def test_address_is_saved_without_secrets() -> None:
    assert Endpoint("x", "https://me:pw@x.example/v1?key=secret#more").address == "https://x.example/v1"


def test_same_host() -> None:
    assert is_same_host("http://x/v1", "http://X:80/other")
    assert not is_same_host("", "")
    assert not is_same_host("http://x:1/v1", "http://x:2/v1")
    assert endpoint_at("http://x:1/v1") == Endpoint("x:1", "http://x:1/v1")
