#!/bin/bash
# Debian 12's SQLite takes its own JSON functions for dangerous: a view that uses one cannot be read with trusted_schema off.
#
# Guess: with `PRAGMA trusted_schema = OFF` a view may use all functions that SQLite brings along, since none of them has side effects; only
# functions that a program adds must be marked innocuous (https://www.sqlite.org/pragma.html#pragma_trusted_schema).
# Seen (3.40.1, which Debian 12 has): upper() and the table-valued json_each() are taken, json_extract(), json_array_length() and the
# operator -> are refused as "unsafe use of json_extract()". The same file is read with 3.41.0. Who opens other people's databases
# as SQLite recommends (trusted_schema off) finds views on JSON columns broken on Debian 12, and only there.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
cat > look.py <<'PY'
import apsw

db = apsw.Connection(":memory:")
cursor = db.cursor()
cursor.execute("""PRAGMA trusted_schema = OFF; CREATE TABLE t (j); INSERT INTO t VALUES ('[1,2]');
CREATE VIEW plain AS SELECT upper(j) FROM t; CREATE VIEW each AS SELECT sum(value) FROM t, json_each(j);
CREATE VIEW extract AS SELECT json_extract(j, '$[0]') FROM t; CREATE VIEW arrow AS SELECT j->>0 FROM t;""")
for view in "plain", "each", "extract", "arrow":
    try:
        seen = cursor.execute(f"SELECT * FROM {view}").fetchall()[0][0]
    except apsw.SQLError as error:
        seen = str(error).removeprefix("SQLError: ")
    print(apsw.sqlitelibversion(), view, seen)
PY
for version in 3.40.1.0 3.41.0.0; do
  venv/bin/pip install -q "apsw==$version"
  venv/bin/python look.py
done | tee seen
expect() { grep -qxF "$1" seen || { echo "no longer so: $1" >&2; exit 1; }; }
expect '3.40.1 plain [1,2]'
expect '3.40.1 each 3'
expect '3.40.1 extract unsafe use of json_extract()'
expect '3.40.1 arrow unsafe use of ->>()'
expect '3.41.0 extract 1'
expect '3.41.0 arrow 1'
