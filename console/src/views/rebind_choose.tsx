// Old and new are chosen, the plan is read, and the rebind is run.
import { Alert, Button, ClipboardCopy, Form, FormGroup, FormSelect, FormSelectOption, TextInput } from '@patternfly/react-core';
import { useMemo, useState } from 'react';

import { typed, type Call } from '../certrebind';
import { useAnswer } from '../host';
import { _, counted } from '../i18n';
import type { Fields } from '../parts/form_words';
import { Loaded } from '../parts/loaded';
import { PlanOf } from '../parts/plan';
import { acceptArgs, acceptField, Risks } from '../parts/risks';
import { keepValues, useRoute } from '../route';
import { dateText } from '../time';
import type { Stored } from '../wire';
import { History } from './rebind_history';
import { RunningRebind } from './rebind_running';

const titleOf = ({ names, issued_to, thumbprint, not_after }: Stored) =>
  `${names[0] ?? issued_to}, ${_('until $0', dateText(not_after))}, ${thumbprint.slice(0, 16)}`;

/** Each certificate once, however many files hold it. */
function once(stored: Stored[]): Stored[] {
  return [...new Map(stored.map((one) => [one.thumbprint, one])).values()];
}

/** Those that share a name with OLD first: they are what is mostly meant. */
function candidates(stored: Stored[], old: Stored | undefined): Stored[] {
  const shared = (one: Stored) => one.names.some((name) => old?.names.includes(name));
  return stored.filter(({ key_at_hand }) => key_at_hand).sort((one, other) => Number(shared(other)) - Number(shared(one))
    || other.not_after.localeCompare(one.not_after));
}

const FIELDS = () => ({ '--key': _('Its key, if it does not lie beside it'), '--repoint': _('How'), '--rewrite': _('How'), ...acceptField() });

type How = '' | '--repoint' | '--rewrite';

const argsOf = (old: string, fresh: string, key: string, how: How, accepted: string[]): string[] =>
  [...(key ? ['--key', key] : []), ...(how ? [how] : []), ...acceptArgs(accepted), '--', old, fresh];

export function ChooseRebind() {
  const asked = useAnswer('certificates');
  const route = useRoute();
  const value = (key: string) => route.values.get(key) ?? '';
  const path = value('path');
  const [key, setKey] = useState('');
  const [how, setHow] = useState<How>('');
  const [accepted, setAccepted] = useState<string[]>([]);
  const [planned, setPlanned] = useState<string[]>();
  const [running, setRunning] = useState<Call<'rebind'>>();
  // Only what the form shows is run: an address may come from anybody.
  const certificates = asked.answer?.certificates ?? [];
  const shown = (thumbprint: string) => (certificates.some((one) => one.thumbprint === thumbprint) ? thumbprint : '');
  const [old, fresh] = [shown(value('old')), shown(value('new'))];
  const target = path || fresh;
  const args = old && target ? argsOf(old, target, key, how, accepted) : null;
  const fields = useMemo(FIELDS, []);
  const choose = (more: Record<string, string>) => {
    setPlanned(undefined);
    setAccepted([]);
    keepValues(route, more);
  };
  if (running) return <RunningRebind call={running} onClose={() => { setRunning(undefined); setPlanned(undefined); }} />;
  return (
    <Loaded asked={asked}>
      {() => {
        const bound = once(certificates.filter(({ bindings }) => bindings > 0));
        const chosen = bound.find(({ thumbprint }) => thumbprint === old);
        return (
          <>
            <Form className="narrow" onSubmit={(event) => { event.preventDefault(); if (args) setPlanned(args); }}>
              <FormGroup label={_('Old: every site that serves it')} fieldId="old">
                <FormSelect id="old" value={old} onChange={(_event, value) => choose({ old: value })}>
                  <FormSelectOption value="" label={_('Choose…')} />
                  {bound.map((one) => <FormSelectOption key={one.thumbprint} value={one.thumbprint} label={titleOf(one)} />)}
                </FormSelect>
              </FormGroup>
              <FormGroup label={_('New: what they will serve')} fieldId="new">
                <FormSelect id="new" value={path ? '' : fresh} isDisabled={path !== ''} onChange={(_event, value) => choose({ new: value })}>
                  <FormSelectOption value="" label={_('Choose…')} />
                  {candidates(once(certificates), chosen).map((one) => <FormSelectOption key={one.thumbprint} value={one.thumbprint} label={titleOf(one)} />)}
                </FormSelect>
              </FormGroup>
              <FormGroup label={_('… or a file on this machine')} fieldId="path">
                <TextInput id="path" value={path} placeholder="/root/new/fullchain.pem" onChange={(_event, value) => choose({ path: value })} />
              </FormGroup>
              {path && (
                <FormGroup label={fields['--key']} fieldId="key">
                  <TextInput id="key" value={key} onChange={(_event, value) => { setPlanned(undefined); setKey(value); }} />
                </FormGroup>
              )}
              <FormGroup label={fields['--repoint']} fieldId="how">
                <FormSelect id="how" value={how} onChange={(_event, value) => { setPlanned(undefined); setHow(value as How); }}>
                  <FormSelectOption value="" label={_('As fits')} />
                  <FormSelectOption value="--repoint" label={_('Repoint: the directives name the new files')} />
                  <FormSelectOption value="--rewrite" label={_('Rewrite: put the new one into the files that are bound now')} />
                </FormSelect>
              </FormGroup>
              <div><Button type="submit" isDisabled={!args}>{_('Plan')}</Button></div>
            </Form>
            {planned && (
              <Planned key={JSON.stringify(planned)} args={planned} fields={fields} accepted={accepted}
                       onAccept={(names) => { setAccepted(names); if (old && target) setPlanned(argsOf(old, target, key, how, names)); }}
                       onRun={() => setRunning({ command: 'rebind', args: planned })} />
            )}
            <History />
          </>
        );
      }}
    </Loaded>
  );
}

interface PlannedProps {
  args: string[];
  fields: Fields;
  accepted: string[];
  onAccept: (names: string[]) => void;
  onRun: () => void;
}

function Planned({ args, fields, accepted, onAccept, onRun }: PlannedProps) {
  const asked = useAnswer('plan', ...args);
  const plans = asked.answer?.plans ?? asked.told?.plans ?? [];
  const sites = plans.reduce((sum, { bindings }) => sum + bindings.length, 0);
  const refused = asked.failure !== undefined;
  return (
    <section aria-label={_('Plan')} className="explained">
      <h2>{_('Plan')}</h2>
      {plans.length === 0 || refused ? <Loaded asked={asked} fields={fields}>{({ idle = [] }) => (
        <Alert isInline variant="info" title={_('There is nothing to do.')}>{idle.map((one) => <p key={one}>{one}</p>)}</Alert>
      )}</Loaded> : null}
      {plans.map((plan) => <PlanOf key={plan.service} plan={plan} fields={fields} />)}
      {(refused || accepted.length > 0) && <Risks findings={plans.flatMap(({ findings }) => findings)} accepted={accepted} onAccept={onAccept} />}
      {sites > 0 && !refused && (
        <ClipboardCopy isReadOnly textAriaLabel={_('The command')} hoverTip={_('Copy')} clickTip={_('Copied')}>{typed({ command: 'rebind', args })}</ClipboardCopy>
      )}
      {sites > 0 && !refused && <Button onClick={onRun}>{counted(sites, 'Rebind 1 binding', 'Rebind $0 bindings')}</Button>}
    </section>
  );
}
