// One look: is everything served what should be served, and what needs a person?
import { Alert, Button, Card, CardBody, CardTitle, Grid, GridItem, Switch } from '@patternfly/react-core';
import { useState } from 'react';

import { AutomaticDialog } from '../dialogs/automatic';
import { useAnswer } from '../host';
import { _ } from '../i18n';
import { Failure } from '../parts/failure';
import { Loaded } from '../parts/loaded';
import { Outcome } from '../parts/outcome';
import { Timeline } from '../parts/timeline';
import { linkTo } from '../route';
import { timeText } from '../time';
import { automaticHindrance, findingsOf, verdictOf } from '../verdict';
import type { Attention, Last, StatusAnswer, Stored } from '../wire';

const SHOWN = 8; // of the things that need a person

export function Overview() {
  const status = useAnswer('status');
  const check = useAnswer('check');
  const certificates = useAnswer('certificates');
  return (
    <Loaded asked={status}>
      {(answer) => (
        <Grid hasGutter>
          <GridItem span={12}>
            <Loaded asked={check}>
              {(found) => {
                const { status, sentence } = verdictOf(found);
                return (
                  <Alert isInline variant={status} title={<span className="verdict">{sentence}</span>} component="h2"
                         actionLinks={<a href={linkTo('bindings')}>{_('Look at the bindings')}</a>} />
                );
              }}
            </Loaded>
          </GridItem>
          <GridItem md={7}><NeedsPerson things={[...answer.needs_person, ...(check.answer ? findingsOf(check.answer) : [])]} /></GridItem>
          <GridItem md={5}><Automatic status={answer} /></GridItem>
          <GridItem span={12}>
            <Card isCompact>
              <CardTitle component="h2">{_('The coming 400 days')}</CardTitle>
              <CardBody>
                {certificates.failure ? <Failure failure={certificates.failure} />
                  : <Coming status={answer} stored={certificates.answer?.certificates ?? []} />}
              </CardBody>
            </Card>
          </GridItem>
          <GridItem span={12}><LastRebinds last={answer.last} /></GridItem>
        </Grid>
      )}
    </Loaded>
  );
}

function NeedsPerson({ things }: { things: Attention[] }) {
  return (
    <Card isCompact isFullHeight>
      <CardTitle component="h2">{_('What needs you')}</CardTitle>
      <CardBody>
        {things.length === 0 ? <p>{_('Nothing.')}</p> : (
          <ul className="attention">
            {things.slice(0, SHOWN).map((thing) => (
              <li key={`${thing.subject ?? ''} ${thing.sentence}`}>
                <p>{thing.sentence}</p>
                {thing.next && <p>{_('Next: $0', thing.next)}</p>}
              </li>
            ))}
            {things.length > SHOWN && <li><a href={linkTo('bindings')}>{_('… and $0 more', things.length - SHOWN)}</a></li>}
          </ul>
        )}
      </CardBody>
    </Card>
  );
}

function Automatic({ status }: { status: StatusAnswer }) {
  const [asking, setAsking] = useState<'enable' | 'disable'>();
  const hindrance = automaticHindrance(status);
  return (
    <Card isCompact isFullHeight>
      <CardBody>
        <Switch id="automatic" label={_('Automatic rebind of renewed certificates')} isChecked={status.enabled}
                className="automatic" onChange={() => setAsking(status.enabled ? 'disable' : 'enable')} />
        {hindrance ? (
          <Alert isInline isPlain variant="warning" title={hindrance}
                 actionLinks={<Button variant="link" isInline onClick={() => setAsking('enable')}>{status.enabled ? _('Start it') : _('Enable')}</Button>} />
        ) : <p>{_('A renewal by any tool or hand is noticed, tested, loaded and proven by handshakes, or taken back.')}</p>}
      </CardBody>
      {asking && <AutomaticDialog act={asking} onClose={() => setAsking(undefined)} />}
    </Card>
  );
}

function Coming({ status, stored }: { status: StatusAnswer; stored: Stored[] }) {
  const bound = new Set(status.expires_next.map(({ path }) => path));
  const renewals = stored.flatMap(({ path, names, renewer }) =>
    bound.has(path) && renewer?.next_due ? [{ at: renewer.next_due, name: names[0] ?? path }] : []);
  return <Timeline expiries={status.expires_next.map(({ not_after, sites, path }) => ({ at: not_after, name: sites?.[0] ?? path }))} renewals={renewals} />;
}

function LastRebinds({ last }: { last: Last[] }) {
  return (
    <Card isCompact>
      <CardTitle component="h2">{_('Last rebinds')}</CardTitle>
      <CardBody>
        {last.length === 0 ? <p>{_('None yet.')}</p> : (
          <ul className="last">
            {last.map((one) => (
              <li key={one.id}>
                <Outcome of={one.outcome} /> <a href={linkTo('rebind', { transaction: String(one.id) })}>{_('$0 of $1', one.act, one.service)}</a>{' '}
                <small>{timeText(one.started)}</small>
              </li>
            ))}
          </ul>
        )}
      </CardBody>
    </Card>
  );
}
