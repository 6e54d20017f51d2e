#!/usr/bin/env bash
# Runs verify or lint. Annotations and the step summary are of `-o github`.
set -uo pipefail

case $COMMAND in
  verify | lint) ;;
  *) echo "::error title=apisvc::unknown command \"${COMMAND//[^[:alnum:].+-]/?}\": use verify or lint"; exit 2 ;;
esac
# Git Bash on Windows otherwise replaces arguments that begin with a slash.
export MSYS_NO_PATHCONV=1
read -r -d '' -a args <<<"$ARGS"
# Bash 3 of macOS calls an empty array unset.
run() { apisvc "$COMMAND" ${args[@]+"${args[@]}"} -o "$1"; }

run github
status=$?
# Code scanning refuses the log of a command that ended with an error.
if [[ $COMMAND == lint && $SARIF == true && $status -le 1 ]]; then
  run sarif >"$RUNNER_TEMP/apisvc.sarif"
  echo "sarif=$RUNNER_TEMP/apisvc.sarif" >>"$GITHUB_OUTPUT"
fi
exit "$status"
