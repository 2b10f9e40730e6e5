#!/bin/sh
# Answers git's questions for a login (GIT_ASKPASS), `Username for 'https://git.example.com': ` and
# `Password for 'https://user@git.example.com': `, for one server: a redirect to another gets none.
# So the password is in no address, which would be in git's arguments and in its configuration.
set -eu
server=${GIT_SERVER#*://}
case "$1" in
    "Username for '${GIT_SERVER}': ") printf '%s\n' "${GIT_USERNAME}" ;;
    "Password for '${GIT_SERVER%"${server}"}"*"@${server}': ") printf '%s\n' "${GIT_PASSWORD}" ;;
    *)
        echo "no login for another server than ${GIT_SERVER}: $1" >&2
        exit 1
        ;;
esac
