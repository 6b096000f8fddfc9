#!/bin/bash
# A SQLite database with a rollback journal: transactions, a rollback, a vacuum; it is whole for another client and on a new mount.
. "$(dirname "$0")/../support/case.sh"
need sqlite3 sqlite3
start_aws
mount_b -o metadata_ttl=5
mkdir mnt/sql-bucket
sql() { sqlite3 -batch -bail "$1" "$2"; }
db=mnt/sql-bucket/data.db
equal "the journal" "$(sql $db 'PRAGMA journal_mode = DELETE')" delete
sql $db 'CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); CREATE INDEX i ON t (name);'
for n in 1 2 3; do
    sql $db "BEGIN; WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 2000)
        INSERT INTO t (name) SELECT 'row $n ' || x || ' ' || hex(randomblob(20)) FROM c; COMMIT;"
done
sql $db "BEGIN; DELETE FROM t; ROLLBACK;"
sql $db "UPDATE t SET name = 'changed' WHERE id % 100 = 0; DELETE FROM t WHERE id % 7 = 0;"
rows=$(sql $db 'SELECT count(*), sum(id) FROM t')
equal "rows" "$rows" "5143|15429429"
equal "files" "$(ls -A mnt/sql-bucket)" data.db
other -o theirs.db sql-bucket/data.db
equal "theirs" "$(sql theirs.db 'PRAGMA integrity_check; SELECT count(*), sum(id) FROM t' | xargs)" "ok $rows"
sql $db 'VACUUM'
unmount_b
mount_b -o metadata_ttl=5
equal "on a new mount" "$(sql $db 'PRAGMA integrity_check; SELECT count(*), sum(id) FROM t' | xargs)" "ok $rows"
unmount_b
