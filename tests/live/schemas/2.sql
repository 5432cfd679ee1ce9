-- A state database of schema 2, with rows of each kind. Released schemas never change, so neither does this file.
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE attention (
  subject TEXT PRIMARY KEY,
  since_ms INTEGER NOT NULL,
  sentence TEXT NOT NULL,
  next TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "attention" VALUES('disk',1795000000000,'the disk is full','make room');
CREATE TABLE bound (
  service TEXT NOT NULL,
  site TEXT NOT NULL,
  role TEXT NOT NULL,
  names TEXT NOT NULL,
  certificate TEXT NOT NULL,
  key TEXT NOT NULL
);
CREATE TABLE configurations (
  service TEXT NOT NULL,
  path TEXT NOT NULL,
  PRIMARY KEY (service, path)
) WITHOUT ROWID;
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
, details TEXT NOT NULL DEFAULT '');
INSERT INTO "events" VALUES(1,2002,1795000001000,1,'nginx:/etc/nginx/nginx.conf','0a','1a','a.example.com','2 endpoints and names show the new certificate','');
CREATE TABLE hops (
  directory TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  path TEXT NOT NULL,
  PRIMARY KEY (directory, name, kind, path)
) WITHOUT ROWID;
CREATE TABLE marks (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "marks" VALUES('tasks.event','1');
CREATE TABLE places (
  path TEXT PRIMARY KEY,
  key TEXT NOT NULL,
  thumbprint TEXT NOT NULL,
  not_before_ms INTEGER NOT NULL,
  not_after_ms INTEGER NOT NULL,
  since_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE sightings (
  path TEXT NOT NULL,
  thumbprint TEXT NOT NULL,
  der BLOB NOT NULL,
  first_ms INTEGER NOT NULL,
  PRIMARY KEY (path, thumbprint)
) WITHOUT ROWID;
INSERT INTO "sightings" VALUES('/etc/ssl/a.pem','0a',X'00',1795000000000);
CREATE TABLE successions (
  old TEXT NOT NULL,
  new TEXT NOT NULL,
  how TEXT NOT NULL,
  renewer TEXT NOT NULL,
  path TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (old, new)
) WITHOUT ROWID;
INSERT INTO "successions" VALUES('0a','1a','declared','','/etc/ssl/a.pem',1795000000000);
CREATE TABLE task_runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task TEXT NOT NULL,
  event INTEGER,
  state TEXT NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 1,
  due_ms INTEGER NOT NULL,
  started_ms INTEGER,
  ended_ms INTEGER,
  status INTEGER,
  runner TEXT NOT NULL DEFAULT '',
  output TEXT NOT NULL DEFAULT ''
);
INSERT INTO "task_runs" VALUES(1,'deploy',NULL,'done',1,1795000000000,1795000000000,1795000001000,0,'','deployed');
CREATE TABLE thresholds (
  thumbprint TEXT NOT NULL,
  threshold TEXT NOT NULL,
  PRIMARY KEY (thumbprint, threshold)
) WITHOUT ROWID;
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
CREATE INDEX task_runs_by_state ON task_runs (state, task, due_ms);
COMMIT;
