# Shared by the other scripts: the connection, the migration lock, the mark of a restore, taking a
# backup.
#
# A backup is a folder of /backups, named by its time (UTC) and kind:
#   dump.sql.gz  the database as SQL, one row a statement
#   counts.tsv   table, rows; counted in the dump itself
#   manifest     key, value: number, release, database, created, sha256 of the dump, bytes, tables,
#                rows, and alembic_version… with the schema's revision
# Its number is one more than the highest before it: the order in which backups were taken, whatever
# the clocks of the nodes said.
# It is written as <name>.partial and renamed when complete, so what is not complete never counts.

export LC_ALL=C
umask 077
readonly BACKUPS=/backups SCRIPTS=/scripts

# While this table is there nothing of Airflow starts (image: wait_for_migrations.py). `make restore`
# makes it first of all. It has a row from when the content is no longer whole: the backup of what the
# database held before, empty if it held nothing.
readonly MARK=restore_incomplete

# The lock under which `airflow db migrate` works (airflow/utils/db.py: DBLocks.MIGRATIONS, both
# lines). A consistent read protects the rows of a dump, but not against a change of the schema.
readonly LOCK=airflow_MIGRATIONS LOCK_TIMEOUT=${LOCK_TIMEOUT:-600}

say() { echo "$*" >&2; }

# die MESSAGE: the message ends with what it means for the data, where a script has that to say.
die() {
    say "error: $*$(consequence)"
    exit 1
}
consequence() { :; }

# In an external Secret both may be percent-encoded, because they become part of a URL.
decoded() {
    local text=${1//\\/\\\\}
    printf '%b' "${text//%/\\x}"
}

# The password is in the environment alone: arguments can be read by every process of the node.
MYSQL_PWD=$(decoded "$DATABASE_PASSWORD")
export MYSQL_PWD
server=(
    --host="$DATABASE_HOST" --port="$DATABASE_PORT" --user="$(decoded "$DATABASE_USER")"
    --default-character-set=utf8mb4 --max-allowed-packet=1G --get-server-public-key
)
# A server may end sessions that are silent for some seconds, as the lock's is, or one that waits for
# the next rows of a dump. mysqldump sets its timeouts itself. A session that was lost must not come
# back without the settings that the dump made in it.
session=(
    --skip-reconnect --init-command="SET SESSION wait_timeout = 604800,
    SESSION net_read_timeout = 86400, SESSION net_write_timeout = 86400"
)

# sql DATABASE [OPTION…]: the rows, tab-separated, of what is executed or read from standard input.
sql() {
    mysql "${server[@]}" "${session[@]}" --batch --skip-column-names --database="$1" "${@:2}"
}

# content_of DATABASE: how many tables and routines it has.
content_of() {
    sql "$1" --execute="SELECT
        (SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE())
        + (SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = DATABASE())" \
        || die "the database $1 on $DATABASE_HOST:$DATABASE_PORT cannot be read"
}

# is_marked DATABASE: whether a restore has begun and not ended there.
is_marked() {
    [ "$(sql "$1" --execute="SELECT COUNT(*) FROM information_schema.tables
        WHERE table_schema = DATABASE() AND table_name = '$MARK'")" = 1 ]
}

# can_take: dies unless the environment's database is whole and the volume can be written.
can_take() {
    local content
    content=$(content_of "$DATABASE_NAME") || exit 1
    [ "$content" -gt 0 ] || die "the database $DATABASE_NAME is empty: nothing to back up"
    ! is_marked "$DATABASE_NAME" || die "a restore into $DATABASE_NAME has not ended (the table" \
        "$MARK), so it is incomplete: restore it first"
    { : > "$BACKUPS/.writable" && rm "$BACKUPS/.writable"; } 2> /dev/null \
        || die "the volume of the backups cannot be written"
}

# space: what is free on the volume, in bytes, and its size.
space() { df --block-size=1 --output=avail,size "$BACKUPS" | tail -n 1; }

human() { numfmt --to=iec-i --suffix=B "$1"; }

# too_little_space: what to do if a backup as large as the last one does not fit; else nothing.
too_little_space() {
    local free last
    read -r free _ < <(space)
    last=$(manifests | awk -F '\t' '$1 == "bytes" { last = $2 } END { print last }')
    if [ "${last:-0}" -gt "$free" ]; then
        echo "the last backup took $(human "$last") and the volume has $(human "$free") free: raise" \
            "database.backup.claim.size, lower database.backup.keep, or delete backups with" \
            "make backups DELETE=<name>"
    fi
}

# lock: keep migrations, and other backups and restores, out until this script ends. The lock
# belongs to a session, so one is held open meanwhile; it says something every minute, because
# proxies and firewalls also end silent connections.
lock() {
    local got=''
    coproc SESSION {
        exec mysql "${server[@]}" "${session[@]}" --batch --skip-column-names --unbuffered
    }
    exec {questions}>&"${SESSION[1]}" {answers}<&"${SESSION[0]}"
    while sleep 60; do echo 'DO 0;' >&"$questions"; done > /dev/null 2>&1 &
    holders="$SESSION_PID $!"
    trap at_end EXIT
    ask "SELECT GET_LOCK('$LOCK', $LOCK_TIMEOUT);"
    read -r -t $((LOCK_TIMEOUT + 30)) got <&"$answers" || true
    [ "$got" = 1 ] || die "a migration, backup or restore is at work: the lock $LOCK was not free" \
        "within $LOCK_TIMEOUT s. Try again when it has ended"
    # The holder of the lock is the only writer: these were left by a pod that was killed.
    rm -rf "$BACKUPS"/*.partial
}

# ask STATEMENT: of the session that holds the lock. In a shell of its own, which a lost session ends
# with SIGPIPE.
ask() { (echo "$1" >&"$questions") 2> /dev/null || true; }

# at_end: end the session that holds the lock, and delete a backup that is not complete.
at_end() {
    # shellcheck disable=SC2086
    kill ${holders:-} 2> /dev/null || true
    [ -z "${folder:-}" ] || rm -rf "$folder"
}

# still_locked: dies if the session was lost, and a migration may have begun since.
still_locked() {
    local held=''
    ask "SELECT IS_USED_LOCK('$LOCK') = CONNECTION_ID();"
    read -r -t 60 held <&"$answers" || true
    [ "$held" = 1 ] || die "the session that held the lock $LOCK was lost; try again"
}

# manifests: the lines of all manifests, those of the backup that was taken last at the end.
manifests() {
    in_order | while read -r backup; do cat "$BACKUPS/$backup/manifest"; done
}

# in_order [KIND]: the names of all complete backups, or of those of a kind, as they were taken.
in_order() {
    local manifest name kind=${1:-*}
    for manifest in "$BACKUPS"/*Z-$kind/manifest; do
        name=${manifest%/manifest} name=${name##*/}
        [ ! -f "$manifest" ] || [ "${name%.partial}" != "$name" ] \
            || printf '%d\t%s\n' "$(manifest_value "$name" number)" "$name"
    done | sort -k 1,1n -k 2,2 | cut -f 2
}

manifest_value() { awk -F '\t' -v key="$2" '$1 == key { print $2 }' "$BACKUPS/$1/manifest"; }

# schema_of NAME: the revisions in a backup on one line, "alembic_version=a alembic_version_fab=b,c".
schema_of() {
    awk -F '\t' '
        /^alembic_version/ && $1 == last { text = text "," $2; next }
        /^alembic_version/ { text = text (text ? " " : "") $1 "=" $2; last = $1 }
        END { print text }' "$BACKUPS/$1/manifest"
}

# take KIND: a backup of the environment's database; its name is left in $name. Needs the lock.
take() {
    local kind=$1 started=$SECONDS problem last free size tries=5 more=()
    problem=$(too_little_space)
    [ -z "$problem" ] || say "warning: $problem"
    name=$(date -u +%Y%m%dT%H%M%SZ)-$kind
    while [ -e "$BACKUPS/$name" ]; do
        sleep 1
        name=$(date -u +%Y%m%dT%H%M%SZ)-$kind
    done
    last=$(in_order | sort | tail -n 1)
    [[ ! ${last%%-*} > ${name%%-*} ]] || say "warning: the backup $last is of a later time than now," \
        "$name: one of two nodes has a wrong clock. The order in which backups were taken is known"
    folder=$BACKUPS/$name.partial
    mkdir "$folder" || die "the volume of the backups cannot be written"
    say "backup $name: dumping $DATABASE_NAME on $DATABASE_HOST"
    # MySQL 9.7 has masking policies, which only an administrator may read; 8.4 has none.
    [[ $(mysqldump --help) != *--masking-policies* ]] || more+=(--skip-masking-policies)
    # Migrations are kept out, but `airflow db clean` makes and drops tables too: the definition has
    # changed, the table is gone, or both wait for each other.
    while ! dump "$folder" "${more[@]}"; do
        cat /tmp/errors >&2
        grep -Eq 'Error 1412|\((1412|1146|1205|1213)\)' /tmp/errors && [ "$((--tries))" -gt 0 ] \
            || die "the dump failed, see above; nothing of it is kept. Free on the volume:" \
                "$(df -h "$BACKUPS" | awk 'END { print $4 }')"
        say "backup $name: a table was changed meanwhile; once more"
        sleep 5
    done
    still_locked
    # On the disk before it has its name: a node that dies leaves no complete-looking backup.
    sort "$folder/counts" > "$folder/counts.tsv" \
        && write_manifest "$folder" > "$folder/manifest" \
        && rm "$folder/counts" "$folder/heads" \
        && sync "$folder"/* && mv "$folder" "$BACKUPS/$name" && sync "$BACKUPS" && folder='' \
        || die "the volume of the backups did not take the files; nothing is kept"
    say "backup $name: complete after $((SECONDS - started)) s," \
        "$(manifest_value "$name" tables) tables, $(manifest_value "$name" rows) rows," \
        "$(human "$(manifest_value "$name" bytes)"), sha256 $(manifest_value "$name" sha256)"
    read -r free size < <(space)
    say "free on the volume of the backups: $(human "$free") of $(human "$size")"
}

# dump FOLDER [OPTION…]: the dump, its counts and heads; mysqldump's errors are in /tmp/errors.
dump() {
    # One row a statement lets the rows be counted in the dump; --hex-blob keeps it text.
    mysqldump "${server[@]}" "${@:2}" --single-transaction --quick --no-tablespaces \
        --set-gtid-purged=OFF --routines --triggers --hex-blob --skip-extended-insert \
        --no-autocommit --skip-add-locks --ignore-table="$DATABASE_NAME.$MARK" \
        "$DATABASE_NAME" 2> /tmp/errors \
        | awk -v counts="$1/counts" -v heads="$1/heads" -f "$SCRIPTS/rows.awk" \
        | gzip > "$1/dump.sql.gz"
}

# retain KIND [NAME]: delete the oldest backups of a kind, so that $KEEP stay; never NAME.
retain() {
    local old
    in_order "$1" | head -n "-$KEEP" | while read -r old; do
        [ "$old" != "${2:-}" ] || continue
        remove "$old"
        say "deleted $old: $KEEP newer $1 backups are kept"
    done
}

# remove NAME: first its name, so that nothing looks complete that is not.
remove() {
    mv "$BACKUPS/$1" "$BACKUPS/$1.partial" && rm -rf "$BACKUPS/$1.partial"
}

# write_manifest FOLDER
write_manifest() {
    local sha256 bytes number
    sha256=$(sha256sum < "$1/dump.sql.gz" | cut -d ' ' -f 1) && bytes=$(stat -c %s "$1/dump.sql.gz") \
        && number=$(manifests | awk -F '\t' '$1 == "number" { n = $2 } END { print n + 1 }') \
        && awk -F '\t' -v OFS='\t' -v release="$RELEASE" -v database="$DATABASE_NAME" \
            -v number="$number" \
            -v created="$(date -u +%Y-%m-%dT%H:%M:%SZ)" -v sha256="$sha256" -v bytes="$bytes" '
            { rows += $2 }
            END {
                print "number", number
                print "release", release
                print "database", database
                print "created", created
                print "sha256", sha256
                print "bytes", bytes
                print "tables", NR
                print "rows", rows + 0
            }' "$1/counts.tsv" && sort "$1/heads"
}
