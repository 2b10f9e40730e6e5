#!/usr/bin/env bash
# record.sh ENVIRONMENT COMMIT: moves the branch deployed/<environment> to the commit that the
# environment runs. Prod deploys dev's commit, drift compares with it, and `make prune` keeps its images.
set -euo pipefail
branch="deployed/$1"
refs="repos/$GITHUB_REPOSITORY/git/refs"
if gh api "repos/$GITHUB_REPOSITORY/git/ref/heads/$branch" --silent 2>/dev/null; then
  gh api --method PATCH "$refs/heads/$branch" --raw-field sha="$2" --field force=true --silent
else
  gh api --method POST "$refs" --raw-field ref="refs/heads/$branch" --raw-field sha="$2" --silent
fi
echo "$branch is $2"
