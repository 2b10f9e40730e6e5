#!/bin/bash
# list.sh: the complete backups, oldest first, as name, release, tables, rows, bytes, sha256.
set -euo pipefail
cd /backups
for manifest in *Z-*/manifest; do
    [ -f "$manifest" ] || continue
    name=${manifest%/manifest}
    [ "${name%.partial}" = "$name" ] || continue
    awk -F '\t' -v OFS='\t' -v name="$name" '{ value[$1] = $2 } END {
        print name, value["release"], value["tables"], value["rows"], value["bytes"],
            value["sha256"]
    }' "$manifest"
done
