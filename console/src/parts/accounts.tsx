// How transactions ended, one for each server.
import { Alert } from '@patternfly/react-core';

import { _ } from '../i18n';
import { linkTo } from '../route';
import type { Account } from '../wire';

const VARIANTS: Record<string, 'success' | 'warning' | 'danger'> = { committed: 'success', 'rolled back': 'warning', refused: 'warning' };

export function AccountsOf({ accounts }: { accounts: Account[] }) {
  return (
    <>
      {accounts.map(({ service, transaction, outcome, account }) => (
        <Alert key={`${service} ${transaction}`} isInline variant={VARIANTS[outcome] ?? 'danger'} title={`${service}: ${outcome}`}
               actionLinks={transaction > 0 && <a href={linkTo('rebind', { transaction: String(transaction) })}>{_('Look at it')}</a>}>
          {account.map((sentence) => <p key={sentence}>{sentence}</p>)}
        </Alert>
      ))}
    </>
  );
}
