#compdef apisvc
# Completion of apisvc for zsh. The candidates come from `apisvc __complete`.

_apisvc() {
  local program=apisvc line value description
  local -a lines described
  # The command line may name another apisvc than the one in PATH.
  if [[ $words[1] == */* ]]; then program=${${(Q)words[1]}/#\~\//$HOME/}; fi
  lines=("${(@f)$("$program" __complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
  # For --flag=value, apisvc returns values.
  if [[ $PREFIX == --*=* ]]; then compset -P '*='; fi
  # Directives of cobra: 4 means no files, 16 only directories.
  case $lines[-1] in
    :0) _files; return ;;
    :16) _files -/; return ;;
  esac
  for line in "${(@)lines[1,-2]}"; do
    value=${line%%$'\t'*}
    description=${${line#"$value"}#$'\t'}
    described+=("${${value//\\/\\\\}//:/\\:}${description:+:$description}")
  done
  if (( $#described )); then _describe -t apisvc apisvc described; else return 1; fi
}

# In a directory of fpath, this file is the body of the function. Sourced, it defines the function.
if [[ $funcstack[1] == _apisvc ]]; then _apisvc "$@"; else compdef _apisvc apisvc; fi
