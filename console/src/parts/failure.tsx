// Why something could not be shown or done, and the one next step.
import { Alert, ClipboardCopy } from '@patternfly/react-core';

import { Failed } from '../certrebind';
import { _ } from '../i18n';
import { CannotRun, Said } from '../transport';
import { inFormWords, type Fields } from './form_words';

interface Told {
  title: string;
  said?: string | undefined;
  next?: string | undefined;
  command?: string;
}

function told(failure: Error): Told {
  if (failure instanceof Failed) {
    return { title: failure.reason.message, said: failure.reason.served, next: failure.reason.next };
  }
  if (failure instanceof Said) return { title: failure.message };
  if (!(failure instanceof CannotRun)) {
    return { title: _('The answer of certrebind was not understood: $0', failure.message),
             next: _('Install the same version of certrebind and of this page.') };
  }
  switch (failure.why) {
    case 'no-program':
      return { title: _('certrebind is not installed on this machine.'), command: 'apt install certrebind' };
    case 'no-rights':
      return { title: _('This needs administrative access.'),
               next: _('Turn it on with the button at the top of Cockpit, then try again.') };
    case 'disconnected':
      return { title: _('The connection to this machine was lost.'), said: failure.message, next: _('Reconnect, then load this page again.') };
  }
}

export function Failure({ failure, fields = {} }: { failure: Error; fields?: Fields }) {
  const { title, said, next, command } = told(failure);
  return (
    <Alert isInline variant="danger" title={inFormWords(title, fields)}>
      {said && <p>{said}</p>}
      {next && <p>{_('Next: $0', inFormWords(next, fields))}</p>}
      {command && <ClipboardCopy isReadOnly hoverTip={_('Copy')} clickTip={_('Copied')}>{command}</ClipboardCopy>}
    </Alert>
  );
}
