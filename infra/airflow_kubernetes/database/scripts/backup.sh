#!/bin/bash
# backup.sh KIND: take a backup; of the scheduled ones keep the newest $KEEP.
set -euo pipefail
. /scripts/database.sh

content_of "$DATABASE_NAME" > /dev/null # says in plain words if the database is unreachable
lock
take "$1"
# The migration Job's guard compares this with the database that it is about to migrate.
say "schema: $(schema_of "$name")"

# Only scheduled backups are ever deleted, and only now that a newer one is complete.
if [ "$1" = scheduled ]; then
    find "$BACKUPS" -mindepth 1 -maxdepth 1 -type d -name '*Z-scheduled' | sort -r \
        | tail -n "+$((KEEP + 1))" \
        | while read -r old; do
            rm -rf "$old"
            say "deleted ${old##*/}: $KEEP newer scheduled backups are kept"
        done
fi
