// Enable or disable the automatic rebind of renewed certificates, as IIS Manager's action of that name.
import { useState } from 'react';

import { _, counted } from '../i18n';
import { ActDialog } from '../parts/act_dialog';
import { TextField } from '../parts/text_field';

export function AutomaticDialog({ act, onClose }: { act: 'enable' | 'disable'; onClose: () => void }) {
  return act === 'enable' ? <EnableDialog onClose={onClose} /> : <DisableDialog onClose={onClose} />;
}

function EnableDialog({ onClose }: { onClose: () => void }) {
  const [address, setAddress] = useState('');
  return (
    <ActDialog title={_('Enable Automatic Rebind of Renewed Certificates')} verb={_('Enable')} onClose={onClose}
               call={{ command: 'enable', args: address ? ['--notify', address] : [] }}
               done={(answer) => (
                 <>
                   <p>{counted(answer.bindings, '1 binding is looked after from now on.', '$0 bindings are looked after from now on.')}</p>
                   {answer.daemon && <p>{_('The daemon: $0', answer.daemon)}</p>}
                   {answer.not_covered.length > 0 && (
                     <>
                       <p>{_('Not looked after:')}</p>
                       <ul>{answer.not_covered.map(({ site, why }) => <li key={site}>{site}: {why}</li>)}</ul>
                     </>
                   )}
                 </>
               )}>
      <p>{_('Every site that uses a renewed certificate will serve the new one: tested, proven by handshakes, or taken back.')}</p>
      <TextField id="notify" label={_('Tell whom, if something needs a person')} value={address} onText={setAddress} placeholder="mailto:ops@example.com"
                 help={_('A mail address as mailto:…, or the https:// URL of a webhook. Optional.')} />
    </ActDialog>
  );
}

function DisableDialog({ onClose }: { onClose: () => void }) {
  return (
    <ActDialog title={_('Disable Automatic Rebind of Renewed Certificates')} verb={_('Disable')} danger onClose={onClose}
               call={{ command: 'disable', args: [] }}>
      <p>{_('Servers go on serving what they serve. A certificate that is renewed from now on waits until somebody rebinds it.')}</p>
    </ActDialog>
  );
}
