// Tasks: what runs when something happens to a certificate.
import { Button, Card, CardBody, CardTitle, CodeBlock, CodeBlockCode, Label, Switch, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState } from 'react';

import { RemoveTaskDialog, RunTaskDialog, SwitchTaskDialog, TaskDialog } from '../dialogs/task';
import { useAnswer } from '../host';
import { _ } from '../i18n';
import { Failure } from '../parts/failure';
import { Loaded } from '../parts/loaded';
import { keepValues, useRoute } from '../route';
import { timeText } from '../time';
import type { Run, Task } from '../wire';

type Asking = { act: 'add' } | { act: 'edit' | 'run' | 'remove' | 'switch'; task: Task };

const triggersOf = ({ events, event_names, every, daily_at }: Task) =>
  [...events.map((id, at) => `${id} ${event_names[at] ?? ''}`), every && _('every $0', every), daily_at && _('daily at $0', daily_at)].filter(Boolean).join(', ');

export function Tasks() {
  const asked = useAnswer('task list');
  const route = useRoute();
  const [asking, setAsking] = useState<Asking>();
  const close = () => setAsking(undefined);
  const chosen = route.values.get('task');
  return (
    <>
      <Toolbar><ToolbarContent><ToolbarItem><Button onClick={() => setAsking({ act: 'add' })}>{_('Add a task…')}</Button></ToolbarItem></ToolbarContent></Toolbar>
      <Loaded asked={asked}>
        {({ tasks, errors }) => (
          <>
            {errors.map(({ message, hint }) => <p key={message}>{message} {hint && _('Next: $0', hint)}</p>)}
            {tasks.length === 0 ? <p>{_('There is no task. Enabling the automatic rebind makes the first.')}</p> : (
              <Table aria-label={_('Tasks')} variant="compact" gridBreakPoint="grid-lg">
                <Thead><Tr>{[_('Name'), _('Triggers'), _('Command'), _('Enabled'), _('Next run'), _('Last run'), _('Actions')].map((title) => <Th key={title} modifier="fitContent">{title}</Th>)}</Tr></Thead>
                <Tbody>
                  {tasks.map((task) => (
                    <Tr key={task.name} isRowSelected={task.name === chosen}>
                      <Td dataLabel={_('Name')}><strong>{task.name}</strong><div className="names">{task.description}</div></Td>
                      <Td dataLabel={_('Triggers')}>{triggersOf(task)}</Td>
                      <Td dataLabel={_('Command')} className="breakable"><code>{task.command.join(' ')}</code></Td>
                      <Td dataLabel={_('Enabled')}>
                        <Switch id={`enabled-${task.name}`} aria-label={_('Enabled: $0', task.name)} isChecked={task.enabled} onChange={() => setAsking({ act: 'switch', task })} />
                      </Td>
                      <Td dataLabel={_('Next run')}>{task.next_run ? timeText(task.next_run) : '–'}</Td>
                      <Td dataLabel={_('Last run')}>{task.last_run ? <RunState run={task.last_run} /> : '–'}</Td>
                      <Td dataLabel={_('Actions')}>
                        <Button variant="link" isInline onClick={() => keepValues(route, { task: task.name })} aria-label={_('Runs of $0', task.name)}>{_('Runs')}</Button>{' '}
                        <Button variant="link" isInline onClick={() => setAsking({ act: 'run', task })} aria-label={_('Run $0', task.name)}>{_('Run…')}</Button>{' '}
                        <Button variant="link" isInline onClick={() => setAsking({ act: 'edit', task })} aria-label={_('Edit $0', task.name)}>{_('Edit…')}</Button>{' '}
                        <Button variant="link" isInline isDanger onClick={() => setAsking({ act: 'remove', task })} aria-label={_('Remove $0', task.name)}>{_('Remove…')}</Button>
                      </Td>
                    </Tr>
                  ))}
                </Tbody>
              </Table>
            )}
            {chosen && <Runs key={chosen} task={chosen} />}
          </>
        )}
      </Loaded>
      {asking?.act === 'add' && <TaskDialog onClose={close} />}
      {asking?.act === 'edit' && <TaskDialog task={asking.task} onClose={close} />}
      {asking?.act === 'run' && <RunTaskDialog task={asking.task} onClose={close} />}
      {asking?.act === 'remove' && <RemoveTaskDialog task={asking.task} onClose={close} />}
      {asking?.act === 'switch' && <SwitchTaskDialog task={asking.task} onClose={close} />}
    </>
  );
}

const STATES: Record<string, 'success' | 'danger' | 'info'> = { done: 'success', failed: 'danger' };

function RunState({ run }: { run: Run }) {
  return <><Label isCompact status={STATES[run.state] ?? 'info'}>{run.state}</Label> <small>{timeText(run.ended || run.started || run.due)}</small></>;
}

function Runs({ task }: { task: string }) {
  const asked = useAnswer('task history', '--limit', '50', '--', task);
  const [shown, setShown] = useState<number>();
  if (asked.failure) return <Failure failure={asked.failure} />;
  return (
    <Card isCompact className="explained">
      <CardTitle component="h2">{_('Runs of $0', task)}</CardTitle>
      <CardBody>
        <Loaded asked={asked}>
          {({ runs = [] }) => (
            <ul className="last">
              {runs.map((run) => (
                <li key={run.id}>
                  <RunState run={run} />{' '}
                  <Button variant="link" isInline onClick={() => setShown(run.id)} aria-label={_('Output of run $0', run.id)}>{_('Output')}</Button>
                  {shown === run.id && <RunOutput id={run.id} />}
                </li>
              ))}
            </ul>
          )}
        </Loaded>
      </CardBody>
    </Card>
  );
}

function RunOutput({ id }: { id: number }) {
  const asked = useAnswer('task history', '--id', String(id));
  return <Loaded asked={asked}>{({ output, status }) => <CodeBlock><CodeBlockCode>{output || _('no output; exit status $0', status ?? '–')}</CodeBlockCode></CodeBlock>}</Loaded>;
}
