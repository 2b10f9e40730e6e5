#!/bin/sh
# The official redis image's contract: options or a *.conf file are arguments of redis-server, which
# never runs as root; anything else is a command of its own.
set -eu

case "${1:-}" in
    -* | *.conf) set -- redis-server "$@" ;;
esac

if [ "${1:-}" = redis-server ] && [ "$(id -u)" = 0 ]; then
    chown -R redis:redis /data
    exec setpriv --reuid=redis --regid=redis --clear-groups "$0" "$@"
fi

umask 0077 # snapshots and append-only files hold the data
exec "$@"
