// One certificate with all that is known of it.
import { Button, DescriptionList, DescriptionListDescription, DescriptionListGroup, DescriptionListTerm, Modal, ModalBody, ModalFooter,
         ModalHeader } from '@patternfly/react-core';

import { argumentFor } from '../certrebind';
import { useAnswer } from '../host';
import { _ } from '../i18n';
import { Loaded } from '../parts/loaded';
import { timeText } from '../time';
import type { Shown, Stored } from '../wire';

const FACTS = (of: Shown): [string, string][] => [
  [_('Issued To'), of.subject], [_('Issued By'), of.issuer], [_('Names'), of.names.join(', ')],
  [_('Valid from'), timeText(of.not_before)], [_('Expiration Date'), timeText(of.not_after)], [_('Serial number'), of.serial],
  [_('SHA-256'), of.thumbprint], [_('SHA-1'), of.sha1], [_('Key'), of.key], [_('Signature'), of.signature_algorithm],
  [_('Usages'), of.extended_key_usages.join(', ')], [_('Must staple'), of.must_staple ? _('yes') : _('no')],
  [_('Chain'), of.chain.map(({ issued_to }) => issued_to).join(' ← ') || _('none beside it')],
  [_('Files'), of.places.map(({ path, key_path }) => (key_path ? `${path}, ${key_path}` : path)).join('; ')],
  [_('Sites'), [...new Set(of.places.flatMap(({ bindings }) => bindings.map(({ site }) => site)))].join(', ') || _('none')],
];

export function ViewDialog({ certificate, onClose }: { certificate: Stored; onClose: () => void }) {
  const asked = useAnswer('show', '--', argumentFor(certificate));
  return (
    <Modal isOpen variant="medium" aria-label={_('Certificate')} onClose={onClose}>
      <ModalHeader title={certificate.names[0] ?? certificate.issued_to} />
      <ModalBody tabIndex={0} aria-label={_('Details')} role="region">
        <Loaded asked={asked}>
          {({ certificates }) => certificates.map((one) => (
            <DescriptionList key={one.thumbprint} isHorizontal isCompact>
              {FACTS(one).map(([term, text]) => (
                <DescriptionListGroup key={term}>
                  <DescriptionListTerm>{term}</DescriptionListTerm>
                  <DescriptionListDescription className="breakable">{text || '–'}</DescriptionListDescription>
                </DescriptionListGroup>
              ))}
            </DescriptionList>
          ))}
        </Loaded>
      </ModalBody>
      <ModalFooter><Button onClick={onClose}>{_('Close')}</Button></ModalFooter>
    </Modal>
  );
}
