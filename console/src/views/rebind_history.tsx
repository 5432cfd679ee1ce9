// What was rebound before.
import { Card, CardBody, CardTitle } from '@patternfly/react-core';

import { useAnswer } from '../host';
import { _ } from '../i18n';
import { Loaded } from '../parts/loaded';
import { Outcome } from '../parts/outcome';
import { linkTo } from '../route';
import { timeText } from '../time';
import type { Transaction } from '../wire';

const sitesOf = ({ successions }: Transaction) => [...new Set(successions.flatMap(({ sites = [] }) => sites))];

export function History() {
  const asked = useAnswer('history', '--limit', '50');
  return (
    <Card isCompact className="explained">
      <CardTitle component="h2">{_('History')}</CardTitle>
      <CardBody>
        <Loaded asked={asked}>
          {({ transactions }) => transactions.length === 0 ? <p>{_('Nothing was rebound yet.')}</p> : (
            <ul className="last">
              {transactions.map((one) => (
                <li key={one.id}>
                  <Outcome of={one.outcome} />{' '}
                  <a href={linkTo('rebind', { transaction: String(one.id) })}>{_('$0 $1 of $2', one.id, one.act, sitesOf(one).slice(0, 3).join(', ') || one.service)}</a>{' '}
                  <small>{timeText(one.started)}</small>
                </li>
              ))}
            </ul>
          )}
        </Loaded>
      </CardBody>
    </Card>
  );
}
