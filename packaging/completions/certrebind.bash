# bash completion for certrebind(1).

_certrebind() {
  local commands="check scan certificates show explain plan rebind undo restore recover renew autoenroll history events switch enable
    disable status forget daemon task metrics notify config doctor"
  local common="--help --version --config --state --run --service --json --verbose"
  local words="" command="" sub="" i word skip=no
  local -a typed=()
  COMPREPLY=()

  # bash takes KIND:PATH apart at its colon, and would give three words.
  for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
    if [[ ${#typed[@]} -gt 0 && ($word == : || ${typed[-1]} == *:) ]]; then
      typed[-1]+=$word
    else
      typed+=("$word")
    fi
  done
  local last=$((${#typed[@]} - 1))
  local cur=${typed[last]} prev=""
  [ "$last" = 0 ] || prev=${typed[last - 1]}

  case $prev in
    --service | --only)
      _certrebind_service
      return
      ;;
    --accept)
      mapfile -t COMPREPLY < <(compgen -W "shorter name-lost weaker-key chain" -- "$cur")
      return
      ;;
    --config | --key | --output | -o | --sendmail) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); compopt -o filenames 2>/dev/null; return ;;
    --state | --run | --store) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); compopt -o filenames 2>/dev/null; return ;;
    --event | --name | --issuer | --every | --daily-at | --window | --description | --time-limit | \
      --retries | --to | --notify | --site | --expiring | --warning | --critical | --retry-after | --env | --id | --last | -n) return ;;
  esac

  for ((i = 1; i < last; i++)); do
    word=${typed[i]}
    if [ "$skip" = yes ]; then
      skip=no
      continue
    fi
    case $word in
      --) # the command of a task
        mapfile -t COMPREPLY < <(compgen -c -f -- "$cur" | sort -u)
        compopt -o filenames 2>/dev/null
        return
        ;;
      --config | --state | --run | --service) skip=yes ;;
      -*) ;;
      *)
        if [ -z "$command" ]; then
          command=$word
        elif [ -z "$sub" ]; then
          sub=$word
        fi
        ;;
    esac
  done

  case $command in
    "") words="$commands" ;;
    check) words="--problems --site --expiring --warning --critical" ;;
    scan) words="--served" ;;
    metrics) words="--output" ;;
    notify) words="--to --sendmail --test" ;;
    enable) words="--notify" ;;
    plan) words="--key --accept --repoint --rewrite" ;;
    switch) words="--key --accept --notify-only" ;;
    rebind) words="--key --accept --repoint --rewrite --pending --dry-run" ;;
    renew) words="--force --dry-run" ;;
    restore) words="--list" ;;
    events) words="--follow --last" ;;
    history) [ -n "$sub" ] || words="show" ;;
    config) [ -n "$sub" ] || words="check" ;;
    autoenroll)
      case $sub in
        "") words="status enable disable run" ;;
        run) words="--all" ;;
      esac
      ;;
    task)
      case $sub in
        "") words="list show add remove run history" ;;
        add)
          words="--event --name --store --issuer --only --every --daily-at --window --description --time-limit
            --retries --retry-after --env --once-per-batch --run-for-existing --"
          ;;
        run) words="--event" ;;
        history) words="--id" ;;
      esac
      case $sub in
        show | remove | run | history) words="$words $(_certrebind_tasks)" ;;
      esac
      ;;
  esac
  [[ $cur != -* ]] || words="$words $common"
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  case $command in
    show | explain | plan | rebind | switch | restore | renew)
      if [[ $cur != -* ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        compopt -o filenames 2>/dev/null
      fi
      ;;
    forget) [[ $cur == -* ]] || _certrebind_service ;;
  esac
}

# KIND:PATH, in $cur.
_certrebind_service() {
  if [[ $cur == *:* ]]; then # what is behind the colon is all that bash replaces
    mapfile -t COMPREPLY < <(compgen -f -- "${cur#*:}")
    compopt -o filenames 2>/dev/null
  else
    mapfile -t COMPREPLY < <(compgen -W "nginx: apache: haproxy:" -- "$cur")
    compopt -o nospace 2>/dev/null
  fi
}

# Names of tasks, as far as the directory may be read.
_certrebind_tasks() {
  local config=${CERTREBIND_CONFIG:-/etc/certrebind/certrebind.toml} file
  for file in "$(dirname -- "$config")"/tasks.d/*.toml; do
    [ -e "$file" ] && basename -- "$file" .toml
  done
}

complete -F _certrebind certrebind
