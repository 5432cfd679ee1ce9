// IIS Manager's "Server Certificates": every certificate in a store or bound by a site, and what can be done with it.
import { FormSelect, FormSelectOption, SearchInput, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core';
import { useDeferredValue, useMemo, useState } from 'react';

import { Actions } from '../dialogs/actions';
import { useAnswer } from '../host';
import { _, counted } from '../i18n';
import { Expiry } from '../parts/expiry';
import { Loaded } from '../parts/loaded';
import { Thumbprint } from '../parts/thumbprint';
import { byText, linesOf, VirtualTable, type Column, type Sorting } from '../parts/virtual_table';
import { keepValues, useRoute } from '../route';
import { EXPIRY_GROUPS, expiryGroup } from '../time';
import type { Stored } from '../wire';

const nameOf = ({ names, issued_to, path }: Stored) => names[0] ?? (issued_to || path);
const storeOf = ({ store, path }: Stored) => store || path.slice(0, path.lastIndexOf('/'));
const renewerOf = ({ renewer }: Stored) => renewer?.name ?? _('nobody');
const keyOf = ({ path, thumbprint }: Stored) => `${path} ${thumbprint}`;

const COLUMNS = (): Column<Stored>[] => [
  { title: _('Name'), cell: (row) => <div className="site"><strong>{nameOf(row)}</strong>{row.names.length > 1 && <div className="names">{row.names.slice(1, 4).join(', ')}{row.names.length > 4 && ' …'}</div>}</div>, order: byText(nameOf) },
  { title: _('Issued To'), cell: ({ issued_to }) => issued_to, order: byText(({ issued_to }) => issued_to) },
  { title: _('Issued By'), cell: ({ issued_by }) => issued_by, order: byText(({ issued_by }) => issued_by) },
  { title: _('Expiration Date'), cell: ({ not_before, not_after }) => <Expiry notBefore={not_before} notAfter={not_after} />, order: (one, other) => Number(one.not_after > other.not_after) - Number(one.not_after < other.not_after) },
  { title: _('Certificate Hash'), cell: ({ thumbprint }) => <Thumbprint of={thumbprint} />, order: byText(({ thumbprint }) => thumbprint) },
  { title: _('Certificate Store'), cell: (row) => <div className="store">{storeOf(row)}<div className="names">{row.path}</div></div>, order: byText(storeOf) },
  { title: _('Renewed by'), cell: renewerOf, order: byText(renewerOf) },
  { title: _('Bindings'), cell: ({ bindings }) => bindings.toLocaleString(), order: (one, other) => one.bindings - other.bindings },
];

interface Grouping {
  title: string;
  of?: (row: Stored) => string;
  groups?: readonly string[];
}

const GROUPINGS = (): Record<string, Grouping> => ({
  '': { title: _('No grouping') },
  expiry: { title: _('Expiration Date'), of: ({ not_after }) => expiryGroup(not_after), groups: EXPIRY_GROUPS },
  store: { title: _('Certificate Store'), of: storeOf },
  issuer: { title: _('Issued By'), of: ({ issued_by }) => issued_by },
  renewer: { title: _('Renewed by'), of: renewerOf },
});

const fits = (row: Stored, words: string) =>
  [row.path, row.thumbprint, row.sha1, row.issued_to, row.issued_by, storeOf(row), renewerOf(row), ...row.names]
    .some((text) => text.toLowerCase().includes(words));

export function Certificates() {
  const asked = useAnswer('certificates');
  const route = useRoute();
  const value = (key: string) => route.values.get(key) ?? '';
  const words = useDeferredValue(value('filter').toLowerCase());
  const [sorting, setSorting] = useState<Sorting>({ column: 3, descending: false });
  const columns = useMemo(COLUMNS, []);
  const groupings = useMemo(GROUPINGS, []);
  const grouping = groupings[value('group')] ?? groupings['']!;
  const rows = useMemo(() => (asked.answer?.certificates ?? []).filter((row) => words === '' || fits(row, words)), [asked.answer, words]);
  const lines = useMemo(() => linesOf(rows, columns, sorting, grouping.of, grouping.groups), [rows, columns, sorting, grouping]);
  const chosen = value('certificate') ? rows.find((row) => keyOf(row) === value('certificate')) : undefined;
  return (
    <>
      <Toolbar>
        <ToolbarContent>
          <ToolbarItem>
            <SearchInput aria-label={_('Filter')} placeholder={_('Filter')} value={value('filter')}
                         onChange={(_event, text) => keepValues(route, { filter: text })} onClear={() => keepValues(route, { filter: '' })} />
          </ToolbarItem>
          <ToolbarItem>
            <FormSelect aria-label={_('Group by')} value={value('group')} onChange={(_event, group) => keepValues(route, { group })}>
              {Object.entries(groupings).map(([key, { title }]) => <FormSelectOption key={key} value={key} label={key ? _('Group by: $0', title) : title} />)}
            </FormSelect>
          </ToolbarItem>
          <ToolbarItem><Actions chosen={chosen} /></ToolbarItem>
          <ToolbarItem variant="label">{counted(rows.length, '1 certificate', '$0 certificates')}</ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      <Loaded asked={asked}>
        {() => (
          <VirtualTable label={_('Server Certificates')} columns={columns} lines={lines} keyOf={keyOf} sorting={sorting} onSort={setSorting}
                        chosen={chosen && keyOf(chosen)} onChoose={(row) => keepValues(route, { certificate: keyOf(row) })}
                        chooseLabel={nameOf} />
        )}
      </Loaded>
    </>
  );
}
