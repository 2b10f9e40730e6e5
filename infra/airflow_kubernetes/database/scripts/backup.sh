#!/bin/bash
# backup.sh KIND: take a backup; of its kind keep the newest $KEEP.
set -euo pipefail
. /scripts/database.sh

can_take # says in plain words what is wrong, before it waits for the lock
lock
can_take
take "$1"
# The migration Job's guard compares this with the database that it is about to migrate.
say "schema: $(schema_of "$name")"
retain "$1"
