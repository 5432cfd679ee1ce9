// Takes a certificate out of certrebind's own store.
import { Checkbox } from '@patternfly/react-core';
import { useState } from 'react';

import { argumentFor } from '../certrebind';
import { _ } from '../i18n';
import { ActDialog } from '../parts/act_dialog';
import type { Stored } from '../wire';

export function RemoveDialog({ certificate, onClose }: { certificate: Stored; onClose: () => void }) {
  const [purge, setPurge] = useState(false);
  return (
    <ActDialog title={_('Remove $0', certificate.names[0] ?? certificate.issued_to)} verb={_('Remove')} danger onClose={onClose}
               call={{ command: 'remove', args: [...(purge ? ['--purge', '--yes'] : []), '--', argumentFor(certificate)] }}
               done={({ archived }) => <p>{archived ? _('It is archived in $0.', archived) : _('It is deleted, with its key.')}</p>}>
      <p>{_('It is refused while a site names it or serves it.')}</p>
      <Checkbox id="purge" label={_('Delete it and its key for good, instead of archiving them')} isChecked={purge} onChange={(_event, checked) => setPurge(checked)} />
    </ActDialog>
  );
}
