import {
  type ColumnDef,
  type ColumnMeta,
  flexRender,
  getCoreRowModel,
  getSortedRowModel,
  type Header,
  type RowData,
  type SortingState,
  useReactTable,
} from '@tanstack/react-table';
import { type ReactNode, useState } from 'react';
import { useNavigate } from 'react-router';
import css from './DataTable.module.css';
import { Icon } from './Icon';
import parts from './parts.module.css';

declare module '@tanstack/react-table' {
  interface ColumnMeta<TData extends RowData, TValue> {
    /** Numbers stand at the right. */
    number?: boolean;
    /** Left out on a phone. */
    minor?: boolean;
    /** Takes what room is left. */
    wide?: boolean;
    /** Holds what may be cut anywhere, and keeps room enough to be read. */
    cut?: boolean;
  }
}

export type Column<T> = ColumnDef<T, unknown>;

interface Props<T> {
  label: string;
  columns: Column<T>[];
  rows: T[];
  /** Where a row leads; its first cell should hold a link there too, for the keyboard. */
  to?: (row: T) => string;
  empty: ReactNode;
  /** Sorting by the server; without it, by what is here. */
  sorting?: SortingState;
  onSort?: (sorting: SortingState) => void;
  /** What stands below a column when all rows are added up. */
  sums?: Record<string, ReactNode> | undefined;
  foot?: ReactNode;
}

const FRAME = `${parts.panel} ${css.frame}`;

export function DataTable<T>({ label, columns, rows, to, empty, sorting, onSort, sums, foot }: Props<T>) {
  const [own, setOwn] = useState<SortingState>([]);
  const byServer = onSort !== undefined;
  const state = byServer ? (sorting ?? []) : own;
  const table = useReactTable({
    data: rows,
    columns,
    state: { sorting: state },
    manualSorting: byServer,
    enableSortingRemoval: !byServer,
    onSortingChange: (change) => {
      const next = typeof change === 'function' ? change(state) : change;
      if (byServer) onSort(next);
      else setOwn(next);
    },
    getCoreRowModel: getCoreRowModel(),
    getSortedRowModel: getSortedRowModel(),
  });
  if (rows.length === 0) return <div className={FRAME}>{empty}</div>;
  return (
    <div className={FRAME}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reachable by the keyboard */}
      <section className={css.scroll} aria-label={label} tabIndex={0}>
        <table className={css.table}>
          <thead>
            {table.getHeaderGroups().map((group) => (
              <tr key={group.id}>
                {group.headers.map((header) => (
                  <Head key={header.id} header={header} />
                ))}
              </tr>
            ))}
          </thead>
          <tbody>
            {table.getRowModel().rows.map((row) => (
              <Row key={row.id} to={to?.(row.original)}>
                {row.getVisibleCells().map((cell) => (
                  <td key={cell.id} {...look(cell.column.columnDef.meta)}>
                    {flexRender(cell.column.columnDef.cell, cell.getContext())}
                  </td>
                ))}
              </Row>
            ))}
          </tbody>
          {sums !== undefined && (
            <tfoot>
              <tr>
                {columns.map(({ id = '', meta }) => (
                  <td key={id} {...look(meta)}>
                    {sums[id]}
                  </td>
                ))}
              </tr>
            </tfoot>
          )}
        </table>
      </section>
      {foot}
    </div>
  );
}

/** Told by attributes that are there or not: `data-minor="false"` would be one that is there. */
function look(meta: ColumnMeta<unknown, unknown> = {}) {
  const { number, minor, wide, cut } = meta;
  return {
    'data-number': number || undefined,
    'data-minor': minor || undefined,
    'data-wide': wide || undefined,
    'data-cut': cut || undefined,
  };
}

function Head<T>({ header }: { header: Header<T, unknown> }) {
  const column = header.column;
  const sorted = column.getIsSorted();
  const text = flexRender(column.columnDef.header, header.getContext());
  const order = sorted === 'asc' ? 'ascending' : sorted === 'desc' ? 'descending' : undefined;
  return (
    <th scope="col" aria-sort={order} {...look(column.columnDef.meta)}>
      {column.getCanSort() ? (
        <button type="button" className={css.sort} onClick={column.getToggleSortingHandler()}>
          {text}
          <Icon name={sorted === 'asc' ? 'up' : 'down'} size={12} />
        </button>
      ) : (
        text
      )}
    </th>
  );
}

function Row({ to, children }: { to: string | undefined; children: ReactNode }) {
  const navigate = useNavigate();
  if (to === undefined) return <tr>{children}</tr>;
  const go = (event: React.MouseEvent) => {
    // Buttons and links inside do their own; whoever marks a text wants to copy it.
    const inside = (event.target as Element).closest('a, button, input');
    if (inside === null && window.getSelection()?.toString() === '') navigate(to);
  };
  return (
    <tr data-link onClick={go}>
      {children}
    </tr>
  );
}
