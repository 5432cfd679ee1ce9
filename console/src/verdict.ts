// The one true sentence: what `check` and `status` say, in a line that a person reads first.
import { _, counted } from './i18n';
import { dateText } from './time';
import type { Attention, CheckAnswer, Checked, StatusAnswer } from './wire';

export interface Verdict {
  status: 'success' | 'warning' | 'danger' | 'info';
  sentence: string;
}

const RENEWED = 'renewed but not reloaded';

const complaintsOf = (binding: Checked) => binding.remarks.filter((remark) => !remark.accepted);
const isWrong = (binding: Checked) => binding.level !== 'OK' || complaintsOf(binding).length > 0;

/** When the newest of these certificates began to be valid: that is when it was renewed. */
function renewedOn(bindings: Checked[]): string {
  const days = new Set(bindings.map(({ certificate }) => (certificate ? dateText(certificate.not_before) : '')));
  const [day] = days;
  return days.size === 1 && day ? day : '';
}

export function verdictOf(check: CheckAnswer): Verdict {
  const wrong = check.bindings.filter(isWrong);
  const all = check.bindings.length + check.left_out;
  if (all === 0) return { status: 'info', sentence: _('No running server was found that binds a certificate.') };
  if (wrong.length === 0 && check.level === 'OK') {
    return { status: 'success', sentence: counted(all, 'The one binding serves what it should.', 'All $0 bindings serve what they should.') };
  }
  const stale = wrong.filter((binding) => complaintsOf(binding).some(({ complaint }) => complaint === RENEWED));
  if (stale.length > 0) {
    const sites = counted(new Set(stale.map(({ site }) => site)).size, '1 site serves', '$0 sites serve');
    const day = renewedOn(stale);
    return { status: 'danger', sentence: day ? _('$0 a certificate that was renewed on $1.', sites, day)
                                             : _('$0 a certificate that has been renewed.', sites) };
  }
  const status = check.level === 'CRITICAL' ? 'danger' : 'warning';
  if (wrong.length > 0) {
    return { status, sentence: counted(wrong.length, '1 of $1 bindings is not as it should be.',
                                       '$0 of $1 bindings are not as they should be.', all.toLocaleString()) };
  }
  return { status, sentence: _('The bindings serve what they should, but not everything could be looked at.') };
}

/** What keeps renewals from being rebound by themselves; empty if nothing does. */
export function automaticHindrance(status: StatusAnswer): string {
  if (!status.enabled) return _('Renewed certificates are not rebound by themselves.');
  if (!status.daemon) return _('The daemon does not run, so renewals are not noticed.');
  return '';
}

/** What check found that nobody has told of yet, each sentence once. */
export function findingsOf(check: CheckAnswer): Attention[] {
  const found = check.bindings.flatMap((binding) => complaintsOf(binding).map(({ sentence, next }) => [sentence, { sentence, next }] as const));
  return [...new Map(found).values()];
}
