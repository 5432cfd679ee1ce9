// How a transaction ended, by color and in its words.
import { Label } from '@patternfly/react-core';

import { _ } from '../i18n';

const STATUS: Record<string, 'success' | 'warning' | 'danger'> = {
  committed: 'success', 'rolled back': 'warning', refused: 'warning', 'needs operator': 'danger', interrupted: 'danger',
};

export function Outcome({ of }: { of: string }) {
  return <Label isCompact status={STATUS[of] ?? 'info'}>{of || _('at work')}</Label>;
}
