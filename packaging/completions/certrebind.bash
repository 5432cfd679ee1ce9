# bash completion for certrebind(1).

_certrebind() {
  local commands="check scan certificates show explain plan rebind undo restore recover renew autoenroll history events switch enable
    disable status forget daemon task metrics notify config doctor import request requests complete self-signed export
    remove service help"
  local common="--help --version --config --state --run --service --json --verbose --no-pager"
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
    --key-type)
      mapfile -t COMPREPLY < <(compgen -W "ec rsa" -- "$cur")
      return
      ;;
    --request | --remove)
      _certrebind_offer requests
      return
      ;;
    --config | --key | --output | -o | --sendmail | --password-from) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); compopt -o filenames 2>/dev/null; return ;;
    --state | --run | --store) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); compopt -o filenames 2>/dev/null; return ;;
    --site)
      _certrebind_offer sites
      return
      ;;
    --certificate)
      _certrebind_offer thumbprints
      [ ${#COMPREPLY[@]} -gt 0 ] || _certrebind_files
      return
      ;;
    --level)
      mapfile -t COMPREPLY < <(compgen -W "error warning information" -- "$cur")
      return
      ;;
    --since | --limit | --name | --issuer | --every | --daily-at | --window | --description | --time-limit | \
      --retries | --bits | --days | --subject | --to | --notify | --expiring | --warning | --critical | --retry-after | --env | --id | --last | -n) return ;;
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
    check) words="--problems --site --expiring --limit --warning --critical" ;;
    scan) words="--served --site --expiring --limit" ;;
    certificates | status) words="--site --expiring --limit" ;;
    explain) words="--all --site --expiring --limit" ;;
    help) [ -n "$sub" ] || words="$commands" ;;
    metrics) words="--output" ;;
    notify) words="--to --sendmail --test" ;;
    enable) words="--notify" ;;
    plan) words="--key --accept --repoint --rewrite" ;;
    switch) words="--key --accept --notify-only" ;;
    rebind) words="--key --accept --repoint --rewrite --pending --dry-run" ;;
    renew) words="--force --dry-run" ;;
    import) words="--key --password-from --store --name --accept --rebind" ;;
    request) words="--key-type --bits --subject --name --output" ;;
    requests) words="--remove --yes" ;;
    complete) words="--request --store --name --accept --rebind" ;;
    self-signed) words="--key-type --bits --days --store --name --accept --rebind" ;;
    export) words="--pfx --with-key --password-from --output --force" ;;
    remove) words="--store --purge --yes" ;;
    restore) words="--list" ;;
    events) words="--follow --certificate --site --level --since --limit --last" ;;
    history) [ -n "$sub" ] || words="show --site --limit" ;;
    config) [ -n "$sub" ] || words="check" ;;
    service) [ -n "$sub" ] || words="list show test" ;;
    autoenroll)
      case $sub in
        "") words="status enable disable run" ;;
        run) words="--all" ;;
      esac
      ;;
    task)
      case $sub in
        "") words="list show add edit enable disable remove run history" ;;
        add)
          words="--event --name --store --issuer --only --every --daily-at --window --description --time-limit
            --retries --retry-after --env --once-per-batch --run-for-existing --replace --disabled --"
          ;;
        run) words="--event" ;;
        history) words="--id --limit" ;;
      esac
      ;;
  esac
  [[ $cur != -* ]] || words="$words $common"
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  [[ $cur != -* ]] || return
  case $command${sub:+ $sub} in
    show | explain | plan* | rebind* | switch* | restore* | renew)
      case $command in
        restore) _certrebind_offer sites ;;
        *) _certrebind_offer sites thumbprints ;;
      esac
      [ ${#COMPREPLY[@]} -gt 0 ] || _certrebind_files
      ;;
    undo*) _certrebind_offer transactions sites ;;
    "history show") _certrebind_offer transactions ;;
    "task run" | "task show" | "task edit" | "task enable" | "task disable" | "task remove" | "task history")
      if [ "$command $sub $prev" = "task run --event" ]; then
        _certrebind_offer events
      else
        _certrebind_offer tasks
      fi
      ;;
    forget) _certrebind_service ;;
    import | complete) _certrebind_files ;;
    export) _certrebind_offer own thumbprints ;;
    remove) _certrebind_offer own ;;
  esac
}

# Names that certrebind knows. Whoever wrote them: nothing in them is expanded, here or on the command line.
_certrebind_offer() {
  local kind name quoted
  COMPREPLY=()
  for kind; do
    while IFS= read -r name; do
      printf -v quoted %q "$name"
      if [[ $name != *:* && ($name == "$cur"* || $quoted == "$cur"*) ]]; then
        COMPREPLY+=("$quoted")
      fi
    done < <(command certrebind words "$kind" 2>/dev/null)
  done
}

_certrebind_files() {
  mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  compopt -o filenames 2>/dev/null
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

complete -F _certrebind certrebind
