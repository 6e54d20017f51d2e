# Completion of apisvc for fish. The candidates come from `apisvc __complete`.

function __apisvc_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    # The command line may name another apisvc than the one in PATH.
    set -l program apisvc
    string match -q '*/*' -- $words[1]; and set program (string replace -r '^~/' "$HOME/" -- $words[1])
    set -l lines ($program __complete -- $words[2..-1] "$current" 2>/dev/null)
    # For --flag=value, apisvc returns values.
    set -l flag (string match -r '^--[^=]+=' -- "$current")
    set -l value (string replace -r '^--[^=]+=' '' -- "$current")
    # Directives of cobra: 4 means no files, 16 only directories.
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
