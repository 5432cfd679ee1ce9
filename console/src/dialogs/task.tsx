// Tasks are added, changed, run and removed here.
import { Button, Checkbox, ClipboardCopy, CodeBlock, CodeBlockCode, FormGroup, FormHelperText, HelperText, HelperTextItem, Modal, ModalBody,
         ModalFooter, ModalHeader, TextArea } from '@patternfly/react-core';
import { useState } from 'react';

import { isEscaped, type Call } from '../certrebind';
import { _ } from '../i18n';
import { ActDialog } from '../parts/act_dialog';
import { TextField } from '../parts/text_field';
import type { Task } from '../wire';

interface Draft {
  name: string;
  description: string;
  events: string;
  names: string;
  every: string;
  dailyAt: string;
  window: string;
  command: string; // an argument a line
  oncePerBatch: boolean;
  runForExisting: boolean;
}

const draftOf = (task?: Task): Draft => ({
  name: task?.name ?? '', description: task?.description ?? '', events: task?.events.join(', ') ?? '2002',
  names: task?.names?.join(', ') ?? '', every: task?.every ?? '', dailyAt: task?.daily_at ?? '', window: task?.window ?? '',
  command: task?.command.join('\n') ?? '', oncePerBatch: task?.once_per_batch ?? false, runForExisting: false,
});

const listOf = (text: string) => text.split(',').map((each) => each.trim()).filter(Boolean);
const given = (option: string, value: string) => (value ? [option, value] : []);

/** What a form does not show of an edited task stays as it was. */
const kept = (task?: Task): string[] => task === undefined ? [] : [
  '--replace', ...(task.enabled ? [] : ['--disabled']), ...given('--store', task.store ?? ''), ...given('--issuer', task.issuer ?? ''), ...given('--only', task.service ?? ''),
  '--time-limit', task.time_limit, '--retries', String(task.retries), '--retry-after', task.retry_after,
  ...Object.entries(task.environment).flatMap(([name, value]) => ['--env', `${name}=${String(value)}`]),
];

function callOf(draft: Draft, task?: Task): Call<'task add'> | null {
  const command = draft.command.split('\n').filter(Boolean);
  if (!draft.name || command.length === 0) return null;
  return {
    command: 'task add',
    args: [
      ...kept(task), ...listOf(draft.events).flatMap((event) => ['--event', event]), ...listOf(draft.names).flatMap((name) => ['--name', name]),
      ...given('--every', draft.every), ...given('--daily-at', draft.dailyAt), ...given('--window', draft.window),
      ...given('--description', draft.description), ...(draft.oncePerBatch ? ['--once-per-batch'] : []),
      ...(draft.runForExisting ? ['--run-for-existing'] : []), draft.name, '--', ...command,
    ],
  };
}

/** Whether the form can show this task whole: otherwise saving would change what nobody edited. */
const fitsForm = ({ command, environment }: Task): boolean =>
  command.every((each) => each !== '' && !isEscaped(each)) && !Object.values(environment).some((value) => isEscaped(String(value)));

export function TaskDialog({ task, onClose }: { task?: Task; onClose: () => void }) {
  return task && !fitsForm(task) ? <EditElsewhere task={task} onClose={onClose} /> : <TaskForm {...(task && { task })} onClose={onClose} />;
}

function EditElsewhere({ task, onClose }: { task: Task; onClose: () => void }) {
  return (
    <Modal isOpen variant="medium" aria-label={_('Edit the task $0', task.name)} onClose={onClose}>
      <ModalHeader title={_('Edit the task $0', task.name)} />
      <ModalBody>
        <p>{_('Its command has an empty argument or one of several lines, which this form cannot show. Edit it in a terminal:')}</p>
        <ClipboardCopy isReadOnly textAriaLabel={_('The command')} hoverTip={_('Copy')} clickTip={_('Copied')}>{`certrebind task edit ${task.name}`}</ClipboardCopy>
      </ModalBody>
      <ModalFooter><Button onClick={onClose}>{_('Close')}</Button></ModalFooter>
    </Modal>
  );
}

function TaskForm({ task, onClose }: { task?: Task; onClose: () => void }) {
  const [draft, setDraft] = useState(() => draftOf(task));
  const text = (key: keyof Draft & string, label: string, help?: string, disabled = false) => (
    <TextField id={`task-${key}`} label={label} value={String(draft[key])} help={help} disabled={disabled} onText={(value) => setDraft({ ...draft, [key]: value })} />
  );
  const fields = {
    '--event': _('Events'), '--every': _('Every'), '--daily-at': _('Daily at'), '--window': _('Window'), '--name': _('Only for certificates with these names'),
  };
  return (
    <ActDialog title={task ? _('Edit the task $0', task.name) : _('Add a task')} verb={task ? _('Save') : _('Add')} call={callOf(draft, task)} fields={fields} onClose={onClose}>
      {text('name', _('Name'), undefined, task !== undefined)}
      {text('description', _('Description'))}
      {text('events', fields['--event'], _('Numbers or names, with commas between. 2002, committed, comes after the proof; 1001, replaced, when a renewal is noticed.'))}
      {text('names', fields['--name'], _('For example *.example.com'))}
      {text('every', fields['--every'], _('A timer: 12h, 30m, 1d'))}
      {text('dailyAt', fields['--daily-at'], _('A timer: 03:30, local time'))}
      {text('window', fields['--window'], _('Runs wait until it opens: 02:00-04:00'))}
      <FormGroup label={_('Program and arguments, one a line')} fieldId="task-command">
        <TextArea id="task-command" value={draft.command} rows={4} onChange={(_event, command) => setDraft({ ...draft, command })} />
        <FormHelperText><HelperText><HelperTextItem>{_('No shell is involved. The program and the way to it must belong to root. Variables: $(NewCertHash), $(Names), $(Path) …')}</HelperTextItem></HelperText></FormHelperText>
      </FormGroup>
      <Checkbox id="task-batch" label={_('One run for all events that wait')} isChecked={draft.oncePerBatch} onChange={(_event, oncePerBatch) => setDraft({ ...draft, oncePerBatch })} />
      {!task && <Checkbox id="task-existing" label={_('Run it for the renewals of the past, too')} isChecked={draft.runForExisting} onChange={(_event, runForExisting) => setDraft({ ...draft, runForExisting })} />}
    </ActDialog>
  );
}

export function RunTaskDialog({ task, onClose }: { task: Task; onClose: () => void }) {
  const [record, setRecord] = useState('');
  return (
    <ActDialog title={_('Run the task $0', task.name)} verb={_('Run')} onClose={onClose} lasting
               call={{ command: 'task run', args: [...given('--event', record), '--', task.name] }}
               done={({ status, output }) => (
                 <>
                   <p>{_('It ended with exit status $0.', status)}</p>
                   {output && <CodeBlock><CodeBlockCode>{output}</CodeBlockCode></CodeBlock>}
                 </>
               )}>
      <TextField id="record" label={_('As if this record of the log had triggered it')} value={record} onText={setRecord} />
    </ActDialog>
  );
}

export function RemoveTaskDialog({ task, onClose }: { task: Task; onClose: () => void }) {
  return (
    <ActDialog title={_('Remove the task $0', task.name)} verb={_('Remove')} danger onClose={onClose} call={{ command: 'task remove', args: ['--', task.name] }}>
      <p>{_('Its file goes, and the runs that wait.')}</p>
    </ActDialog>
  );
}

export function SwitchTaskDialog({ task, onClose }: { task: Task; onClose: () => void }) {
  const act = task.enabled ? 'task disable' : 'task enable';
  return (
    <ActDialog title={task.enabled ? _('Disable the task $0', task.name) : _('Enable the task $0', task.name)} verb={task.enabled ? _('Disable') : _('Enable')}
               onClose={onClose} call={{ command: act, args: ['--', task.name] }}>
      <p>{task.enabled ? _('It no longer runs when it is triggered.') : _('It runs again when it is triggered.')}</p>
    </ActDialog>
  );
}
