# Completion of apisvc for fish. It asks apisvc itself what may come next.

function __apisvc_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    # The program that is run may be another one than that in PATH.
    set -l program apisvc
    string match -q '*/*' -- $words[1]; and set program (string replace -r '^~/' "$HOME/" -- $words[1])
    set -l lines ($program __complete -- $words[2..-1] "$current" 2>/dev/null)
    # Of --flag=value, apisvc gives the value.
    set -l flag (string match -r '^--[^=]+=' -- "$current")
    set -l value (string replace -r '^--[^=]+=' '' -- "$current")
    # The directives are cobra's: 4 means no files, 16 directories alone.
    switch "$lines[-1]"
        case ':0'
            set lines (__fish_complete_path "$value")
        case ':16'
            set lines (__fish_complete_directories "$value")
        case '*'
            set -e lines[-1]
    end
    for line in $lines
        printf '%s%s\n' "$flag" $line
    end
end

complete -c apisvc -f -a '(__apisvc_complete)'
