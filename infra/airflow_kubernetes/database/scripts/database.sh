# Shared by backup.sh and restore.sh: the connection, the migration lock, taking a backup.
#
# A backup is a folder of /backups, named by its time (UTC) and kind:
#   dump.sql.gz  the database as SQL, one row a statement
#   counts.tsv   table, rows; counted in the dump itself
#   manifest     key, value: release, database, created, sha256 of the dump, bytes, tables, rows,
#                and alembic_version… with the schema's revision
# It is written as <name>.partial and renamed when complete, so what is not complete never counts.

export LC_ALL=C
umask 077
readonly BACKUPS=/backups SCRIPTS=/scripts

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

# sql DATABASE [OPTION…]: the rows, tab-separated, of what is executed or read from standard input.
sql() { mysql "${server[@]}" --batch --skip-column-names --database="$1" "${@:2}"; }

# content_of DATABASE: how many tables and routines it has.
content_of() {
    sql "$1" --execute="SELECT
        (SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE())
        + (SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = DATABASE())" \
        || die "the database $1 on $DATABASE_HOST:$DATABASE_PORT cannot be read"
}

# lock: keep migrations, and other backups and restores, out until this script ends. The lock
# belongs to a session, so one is held open meanwhile.
lock() {
    local got=''
    coproc SESSION { exec mysql "${server[@]}" --batch --skip-column-names --unbuffered; }
    echo "SELECT GET_LOCK('$LOCK', $LOCK_TIMEOUT);" >&"${SESSION[1]}"
    read -r -t $((LOCK_TIMEOUT + 30)) got <&"${SESSION[0]}" || true
    [ "$got" = 1 ] || die "a migration, backup or restore is at work: the lock $LOCK was not free" \
        "within $LOCK_TIMEOUT s. Try again when it has ended"
}

# still_locked: dies if the session was lost, and a migration may have begun since.
still_locked() {
    local held=''
    { echo "SELECT IS_USED_LOCK('$LOCK') = CONNECTION_ID();" >&"${SESSION[1]}"; } 2> /dev/null \
        && read -r -t 60 held <&"${SESSION[0]}" || true
    [ "$held" = 1 ] || die "the session that held the lock $LOCK was lost; try again"
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
    local kind=$1 started=$SECONDS folder content more=()
    content=$(content_of "$DATABASE_NAME") || exit 1
    [ "$content" -gt 0 ] || die "the database $DATABASE_NAME is empty: nothing to back up"
    # The holder of the lock is the only writer: these were left by a pod that was killed.
    rm -rf "$BACKUPS"/*.partial
    name=$(date -u +%Y%m%dT%H%M%SZ)-$kind
    while [ -e "$BACKUPS/$name" ]; do
        sleep 1
        name=$(date -u +%Y%m%dT%H%M%SZ)-$kind
    done
    folder=$BACKUPS/$name.partial
    trap 'rm -rf "$BACKUPS"/*.partial' EXIT
    mkdir "$folder" || die "the volume of the backups cannot be written"
    say "backup $name: dumping $DATABASE_NAME on $DATABASE_HOST"
    # MySQL 9.7 has masking policies, which only an administrator may read; 8.4 has none.
    [[ $(mysqldump --help) != *--masking-policies* ]] || more+=(--skip-masking-policies)
    # One row a statement lets the rows be counted in the dump; --hex-blob keeps it text.
    mysqldump "${server[@]}" "${more[@]}" --single-transaction --quick --no-tablespaces \
        --set-gtid-purged=OFF --routines --triggers --hex-blob --skip-extended-insert \
        --no-autocommit --skip-add-locks "$DATABASE_NAME" \
        | awk -v counts="$folder/counts" -v heads="$folder/heads" -f "$SCRIPTS/rows.awk" \
        | gzip > "$folder/dump.sql.gz" \
        || die "the dump failed, see above; nothing of it is kept. Free on the volume:" \
            "$(df -h "$BACKUPS" | awk 'END { print $4 }')"
    still_locked
    # On the disk before it has its name: a node that dies leaves no complete-looking backup.
    sort "$folder/counts" > "$folder/counts.tsv" \
        && write_manifest "$folder" > "$folder/manifest" \
        && rm "$folder/counts" "$folder/heads" \
        && sync "$folder"/* && mv "$folder" "$BACKUPS/$name" && sync "$BACKUPS" \
        || die "the volume of the backups did not take the files; nothing is kept"
    say "backup $name: complete after $((SECONDS - started)) s," \
        "$(manifest_value "$name" tables) tables, $(manifest_value "$name" rows) rows," \
        "$(numfmt --to=iec-i --suffix=B "$(manifest_value "$name" bytes)")," \
        "sha256 $(manifest_value "$name" sha256)"
}

# write_manifest FOLDER
write_manifest() {
    local sha256 bytes
    sha256=$(sha256sum < "$1/dump.sql.gz" | cut -d ' ' -f 1) && bytes=$(stat -c %s "$1/dump.sql.gz") \
        && awk -F '\t' -v OFS='\t' -v release="$RELEASE" -v database="$DATABASE_NAME" \
            -v created="$(date -u +%Y-%m-%dT%H:%M:%SZ)" -v sha256="$sha256" -v bytes="$bytes" '
            { rows += $2 }
            END {
                print "release", release
                print "database", database
                print "created", created
                print "sha256", sha256
                print "bytes", bytes
                print "tables", NR
                print "rows", rows + 0
            }' "$1/counts.tsv" && sort "$1/heads"
}
