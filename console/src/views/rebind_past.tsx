// One transaction, running or over, with its undo.
import { Alert, Button } from '@patternfly/react-core';
import { useState } from 'react';

import { useHost, useAnswer } from '../host';
import { _ } from '../i18n';
import { AccountsOf } from '../parts/accounts';
import { ActDialog } from '../parts/act_dialog';
import { Loaded } from '../parts/loaded';
import { Outcome } from '../parts/outcome';
import { Phases } from '../parts/phases';
import { Thumbprint } from '../parts/thumbprint';
import { useEvery } from '../polling';
import { linkTo } from '../route';
import { timeText } from '../time';

const POLL = 700; // ms

export function PastRebind({ id }: { id: string }) {
  const host = useHost();
  const asked = useAnswer('history show', '--', id);
  const [undoing, setUndoing] = useState(false);
  const running = asked.answer?.ended === '';
  useEvery(running ? POLL : null, () => host.refresh());
  return (
    <>
      <p><a href={linkTo('rebind')}>{_('All rebinds')}</a></p>
      <Loaded asked={asked}>
        {(one) => (
          <section aria-label={_('Transaction')}>
            <h2>{_('$0 $1: $2', one.act, one.id, one.service)} <Outcome of={one.outcome} /></h2>
            <p>{timeText(one.started)}{one.ended && ` – ${timeText(one.ended)}`}</p>
            <Phases phase={one.phase} />
            {one.account.map((sentence) => <p key={sentence}>{sentence}</p>)}
            {one.proof_owed && <Alert isInline variant="warning" title={_('Some endpoints did not answer, so their proof is owed: check looks again.')} />}
            <ul className="last">
              {one.successions.map(({ old, new: fresh, sites = [] }) => (
                <li key={old + fresh}><Thumbprint of={old} /> → <Thumbprint of={fresh} />: {sites.join(', ')}</li>
              ))}
            </ul>
            {one.files && <ul className="last">{one.files.map((file) => <li key={file}><code>{file}</code></li>)}</ul>}
            {one.outcome === 'committed' && one.files && <Button variant="secondary" onClick={() => setUndoing(true)}>{_('Undo…')}</Button>}
            {undoing && (
              <ActDialog title={_('Undo $0 $1', one.act, one.id)} verb={_('Undo')} danger lasting call={{ command: 'undo', args: ['--', id] }} onClose={() => setUndoing(false)}
                         done={({ accounts }) => <AccountsOf accounts={accounts} />}>
                <p>{_('The files become what they were before, the server loads them, and handshakes prove it.')}</p>
              </ActDialog>
            )}
          </section>
        )}
      </Loaded>
    </>
  );
}
