-- The tables of oterm 0.26, as the program makes them.
CREATE TABLE "chat" (
    "id"            INTEGER,
    "name"          TEXT,
    "model"         TEXT NOT NULL,
    "system"        TEXT,
    "provider"      TEXT DEFAULT "ollama",
    "parameters"    TEXT DEFAULT "{}",
    "tools"         TEXT DEFAULT "[]",
    "thinking"      BOOLEAN DEFAULT 0,
    PRIMARY KEY("id" AUTOINCREMENT)
);
CREATE TABLE "message" (
    "id"  INTEGER,
    "chat_id" INTEGER NOT NULL,
    "author" TEXT NOT NULL,
    "text"  TEXT NOT NULL,
    "images"    TEXT DEFAULT "[]",
    PRIMARY KEY("id" AUTOINCREMENT),
    FOREIGN KEY("chat_id") REFERENCES "chat"("id") ON DELETE CASCADE
);
