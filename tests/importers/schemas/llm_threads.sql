-- The tables of LLM 0.36 that say what was said, as the program makes them.
CREATE TABLE "conversations" (
    "id" TEXT PRIMARY KEY,
    "name" TEXT,
    "model" TEXT
);
CREATE TABLE "attachments" (
    "id" TEXT PRIMARY KEY,
    "type" TEXT,
    "path" TEXT,
    "url" TEXT,
    "content" BLOB
);
CREATE TABLE "prompt_attachments" (
    "response_id" TEXT REFERENCES "responses"("id"),
    "attachment_id" TEXT REFERENCES "attachments"("id"),
    "order" INTEGER,
    PRIMARY KEY ("response_id", "attachment_id")
);
CREATE TABLE "schemas" (
    "id" TEXT PRIMARY KEY,
    "content" TEXT
);
CREATE TABLE "responses" (
    "id" TEXT PRIMARY KEY,
    "model" TEXT,
    "prompt" TEXT,
    "system" TEXT,
    "prompt_json" TEXT,
    "options_json" TEXT,
    "response" TEXT,
    "response_json" TEXT,
    "conversation_id" TEXT REFERENCES "conversations"("id"),
    "duration_ms" INTEGER,
    "datetime_utc" TEXT,
    "input_tokens" INTEGER,
    "output_tokens" INTEGER,
    "token_details" TEXT,
    "schema_id" TEXT
    , "resolved_model" TEXT, "reasoning" TEXT);
CREATE TABLE "fragments" (
    "id" INTEGER PRIMARY KEY,
    "hash" TEXT,
    "content" TEXT,
    "datetime_utc" TEXT,
    "source" TEXT
);
CREATE TABLE "prompt_fragments" (
    "response_id" TEXT REFERENCES "responses"("id"),
    "fragment_id" INTEGER REFERENCES "fragments"("id"),
    "order" INTEGER,
    PRIMARY KEY ("response_id", "fragment_id", "order")
);
CREATE TABLE "system_fragments" (
    "response_id" TEXT REFERENCES "responses"("id"),
    "fragment_id" INTEGER REFERENCES "fragments"("id"),
    "order" INTEGER,
    PRIMARY KEY ("response_id", "fragment_id", "order")
);
CREATE TABLE "tools" (
    "id" INTEGER PRIMARY KEY,
    "hash" TEXT,
    "name" TEXT,
    "description" TEXT,
    "input_schema" TEXT
    , "plugin" TEXT);
CREATE TABLE "tool_calls" (
    "id" INTEGER PRIMARY KEY,
    "response_id" TEXT REFERENCES "responses"("id"),
    "tool_id" INTEGER REFERENCES "tools"("id"),
    "name" TEXT,
    "arguments" TEXT,
    "tool_call_id" TEXT
);
CREATE TABLE "tool_instances" (
    "id" INTEGER PRIMARY KEY,
    "plugin" TEXT,
    "name" TEXT,
    "arguments" TEXT
);
CREATE TABLE "tool_results" (
    "id" INTEGER PRIMARY KEY,
    "response_id" TEXT REFERENCES "responses"("id"),
    "tool_id" INTEGER REFERENCES "tools"("id"),
    "name" TEXT,
    "output" TEXT,
    "tool_call_id" TEXT,
    "instance_id" INTEGER REFERENCES "tool_instances"("id")
    , "exception" TEXT);
CREATE TABLE "messages" (
    "hash" TEXT PRIMARY KEY,
    "parent_hash" TEXT REFERENCES "messages"("hash"),
    "role" TEXT,
    "provider_metadata" TEXT
);
CREATE TABLE "parts" (
    "id" INTEGER PRIMARY KEY,
    "message_hash" TEXT REFERENCES "messages"("hash"),
    "position" INTEGER,
    "type" TEXT,
    "tool_name" TEXT,
    "text" TEXT,
    "payload" TEXT
);
CREATE TABLE "part_attachments" (
    "part_id" INTEGER REFERENCES "parts"("id"),
    "attachment_id" TEXT REFERENCES "attachments"("id"),
    "order" INTEGER,
    PRIMARY KEY ("part_id", "attachment_id", "order")
);
CREATE TABLE "part_fragments" (
    "part_id" INTEGER REFERENCES "parts"("id"),
    "fragment_id" INTEGER REFERENCES "fragments"("id"),
    "order" INTEGER,
    PRIMARY KEY ("part_id", "fragment_id", "order")
);
CREATE TABLE "threads" (
    "id" TEXT PRIMARY KEY,
    "name" TEXT,
    "tip_message_hash" TEXT REFERENCES "messages"("hash"),
    "forked_from" TEXT REFERENCES "threads"("id"),
    "datetime_utc" TEXT
);
CREATE TABLE "turns" (
    "id" TEXT PRIMARY KEY,
    "thread_id" TEXT REFERENCES "threads"("id"),
    "parent_message_hash" TEXT REFERENCES "messages"("hash"),
    "tip_message_hash" TEXT REFERENCES "messages"("hash"),
    "model" TEXT,
    "resolved_model" TEXT,
    "options_json" TEXT,
    "schema_id" TEXT,
    "input_tokens" INTEGER,
    "output_tokens" INTEGER,
    "token_details" TEXT,
    "duration_ms" INTEGER,
    "datetime_utc" TEXT
    , "response_json" TEXT);
