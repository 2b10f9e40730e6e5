#!/bin/bash
# check.sh: whether a backup can be taken: the pod starts, the database answers, the volume has space.
set -euo pipefail
. /scripts/database.sh

can_take
problem=$(too_little_space)
[ -z "$problem" ] || die "$problem"
read -r free size < <(space)
say "a backup can be taken: $(human "$free") of $(human "$size") are free on the volume"
