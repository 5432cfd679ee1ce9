# bash completion for certrebind(1).

_certrebind() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  local commands="check scan certificates show explain plan rebind undo restore recover renew autoenroll history events switch enable
    disable status daemon task"
  local common="--help --version --config --state --run --service --json"
  local words="" command="" sub="" i word skip=no
  COMPREPLY=()

  case $prev in
    --config | --key) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); compopt -o filenames 2>/dev/null; return ;;
    --state | --run | --store) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); compopt -o filenames 2>/dev/null; return ;;
    --service | --only | --event | --name | --issuer | --every | --daily-at | --window | --description | --time-limit | \
      --retries | --retry-after | --env | --id) return ;;
  esac

  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
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
    scan) words="--served" ;;
    plan) words="--key --repoint --rewrite" ;;
    rebind) words="--key --repoint --rewrite --pending --dry-run" ;;
    renew) words="--force --dry-run" ;;
    events) words="--follow --last" ;;
    history) [ -n "$sub" ] || words="show" ;;
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
    show | explain | plan | rebind | restore | renew)
      if [[ $cur != -* ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        compopt -o filenames 2>/dev/null
      fi
      ;;
  esac
}

# Names of tasks, as far as the directory may be read.
_certrebind_tasks() {
  local config=${CERTREBIND_CONFIG:-/etc/certrebind/certrebind.toml} file
  for file in "$(dirname -- "$config")"/tasks.d/*.toml; do
    [ -e "$file" ] && basename -- "$file" .toml
  done
}

complete -F _certrebind certrebind
