#!/bin/bash
# list.sh: the complete backups, in the order in which they were taken, as name, release, tables,
# rows, bytes, sha256, created; then what is free on the volume and its size, in bytes.
set -euo pipefail
. /scripts/database.sh

in_order | while read -r name; do
    awk -F '\t' -v OFS='\t' -v name="$name" '{ value[$1] = $2 } END {
        print name, value["release"], value["tables"], value["rows"], value["bytes"],
            value["sha256"], value["created"]
    }' "$BACKUPS/$name/manifest"
done
read -r free size < <(space)
printf '%s\t%s\n' "$free" "$size"
