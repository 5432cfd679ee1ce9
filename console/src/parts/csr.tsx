// The text of a certificate request, for the authority.
import { Button, ClipboardCopy, ClipboardCopyVariant } from '@patternfly/react-core';

import { bytesOfText, save } from '../files';
import { _ } from '../i18n';
import type { OpenRequest } from '../wire';

export function Csr({ of: { name, csr }, isExpanded = false }: { of: OpenRequest; isExpanded?: boolean }) {
  return (
    <>
      <ClipboardCopy isReadOnly isCode isExpanded={isExpanded} variant={ClipboardCopyVariant.expansion} hoverTip={_('Copy')} clickTip={_('Copied')}
                     textAriaLabel={_('The request $0', name)}>{csr}</ClipboardCopy>
      <Button variant="secondary" onClick={() => save(bytesOfText(csr), `${name}.csr`)}>{_('Save as a file')}</Button>
    </>
  );
}
