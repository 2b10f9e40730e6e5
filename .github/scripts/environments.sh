#!/usr/bin/env bash
# environments.sh [SUFFIX]: the environments that are deployed, as a JSON array: those with a branch
# deployed/<environment> and, in this checkout of main, a file values/<environment>.yaml. Anyone who
# may push can make a branch, so a branch alone is no environment.
#
# With SUFFIX, only those whose GitHub environment <environment>-SUFFIX requires reviewers. GitHub
# creates an environment that a job names and that does not exist, without any protection.
set -euo pipefail
export LC_ALL=C
repository="repos/$GITHUB_REPOSITORY"
reviewers='[.protection_rules[] | select(.type == "required_reviewers") | .reviewers[]] | length'

deployed=$(gh api --paginate "$repository/git/matching-refs/heads/deployed/" --jq '.[].ref')
names=()
for file in values/*.yaml; do
  name=$(basename "$file" .yaml)
  [[ $name =~ ^[a-z0-9-]+$ && $name != common ]] || continue
  grep -qxF "refs/heads/deployed/$name" <<< "$deployed" || continue
  if [ $# -gt 0 ]; then
    required=$(gh api "$repository/environments/$name-$1" --jq "$reviewers") || required=0
    if ! [[ $required =~ ^[1-9][0-9]*$ ]]; then
      echo "::notice::the GitHub environment $name-$1 requires no reviewers: left out" >&2
      continue
    fi
  fi
  names+=("$name")
done
jq --null-input --compact-output '$ARGS.positional' --args "${names[@]}"
