// The frame of every dialog that acts: its form, the command that it runs, and how that ended.
import { Button, ClipboardCopy, Form, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { useRef, useState, type ReactNode } from 'react';

import { ask, Failed, typed, type Call } from '../certrebind';
import { useHost } from '../host';
import { _ } from '../i18n';
import type { Answers } from '../wire';
import { Failure } from './failure';
import type { Fields } from './form_words';

interface Props<C extends keyof Answers> {
  title: string;
  verb: string; // on the button
  danger?: boolean;
  call: Call<C> | null; // null: the form is not complete
  input?: () => Promise<Uint8Array>; // for standard input
  lasting?: boolean; // it goes on if the page is closed
  fields?: Fields; // of the form
  children?: ReactNode;
  failed?: (told: Partial<Answers[C]>) => void; // what the command told before it failed
  done?: (answer: Answers[C]) => ReactNode; // what is shown when it is done; without it, the dialog closes
  onClose: () => void;
}

export function ActDialog<C extends keyof Answers>({ title, verb, danger = false, call, input, lasting = false, fields = {}, children, failed, done, onClose }: Props<C>) {
  const host = useHost();
  const [busy, setBusy] = useState(false);
  const running = useRef(false); // a second click is no second act
  const [failure, setFailure] = useState<Error>();
  const [answer, setAnswer] = useState<Answers[C]>();

  const act = async () => {
    if (!call || running.current) return;
    running.current = true;
    setBusy(true);
    setFailure(undefined);
    try {
      const got = await ask(host.transport, call, 'act', { lasting, ...(input && { input: await input() }) });
      if (done) setAnswer(got);
      else onClose();
    } catch (caught) {
      setFailure(caught as Error);
      if (caught instanceof Failed) failed?.(caught.answer as Partial<Answers[C]>);
    }
    running.current = false;
    setBusy(false);
    host.refresh();
  };

  return (
    <Modal isOpen variant="medium" aria-label={title} onClose={onClose}>
      <ModalHeader title={title} />
      <ModalBody>
        {answer && done ? done(answer) : (
          <Form onSubmit={(event) => { event.preventDefault(); void act(); }}>
            {children}
            {call && (
              <div>
                <div className="shown-command">{_('This runs')}</div>
                <ClipboardCopy isReadOnly textAriaLabel={_('The command')} hoverTip={_('Copy')} clickTip={_('Copied')}>{typed(call)}</ClipboardCopy>
              </div>
            )}
            {failure && <Failure failure={failure} fields={fields} />}
          </Form>
        )}
      </ModalBody>
      <ModalFooter>
        {answer ? <Button onClick={onClose}>{_('Close')}</Button> : (
          <>
            <Button variant={danger ? 'danger' : 'primary'} isDisabled={!call || busy} isLoading={busy} onClick={() => void act()}>{verb}</Button>
            <Button variant="link" onClick={onClose}>{_('Cancel')}</Button>
          </>
        )}
      </ModalFooter>
    </Modal>
  );
}
