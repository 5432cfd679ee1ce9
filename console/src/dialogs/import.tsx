// A certificate from the user's machine into certrebind's store.
import { useState } from 'react';

import { importInput } from '../files';
import { _ } from '../i18n';
import { ActDialog } from '../parts/act_dialog';
import { FileField } from '../parts/file_field';
import { Imported } from '../parts/imported';
import { acceptArgs, acceptField, Risks } from '../parts/risks';
import { TextField } from '../parts/text_field';
import type { Finding } from '../wire';

export function ImportDialog({ onClose }: { onClose: () => void }) {
  const [file, setFile] = useState<File>();
  const [key, setKey] = useState<File>();
  const [password, setPassword] = useState('');
  const [name, setName] = useState('');
  const [findings, setFindings] = useState<Finding[]>([]);
  const [accepted, setAccepted] = useState<string[]>([]);
  const fields = {
    '--key': _('Private key, if it is a file of its own'), '--password-from': _('Password'), '--name': _('Name in the store'), ...acceptField(),
  };
  const args = [...acceptArgs(accepted), ...(password ? ['--password-from', '-'] : []), ...(name ? ['--name', name] : []), '-'];
  return (
    <ActDialog title={_('Import a Certificate')} verb={_('Import')} onClose={onClose} fields={fields} call={file ? { command: 'import', args } : null}
               input={() => importInput(file!, key, password)} failed={(told) => setFindings(told.findings ?? [])} done={(answer) => <Imported answer={answer} />}>
      <FileField id="import-file" label={_('Certificate')} help={_('PFX (PKCS #12), PEM, DER or PKCS #7; the key may be in it.')} onFile={setFile} />
      <FileField id="import-key" label={fields['--key']} onFile={setKey} />
      <TextField id="import-password" label={fields['--password-from']} secret value={password} onText={setPassword} help={_('Of the PFX or of the key, if it has one.')} />
      <TextField id="import-name" label={fields['--name']} value={name} onText={setName} help={_('By default the first name of the certificate.')} />
      <Risks findings={findings} accepted={accepted} onAccept={setAccepted} />
    </ActDialog>
  );
}
