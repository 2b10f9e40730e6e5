#!/bin/bash
# delete.sh NAME…: delete backups; none if one of them is not there, or is what a restore replaced.
set -euo pipefail
. /scripts/database.sh

# The database may be down, or not there yet; deleting for space must be possible.
needed=$(sql "$DATABASE_NAME" --connect-timeout=10 --execute="SELECT backup FROM $MARK" \
    2> /dev/null || true)
for name in "$@"; do
    [ -f "$BACKUPS/$name/manifest" ] || die "there is no backup $name (make backups lists them);" \
        "nothing was deleted"
    [ "$name" != "$needed" ] || die "the backup $name is what $DATABASE_NAME held before a restore" \
        "that has not ended; nothing was deleted"
done
for name in "$@"; do
    remove "$name"
    say "deleted $name"
done
read -r free size < <(space)
say "free on the volume of the backups: $(human "$free") of $(human "$size")"
