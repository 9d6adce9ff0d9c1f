import { Button } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Right } from '@/api/rights';
import { useMay } from '@/api/session';
import { Answered } from './Answered';
import { type Column, DataTable } from './DataTable';
import { Empty } from './Empty';
import { Icon } from './Icon';
import { Page } from './Page';
import { Pager } from './Pager';
import { sortOf, sortText, useParams } from './params';
import css from './parts.module.css';
import { SearchBox } from './SearchBox';

const SIZE = 50;
const DEFAULTS = { page: '1', sort: '', q: '' };

/** Page, order and search of a list, from the address. */
export function useList() {
  const [params, set] = useParams(DEFAULTS);
  return { page: Number(params.page), size: SIZE, sort: params.sort, q: params.q, set };
}

interface Props<A, T> {
  title: string;
  about: string;
  list: ReturnType<typeof useList>;
  of: UseQueryResult<A>;
  /** Rows of the answer; with a total when the server turns the pages. */
  read: (answer: A) => { rows: T[]; total?: number };
  columns: Column<T>[];
  to: (row: T) => string;
  search: string;
  create: { label: string; right: Right; form: (close: () => void) => ReactNode };
  empty: string;
}

/** A list of records: found, ordered and paged by the server where it does that, else here. */
export function ListPage<A, T>(props: Props<A, T>) {
  const { title, about, list, of, read, columns, to, search, create, empty } = props;
  const [making, setMaking] = useState(false);
  const writes = useMay(create.right);
  return (
    <Page
      title={title}
      about={about}
      actions={
        writes && (
          <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setMaking(true)}>
            {create.label}
          </Button>
        )
      }
    >
      <div className={css.filters}>
        <SearchBox label={search} value={list.q} onChange={(q) => list.set({ q })} />
      </div>
      <Answered of={of} lines={10}>
        {(answer) => {
          const { rows, total } = read(answer);
          const byServer = total !== undefined;
          const shown = byServer ? rows : rows.slice((list.page - 1) * list.size, list.page * list.size);
          return (
            <DataTable
              label={title}
              columns={columns}
              rows={shown}
              to={to}
              {...(byServer && {
                sorting: sortOf(list.sort),
                onSort: (sorting) => list.set({ sort: sortText(sorting) }),
              })}
              empty={
                <Empty
                  title={list.q === '' ? `No ${title.toLowerCase()} yet` : 'Nothing by this name'}
                  text={empty}
                />
              }
              foot={
                <Pager
                  page={list.page}
                  size={list.size}
                  total={total ?? rows.length}
                  onPage={(page) => list.set({ page })}
                />
              }
            />
          );
        }}
      </Answered>
      {making && create.form(() => setMaking(false))}
    </Page>
  );
}
