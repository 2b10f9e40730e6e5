#!/bin/sh
# Debian packages for images whose builder stage runs on the machine's own platform
# (FROM --platform=$BUILDPLATFORM) and whose final stage only copies.
#
#   debian.sh install PACKAGE…         into the builder itself, to be run there
#   debian.sh unpack FOLDER PACKAGE…   for the target, with every dependency that its base lacks
#   debian.sh extract FOLDER PACKAGE…  for the target, these alone: headers to compile against
#
# `unpack` and `extract` need, in their RUN step, TARGETARCH (amd64 or arm64) and the target's base:
#   --mount=type=bind,from=<stage of the target's base>,target=/target
# Each takes the optional secret `ca` (see ca.sh), BuildKit's predefined arguments HTTP_PROXY and
# HTTPS_PROXY, and a cache at /var/cache/debian. None of them ends up in a layer.
#
# Nothing of the target runs, so its maintainer scripts do not run either: what a package does only
# when it is configured (users, alternatives, generated files) is missing. `unpack` names them.
set -eu

. /opt/shared/ca.sh

CACHE=/var/cache/debian
BUSTER_END=2024-06-30

. /etc/os-release

# apt_get ARCHITECTURE ARGUMENT…: apt-get with lists and archives of that architecture alone.
apt_get() {
    architecture="$1"
    shift
    lists="${CACHE}/${VERSION_CODENAME}-${architecture}"
    mkdir -p "${lists}/lists/partial" "${lists}/archives/partial"
    set -- -q -y --no-install-recommends \
        -o APT::Architecture="${architecture}" -o APT::Architectures="${architecture}" \
        -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 -o APT::Update::Error-Mode=any \
        -o Dir::State::lists="${lists}/lists" -o Dir::Cache="${lists}" "$@"
    # Debian keeps a release in its archive as it was at its end, so the lists have expired. Their
    # signatures are verified all the same.
    if [ "${VERSION_CODENAME}" = buster ]; then
        set -- -o Acquire::Check-Valid-Until=false "$@"
    fi
    if [ -n "${SSL_CERT_FILE:-}" ]; then set -- -o Acquire::https::CaInfo="${SSL_CERT_FILE}" "$@"; fi
    DEBIAN_FRONTEND=noninteractive apt-get "$@"
}

# apt_get for the target, against what its base has installed.
apt_get_target() {
    apt_get "${TARGETARCH}" -o Dir::State::status=/target/var/lib/dpkg/status \
        -o Debug::NoLocking=true "$@"
}

set_sources() {
    rm -f /etc/apt/apt.conf.d/docker-clean # it empties the cache
    if [ "${VERSION_CODENAME}" != buster ]; then return; fi
    echo "WARNING: the base is Debian 10 (buster): no security update since ${BUSTER_END}, and" \
        "scanners no longer report its flaws. Use bookworm or newer." >&2
    rm -f /etc/apt/sources.list.d/*
    cat > /etc/apt/sources.list <<'SOURCES'
deb http://archive.debian.org/debian buster main
deb http://archive.debian.org/debian-security buster/updates main
SOURCES
}

check_target() {
    case "${TARGETARCH:-}" in
        amd64 | arm64) ;;
        *) echo "debian.sh: TARGETARCH is '${TARGETARCH:-}', not amd64 or arm64" >&2; exit 2 ;;
    esac
    if [ ! -f /target/var/lib/dpkg/status ]; then
        echo "debian.sh: /target is no Debian file system: mount the target's base there" >&2
        exit 2
    fi
}

# unpack_files FOLDER FILE.deb…
unpack_files() {
    folder="$1"
    shift
    # Where the base has links for /lib and the like, a package's files go to their targets.
    mkdir -p "${folder}"
    for link in /target/*; do
        if [ -L "${link}" ]; then
            target="$(readlink "${link}")"
            mkdir -p "${folder}/${target#/}"
            ln -sfn "${target#/}" "${folder}/${link##*/}"
        fi
    done
    for file in "$@"; do
        dpkg-deb --fsys-tarfile "${file}" > /tmp/files.tar
        tar --extract --file=/tmp/files.tar --directory="${folder}" --keep-directory-symlink \
            --exclude='./usr/share/info' --exclude='./usr/share/locale' --exclude='./usr/share/man'
    done
    rm -f /tmp/files.tar
    find "${folder}" -maxdepth 1 -type l -delete
    if [ -d "${folder}/usr/share/doc" ]; then
        find "${folder}/usr/share/doc" -type f ! -name copyright -delete
        find "${folder}/usr/share/doc" -type d -empty -delete
    fi
}

# record FOLDER FILE.deb…: makes the packages known to image scanners, in status.d as distroless
# images do, because /var/lib/dpkg/status belongs to the base.
record() {
    folder="$1"
    shift
    mkdir -p "${folder}/var/lib/dpkg/status.d"
    for file in "$@"; do
        name="$(dpkg-deb --field "${file}" Package)"
        dpkg-deb --field "${file}" > "${folder}/var/lib/dpkg/status.d/${name}"
        dpkg-deb --ctrl-tarfile "${file}" > /tmp/control.tar
        scripts="$(tar --list --file=/tmp/control.tar | sed -n 's,^\./\(.*inst\)$,\1,p' | xargs)"
        echo "${name}: unpacked${scripts:+, NOT RUN: ${scripts}}"
    done
    rm -f /tmp/control.tar
}

command="${1:?install, unpack or extract}"
shift
case "${command}" in
    install)
        set_sources
        native="$(dpkg --print-architecture)"
        apt_get "${native}" update
        apt_get "${native}" install "$@"
        ;;
    unpack | extract)
        folder="${1:?folder}"
        shift
        if [ $# -eq 0 ]; then exit 0; fi
        check_target
        set_sources
        apt_get_target update
        archives="$(mktemp -d)"
        if [ "${command}" = unpack ]; then
            mkdir "${archives}/partial"
            apt_get_target install --download-only -o Dir::Cache::archives="${archives}" "$@"
        else
            (cd "${archives}" && apt_get_target download "$@")
        fi
        set -- "${archives}"/*.deb
        if [ -f "$1" ]; then # the base may have them all
            unpack_files "${folder}" "$@"
            if [ "${command}" = unpack ]; then record "${folder}" "$@"; fi
        fi
        rm -r "${archives}"
        ;;
    *) echo "debian.sh: no command '${command}'" >&2; exit 2 ;;
esac
