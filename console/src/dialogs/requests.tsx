// The requests that no authority has answered yet: their text once more, or none of it any more.
import { Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { useState } from 'react';

import { useAnswer } from '../host';
import { _ } from '../i18n';
import { ActDialog } from '../parts/act_dialog';
import { Csr } from '../parts/csr';
import { Loaded } from '../parts/loaded';
import { timeText } from '../time';
import type { OpenRequest } from '../wire';

export function RequestsDialog({ onClose }: { onClose: () => void }) {
  const asked = useAnswer('requests');
  const [removed, setRemoved] = useState<OpenRequest>();
  if (removed) return <RemoveRequestDialog request={removed} onClose={() => setRemoved(undefined)} />;
  return (
    <Modal isOpen variant="medium" aria-label={_('Open Certificate Requests')} onClose={onClose}>
      <ModalHeader title={_('Open Certificate Requests')} />
      <ModalBody tabIndex={0} aria-label={_('Requests')} role="region">
        <Loaded asked={asked}>
          {({ requests = [] }) => requests.length === 0 ? <p>{_('No request is open on this machine.')}</p> : requests.map((request) => (
            <article key={request.name} className="request" aria-label={request.name}>
              <h2>{request.name}</h2>
              <p className="breakable">{_('$0; $1, made on $2', request.names.join(', '), request.key, timeText(request.made))}</p>
              <Csr of={request} />{' '}
              <Button variant="danger" onClick={() => setRemoved(request)}>{_('Remove…')}</Button>
            </article>
          ))}
        </Loaded>
      </ModalBody>
      <ModalFooter><Button onClick={onClose}>{_('Close')}</Button></ModalFooter>
    </Modal>
  );
}

function RemoveRequestDialog({ request: { name }, onClose }: { request: OpenRequest; onClose: () => void }) {
  return (
    <ActDialog title={_('Remove the request $0', name)} verb={_('Remove')} danger onClose={onClose}
               call={{ command: 'requests', args: ['--remove', name, '--yes'] }}>
      <p>{_('Its key is deleted, too. A certificate that the authority still issues for it is of no use then.')}</p>
    </ActDialog>
  );
}
