#!/bin/bash
# The part of the official mysql image's contract that the project relies on:
#   MYSQL_ROOT_PASSWORD (required for a new data directory), MYSQL_ROOT_HOST, MYSQL_DATABASE,
#   MYSQL_USER, MYSQL_PASSWORD, MYSQL_INITDB_SKIP_TZINFO; a *_FILE variant of the first five;
#   /docker-entrypoint-initdb.d/*.sh, *.sql and *.sql.gz; further arguments go to mysqld.
# As there, the variables count only while the data directory is new, values are put into the SQL
# as they are, and the server that runs during the setup has no network.
set -euo pipefail

readonly DATA=/var/lib/mysql
readonly UNFINISHED="${DATA}/.setup-unfinished" # mysqld allows hidden files in a new directory
readonly SOCKET=/var/run/mysqld/mysqld.sock

log() {
    echo "[entrypoint] $*" >&2
}

die() {
    log "ERROR: $*"
    exit 1
}

# Sets the variable to the content of the file that <name>_FILE names, if it names one.
read_file_variant() {
    local name file
    for name in "$@"; do
        file="${name}_FILE"
        if [ -n "${!file:-}" ]; then
            [ -z "${!name:-}" ] || die "both ${name} and ${file} are set"
            printf -v "${name}" '%s' "$(<"${!file}")"
        fi
    done
}

run_sql() {
    MYSQL_PWD="${sql_password}" mysql --no-defaults --protocol=socket --socket="${SOCKET}" \
        --user=root --comments "$@"
}

start_setup_server() {
    mysqld "$@" --skip-networking --mysqlx=OFF --skip-log-bin &
    server=$!
    while ! run_sql --execute='SELECT 1' > /dev/null 2>&1; do
        kill -0 "${server}" 2> /dev/null || die "the setup server ended, see above"
        sleep 0.1
    done
}

create_accounts() {
    local host="${MYSQL_ROOT_HOST:-%}"
    {
        echo "ALTER USER 'root'@'localhost' IDENTIFIED BY '${MYSQL_ROOT_PASSWORD}';"
        if [ "${host}" != localhost ]; then
            echo "CREATE USER 'root'@'${host}' IDENTIFIED BY '${MYSQL_ROOT_PASSWORD}';"
            echo "GRANT ALL ON *.* TO 'root'@'${host}' WITH GRANT OPTION;"
        fi
        if [ -n "${MYSQL_DATABASE:-}" ]; then
            echo "CREATE DATABASE \`${MYSQL_DATABASE}\`;"
        fi
        if [ -n "${MYSQL_USER:-}" ]; then
            echo "CREATE USER '${MYSQL_USER}'@'%' IDENTIFIED BY '${MYSQL_PASSWORD}';"
            if [ -n "${MYSQL_DATABASE:-}" ]; then
                echo "GRANT ALL ON \`${MYSQL_DATABASE//_/\\_}\`.* TO '${MYSQL_USER}'@'%';"
            fi
        fi
    } | run_sql
    sql_password="${MYSQL_ROOT_PASSWORD}"
}

run_setup_files() {
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        case "${file}" in
            *.sh) log "running ${file}"; bash "${file}" ;;
            *.sql) log "running ${file}"; run_sql "${MYSQL_DATABASE:-mysql}" < "${file}" ;;
            *.sql.gz) log "running ${file}"; gunzip -c "${file}" | run_sql "${MYSQL_DATABASE:-mysql}" ;;
        esac
    done
}

set_up_data_directory() {
    read_file_variant MYSQL_ROOT_PASSWORD MYSQL_ROOT_HOST MYSQL_DATABASE MYSQL_USER MYSQL_PASSWORD
    [ -n "${MYSQL_ROOT_PASSWORD:-}" ] || die "${DATA} is new: MYSQL_ROOT_PASSWORD must be set"
    [ -z "${MYSQL_USER:-}" ] || [ -n "${MYSQL_PASSWORD:-}" ] \
        || die "MYSQL_USER needs MYSQL_PASSWORD"

    log "setting up ${DATA}"
    if [ -e "${UNFINISHED}" ]; then
        log "an earlier setup was cut short: starting again"
        find "${DATA}" -mindepth 1 -delete
    fi
    touch "${UNFINISHED}"
    sql_password=''
    # Nothing of a setup that is cut short is kept, so it need not wait for the disk.
    mysqld "$@" --initialize-insecure --skip-log-bin --innodb-flush-method=nosync
    start_setup_server "$@"
    if [ -z "${MYSQL_INITDB_SKIP_TZINFO:-}" ]; then
        mysql_tzinfo_to_sql /usr/share/zoneinfo 2> /dev/null | run_sql mysql
    fi
    create_accounts
    run_setup_files
    kill "${server}"
    wait "${server}"
    sync -f "${DATA}"
    rm "${UNFINISHED}"
    log "${DATA} is ready"
}

if [ "${1:0:1}" = - ]; then
    set -- mysqld "$@"
fi

if [ "$1" = mysqld ]; then
    if [ "$(id -u)" = 0 ]; then
        chown mysql:mysql "${DATA}" /var/run/mysqld
        exec setpriv --reuid=mysql --regid=mysql --clear-groups "$0" "$@"
    fi
    shift
    # A setup that was killed left the marker: its half-made files hold nothing yet.
    if [ ! -d "${DATA}/mysql" ] || [ -e "${UNFINISHED}" ]; then
        set_up_data_directory "$@"
    fi
    set -- mysqld "$@"
fi

exec "$@"
