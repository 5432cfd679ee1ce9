// The coming expiries and renewals. Days are drawn to a logarithmic scale, so that certificates of six days, of 47 and of a year are all
// readable in one picture.
import { _, counted } from '../i18n';
import { DAY, now } from '../time';

const WIDTH = 760;
const ROW = 44;
const DAYS = 400;
const COLUMNS = 40;
const MARKS: [number, string][] = [[0, 'now'], [1, '1 d'], [6, '6 d'], [14, '14 d'], [47, '47 d'], [90, '90 d'], [200, '200 d'], [398, '398 d']];

const xOf = (days: number) => (Math.log1p(Math.min(Math.max(days, 0), DAYS)) / Math.log1p(DAYS)) * WIDTH;

interface Moment {
  at: string; // RFC 3339
  name: string;
}

interface Row {
  title: string;
  className: string;
  moments: Moment[];
}

interface Bar {
  column: number;
  names: string[];
}

function barsOf(moments: Moment[], at: number): Bar[] {
  const bars = new Map<number, string[]>();
  for (const moment of moments) {
    const days = (Date.parse(moment.at) - at) / DAY;
    const column = Math.min(COLUMNS - 1, Math.floor((xOf(days) / WIDTH) * COLUMNS));
    bars.set(column, [...(bars.get(column) ?? []), moment.name]);
  }
  return [...bars].map(([column, names]) => ({ column, names }));
}

const SOON = Math.floor((xOf(14) / WIDTH) * COLUMNS); // two weeks

function BarsOf({ row, top, at }: { row: Row; top: number; at: number }) {
  const bars = barsOf(row.moments, at);
  const most = Math.max(1, ...bars.map(({ names }) => names.length));
  return (
    <g className={row.className}>
      <text x={0} y={top + 10} className="row-title">{row.title}</text>
      {bars.map(({ column, names }) => {
        const height = 6 + (ROW - 24) * (Math.log1p(names.length) / Math.log1p(most));
        return (
          <rect key={column} className={column < SOON ? 'soon' : ''} x={(column * WIDTH) / COLUMNS + 1} y={top + ROW - height} width={WIDTH / COLUMNS - 2} height={height} rx={2}>
            <title>{`${counted(names.length, '1 certificate', '$0 certificates')}: ${names.slice(0, 8).join(', ')}${names.length > 8 ? ' …' : ''}`}</title>
          </rect>
        );
      })}
      <line x1={0} x2={WIDTH} y1={top + ROW} y2={top + ROW} className="axis" />
    </g>
  );
}

export function Timeline({ expiries, renewals }: { expiries: Moment[]; renewals: Moment[] }) {
  const at = now();
  const rows: Row[] = [
    { title: _('Expiries'), className: 'expiries', moments: expiries },
    { title: _('Planned renewals'), className: 'renewals', moments: renewals },
  ].filter(({ moments }) => moments.length > 0);
  if (rows.length === 0) return <p>{_('No certificate is bound.')}</p>;
  const height = rows.length * (ROW + 8) + 18;
  const soonest = [...expiries].sort((one, other) => one.at.localeCompare(other.at))[0];
  const words = _('The coming $0 days: $1, $2.', DAYS, counted(expiries.length, '1 expiry', '$0 expiries'),
                  counted(renewals.length, '1 planned renewal', '$0 planned renewals'))
                + (soonest ? ' ' + _('The first to expire is $0.', soonest.name) : '');
  return (
    <svg className="timeline" viewBox={`-4 0 ${WIDTH + 40} ${height}`} role="img" aria-label={words}>
      {rows.map((row, index) => <BarsOf key={row.title} row={row} top={index * (ROW + 8)} at={at} />)}
      {MARKS.map(([days, text]) => (
        <g key={days} className="mark">
          <line x1={xOf(days)} x2={xOf(days)} y1={0} y2={height - 16} />
          <text x={xOf(days) + 2} y={height - 4}>{text}</text>
        </g>
      ))}
    </svg>
  );
}
