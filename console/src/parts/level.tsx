// What check thinks of a binding, by color and in a word.
import { Label } from '@patternfly/react-core';

import { _ } from '../i18n';

const STATUS = { OK: 'success', WARNING: 'warning', CRITICAL: 'danger' } as const;

export function Level({ level }: { level: string }) {
  const text = { OK: _('OK'), WARNING: _('Warning'), CRITICAL: _('Critical') }[level] ?? level;
  return <Label isCompact status={STATUS[level as keyof typeof STATUS] ?? 'info'}>{text}</Label>;
}
