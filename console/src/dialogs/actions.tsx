// The Actions of IIS Manager: some for the page, some for the chosen certificate.
import { Divider, Dropdown, DropdownItem, DropdownList, MenuToggle } from '@patternfly/react-core';
import { useState, type ComponentType } from 'react';

import { useAnswer } from '../host';
import { _ } from '../i18n';
import { goTo } from '../route';
import type { Stored } from '../wire';
import { AutomaticDialog } from './automatic';
import { CompleteDialog } from './complete';
import { ExportDialog } from './export';
import { ImportDialog } from './import';
import { RemoveDialog } from './remove';
import { RenewDialog } from './renew';
import { RequestDialog } from './request';
import { RequestsDialog } from './requests';
import { SelfSignedDialog } from './self_signed';
import { ViewDialog } from './view';

const OF_ONE: Record<string, ComponentType<{ certificate: Stored; onClose: () => void }>> = {
  view: ViewDialog, export: ExportDialog, renew: RenewDialog, remove: RemoveDialog,
};
const OF_PAGE: Record<string, ComponentType<{ onClose: () => void }>> = {
  import: ImportDialog, request: RequestDialog, complete: CompleteDialog, requests: RequestsDialog, selfSigned: SelfSignedDialog,
};

export function Actions({ chosen }: { chosen: Stored | undefined }) {
  const status = useAnswer('status');
  const enabled = status.answer?.enabled ?? false;
  const [open, setOpen] = useState(false);
  const [asking, setAsking] = useState<string>();
  const close = () => setAsking(undefined);
  const [of, setOf] = useState<Stored>(); // stays, if its row goes
  const OfPage = asking ? OF_PAGE[asking] : undefined;
  const OfOne = asking ? OF_ONE[asking] : undefined;
  const item = (key: string, title: string, isDisabled = false) => <DropdownItem key={key} value={key} isDisabled={isDisabled}>{title}</DropdownItem>;
  const choose = (key: string) => {
    setOpen(false);
    if (key === 'rebind' && chosen) goTo('rebind', { old: chosen.thumbprint });
    else {
      setOf(chosen);
      setAsking(key);
    }
  };
  return (
    <>
      <Dropdown isOpen={open} onOpenChange={setOpen} onSelect={(_event, key) => choose(String(key))} popperProps={{ position: 'start', preventOverflow: true }}
                toggle={(toggle) => <MenuToggle ref={toggle} variant="primary" isExpanded={open} onClick={() => setOpen(!open)}>{_('Actions')}</MenuToggle>}>
        <DropdownList>
          {item('automatic', enabled ? _('Disable Automatic Rebind of Renewed Certificates') : _('Enable Automatic Rebind of Renewed Certificates'))}
          <Divider component="li" />
          {item('import', _('Import…'))}
          {item('request', _('Create Certificate Request…'))}
          {item('complete', _('Complete Certificate Request…'))}
          {item('requests', _('Open Certificate Requests…'))}
          {item('selfSigned', _('Create Self-Signed Certificate…'))}
          <Divider component="li" />
          {item('view', _('View…'), !chosen)}
          {item('export', _('Export…'), !chosen)}
          {item('renew', _('Renew…'), !chosen)}
          {item('rebind', _('Rebind to…'), !chosen)}
          {item('remove', _('Remove…'), !chosen)}
        </DropdownList>
      </Dropdown>
      {asking === 'automatic' && <AutomaticDialog act={enabled ? 'disable' : 'enable'} onClose={close} />}
      {OfPage && <OfPage onClose={close} />}
      {OfOne && of && <OfOne certificate={of} onClose={close} />}
    </>
  );
}
