// How far a transaction is.
import { ProgressStep, ProgressStepper } from '@patternfly/react-core';

import { _ } from '../i18n';

const FORWARD = ['planned', 'staged', 'swapping', 'swapped', 'tested', 'reloading', 'verifying', 'committed'];
const BACK = ['restoring', 'restored'];

const wordOf = (phase: string): string => ({
  planned: _('Planned'), staged: _('Staged'), swapping: _('Swapping'), swapped: _('Swapped'), tested: _('Tested'), reloading: _('Reloading'),
  verifying: _('Proving'), committed: _('Proven'), restoring: _('Taking back'), restored: _('As before'),
})[phase] ?? phase;

export function Phases({ phase }: { phase: string }) {
  const goesBack = BACK.includes(phase);
  const steps = goesBack ? BACK : FORWARD;
  const at = steps.indexOf(phase);
  if (at < 0) return null; // refused or stuck: its sentences tell
  return (
    <ProgressStepper aria-label={_('Phases')}>
      {steps.map((step, index) => {
        const over = index < at || (index === at && index === steps.length - 1);
        const variant = over ? (goesBack ? 'warning' : 'success') : index === at ? 'info' : 'pending';
        return <ProgressStep key={step} id={`phase-${step}`} titleId={`phase-title-${step}`} variant={variant} isCurrent={index === at} aria-label={wordOf(step)}>{wordOf(step)}</ProgressStep>;
      })}
    </ProgressStepper>
  );
}
