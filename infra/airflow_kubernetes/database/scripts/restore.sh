#!/bin/bash
# restore.sh NAME DATABASE: load a backup into the database.
#
# The environment's own database is backed up first unless it is empty, and then emptied; any other
# one must be empty. At the end every table's rows are counted and compared with the backup's.
set -euo pipefail
. /scripts/database.sh

readonly FROM=$1 INTO=$2 BACKUP=$BACKUPS/$1 MARK=restore_incomplete
changed='' saved=''

consequence() {
    if [ -z "$changed" ]; then
        echo "; the database $INTO was not touched"
    elif [ -n "$saved" ]; then
        echo "; the database $INTO is incomplete. What it held before is the backup $saved:" \
            "make restore FROM=$saved"
    else
        echo "; the database $INTO is incomplete. It was empty before"
    fi
}

[ -f "$BACKUP/manifest" ] || die "there is no backup $FROM (make backups lists them)"
[ "$(sha256sum < "$BACKUP/dump.sql.gz" | cut -d ' ' -f 1)" = "$(manifest_value "$FROM" sha256)" ] \
    || die "the backup $FROM is damaged: dump.sql.gz does not have the sha256 of the manifest"
gzip -dc "$BACKUP/dump.sql.gz" | awk -v counts=/tmp/counts -f "$SCRIPTS/rows.awk" > /dev/null \
    || die "the backup $FROM is damaged: dump.sql.gz cannot be read"
[ "$(sort /tmp/counts)" = "$(< "$BACKUP/counts.tsv")" ] \
    || die "the backup $FROM is damaged: counts.tsv does not have the rows of the dump"
say "backup $FROM: sha256 and rows are right"

if [ "$INTO" = "$DATABASE_NAME" ]; then
    lock
fi
content=$(content_of "$INTO") || exit 1
if [ "$INTO" = "$DATABASE_NAME" ] && [ "$content" -gt 0 ]; then
    say "what $INTO holds is kept:"
    take before-restore
    saved=$name
elif [ "$content" -gt 0 ]; then
    die "the database $INTO is not empty: name another one, or drop what is in it"
fi

changed=yes
# While this table is there nothing of Airflow starts (image: wait_for_migrations.py): the tables are
# loaded by name, so the schema's revision comes long before the last rows.
sql "$INTO" --execute="CREATE TABLE IF NOT EXISTS $MARK (backup VARCHAR(64))" \
    || die "the database $INTO cannot be written"
say "restore: emptying $INTO"
{
    # If a client still uses a table, this fails instead of waiting for a year (MySQL's default).
    echo 'SET lock_wait_timeout = 60; SET foreign_key_checks = 0;'
    sql "$INTO" --execute="
        SELECT CONCAT('DROP ', IF(table_type = 'VIEW', 'VIEW', 'TABLE'), ' \`', table_name, '\`;')
            FROM information_schema.tables
            WHERE table_schema = DATABASE() AND table_name <> '$MARK'
        UNION ALL SELECT CONCAT('DROP ', routine_type, ' \`', routine_name, '\`;')
            FROM information_schema.routines WHERE routine_schema = DATABASE()"
} > /tmp/drop.sql || die "what is in $INTO could not be listed"
sql "$INTO" < /tmp/drop.sql || die "what is in $INTO could not be dropped"

say "restore: loading $(manifest_value "$FROM" rows) rows"
gzip -dc "$BACKUP/dump.sql.gz" | awk -v counts=/tmp/loaded -f "$SCRIPTS/rows.awk" \
    | awk -f "$SCRIPTS/join.awk" | sql "$INTO" \
    || die "loading failed, see above"

say "restore: counting rows"
awk -F '\t' '{
    printf "%sSELECT \047%s\047, COUNT(*) FROM `%s`", (NR > 1 ? " UNION ALL " : ""), $1, $1
}' "$BACKUP/counts.tsv" > /tmp/count.sql
sql "$INTO" < /tmp/count.sql > /tmp/unsorted || die "the rows could not be counted"
sort /tmp/unsorted > /tmp/rows
if [ "$(comm -3 "$BACKUP/counts.tsv" /tmp/rows | tee /dev/stderr)" ]; then
    die "the rows above differ (left: the backup, right: the database)"
fi
if [ "$INTO" = "$DATABASE_NAME" ]; then
    still_locked
fi
# Unless the backup is one of a database that was itself restored in part.
if ! grep -q "^$MARK" "$BACKUP/counts.tsv"; then
    sql "$INTO" --execute="DROP TABLE $MARK" || die "the mark $MARK could not be taken off"
fi
echo "restored $FROM of Airflow $(manifest_value "$FROM" release) into $INTO:" \
    "$(manifest_value "$FROM" tables) tables, $(manifest_value "$FROM" rows) rows, as in the backup"
