"""Conversations from the database of LLM (``logs.db``), whatever version wrote it."""

from typing import Any

from streamtui.importers.foreign_database import Database
from streamtui.importers.import_report import ParsedSession
from streamtui.importers.llm_responses import conversation, old_log
from streamtui.importers.llm_threads import thread

_LAYOUTS = {"threads": thread, "conversations": conversation, "logs": old_log}


def is_supported(database: Database) -> bool:
    """Whether it is a database of LLM."""
    return any(
        needed <= database.columns(table)
        for table, needed in (
            ("turns", {"thread_id", "tip_message_hash"}),
            ("responses", {"conversation_id", "prompt"}),
            ("logs", {"prompt", "response", "chat_id"}),
        )
    )


def chats(database: Database) -> list[dict[str, Any]]:
    """Returns the conversations of all layouts. One that went on in the newer layout is there as a whole."""
    threads = list(database.rows("threads", "id name datetime_utc tip_message_hash", "ORDER BY id"))
    moved = {row["id"] for row in threads}
    older = [row for row in database.rows("conversations", "id name model", "ORDER BY id") if row["id"] not in moved]
    oldest = list(database.rows("logs", "id model chat_id prompt", "WHERE chat_id IS NULL OR chat_id = id ORDER BY id"))
    return [
        *({**row, "name": "", "layout": "logs"} for row in oldest),
        *({**row, "layout": "conversations"} for row in older),
        *({**row, "layout": "threads"} for row in threads),
    ]


def session(database: Database, chat: dict[str, Any]) -> ParsedSession:
    """Returns a conversation as a session; the same one has the same ids whenever it is read."""
    return _LAYOUTS[chat["layout"]](database, chat)
