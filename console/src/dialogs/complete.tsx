// The authority's answer to a request that was made here.
import { FormGroup, FormSelect, FormSelectOption, TextArea } from '@patternfly/react-core';
import { useState } from 'react';

import { bytesOf, bytesOfText } from '../files';
import { useAnswer } from '../host';
import { _ } from '../i18n';
import { ActDialog } from '../parts/act_dialog';
import { FileField } from '../parts/file_field';
import { Imported } from '../parts/imported';
import { Loaded } from '../parts/loaded';
import { acceptArgs, acceptField, Risks } from '../parts/risks';
import type { Finding } from '../wire';

export function CompleteDialog({ onClose }: { onClose: () => void }) {
  const open = useAnswer('requests');
  const [file, setFile] = useState<File>();
  const [pasted, setPasted] = useState('');
  const [request, setRequest] = useState('');
  const [findings, setFindings] = useState<Finding[]>([]);
  const [accepted, setAccepted] = useState<string[]>([]);
  const fields = { '--request': _('Request'), ...acceptField() };
  const args = [...acceptArgs(accepted), ...(request ? ['--request', request] : []), '-'];
  return (
    <ActDialog title={_('Complete a Certificate Request')} verb={_('Complete')} onClose={onClose} fields={fields} call={file || pasted ? { command: 'complete', args } : null}
               input={async () => (file ? bytesOf(file) : bytesOfText(pasted))} failed={(told) => setFindings(told.findings ?? [])} done={(answer) => <Imported answer={answer} />}>
      <Loaded asked={open}>
        {({ requests = [] }) => requests.length === 0 ? <p>{_('No request is open on this machine. Create one first.')}</p> : (
          <FormGroup label={fields['--request']} fieldId="complete-request">
            <FormSelect id="complete-request" value={request} onChange={(_event, value) => setRequest(value)}>
              <FormSelectOption value="" label={_('The one with the same key')} />
              {requests.map(({ name, names }) => <FormSelectOption key={name} value={name} label={`${name} (${names.join(', ')})`} />)}
            </FormSelect>
          </FormGroup>
        )}
      </Loaded>
      <FileField id="complete-file" label={_('Certificate')} help={_('PEM, DER or PKCS #7, as the authority sent it.')} onFile={setFile} />
      <FormGroup label={_('… or its text')} fieldId="complete-text">
        <TextArea id="complete-text" rows={5} value={pasted} onChange={(_event, value) => setPasted(value)} placeholder="-----BEGIN CERTIFICATE-----" />
      </FormGroup>
      <Risks findings={findings} accepted={accepted} onAccept={setAccepted} />
    </ActDialog>
  );
}
