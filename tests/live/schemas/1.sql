-- A state database of schema 1, with rows of each kind. Released schemas never change, so neither does this file.
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE events (
  record INTEGER PRIMARY KEY AUTOINCREMENT,
  id INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  transaction_id INTEGER REFERENCES transactions(id),
  service TEXT NOT NULL DEFAULT '',
  old TEXT NOT NULL DEFAULT '',
  new TEXT NOT NULL DEFAULT '',
  names TEXT NOT NULL DEFAULT '',
  message TEXT NOT NULL
);
INSERT INTO "events" VALUES(1,2002,1795000001000,1,'nginx:/etc/nginx/nginx.conf','0a','1a','a.example.com','2 endpoints and names show the new certificate');
CREATE TABLE sightings (
  path TEXT NOT NULL,
  thumbprint TEXT NOT NULL,
  der BLOB NOT NULL,
  first_ms INTEGER NOT NULL,
  PRIMARY KEY (path, thumbprint)
) WITHOUT ROWID;
INSERT INTO "sightings" VALUES('/etc/ssl/a.pem','0a',X'00',1795000000000);
CREATE TABLE transactions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  act TEXT NOT NULL,
  service TEXT NOT NULL,
  phase TEXT NOT NULL,
  outcome TEXT,
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  undoes INTEGER REFERENCES transactions(id),
  owed INTEGER NOT NULL DEFAULT 0,
  sets INTEGER NOT NULL DEFAULT 0,
  account TEXT NOT NULL DEFAULT '',
  record TEXT NOT NULL
);
INSERT INTO "transactions" VALUES(1,'rebind','nginx:/etc/nginx/nginx.conf','committed','committed',1795000000000,1795000001000,NULL,0,0,'2 endpoints and names show the new certificate','{"token":"t","files":[],"successions":[{"old":"0a","new":"1a","sites":["a.example.com"]}],"expectations":[]}');
COMMIT;
