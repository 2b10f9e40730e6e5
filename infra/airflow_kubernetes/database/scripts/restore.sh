#!/bin/bash
# restore.sh NAME DATABASE: load a backup into the database.
#
# The environment's own database is marked, backed up unless it is empty, and then emptied; any other
# one must be empty. At the end every table's rows are counted and compared with the backup's. A
# restore that did not end can be repeated, by Kubernetes too, whose node is drained: what the
# database held before the first try is backed up once.
set -euo pipefail
. /scripts/database.sh

readonly FROM=$1 INTO=$2 BACKUP=$BACKUPS/$1
marked='' changed='' saved=''

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

# An untouched database is Airflow's again at once.
unmark_untouched() {
    [ -z "$marked" ] || [ -n "$changed" ] || sql "$INTO" --execute="DROP TABLE $MARK" || true
}

[ -f "$BACKUP/manifest" ] || die "there is no backup $FROM (make backups lists them)"
[ "$INTO" != "$DATABASE_NAME" ] || lock
trap 'unmark_untouched; at_end' EXIT
content=$(content_of "$INTO") || exit 1
if is_marked "$INTO"; then
    rows=$(sql "$INTO" --execute="SELECT CONCAT('held ', backup) FROM $MARK") \
        || die "the table $MARK could not be read"
    saved=${rows#held } changed=$rows
    [ -z "$changed" ] || say "an earlier restore has not ended$(consequence)"
    content=$((content - 1))
elif [ "$INTO" != "$DATABASE_NAME" ] && [ "$content" -gt 0 ]; then
    die "the database $INTO is not empty: name another one, or drop what is in it"
else
    # First of all: a component that starts from now on waits. The tables are loaded by name, so the
    # schema's revision comes long before the last rows.
    sql "$INTO" --execute="CREATE TABLE $MARK (backup VARCHAR(64))" \
        || die "the database $INTO cannot be written"
fi
marked=yes

[ "$(sha256sum < "$BACKUP/dump.sql.gz" | cut -d ' ' -f 1)" = "$(manifest_value "$FROM" sha256)" ] \
    || die "the backup $FROM is damaged: dump.sql.gz does not have the sha256 of the manifest"
gzip -dc "$BACKUP/dump.sql.gz" | awk -v counts=/tmp/counts -f "$SCRIPTS/rows.awk" > /dev/null \
    || die "the backup $FROM is damaged: dump.sql.gz cannot be read"
[ "$(sort /tmp/counts)" = "$(< "$BACKUP/counts.tsv")" ] \
    || die "the backup $FROM is damaged: counts.tsv does not have the rows of the dump"
say "backup $FROM: sha256 and rows are right"

if [ -z "$changed" ]; then
    if [ "$content" -gt 0 ]; then
        say "what $INTO holds is kept:"
        take before-restore
        saved=$name
    fi
    sql "$INTO" --execute="INSERT INTO $MARK VALUES ('$saved')" || die "$INTO cannot be written"
    changed=yes
fi

say "restore: emptying $INTO"
{
    # If a client still uses a table, this fails instead of waiting for a year (MySQL's default). Of
    # a try whose pod was killed, the server may still carry out one statement: IF EXISTS.
    echo 'SET lock_wait_timeout = 60; SET foreign_key_checks = 0;'
    sql "$INTO" --execute="
        SELECT CONCAT('DROP ', IF(table_type = 'VIEW', 'VIEW', 'TABLE'), ' IF EXISTS \`',
                table_name, '\`;')
            FROM information_schema.tables
            WHERE table_schema = DATABASE() AND table_name <> '$MARK'
        UNION ALL SELECT CONCAT('DROP ', routine_type, ' IF EXISTS \`', routine_name, '\`;')
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
[ "$INTO" != "$DATABASE_NAME" ] || still_locked
sql "$INTO" --execute="DROP TABLE $MARK" || die "the table $MARK could not be dropped"
marked=''
echo "restored $FROM of Airflow $(manifest_value "$FROM" release) into $INTO:" \
    "$(manifest_value "$FROM" tables) tables, $(manifest_value "$FROM" rows) rows, as in the backup"
# What was restored stays, whatever its age: somebody may want it once more.
[ -z "$saved" ] || retain before-restore "$FROM" || say "warning: old backups were not deleted"
