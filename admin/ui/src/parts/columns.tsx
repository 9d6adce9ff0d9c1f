// Columns that lists share.
import type { Column } from './DataTable';
import { count } from './format';
import { Meter } from './Meter';
import css from './parts.module.css';
import { When } from './When';

/** Over a column of buttons. */
export const actionsHeader = () => <span className={css.unseen}>Actions</span>;

type Spender = { spend: number };

/** Spend, against a budget where there is one. */
export function spendColumn<T extends Spender>(budget: (row: T) => number | null | undefined): Column<T> {
  return {
    id: 'spend',
    header: 'Spend',
    accessorFn: (row) => row.spend,
    cell: ({ row }) => <Meter spend={row.original.spend} budget={budget(row.original)} />,
  };
}

export function createdColumn<T extends { created_at: string }>(): Column<T> {
  return {
    id: 'created_at',
    header: 'Created',
    accessorFn: (row) => row.created_at,
    cell: ({ row }) => <When at={row.original.created_at} />,
    meta: { minor: true },
  };
}

interface NumberColumn<T> {
  id: string;
  header: string;
  /** Undefined where there is none; such rows are sorted to the end. */
  read: (row: T) => number | undefined;
  tell?: (value: number) => string;
  /** Kept on a phone. */
  major?: boolean;
  sorts?: boolean;
}

export function numberColumn<T>({
  id,
  header,
  read,
  tell = count,
  major = false,
  sorts = true,
}: NumberColumn<T>): Column<T> {
  return {
    id,
    header,
    accessorFn: read,
    cell: ({ row }) => {
      const value = read(row.original);
      return value === undefined ? '–' : tell(value);
    },
    enableSorting: sorts,
    meta: { number: true, minor: !major },
  };
}
