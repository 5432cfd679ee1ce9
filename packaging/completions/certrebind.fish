# fish completion for certrebind(1).

set -l commands check scan certificates show explain plan rebind undo restore recover renew autoenroll history events switch enable disable \
    status forget daemon task metrics notify config doctor import request requests complete self-signed export remove service help
set -l no_command "not __fish_seen_subcommand_from $commands"

# Names that certrebind knows; fish quotes them.
function __certrebind_words
    for kind in $argv
        command certrebind words $kind 2>/dev/null
    end
end

function __certrebind_services
    set -l typed (string match -r '^(nginx|apache|haproxy):(.*)' -- (commandline -ct))
    if set -q typed[3]
        for path in (__fish_complete_path $typed[3])
            echo $typed[2]:$path
        end
    else
        printf '%s:\n' nginx apache haproxy
    end
end

complete -c certrebind -f
complete -c certrebind -s h -l help -d 'Print help and exit'
complete -c certrebind -l version -n $no_command -d 'Print the version and exit'
complete -c certrebind -l config -r -F -d 'Configuration file'
complete -c certrebind -l state -x -a '(__fish_complete_directories)' -d 'State directory'
complete -c certrebind -l run -x -a '(__fish_complete_directories)' -d 'Run directory'
complete -c certrebind -l service -x -a '(__certrebind_services)' -d 'Only this service: KIND:PATH'
complete -c certrebind -l json -d 'Print JSON'
complete -c certrebind -l no-pager -d 'Print long output at once'
complete -c certrebind -l verbose -d 'Name every endpoint that failed'

complete -c certrebind -n $no_command -a check -d 'Compare what is configured, on disk and served'
complete -c certrebind -n $no_command -a scan -d 'Every binding of every running server'
complete -c certrebind -n $no_command -a certificates -d 'What lies in the stores and in bound files'
complete -c certrebind -n $no_command -a show -d 'One certificate, with its chain and bindings'
complete -c certrebind -n $no_command -a explain -d 'Why it is served with this certificate'
complete -c certrebind -n $no_command -a plan -d 'What a rebind would do; changes nothing'
complete -c certrebind -n $no_command -a rebind -d 'Make every site that serves OLD serve NEW'
complete -c certrebind -n $no_command -a undo -d 'Put back what a rebind replaced'
complete -c certrebind -n $no_command -a restore -d 'Bring back the last proven pair'
complete -c certrebind -n $no_command -a recover -d 'Finish what an interrupted certrebind left'
complete -c certrebind -n $no_command -a renew -d 'Run the renewer that owns a certificate'
complete -c certrebind -n $no_command -a autoenroll -d 'Renew in time what no timer renews'
complete -c certrebind -n $no_command -a history -d 'What was rebound, and how it ended'
complete -c certrebind -n $no_command -a events -d 'The lifecycle log'
complete -c certrebind -n $no_command -a switch -d 'Declare that NEW succeeds OLD'
complete -c certrebind -n $no_command -a enable -d 'From now on renewals are rebound by themselves'
complete -c certrebind -n $no_command -a disable -d 'No longer rebind by itself'
complete -c certrebind -n $no_command -a status -d 'What expires next, what needs a person'
complete -c certrebind -n $no_command -a forget -d 'No longer warn of a server that is gone'
complete -c certrebind -n $no_command -a daemon -d 'Watch certificates, keep the log, run tasks'
complete -c certrebind -n $no_command -a task -d 'Commands that are run when something happens'

complete -c certrebind -n '__fish_seen_subcommand_from show explain plan rebind switch restore renew' -F
complete -c certrebind -n '__fish_seen_subcommand_from forget' -a '(__certrebind_services)'
complete -c certrebind -n '__fish_seen_subcommand_from scan' -l served -d 'Ask each endpoint what it serves'
complete -c certrebind -n $no_command -a metrics -d 'What check and status say, for Prometheus'
complete -c certrebind -n $no_command -a notify -d 'Tell somebody what needs a person'
complete -c certrebind -n '__fish_seen_subcommand_from notify' -l to -x -d 'mailto:ADDRESS or the URL of a webhook'
complete -c certrebind -n '__fish_seen_subcommand_from notify' -l sendmail -r -F -d 'The mail program'
complete -c certrebind -n '__fish_seen_subcommand_from notify' -l test -d 'Send a test message'
complete -c certrebind -n '__fish_seen_subcommand_from enable' -l notify -x -d 'Whom to tell what needs a person'
complete -c certrebind -n '__fish_seen_subcommand_from metrics' -s o -l output -r -F -d 'Replace this file as a whole'
complete -c certrebind -n '__fish_seen_subcommand_from check' -l problems -d 'Only what is wrong'
complete -c certrebind -n '__fish_seen_subcommand_from check' -l warning -x -d 'Warn if fewer days are left'
complete -c certrebind -n '__fish_seen_subcommand_from check' -l critical -x -d 'Critical if fewer days are left'
complete -c certrebind -n '__fish_seen_subcommand_from restore' -l list -d 'Show what is kept'
complete -c certrebind -n '__fish_seen_subcommand_from switch' -l notify-only -d 'Log the event and nothing else'
complete -c certrebind -n '__fish_seen_subcommand_from plan rebind switch' -l key -r -F -d 'The private key of NEW'
complete -c certrebind -n '__fish_seen_subcommand_from plan rebind switch' -l accept -x -a 'shorter name-lost weaker-key chain' -d 'Go on although NEW is worse in this'
complete -c certrebind -n '__fish_seen_subcommand_from plan rebind' -l repoint -d 'Directives name the files of NEW'
complete -c certrebind -n '__fish_seen_subcommand_from plan rebind' -l rewrite -d 'NEW goes into the bound files'
complete -c certrebind -n '__fish_seen_subcommand_from rebind' -l pending -d 'Find OLD and NEW'
complete -c certrebind -n '__fish_seen_subcommand_from rebind' -l dry-run -d 'The same as plan'
complete -c certrebind -n '__fish_seen_subcommand_from renew' -l force -d 'Also if it is not due'
complete -c certrebind -n '__fish_seen_subcommand_from renew' -l dry-run -d 'Only show what would be run'
complete -c certrebind -n '__fish_seen_subcommand_from events' -s f -l follow -d 'Go on until interrupted'
complete -c certrebind -n $no_command -a config -d 'What certrebind.toml and tasks.d put in force'
complete -c certrebind -n $no_command -a doctor -d 'What would keep the next rebind from working'
complete -c certrebind -n $no_command -a service -d 'The kinds of servers, and their descriptions'
complete -c certrebind -n '__fish_seen_subcommand_from service' -a list -d 'All kinds'
complete -c certrebind -n '__fish_seen_subcommand_from service' -a show -d 'The description of a kind'
complete -c certrebind -n '__fish_seen_subcommand_from service' -a test -d 'What a description says of the servers here'
complete -c certrebind -n '__fish_seen_subcommand_from config' -a check -d 'Every setting, and what it comes to'
complete -c certrebind -n '__fish_seen_subcommand_from events' -l last -x -d 'The same as --limit'
complete -c certrebind -n '__fish_seen_subcommand_from events' -l since -x -d 'From then on'
complete -c certrebind -n '__fish_seen_subcommand_from events' -l level -x -a 'error warning information' -d 'This level and worse'
complete -c certrebind -n '__fish_seen_subcommand_from events' -l certificate -r -F -a '(__certrebind_words thumbprints)' -d 'Only of this one'
complete -c certrebind -n '__fish_seen_subcommand_from check scan certificates explain status history events' -l site -x -a '(__certrebind_words sites)' -d 'Only this site'
complete -c certrebind -n '__fish_seen_subcommand_from check scan certificates explain status' -l expiring -x -d 'Only what expires within so many days'
complete -c certrebind -n '__fish_seen_subcommand_from check scan certificates explain status history events' -s n -l limit -x -d 'Only so many'
complete -c certrebind -n '__fish_seen_subcommand_from explain' -l all -d 'Each answer in full'
complete -c certrebind -n '__fish_seen_subcommand_from show explain plan rebind switch restore renew' -a '(__certrebind_words sites thumbprints)'
complete -c certrebind -n '__fish_seen_subcommand_from undo' -a '(__certrebind_words transactions sites)'
complete -c certrebind -n '__fish_seen_subcommand_from history; and __fish_seen_subcommand_from show' -a '(__certrebind_words transactions)'
complete -c certrebind -n '__fish_seen_subcommand_from help' -a "$commands"
complete -c certrebind -n '__fish_seen_subcommand_from autoenroll' -a 'status enable disable run'
complete -c certrebind -n '__fish_seen_subcommand_from autoenroll' -l all -d 'run: also what a timer renews'

set -l task '__fish_seen_subcommand_from task'
complete -c certrebind -n "$task; and not __fish_seen_subcommand_from list show add edit enable disable remove run history" \
    -a 'list show add edit enable disable remove run history'
complete -c certrebind -n "$task; and __fish_seen_subcommand_from show edit enable disable remove run history" -a '(__certrebind_words tasks)'
complete -c certrebind -n "$task; and __fish_seen_subcommand_from history" -l id -x -d 'One run, with its output'
complete -c certrebind -n "$task; and __fish_seen_subcommand_from history" -s n -l limit -x -d 'Only the newest N'
complete -c certrebind -n "$task; and __fish_seen_subcommand_from add" -l event -x -d 'Id of an event'
complete -c certrebind -n "$task; and __fish_seen_subcommand_from run" -l event -x -a '(__certrebind_words events)' -d 'Its record'
for option in name issuer only every daily-at window description time-limit retries retry-after env
    complete -c certrebind -n "$task; and __fish_seen_subcommand_from add" -l $option -x
end
complete -c certrebind -n "$task; and __fish_seen_subcommand_from add" -l store -x -a '(__fish_complete_directories)'
complete -c certrebind -n "$task; and __fish_seen_subcommand_from add" -l once-per-batch
complete -c certrebind -n "$task; and __fish_seen_subcommand_from add" -l replace -d 'Change the task of this name'
complete -c certrebind -n "$task; and __fish_seen_subcommand_from add" -l run-for-existing
complete -c certrebind -n "$task; and __fish_seen_subcommand_from add" -l disabled -d 'it does not run until it is enabled'

complete -c certrebind -n $no_command -a import -d 'Bring a certificate with its key'
complete -c certrebind -n $no_command -a request -d 'Make a key and a request for a certificate'
complete -c certrebind -n $no_command -a requests -d 'The requests that are open'
complete -c certrebind -n $no_command -a complete -d 'Bring the certificate for an open request'
complete -c certrebind -n $no_command -a self-signed -d 'Make a certificate that signs itself'
complete -c certrebind -n $no_command -a export -d 'Copy a certificate to a file'
complete -c certrebind -n $no_command -a remove -d 'Take a certificate out of the store'
set -l into_store '__fish_seen_subcommand_from import complete self-signed'
complete -c certrebind -n "$into_store remove" -l store -x -a '(__fish_complete_directories)' -d 'Another store'
complete -c certrebind -n "$into_store request" -l name -x -d 'Its name in the store'
complete -c certrebind -n $into_store -l accept -x -a 'shorter name-lost weaker-key chain' -d 'Go on although it is worse in this'
complete -c certrebind -n $into_store -l rebind -d 'Rebind the sites that it succeeds'
complete -c certrebind -n '__fish_seen_subcommand_from import' -l key -r -F -d 'Its private key'
complete -c certrebind -n '__fish_seen_subcommand_from import complete' -F
complete -c certrebind -n '__fish_seen_subcommand_from import export' -l password-from -r -F -d 'The first line of this file'
complete -c certrebind -n '__fish_seen_subcommand_from request self-signed' -l key-type -x -a 'ec rsa' -d 'Of the new key'
complete -c certrebind -n '__fish_seen_subcommand_from request self-signed' -l bits -x -d 'Of the new key'
complete -c certrebind -n '__fish_seen_subcommand_from request' -l subject -x -d 'Beside the name'
complete -c certrebind -n '__fish_seen_subcommand_from request export' -s o -l output -r -F -d 'The file to write'
complete -c certrebind -n '__fish_seen_subcommand_from requests' -l remove -x -a '(__certrebind_words requests)' -d 'Delete one'
complete -c certrebind -n '__fish_seen_subcommand_from requests remove' -l yes -d 'Do not ask'
complete -c certrebind -n '__fish_seen_subcommand_from complete' -l request -x -a '(__certrebind_words requests)' -d 'That is meant'
complete -c certrebind -n '__fish_seen_subcommand_from self-signed' -l days -x -d 'How long it is valid'
complete -c certrebind -n '__fish_seen_subcommand_from export' -l pfx -d 'As PKCS #12'
complete -c certrebind -n '__fish_seen_subcommand_from export' -l with-key -d 'With its private key'
complete -c certrebind -n '__fish_seen_subcommand_from export' -l force -d 'Replace the file'
complete -c certrebind -n '__fish_seen_subcommand_from export' -a '(__certrebind_words own thumbprints)'
complete -c certrebind -n '__fish_seen_subcommand_from remove' -l purge -d 'Delete it'
complete -c certrebind -n '__fish_seen_subcommand_from remove' -a '(__certrebind_words own)'
