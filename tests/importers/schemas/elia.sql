-- The tables of Elia 1.10, as the program makes them.
CREATE TABLE system_prompt (
    id INTEGER NOT NULL,
    title VARCHAR NOT NULL,
    prompt VARCHAR NOT NULL,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id)
);
CREATE TABLE chat (
    id INTEGER NOT NULL,
    model VARCHAR NOT NULL,
    title VARCHAR,
    started_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    archived BOOLEAN NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE message (
    id INTEGER NOT NULL,
    chat_id INTEGER,
    role VARCHAR NOT NULL,
    content VARCHAR NOT NULL,
    timestamp DATETIME DEFAULT CURRENT_TIMESTAMP,
    meta JSON,
    parent_id INTEGER,
    model VARCHAR,
    PRIMARY KEY (id),
    FOREIGN KEY(chat_id) REFERENCES chat (id),
    FOREIGN KEY(parent_id) REFERENCES message (id)
);
