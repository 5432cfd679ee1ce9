// A table of which only the rows in sight are in the document: ten thousand scroll as smoothly as ten.
import { Table, Tbody, Th, Thead, Tr } from '@patternfly/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useRef, type ReactNode } from 'react';

import { _ } from '../i18n';

export interface Column<R> {
  title: string;
  cell: (row: R) => ReactNode;
  order?: (one: R, other: R) => number;
}

export interface Sorting {
  column: number;
  descending: boolean;
}

/** A row, or the heading of a group. */
export type Line<R> = { row: R } | { heading: string; count: number };

interface Props<R> {
  label: string;
  columns: Column<R>[];
  lines: Line<R>[];
  keyOf: (row: R) => string;
  sorting?: Sorting;
  onSort?: (sorting: Sorting) => void;
  chosen?: string | undefined;
  onChoose?: (row: R) => void;
  chooseLabel?: (row: R) => string;
}

const ROW = 96; // px, a guess until a row is measured; too much rather than too little, for then fewer rows are drawn at first

export function VirtualTable<R>({ label, columns, lines, keyOf, sorting, onSort, chosen, onChoose, chooseLabel }: Props<R>) {
  const frame = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({ count: lines.length, getScrollElement: () => frame.current, estimateSize: () => ROW, overscan: 8 });
  const shown = rows.getVirtualItems();
  const above = shown[0]?.start ?? 0;
  const below = rows.getTotalSize() - (shown.at(-1)?.end ?? 0);
  const width = columns.length + (onChoose ? 1 : 0);
  const sortOf = (at: number) =>
    sorting && onSort && columns[at]?.order
      ? { sort: { columnIndex: at, sortBy: { index: sorting.column, direction: sorting.descending ? 'desc' as const : 'asc' as const },
                  onSort: () => onSort({ column: at, descending: sorting.column === at && !sorting.descending }) } }
      : {};
  return (
    <div ref={frame} className="rows" tabIndex={0} role="region" aria-label={label}>
      <Table aria-label={label} aria-rowcount={lines.length + 1} variant="compact" gridBreakPoint="grid-md" isStickyHeader>
        <Thead>
          <Tr>
            {onChoose && <Th screenReaderText={_('Chosen')} />}
            {columns.map((column, at) => <Th key={column.title} modifier="nowrap" {...sortOf(at)}>{column.title}</Th>)}
          </Tr>
        </Thead>
        <Tbody>
          {above > 0 && <tr aria-hidden="true"><td colSpan={width} ref={heightOf(above)} /></tr>}
          {shown.map(({ index }) => {
            const line = lines[index]!;
            if ('heading' in line) {
              return (
                <Tr key={`group ${line.heading}`} aria-rowindex={index + 2} data-index={index} innerRef={rows.measureElement}>
                  <Th scope="colgroup" colSpan={width}>{line.heading} ({line.count.toLocaleString()})</Th>
                </Tr>
              );
            }
            const key = keyOf(line.row);
            return <Row key={key} row={line.row} index={index} columns={columns} isChosen={key === chosen} label={label} onChoose={onChoose}
                        chooseLabel={chooseLabel} measure={rows.measureElement} />;
          })}
          {below > 0 && <tr aria-hidden="true"><td colSpan={width} ref={heightOf(below)} /></tr>}
        </Tbody>
      </Table>
    </div>
  );
}

interface RowProps<R> {
  row: R;
  index: number;
  columns: Column<R>[];
  isChosen: boolean;
  label: string;
  onChoose: Props<R>['onChoose'] | undefined;
  chooseLabel: Props<R>['chooseLabel'] | undefined;
  measure: (row: Element | null) => void;
}

/** Drawn once, however often the table is scrolled. Its cells are PatternFly's by class only: each Td has the browser lay out the page to
 *  see whether its text is cut off, and here text never is. */
const Row = memo(<R,>({ row, index, columns, isChosen, label, onChoose, chooseLabel, measure }: RowProps<R>) => (
  <Tr aria-rowindex={index + 2} data-index={index} innerRef={measure} isRowSelected={isChosen}
      {...(onChoose && { onRowClick: () => onChoose(row), isClickable: true })}>
    {onChoose && (
      <td className="pf-v6-c-table__td">
        <input type="radio" name={label} checked={isChosen} onChange={() => onChoose(row)} aria-label={chooseLabel?.(row)} />
      </td>
    )}
    {columns.map((column) => <td key={column.title} className="pf-v6-c-table__td" data-label={column.title}>{column.cell(row)}</td>)}
  </Tr>
)) as <R>(props: RowProps<R>) => ReactNode;

/** Sets a height by script: Cockpit's content security policy takes no style attribute. */
const heightOf = (height: number) => (cell: HTMLElement | null) => {
  if (cell) Object.assign(cell.style, { height: `${height}px`, padding: '0' });
};

/** The rows in order, under their groups' headings if `groupOf` is given. */
export function linesOf<R>(rows: R[], columns: Column<R>[], sorting: Sorting, groupOf?: (row: R) => string, groups?: readonly string[]): Line<R>[] {
  const order = columns[sorting.column]?.order;
  const sorted = order ? [...rows].sort((one, other) => (sorting.descending ? order(other, one) : order(one, other))) : rows;
  if (!groupOf) return sorted.map((row) => ({ row }));
  const found = new Map<string, R[]>();
  for (const row of sorted) {
    const heading = groupOf(row);
    const group = found.get(heading);
    if (group) group.push(row);
    else found.set(heading, [row]);
  }
  const headings = groups?.filter((heading) => found.has(heading)) ?? [...found.keys()].sort();
  return headings.flatMap((heading) => {
    const group = found.get(heading)!;
    return [{ heading, count: group.length }, ...group.map((row) => ({ row }))];
  });
}

const { compare } = new Intl.Collator();

export const byText = <R,>(text: (row: R) => string) => (one: R, other: R) => compare(text(one), text(other));
