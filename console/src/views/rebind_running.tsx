// A rebind at work: its phases, and which endpoints show the new certificate already.
import { Alert, Button, Label } from '@patternfly/react-core';
import { useCallback, useEffect, useRef, useState } from 'react';

import { ask, Failed, typed, type Call } from '../certrebind';
import { useHost } from '../host';
import { _ } from '../i18n';
import { AccountsOf } from '../parts/accounts';
import { Failure } from '../parts/failure';
import { Phases } from '../parts/phases';
import { useEvery } from '../polling';
import type { Account, RebindAnswer, Transaction } from '../wire';

const POLL = 500; // ms
const SHOWN = 100; // endpoints

interface Shown {
  where: string;
  thumbprint: string | undefined;
}

export function RunningRebind({ call, onClose }: { call: Call<'rebind'>; onClose: () => void }) {
  const host = useHost();
  const began = useRef(false);
  const [over, setOver] = useState(false);
  const [failure, setFailure] = useState<Error>();
  const [accounts, setAccounts] = useState<Account[]>([]);
  const { transactions, shown, look } = useProgress(!over);

  useEffect(() => {
    if (began.current) return; // once, however often it is drawn
    began.current = true;
    const run = async () => {
      try {
        await look(); // so that what was there before is known
        setAccounts((await ask(host.transport, call, 'act', { lasting: true })).accounts ?? []);
      } catch (caught) {
        setFailure(caught as Error);
        if (caught instanceof Failed) setAccounts((caught.answer as Partial<RebindAnswer>).accounts ?? []);
      }
      await look();
      setOver(true);
      host.refresh();
    };
    void run();
  }, [host, call, look]);

  const fresh = new Set(transactions.flatMap(({ successions }) => successions.map((one) => one.new)));
  return (
    <section aria-label={_('Rebind')} aria-live="polite">
      <h2>{over ? _('The rebind is over') : _('Rebinding…')}</h2>
      <p><code>{typed(call)}</code></p>
      {!over && <Alert isInline isPlain variant="info" title={_('It goes on if this page is closed; the history shows how it ended.')} />}
      {transactions.map(({ id, service, phase }) => <div key={id}><h3>{service}</h3><Phases phase={phase} /></div>)}
      {fresh.size > 0 && (
        <ul className="last" aria-label={_('Endpoints')}>
          {shown.slice(0, SHOWN).map(({ where, thumbprint }) => (
            <li key={where}>
              {thumbprint && fresh.has(thumbprint) ? <Label isCompact status="success">{_('new')}</Label> : <Label isCompact>{thumbprint ? _('old') : _('no answer')}</Label>} {where}
            </li>
          ))}
        </ul>
      )}
      <AccountsOf accounts={accounts} />
      {failure && accounts.length === 0 && <Failure failure={failure} />}
      {over && <Button onClick={onClose}>{_('Close')}</Button>}
    </section>
  );
}

/** The transactions that began after the first look, with their phases, and what their sites show in handshakes. */
function useProgress(active: boolean): { transactions: Transaction[]; shown: Shown[]; look: () => Promise<void> } {
  const host = useHost();
  const before = useRef<number>();
  const [transactions, setTransactions] = useState<Transaction[]>([]);
  const [shown, setShown] = useState<Shown[]>([]);
  const look = useCallback(async () => {
    try {
      const { transactions: all } = await ask(host.transport, { command: 'history', args: ['--limit', '20'] }, 'look');
      before.current ??= Math.max(0, ...all.map(({ id }) => id));
      const mine = all.filter(({ id }) => id > before.current!).reverse();
      setTransactions(mine);
      const sites = new Set(mine.flatMap(({ service, successions }) => successions.flatMap(({ sites: of = [] }) => of.map((site) => `${service} ${site}`))));
      if (sites.size > 0) {
        const { bindings } = await ask(host.transport, { command: 'scan', args: ['--served'] }, 'look');
        setShown(bindings.filter(({ service, site }) => sites.has(`${service} ${site}`)).flatMap(({ site, served = [] }) =>
          served.map(({ address, sni, thumbprint }) => ({ where: `${site}: ${address}${sni && ` (${sni})`}`, thumbprint }))));
      }
    } catch { /* the rebind itself says what is wrong */ }
  }, [host]);
  useEvery(active ? POLL : null, () => void look());
  return { transactions, shown, look };
}
