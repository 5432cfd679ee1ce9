// The kind of key to make.
import { FormGroup, FormSelect, FormSelectOption } from '@patternfly/react-core';

import { _ } from '../i18n';

export type KeyType = 'ec' | 'rsa';

export function KeyChoice({ value, onKey }: { value: KeyType; onKey: (key: KeyType) => void }) {
  return (
    <FormGroup label={_('Key')} fieldId="key-type">
      <FormSelect id="key-type" value={value} onChange={(_event, key) => onKey(key as KeyType)}>
        <FormSelectOption value="ec" label={_('ECDSA P-256')} />
        <FormSelectOption value="rsa" label={_('RSA, for old clients')} />
      </FormSelect>
    </FormGroup>
  );
}

/** "a.example.com, b.example.com" as arguments. */
export const namesOf = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);
