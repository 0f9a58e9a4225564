import type { ComponentChildren } from 'preact';
import { Scroll } from './states';

export interface Column<T> {
  title: string;
  cell: (row: T) => ComponentChildren;
  class?: string; // of the cells; the heading takes what says where a column stands and when it is shown
  hint?: (row: T) => string | undefined; // for those who point at the cell
  heads?: boolean; // names its row
  mute?: boolean; // the title is for screen readers only
  head?: ComponentChildren; // instead of the title's text
  sort?: string; // the API's name of the order
}

interface Props<T> {
  label: string; // "Table of jobs"
  columns: Column<T>[];
  rows: T[];
  keyOf: (row: T, index: number) => string;
  testid?: string;
  class?: string;
  tall?: boolean; // scrolls by itself when it is long
  sort?: string; // "-score": the order of the rows
  onSort?: (sort: string) => void;
}

const kOfHeading = new Set(['r', 'wide-only', 'roomy-only', 'pick-cell', 'only-on-cards']);
const headClass = (of: string | undefined) =>
  of
    ?.split(' ')
    .filter((c) => kOfHeading.has(c))
    .join(' ') || undefined;

function HeadText<T>({ column, sort, onSort }: { column: Column<T>; sort: string; onSort: ((sort: string) => void) | undefined }) {
  if (column.head !== undefined) return <>{column.head}</>;
  if (column.mute) return <span class="vh">{column.title}</span>;
  if (!column.sort || !onSort) return <>{column.title}</>;
  const active = sort.replace(/^-/, '') === column.sort;
  const down = sort.startsWith('-');
  return (
    <button type="button" class="sort" onClick={() => onSort(active && !down ? `-${column.sort}` : column.sort!)}>
      {column.title}
      <span aria-hidden="true">{active ? (down ? ' ↓' : ' ↑') : ''}</span>
    </button>
  );
}

function orderOf<T>(column: Column<T>, sort: string): 'ascending' | 'descending' | undefined {
  if (!column.sort || sort.replace(/^-/, '') !== column.sort) return undefined;
  return sort.startsWith('-') ? 'descending' : 'ascending';
}

/** Every table of the app: headings, cells, sorting, and the keyboard scrolls it. */
export function DataTable<T>({ label, columns, rows, keyOf, testid, tall, sort = '', onSort, ...rest }: Props<T>) {
  return (
    <Scroll label={label} tall={tall ?? false}>
      <table class={rest.class} data-testid={testid}>
        <thead>
          <tr>
            {columns.map((c) => (
              <th scope="col" key={c.title} class={headClass(c.class)} aria-sort={orderOf(c, sort)}>
                <HeadText column={c} sort={sort} onSort={onSort} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={keyOf(row, i)}>
              {columns.map((c) =>
                c.heads ? (
                  <th scope="row" key={c.title} class={c.class} title={c.hint?.(row)}>
                    {c.cell(row)}
                  </th>
                ) : (
                  <td key={c.title} class={c.class} title={c.hint?.(row)}>
                    {c.cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
