-- The table that LLM 0.4 left behind, as later versions have it.
CREATE TABLE "logs" (
    "id" INTEGER PRIMARY KEY,
    "model" TEXT,
    "prompt" TEXT,
    "system" TEXT,
    "prompt_json" TEXT,
    "options_json" TEXT,
    "response" TEXT,
    "response_json" TEXT,
    "reply_to_id" INTEGER REFERENCES "logs"("id"),
    "chat_id" INTEGER,
    "duration_ms" INTEGER,
    "datetime_utc" TEXT
);
