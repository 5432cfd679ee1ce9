// When a certificate expires, with what is left of its life as a bar.
import { dateText, expiryGroup, leftText, lifeLeft } from '../time';

export function Expiry({ notBefore, notAfter }: { notBefore: string; notAfter: string }) {
  const left = lifeLeft(notBefore, notAfter);
  const soon = expiryGroup(notAfter) === 'Expired' ? 'expired' : left < 0.1 ? 'near' : 'far';
  return (
    <span className="expiry">
      <span title={notAfter}>{dateText(notAfter)}</span>{' '}
      <small>{leftText(notAfter)}</small>
      <meter className={soon} min={0} max={1} value={left} aria-label={leftText(notAfter)} />
    </span>
  );
}
