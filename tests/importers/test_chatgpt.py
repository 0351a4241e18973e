"""Import of ChatGPT's data export."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given

from streamtui.core.message import FinishReason, Role
from streamtui.core.session import Session
from streamtui.importers import chatgpt
from streamtui.importers.assets import Assets
from streamtui.importers.import_report import EntryError
from tests.importers.test_streamtui_json import sound
from tests.support.samples import JSON, conversation, mutated, node

PNG = b"\x89PNG\r\n\x1a\n"


def read(value: Any, assets: Assets | None = None) -> Session:
    """Return the session in a conversation."""
    return chatgpt.conversation(value, assets or Assets()).session


def said(session: Session) -> list[tuple[str, str]]:
    """Return the roles and texts of the current branch."""
    return [(message.role.value, message.text) for message in session.path()]


def reply(*nodes: dict[str, Any]) -> Any:
    """Return the reply made from a chain of nodes."""
    return read(conversation(node("root", None), node("q", "root", "user", "Q", when=1.0), *nodes)).path()[-1]


BRANCHES = conversation(
    node("root", None),
    node("system", "root", "system", "", weight=0.0),
    node("u1", "system", "user", "first", when=10.0),
    node("a1", "u1", "assistant", "one answer", when=11.0),
    node("a2", "u1", "assistant", "another answer", when=20.0),
    node("u2", "a2", "user", "second", when=30.0),
    node("u2b", "a2", "user", "second, edited", when=40.0),
    node("a3", "u2b", "assistant", "third answer", when=41.0),
)


def test_current_node_selects_the_branch() -> None:
    session = read(BRANCHES)
    assert said(session) == [
        ("user", "first"),
        ("assistant", "another answer"),
        ("user", "second, edited"),
        ("assistant", "third answer"),
    ]
    assert (session.title, session.endpoint, session.model) == ("A conversation", "ChatGPT", "gpt-4o")
    assert (session.created, session.updated) == (1_700_000_000.5, 1_700_000_100.5)


def test_all_branches_are_kept() -> None:
    session = read(BRANCHES)
    assert [message.text for message in session.messages.values()] == [
        "first", "one answer", "another answer", "second", "second, edited", "third answer",
    ]  # fmt: skip
    assert sorted(session.variants().values()) == [(1, 2), (1, 2), (2, 2), (2, 2)]


def test_ids_are_stable() -> None:
    assert read(BRANCHES) == read(BRANCHES)
    other = read({**BRANCHES, "conversation_id": "another"})
    assert other.id != read(BRANCHES).id
    assert not other.messages.keys() & read(BRANCHES).messages.keys()


@pytest.mark.parametrize("current", [None, "nowhere", 7, [], "root"])
def test_newest_message_is_shown_without_a_current_node(current: object) -> None:
    assert said(read({**BRANCHES, "current_node": current}))[-1] == ("assistant", "third answer")


def test_intermediate_steps_become_reasoning() -> None:
    answer = reply(
        node(
            "t", "q", "assistant", content={"content_type": "thoughts", "thoughts": [{"summary": "S", "content": "C"}]}
        ),
        node(
            "c",
            "t",
            "assistant",
            recipient="python",
            content={"content_type": "code", "language": "python", "text": "1+1"},
        ),
        node("o", "c", "tool", name="python", content={"content_type": "execution_output", "text": "2"}),
        node("r", "o", "assistant", content={"content_type": "reasoning_recap", "content": "Thought for 5 seconds"}),
        node("a", "r", "assistant", "It is 2."),
    )
    assert answer.text == "It is 2."
    assert answer.reasoning == "**S**\n\nC\n\n**python**\n\n```python\n1+1\n```\n\n**python**\n\n```\n2\n```"


def test_code_with_fences_is_fenced() -> None:
    answer = reply(
        node("o", "q", "tool", name="python", content={"content_type": "execution_output", "text": "```\n````\nx"}),
        node("a", "o", "assistant", "done"),
    )
    assert "`````\n```\n````\nx\n`````" in answer.reasoning


def test_steps_without_a_reply_get_a_message() -> None:
    answer = reply(node("t", "q", "assistant", content={"content_type": "thoughts", "thoughts": [{"content": "hm"}]}))
    assert (answer.role, answer.text, answer.reasoning.strip()) == (Role.ASSISTANT, "", "hm")
    assert answer.finish_reason is FinishReason.STOPPED


@pytest.mark.parametrize(
    "hidden",
    [
        node("h", "q", "assistant", "secret", metadata={"is_visually_hidden_from_conversation": True}),
        node("h", "q", "system", "secret", weight=0.0),
        node("h", "q", "assistant", ""),
        node("h", "q", "assistant", content={"content_type": "model_editable_context", "model_set_context": "secret"}),
    ],
)
def test_hidden_message_is_left_out_but_not_its_children(hidden: dict[str, Any]) -> None:
    session = read(
        conversation(node("root", None), node("q", "root", "user", "Q"), hidden, node("a", "h", "assistant", "A"))
    )
    assert said(session) == [("user", "Q"), ("assistant", "A")]
    assert session.system == ""


def test_custom_instructions_become_the_system_prompt() -> None:
    instructions = {
        "content_type": "user_editable_context",
        "user_profile": "I am Ada.",
        "user_instructions": "Be brief.",
    }
    old = {"user_context_message_data": {"about_user_message": "I am Ada.", "about_model_message": "Be brief."}}
    for first in (
        node("s", "root", "user", content=instructions, metadata={"is_visually_hidden_from_conversation": True}),
        node("s", "root", "system", "", metadata={"is_user_system_message": True, **old}),
    ):
        session = read(conversation(node("root", None), first, node("q", "s", "user", "Q")))
        assert (session.system, said(session)) == ("I am Ada.\n\nBe brief.", [("user", "Q")])


def test_markers_become_links_and_names() -> None:
    cite = "\ue200cite\ue202turn0search3\ue201"
    text = f'Rain {cite} in \ue200entity\ue202["city","Tartu"]\ue201\ue200navlist\ue202x\ue201.\ue203'
    references = [{"matched_text": cite, "alt": "([ERR](https://err.ee))"}, {"matched_text": "Rain", "alt": ""}, 7]
    answer = reply(node("a", "q", "assistant", text, metadata={"content_references": references}))
    assert answer.text == "Rain ([ERR](https://err.ee)) in Tartu."


def test_images_are_attached_or_named_if_missing() -> None:
    pointer = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-AbC1"}
    gone = {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_00ff"}
    files = [{"id": "file-AbC1", "name": "cat.png"}, {"id": "file-Zz9", "name": "paper.pdf"}]
    source = node("q", "root", "user", pointer, gone, "What is it?", metadata={"attachments": files})
    source["message"]["content"]["content_type"] = "multimodal_text"
    session = read(conversation(node("root", None), source), Assets({"file-AbC1-cat.dat": lambda: PNG}))
    prompt = session.path()[0]
    assert [(file.name, file.media_type, file.data) for file in prompt.attachments] == [("cat.png", "image/png", PNG)]
    assert prompt.text == "🖼 image (not in the export)\nWhat is it?\n\n📎 paper.pdf"


def test_generated_image_is_in_the_reply() -> None:
    made = {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_00ff"}
    content = {"content_type": "multimodal_text", "parts": [made]}
    nodes = (node("t", "q", "tool", name="dalle.text2im", content=content), node("a", "t", "assistant", "There."))
    value = conversation(node("root", None), node("q", "root", "user", "Q"), *nodes)
    session = read(value, Assets({"file_00ff-made.png": lambda: PNG}))
    assert [file.data for file in session.path()[-1].attachments] == [PNG]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, FinishReason.STOP),
        ({"metadata": {"finish_details": {"type": "max_tokens"}}}, FinishReason.LENGTH),
        ({"metadata": {"finish_details": {"type": "interrupted"}}}, FinishReason.STOPPED),
        ({"metadata": {"finish_details": {"type": ["x"]}}}, FinishReason.STOP),
        ({"status": "in_progress"}, FinishReason.STOPPED),
    ],
)
def test_finish_reason(more: dict[str, Any], expected: FinishReason) -> None:
    assert reply(node("a", "q", "assistant", "A", **more)).finish_reason is expected


def test_missing_times_come_from_the_parent() -> None:
    session = read(
        conversation(
            node("root", None),
            node("q", "root", "user", "Q", when=5.0),
            node("a", "q", "assistant", "A", when=None),
            node("b", "a", "user", "B", when=float("nan")),
            node("c", "b", "assistant", "C", when=1e300),
            create_time=None, update_time="yesterday",
        )
    )  # fmt: skip
    assert [message.created for message in session.path()] == [5.0, 5.0, 5.0, 5.0]
    assert (session.created, session.updated) == (5.0, 5.0)


def test_cycles_and_missing_parents_lose_no_message() -> None:
    session = read(
        conversation(
            node("a", "c", "user", "A", when=1.0),
            node("b", "a", "assistant", "B", when=2.0),
            node("c", "b", "user", "C", when=3.0),
            node("d", "gone", "assistant", "D", when=4.0),
            current_node="c",
        )
    )  # fmt: skip
    assert {message.text for message in session.messages.values()} == {"A", "B", "C", "D"}
    assert said(session) == [("user", "A"), ("assistant", "B"), ("user", "C")]
    sound(session)


def test_parent_from_the_list_of_children() -> None:
    value = conversation(node("q", None, "user", "Q"), node("a", "q", "assistant", "A"))
    del value["mapping"]["a"]["parent"]
    assert said(read(value)) == [("user", "Q"), ("assistant", "A")]


def test_large_trees_need_no_recursion() -> None:
    nodes = [node("0", None, "user", "0", when=0.5)]
    nodes += [node(f"{n}", f"{n - 1}", "assistant" if n % 2 else "user", f"{n}", when=float(n)) for n in range(1, 5000)]
    nodes += [node(f"b{n}", "0", "assistant", f"b{n}", when=9e5 + n) for n in range(1000)]
    session = read(conversation(*nodes, current_node="4999"))
    assert (len(session.path()), len(session.messages)) == (5000, 6000)


@given(mutated(BRANCHES) | JSON | JSON.map(lambda value: {"mapping": {"a": value}}))
def test_wrong_types_are_harmless(value: Any) -> None:
    with suppress(EntryError):
        sound(read(value))


RICH = conversation(
    node("q", None, "user", {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-A"}, "text",
         metadata={"attachments": [{"id": "file-B", "name": "b"}]}),
    node("t", "q", "assistant", content={"content_type": "thoughts", "thoughts": [{"summary": "s", "content": "c"}]}),
    node("w", "t", "tool", name="web",
         content={"content_type": "tether_quote", "url": "https://a", "title": "t", "text": "x"}),
    node("a", "w", "assistant", "\ue200cite\ue202x\ue201",
         metadata={"content_references": [{"matched_text": "m", "alt": "l"}]}),
)  # fmt: skip


@given(mutated(RICH))
def test_wrong_types_in_rich_messages_are_harmless(value: Any) -> None:
    with suppress(EntryError):
        sound(read(value, Assets({"file-A-x.png": lambda: PNG})))
