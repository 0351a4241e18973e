-- A database as version 1 of the tables wrote it; never to be changed.

PRAGMA application_id = 1937012073;
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL DEFAULT '',
    endpoint TEXT NOT NULL DEFAULT '',
    model TEXT NOT NULL DEFAULT '',
    system TEXT NOT NULL DEFAULT '',
    parameters TEXT NOT NULL DEFAULT '{}',
    created REAL NOT NULL,
    updated REAL NOT NULL,
    leaf_id TEXT,
    pinned INTEGER NOT NULL DEFAULT 0,
    archived INTEGER NOT NULL DEFAULT 0,
    message_count INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX sessions_by_age ON sessions(updated DESC, id) WHERE message_count > 0;
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
    parent_id TEXT,
    role TEXT NOT NULL,
    text TEXT NOT NULL,
    reasoning TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    created REAL NOT NULL,
    finish_reason TEXT,
    error TEXT NOT NULL,
    usage TEXT,
    timing TEXT
);
CREATE INDEX messages_by_session ON messages(session_id, seq);
CREATE TABLE blobs (
    hash BLOB PRIMARY KEY,
    data BLOB NOT NULL
);
CREATE TABLE attachments (
    message_id TEXT NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
    n INTEGER NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    hash BLOB NOT NULL REFERENCES blobs(hash),
    PRIMARY KEY (message_id, n)
) WITHOUT ROWID;
CREATE INDEX attachments_by_hash ON attachments(hash);
CREATE TABLE pieces (
    message_id TEXT NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
    n INTEGER NOT NULL,
    text TEXT NOT NULL,
    reasoning TEXT NOT NULL,
    PRIMARY KEY (message_id, n)
) WITHOUT ROWID;
CREATE TABLE memory (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE models (
    endpoint TEXT NOT NULL,
    name TEXT NOT NULL,
    last_used REAL NOT NULL DEFAULT 0,
    favourite INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (endpoint, name)
) WITHOUT ROWID;
CREATE TRIGGER message_counted AFTER INSERT ON messages BEGIN
    UPDATE sessions SET message_count = message_count + 1 WHERE id = new.session_id;
END;
CREATE TRIGGER message_discounted AFTER DELETE ON messages BEGIN
    UPDATE sessions SET message_count = message_count - 1 WHERE id = old.session_id;
END;
CREATE VIRTUAL TABLE message_index USING fts5(
    text, content='messages', content_rowid='seq', tokenize='unicode61 remove_diacritics 2', prefix='1'
);
CREATE TRIGGER message_indexed AFTER INSERT ON messages BEGIN
    INSERT INTO message_index(rowid, text) VALUES (new.seq, new.text);
END;
CREATE TRIGGER message_unindexed AFTER DELETE ON messages BEGIN
    INSERT INTO message_index(message_index, rowid, text) VALUES ('delete', old.seq, old.text);
END;
CREATE TRIGGER message_reindexed AFTER UPDATE OF text ON messages WHEN old.text IS NOT new.text BEGIN
    INSERT INTO message_index(message_index, rowid, text) VALUES ('delete', old.seq, old.text);
    INSERT INTO message_index(rowid, text) VALUES (new.seq, new.text);
END;
PRAGMA user_version = 1;

INSERT INTO sessions (id, title, endpoint, model, system, parameters, created, updated, leaf_id, pinned) VALUES
    ('a000000000000001', 'Tell me of Quetzalcoatl', 'openai', 'gpt', 'Be brief.', '{"temperature": 0.5}',
        1.5, 3.5, 'b000000000000003', 1),
    ('a000000000000002', '羽毛のある蛇', 'ollama', 'qwen', '', '{}', 10, 11, NULL, 0);
INSERT INTO messages (id, session_id, parent_id, role, text, reasoning, endpoint, model, created, finish_reason, error,
    usage, timing) VALUES
    ('b000000000000001', 'a000000000000001', NULL, 'user', 'Tell me of Quetzalcoatl', '', '', '', 1.5, NULL, '',
        NULL, NULL),
    ('b000000000000002', 'a000000000000001', 'b000000000000001', 'assistant', 'A feathered', 'Hm', 'openai', 'gpt', 2.5,
        NULL, '', NULL, NULL),
    ('b000000000000003', 'a000000000000001', 'b000000000000001', 'assistant', 'A god.', '', 'openai', 'gpt', 3.5,
        'stop', '', '{"prompt_tokens": 5, "completion_tokens": 2, "reasoning_tokens": 0, "cached_tokens": 1}',
        '{"first": 0.25, "text": 0.25, "total": 0.5}'),
    ('b000000000000004', 'a000000000000002', NULL, 'user', '羽毛のある蛇', '', '', '', 10, NULL, '', NULL, NULL);
INSERT INTO pieces VALUES
    ('b000000000000002', 1, ' ser', ''),
    ('b000000000000002', 2, 'pent', 'm');
INSERT INTO blobs VALUES (x'2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824', 'hello');
UPDATE blobs SET data = CAST(data AS BLOB);
INSERT INTO attachments VALUES ('b000000000000001', 0, 'hello.txt', 'text/plain',
    x'2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824');
INSERT INTO memory VALUES ('theme', 'paper'), ('draft', 'not sent');
INSERT INTO models VALUES ('openai', 'gpt', 3.5, 1);
