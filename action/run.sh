#!/usr/bin/env bash
# Runs verify or lint. `-o github` prints the annotations and writes the step summary.
set -uo pipefail

case $COMMAND in
  verify | lint) ;;
  *) echo "::error title=apisvc::unknown command \"${COMMAND//[^[:alnum:].+-]/?}\": use verify or lint"; exit 2 ;;
esac
# Without this, Git Bash on Windows replaces arguments that begin with a slash.
export MSYS_NO_PATHCONV=1
read -r -d '' -a args <<<"$ARGS"
# Bash 3 on macOS treats an empty array as unset.
run() { apisvc "$COMMAND" ${args[@]+"${args[@]}"} -o "$1"; }

run github
status=$?
# Code scanning rejects the SARIF log of a command that ended with an error.
if [[ $COMMAND == lint && $SARIF == true && $status -le 1 ]]; then
  run sarif >"$RUNNER_TEMP/apisvc.sarif"
  echo "sarif=$RUNNER_TEMP/apisvc.sarif" >>"$GITHUB_OUTPUT"
fi
exit "$status"
