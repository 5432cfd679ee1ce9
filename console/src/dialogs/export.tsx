// A copy of a certificate for the user's own machine; its key only if it is asked for.
import { Button, Checkbox, ClipboardCopy, Form, FormGroup, FormSelect, FormSelectOption, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { useRef, useState } from 'react';

import { argumentFor, typed, type Call } from '../certrebind';
import { bytesOfText, save } from '../files';
import { useHost } from '../host';
import { _ } from '../i18n';
import { Failure } from '../parts/failure';
import { TextField } from '../parts/text_field';
import { plain } from '../plain';
import { Said } from '../transport';
import type { Stored } from '../wire';

type Form = 'pem' | 'pfx';

const callOf = (certificate: Stored, form: Form, withKey: boolean): Call<'export'> => ({
  command: 'export',
  args: [...(form === 'pfx' ? ['--pfx', '--password-from', '-'] : []), ...(withKey ? ['--with-key'] : []), '-o', '-', '--', argumentFor(certificate)],
});

/** Unlike other commands this one prints no JSON, but the file. */
export function ExportDialog({ certificate, onClose }: { certificate: Stored; onClose: () => void }) {
  const host = useHost();
  const [form, setForm] = useState<Form>('pem');
  const [withKey, setWithKey] = useState(false);
  const [password, setPassword] = useState('');
  const [failure, setFailure] = useState<Error>();
  const busy = useRef(false); // a second click is no second export
  const call = callOf(certificate, form, withKey);
  const fields = { '--pfx': _('Format'), '--password-from': _('Password'), '--with-key': _('With the private key') };
  const complete = form === 'pem' || password !== '';
  const name = certificate.names[0] ?? certificate.issued_to;
  const act = async () => {
    if (!complete || busy.current) return;
    busy.current = true;
    setFailure(undefined);
    try {
      const input = form === 'pfx' ? { input: bytesOfText(`${password}\n`) } : {};
      const { status, out, said } = await host.transport.run([call.command, ...call.args], 'act', input);
      if (status !== 0) throw new Said(plain(said));
      save(out, `${name.replace(/[^\w.-]/g, '_')}.${form}`);
      onClose();
    } catch (caught) {
      setFailure(caught as Error);
    }
    busy.current = false;
  };
  return (
    <Modal isOpen variant="medium" aria-label={_('Export')} onClose={onClose}>
      <ModalHeader title={_('Export $0', name)} />
      <ModalBody>
        <Form onSubmit={(event) => { event.preventDefault(); void act(); }}>
          <FormGroup label={fields['--pfx']} fieldId="export-form">
            <FormSelect id="export-form" value={form} onChange={(_event, value) => setForm(value as Form)}>
              <FormSelectOption value="pem" label={_('PEM: the certificate and its chain')} />
              <FormSelectOption value="pfx" label={_('PFX (PKCS #12), with a password')} />
            </FormSelect>
          </FormGroup>
          <Checkbox id="export-key" label={fields['--with-key']} isChecked={withKey} onChange={(_event, checked) => setWithKey(checked)} />
          {form === 'pfx' && <TextField id="export-password" label={fields['--password-from']} secret value={password} onText={setPassword} />}
          <ClipboardCopy isReadOnly textAriaLabel={_('The command')} hoverTip={_('Copy')} clickTip={_('Copied')}>{typed(call)}</ClipboardCopy>
          {failure && <Failure failure={failure} fields={fields} />}
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button isDisabled={!complete} onClick={() => void act()}>{_('Export')}</Button>
        <Button variant="link" onClick={onClose}>{_('Cancel')}</Button>
      </ModalFooter>
    </Modal>
  );
}
