// The lifecycle log, live.
import { FormSelect, FormSelectOption, Label, SearchInput, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core';
import { useDeferredValue, useMemo } from 'react';

import { useEvents } from '../host';
import { _, counted } from '../i18n';
import { Thumbprint } from '../parts/thumbprint';
import { VirtualTable, type Column } from '../parts/virtual_table';
import { keepValues, linkTo, useRoute } from '../route';
import { timeText } from '../time';
import type { Event } from '../wire';

const LEVELS: Record<string, 'info' | 'warning' | 'danger'> = { information: 'info', warning: 'warning', error: 'danger' };

const COLUMNS = (): Column<Event>[] => [
  { title: _('Time'), cell: ({ at }) => <div className="when">{timeText(at)}</div> },
  { title: _('Event'), cell: ({ id, event, level }) => <Label isCompact status={LEVELS[level] ?? 'info'}>{`${id} ${event}`}</Label> },
  { title: _('What happened'), cell: ({ message, names }) => <>{message}{names.length > 0 && <div className="names">{names.slice(0, 6).join(', ')}</div>}</> },
  { title: _('Old and new'), cell: (event) => <>{event.old && <div><Thumbprint of={event.old} /></div>}{event.new && <div><Thumbprint of={event.new} /></div>}</> },
  { title: _('Service'), cell: ({ service, transaction }) => transaction ? <a href={linkTo('rebind', { transaction: String(transaction) })}>{service}</a> : service },
];

const fits = (event: Event, words: string) =>
  [event.message, event.service, event.old, event.new, event.event, ...event.names].some((text) => text.toLowerCase().includes(words));

export function Events() {
  const events = useEvents();
  const route = useRoute();
  const value = (key: string) => route.values.get(key) ?? '';
  const words = useDeferredValue(value('filter').toLowerCase());
  const columns = useMemo(COLUMNS, []);
  const kinds = [...new Map(events.map(({ id, event }) => [id, `${id} ${event}`]))].sort(([one], [other]) => one - other);
  const services = [...new Set(events.map(({ service }) => service).filter(Boolean))].sort();
  const shown = events.filter((event) => (!value('id') || String(event.id) === value('id'))
    && (!value('service') || event.service === value('service')) && fits(event, words)).reverse();
  return (
    <>
      <Toolbar>
        <ToolbarContent>
          <ToolbarItem>
            <SearchInput aria-label={_('Filter')} placeholder={_('Filter by name, hash or text')} value={value('filter')}
                         onChange={(_event, text) => keepValues(route, { filter: text })} onClear={() => keepValues(route, { filter: '' })} />
          </ToolbarItem>
          <ToolbarItem>
            <FormSelect aria-label={_('Event')} value={value('id')} onChange={(_event, id) => keepValues(route, { id })}>
              <FormSelectOption value="" label={_('All events')} />
              {kinds.map(([id, title]) => <FormSelectOption key={id} value={String(id)} label={title} />)}
            </FormSelect>
          </ToolbarItem>
          <ToolbarItem>
            <FormSelect aria-label={_('Service')} value={value('service')} onChange={(_event, service) => keepValues(route, { service })}>
              <FormSelectOption value="" label={_('All services')} />
              {services.map((service) => <FormSelectOption key={service} value={service} label={service} />)}
            </FormSelect>
          </ToolbarItem>
          <ToolbarItem variant="label">{counted(shown.length, '1 event', '$0 events')}</ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      <VirtualTable label={_('Events')} columns={columns} lines={shown.map((row) => ({ row }))} keyOf={({ record }) => String(record)} />
    </>
  );
}
