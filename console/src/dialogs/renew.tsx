// Has the renewer that owns a certificate renew it.
import { Checkbox, CodeBlock, CodeBlockCode } from '@patternfly/react-core';
import { useState } from 'react';

import { argumentFor } from '../certrebind';
import { _ } from '../i18n';
import { ActDialog } from '../parts/act_dialog';
import type { Stored } from '../wire';

export function RenewDialog({ certificate, onClose }: { certificate: Stored; onClose: () => void }) {
  const [force, setForce] = useState(false);
  const { renewer } = certificate;
  const possible = renewer?.renew_command;
  return (
    <ActDialog title={_('Renew $0', certificate.names[0] ?? certificate.issued_to)} verb={_('Renew')} lasting onClose={onClose}
               call={possible ? { command: 'renew', args: [...(force ? ['--force'] : []), '--', argumentFor(certificate)] } : null}
               done={(answer) => (
                 <>
                   <p>{answer.renewed ? _('There is a new certificate.') : _('$0 found nothing to renew.', answer.renewer ?? '')}</p>
                   {answer.output && <CodeBlock><CodeBlockCode>{answer.output}</CodeBlockCode></CodeBlock>}
                 </>
               )}>
      {possible ? (
        <>
          <p>{_('$0 renews this certificate with:', renewer.name)}</p>
          <CodeBlock><CodeBlockCode>{renewer.renew_command}</CodeBlockCode></CodeBlock>
          <Checkbox id="force" label={_('Also if it is not due yet')} isChecked={force} onChange={(_event, checked) => setForce(checked)} />
        </>
      ) : (
        <p>{renewer?.no_command ?? _('No tool on this machine is known to renew this certificate. Request a new one, or import it.')}</p>
      )}
    </ActDialog>
  );
}
