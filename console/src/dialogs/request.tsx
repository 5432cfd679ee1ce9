// A key and a request for a certificate. The key stays on the machine.
import { useState } from 'react';

import { _ } from '../i18n';
import { ActDialog } from '../parts/act_dialog';
import { Csr } from '../parts/csr';
import { TextField } from '../parts/text_field';
import { KeyChoice, namesOf, type KeyType } from './key_choice';

export function RequestDialog({ onClose }: { onClose: () => void }) {
  const [names, setNames] = useState('');
  const [subject, setSubject] = useState('');
  const [key, setKey] = useState<KeyType>('ec');
  const list = namesOf(names);
  const args = ['--key-type', key, ...(subject ? ['--subject', subject] : []), '--', ...list];
  return (
    <ActDialog title={_('Create a Certificate Request')} verb={_('Create')} onClose={onClose} call={list.length > 0 ? { command: 'request', args } : null}
               done={({ request }) => (
                 <>
                   <p>{_('The request $0 is open. Give this to the certificate authority, and complete the request with its answer:', request.name)}</p>
                   <Csr of={request} isExpanded />
                 </>
               )}>
      <TextField id="request-names" label={_('Names')} value={names} onText={setNames} placeholder="www.example.com, example.com" help={_('Host names and IP addresses, with commas between.')} />
      <TextField id="request-subject" label={_('Subject')} value={subject} onText={setSubject} placeholder="O=Example,C=DE" help={_('Optional; public authorities take it from their own records.')} />
      <KeyChoice value={key} onKey={setKey} />
    </ActDialog>
  );
}
