#!/bin/sh
# A virtual environment for the target, made on the builder's own platform: wheels are chosen for
# the target and unpacked, nothing of them runs.
#
#   wheels.sh requirements.txt /opt/venv
#
# The first line of requirements.txt, as `make lock` writes it, names the Python version, which is
# the base's: "# Python 3.11". It is the whole closure, with hashes, so nothing is resolved. Only
# wheels are taken: a source package would be compiled for the builder.
#
# Needs uv in /opt/build/bin, TARGETARCH (amd64 or arm64) and a Python of the target's version as
# python3. Takes the optional secret `ca` (see ca.sh) and a cache at /root/.cache.
set -eu

requirements="${1:?requirements.txt}"
environment="${2:?folder of the environment}"

python="$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
if ! grep -qx "# Python ${python}" "${requirements}"; then
    echo "requirements.txt is not for Python ${python}, which the base image has. Remedy: make lock" >&2
    exit 1
fi
# glibc 2.28 is the oldest among the bases: buster's.
case "${TARGETARCH:-}" in
    amd64) platform=x86_64-manylinux_2_28 ;;
    arm64) platform=aarch64-manylinux_2_28 ;;
    *) echo "wheels.sh: TARGETARCH is '${TARGETARCH:-}', not amd64 or arm64" >&2; exit 2 ;;
esac
. /opt/shared/ca.sh

# Bytecode is never checked against its source's date, because a rebuilt layer changes dates. With
# random hashes it would be another one each time.
export PYC_INVALIDATION_MODE=UNCHECKED_HASH PYTHONHASHSEED=0 UV_LINK_MODE=copy
/opt/build/bin/uv venv -q --python "$(command -v python3)" "${environment}"
if ! /opt/build/bin/uv pip install --python "${environment}" --python-platform "${platform}" \
    --no-deps --require-hashes --only-binary :all: --compile-bytecode -r "${requirements}"; then
    echo "linux/${TARGETARCH}: requirements.txt cannot be installed, the reason is above. For a" \
        "package without a wheel for ${platform}, require a version that has one." >&2
    exit 1
fi
