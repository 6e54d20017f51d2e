#compdef apisvc
# Completion of apisvc for zsh. It asks apisvc itself what may come next.

_apisvc() {
  local program=apisvc line value description
  local -a lines described
  # The program that is run may be another one than that in PATH.
  if [[ $words[1] == */* ]]; then program=${${(Q)words[1]}/#\~\//$HOME/}; fi
  lines=("${(@f)$("$program" __complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
  # Of --flag=value, apisvc gives the value.
  if [[ $PREFIX == --*=* ]]; then compset -P '*='; fi
  # The directives are cobra's: 4 means no files, 16 directories alone.
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

# Read from a directory of fpath, this file is the body of the function at its first call; otherwise it only defines it.
if [[ $funcstack[1] == _apisvc ]]; then _apisvc "$@"; else compdef _apisvc apisvc; fi
