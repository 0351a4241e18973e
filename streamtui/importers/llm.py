"""Read conversations from the database of LLM (``logs.db``), in all its layouts."""

from typing import Any

from streamtui.importers.foreign_database import Database
from streamtui.importers.import_report import ParsedSession
from streamtui.importers.llm_responses import conversation, old_log
from streamtui.importers.llm_threads import thread

_LAYOUTS = {"threads": thread, "conversations": conversation, "logs": old_log}


def is_supported(database: Database) -> bool:
    """Return whether the database belongs to LLM."""
    return any(
        needed <= database.columns(table)
        for table, needed in (
            ("turns", {"thread_id", "tip_message_hash"}),
            ("responses", {"conversation_id", "prompt"}),
            ("logs", {"prompt", "response", "chat_id"}),
        )
    )


def chats(database: Database) -> list[dict[str, Any]]:
    """Return the conversations of all layouts. Those migrated to a newer layout are listed once."""
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
    """Return a conversation as a session. Its ids are stable across imports."""
    return _LAYOUTS[chat["layout"]](database, chat)
