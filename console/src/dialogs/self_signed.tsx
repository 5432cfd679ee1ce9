// A certificate that nobody else vouches for: for tests, and between machines of one's own.
import { useState } from 'react';

import { _ } from '../i18n';
import { ActDialog } from '../parts/act_dialog';
import { Imported } from '../parts/imported';
import { TextField } from '../parts/text_field';
import { KeyChoice, namesOf, type KeyType } from './key_choice';

export function SelfSignedDialog({ onClose }: { onClose: () => void }) {
  const [names, setNames] = useState('');
  const [days, setDays] = useState('365');
  const [key, setKey] = useState<KeyType>('ec');
  const list = namesOf(names);
  return (
    <ActDialog title={_('Create a Self-Signed Certificate')} verb={_('Create')} onClose={onClose}
               call={list.length > 0 && days ? { command: 'self-signed', args: ['--days', days, '--key-type', key, '--', ...list] } : null}
               done={(answer) => <Imported answer={answer} />}>
      <TextField id="self-names" label={_('Names')} value={names} onText={setNames} placeholder="test.example.com" help={_('Host names and IP addresses, with commas between.')} />
      <TextField id="self-days" label={_('Valid for how many days')} value={days} onText={setDays} />
      <KeyChoice value={key} onKey={setKey} />
    </ActDialog>
  );
}
