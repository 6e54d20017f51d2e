# Completion of apisvc for bash 3.2 or newer. The candidates come from `apisvc __complete`.

# Splits the line before the cursor into `words`, without running or expanding anything in it. Bash
# splits its own COMP_WORDS at colons, equals signs and at signs, which names of contexts contain.
__apisvc_split() {
  local line=${COMP_LINE:0:COMP_POINT} word='' quote='' escaped='' char i
  words=()
  for ((i = 0; i < ${#line}; i++)); do
    char=${line:i:1}
    if [[ -n $escaped ]]; then
      word+=$char escaped=''
    elif [[ $char == \\ && $quote != \' ]]; then
      escaped=1
    elif [[ -n $quote ]]; then
      if [[ $char == "$quote" ]]; then quote=''; else word+=$char; fi
    elif [[ $char == [\'\"] ]]; then
      quote=$char
    elif [[ $char == [[:space:]] ]]; then
      if [[ -n $word ]]; then words+=("$word"); fi
      word=''
    else
      word+=$char
    fi
  done
  words+=("$word")
}

# Prints the candidates quoted for bash, with their descriptions if bash shows a list.
__apisvc_list() {
  local tab=$'\t' width=0 room value description line
  if (($# > 1)) && [[ ${COMP_TYPE-} != 37 && ${COMP_TYPE-} != 42 ]]; then
    for line; do
      printf -v value %q "${line%%"$tab"*}"
      if ((${#value} > width)); then width=${#value}; fi
    done
  fi
  room=$((${COLUMNS:-80} - width - 4))
  for line; do
    printf -v value %q "${line%%"$tab"*}"
    description=${line#*"$tab"}
    if [[ $line != *"$tab"* ]] || ((width == 0 || room < 9)); then
      printf '%s%s\n' "$flag" "$value"
    else
      if ((${#description} > room)); then description=${description:0:room-1}…; fi
      printf '%s%-*s  (%s)\n' "$flag" "$width" "$value" "$description"
    fi
  done
}

__apisvc_complete() {
  local words current flag='' program=apisvc lines=() line last kept
  __apisvc_split
  current=${words[${#words[@]} - 1]}
  # The command line may name another apisvc than the one in PATH.
  if [[ $1 == */* ]]; then program=${1/#\~\//$HOME/}; fi
  # For --flag=value, apisvc returns values.
  if [[ $current == --*=* ]]; then flag=${current%%=*}=; fi
  while IFS= read -r line; do lines+=("$line"); done < <("$program" __complete -- "${words[@]:1}" 2>/dev/null)
  COMPREPLY=()
  if ((${#lines[@]} == 0)); then return; fi
  last=${lines[${#lines[@]} - 1]}
  unset "lines[${#lines[@]} - 1]"
  # Readline replaces only the text after the last word break, so remove what is before it.
  kept=${current%"${current##*[$COMP_WORDBREAKS]}"}
  while IFS= read -r line; do
    if [[ -n $line ]]; then COMPREPLY+=("${line#"$kept"}"); fi
  done < <(__apisvc_list ${lines[@]+"${lines[@]}"})
  # Directives of cobra: 4 means no files, 16 only directories. Otherwise bash completes files.
  if [[ $(type -t compopt) == builtin ]]; then
    case $last in
      :4) compopt +o default ;;
      :16) compopt +o default -o dirnames ;;
    esac
  fi
}

complete -o default -F __apisvc_complete apisvc
