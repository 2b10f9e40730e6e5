# Sourced by steps that download. Adds the machine's own certificate authorities, the build secret
# `ca`, to those of the base image, in a file that is in no layer.
if [ -s /run/secrets/ca ]; then
    cat /etc/ssl/certs/ca-certificates.crt /run/secrets/ca > /dev/shm/ca.crt
    export SSL_CERT_FILE=/dev/shm/ca.crt PIP_CERT=/dev/shm/ca.crt
fi
