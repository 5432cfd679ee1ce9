// What preflight refuses, and a person may overrule by its name.
import { Checkbox } from '@patternfly/react-core';

import { _ } from '../i18n';
import type { Finding } from '../wire';

interface Props {
  findings: Finding[];
  accepted: string[];
  onAccept: (names: string[]) => void;
}

export function Risks({ findings, accepted, onAccept }: Props) {
  const risks = new Map(findings.flatMap((one) => (one.accept ? [[one.accept, one.sentence] as const] : [])));
  return (
    <>
      {[...risks].map(([name, sentence]) => (
        <Checkbox key={name} id={`accept-${name}`} label={_('Go on all the same ($0): $1', name, sentence)} isChecked={accepted.includes(name)}
                  onChange={(_event, checked) => onAccept(checked ? [...accepted, name] : accepted.filter((one) => one !== name))} />
      ))}
    </>
  );
}

export const acceptField = () => ({ '--accept': _('Go on all the same') });

export const acceptArgs = (accepted: string[]): string[] => accepted.flatMap((name) => ['--accept', name]);
