// What is configured, what lies on disk, and what is served, side by side for every binding.
import { Button, DescriptionList, DescriptionListDescription, DescriptionListGroup, DescriptionListTerm, SearchInput, Toolbar,
         ToolbarContent, ToolbarItem } from '@patternfly/react-core';
import { useDeferredValue, useMemo, useState } from 'react';

import { useAnswer, useHost } from '../host';
import { _, counted } from '../i18n';
import { Expiry } from '../parts/expiry';
import { Level } from '../parts/level';
import { Loaded } from '../parts/loaded';
import { Thumbprint } from '../parts/thumbprint';
import { byText, linesOf, VirtualTable, type Column, type Sorting } from '../parts/virtual_table';
import { keepValues, useRoute } from '../route';
import type { Answer, Checked } from '../wire';

const LEVELS = ['CRITICAL', 'WARNING', 'OK'];
const keyOf = ({ service, site, file, line, column }: Checked) => `${service} ${site} ${file}:${line}:${column}`;

/** The certificates that handshakes showed, each once. */
function Served({ binding }: { binding: Checked }) {
  const shown = [...new Set(binding.served.flatMap(({ thumbprint }) => thumbprint ?? []))];
  const failed = binding.served.find(({ error }) => error);
  if (shown.length === 0) return <>{failed?.error ?? _('not shown by a handshake')}</>;
  return (
    <>
      {shown.map((each) => <div key={each}><Thumbprint of={each} />{each === binding.certificate?.thumbprint ? '' : ` ${_('another')}`}</div>)}
      {failed && <div>{failed.error}</div>}
    </>
  );
}

function Site({ binding: { site, service, names } }: { binding: Checked }) {
  const others = names.filter((name) => name !== site);
  return (
    <div className="site">
      <strong>{site}</strong>
      {others.length > 0 && <div className="names">{others.slice(0, 4).join(', ')}{others.length > 4 && ' …'}</div>}
      <div className="names">{service}</div>
    </div>
  );
}

function Difference({ binding }: { binding: Checked }) {
  if (binding.remarks.length === 0) return <Level level={binding.level} />;
  return (
    <>
      <Level level={binding.level} />
      {binding.remarks.map(({ complaint, sentence, accepted }) => (
        <div key={complaint + sentence}>{sentence}{accepted && ` ${_('(accepted)')}`}</div>
      ))}
    </>
  );
}

const COLUMNS = (): Column<Checked>[] => [
  { title: _('Site'), cell: (binding) => <Site binding={binding} />, order: byText(({ site, service }) => `${site} ${service}`) },
  { title: _('Difference'), cell: (binding) => <Difference binding={binding} />, order: (one, other) => LEVELS.indexOf(one.level) - LEVELS.indexOf(other.level) },
  { title: _('Configured'), cell: ({ certificate_path, file, line }) => <><code className="path">{certificate_path || '–'}</code><div className="names">{file}:{line}</div></> },
  { title: _('On disk'), cell: ({ certificate }) => certificate ? <><Thumbprint of={certificate.thumbprint} /><Expiry notBefore={certificate.not_before} notAfter={certificate.not_after} /></> : _('none') },
  { title: _('Served'), cell: (binding) => <Served binding={binding} /> },
  { title: _('Endpoints'), cell: ({ endpoints }) => endpoints.map(({ listens }) => listens).join(', ') },
];

const fits = (binding: Checked, words: string) =>
  [binding.site, binding.service, binding.certificate_path, binding.certificate?.thumbprint ?? '', ...binding.names]
    .some((text) => text.toLowerCase().includes(words));

export function Bindings() {
  const host = useHost();
  const check = useAnswer('check');
  const route = useRoute();
  const { values } = route;
  const words = useDeferredValue((values.get('filter') ?? '').toLowerCase());
  const chosen = values.get('binding') ?? undefined;
  const [sorting, setSorting] = useState<Sorting>({ column: 1, descending: false });
  const columns = useMemo(COLUMNS, []);
  const shown = (check.answer?.bindings ?? []).filter((binding) => fits(binding, words));
  const one = shown.find((binding) => keyOf(binding) === chosen);
  const keep = (more: Record<string, string>) => keepValues(route, more);
  return (
    <>
      <Toolbar>
        <ToolbarContent>
          <ToolbarItem>
            <SearchInput aria-label={_('Filter')} placeholder={_('Filter by site, name, service, path or hash')} value={values.get('filter') ?? ''}
                         onChange={(_event, value) => keep({ filter: value })} onClear={() => keep({ filter: '' })} />
          </ToolbarItem>
          <ToolbarItem><Button variant="secondary" isLoading={check.busy} isDisabled={check.busy} onClick={() => host.refresh()}>{_('Check now')}</Button></ToolbarItem>
          <ToolbarItem variant="label">{counted(shown.length, '1 binding', '$0 bindings')}</ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      <Loaded asked={check}>
        {() => (
          <VirtualTable label={_('Bindings')} columns={columns} lines={linesOf(shown, columns, sorting)} keyOf={keyOf} sorting={sorting}
                        onSort={setSorting} chosen={chosen} onChoose={(binding) => keep({ binding: keyOf(binding) })}
                        chooseLabel={({ site }) => _('Explain $0', site)} />
        )}
      </Loaded>
      {one && <Explained key={keyOf(one)} binding={one} />}
    </>
  );
}

function Explained({ binding }: { binding: Checked }) {
  const explain = useAnswer('explain', '--all', '--', binding.certificate_path || binding.site);
  return (
    <section aria-label={_('Explanation')} className="explained">
      <h2>{_('Why $0 serves this certificate', binding.site)}</h2>
      {binding.remarks.map(({ sentence, next }) => next && <p key={sentence}>{sentence} {_('Next: $0', next)}</p>)}
      <Loaded asked={explain}>
        {({ answers }) => answers.filter(({ service, site }) => service === binding.service && site === binding.site)
          .map((answer) => <Why key={`${answer.listens ?? ''} ${answer.why}`} answer={answer} />)}
      </Loaded>
    </section>
  );
}

function Why({ answer }: { answer: Answer }) {
  const renewer = answer.renewer;
  const facts: [string, string | undefined][] = [
    [_('Listener'), answer.listens],
    [_('Why this site answers'), answer.why],
    [_('Configured at'), `${answer.binding.file}:${answer.binding.line}`],
    [_('Certificate file'), answer.binding.certificate_path],
    [_('On disk'), answer.certificate ? `${answer.certificate.issued_to}, ${answer.certificate.thumbprint}` : answer.problem],
    [_('Key'), answer.key],
    [_('Served'), answer.served],
    [_('Renewed by'), renewer ? [renewer.name, renewer.lineage, renewer.scheduled_by ?? renewer.schedule_note].filter(Boolean).join(', ') : _('nobody that is known')],
    [_('At the next renewal'), answer.next_renewal],
    [_('Others that listen there'), answer.others_listening.map(({ sentence }) => sentence).join('; ') || undefined],
  ];
  return (
    <DescriptionList isHorizontal isCompact>
      {facts.map(([term, text]) => text && (
        <DescriptionListGroup key={term}>
          <DescriptionListTerm>{term}</DescriptionListTerm>
          <DescriptionListDescription>{text}</DescriptionListDescription>
        </DescriptionListGroup>
      ))}
    </DescriptionList>
  );
}
