import { ActionIcon, Tooltip } from '@mantine/core';
import { Link } from 'react-router';
import type { Dimension, Row } from '@/parts/activity';
import { type Column, DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import { compact, count, money, percent } from '@/parts/format';
import { Icon } from '@/parts/Icon';

interface Props {
  rows: Row[];
  dimension: Dimension;
  /** Spend of all of them. */
  whole: number;
  only: (id: string) => void;
}

const number = { number: true };

export function UseTable({ rows, dimension, whole, only }: Props) {
  const name = (row: Row) => {
    if (dimension.page === undefined || row.id === '') return row.name;
    return <Link to={`${dimension.page}/${encodeURIComponent(row.id)}`}>{row.name}</Link>;
  };
  const columns: Column<Row>[] = [
    {
      id: 'name',
      header: dimension.label,
      accessorFn: (row) => row.name,
      cell: ({ row }) => name(row.original),
      meta: { wide: true },
    },
    {
      id: 'spend',
      header: 'Spend',
      accessorFn: (row) => row.metrics.spend,
      cell: ({ row }) => money(row.original.metrics.spend),
      meta: number,
    },
    {
      id: 'share',
      header: 'Share',
      accessorFn: (row) => row.metrics.spend,
      cell: ({ row }) => percent(row.original.metrics.spend, whole),
      meta: { number: true, minor: true },
    },
    {
      id: 'requests',
      header: 'Requests',
      accessorFn: (row) => row.metrics.api_requests,
      cell: ({ row }) => count(row.original.metrics.api_requests),
      meta: number,
    },
    {
      id: 'failed',
      header: 'Failed',
      accessorFn: (row) => row.metrics.failed_requests,
      cell: ({ row }) => count(row.original.metrics.failed_requests),
      meta: { number: true, minor: true },
    },
    {
      id: 'in',
      header: 'Tokens in',
      accessorFn: (row) => row.metrics.prompt_tokens,
      cell: ({ row }) => compact(row.original.metrics.prompt_tokens),
      meta: { number: true, minor: true },
    },
    {
      id: 'cached',
      header: 'Cached',
      accessorFn: (row) => row.metrics.cache_read_input_tokens,
      cell: ({ row }) => compact(row.original.metrics.cache_read_input_tokens),
      meta: { number: true, minor: true },
    },
    {
      id: 'out',
      header: 'Tokens out',
      accessorFn: (row) => row.metrics.completion_tokens,
      cell: ({ row }) => compact(row.original.metrics.completion_tokens),
      meta: { number: true, minor: true },
    },
    {
      id: 'more',
      header: () => null,
      enableSorting: false,
      cell: ({ row }) => <More row={row.original} dimension={dimension} only={only} />,
      meta: { number: true, minor: true },
    },
  ];
  return (
    <DataTable
      label={`Usage by ${dimension.label.toLowerCase()}`}
      columns={columns}
      rows={rows}
      empty={<Empty title={`No ${dimension.plural} in these days`} />}
    />
  );
}

function More({ row, dimension, only }: { row: Row; dimension: Dimension; only: (id: string) => void }) {
  return (
    <>
      {dimension.only !== undefined && row.id !== '' && (
        <Tooltip label="Only this">
          <ActionIcon aria-label={`Only ${row.name}`} onClick={() => only(row.id)}>
            <Icon name="search" size={14} />
          </ActionIcon>
        </Tooltip>
      )}
      {dimension.by === 'team' && (
        <Tooltip label="Chargeback">
          <ActionIcon
            component={Link}
            to={`/usage/chargeback/${encodeURIComponent(row.id)}`}
            aria-label={`Chargeback of ${row.name}`}
          >
            <Icon name="print" size={14} />
          </ActionIcon>
        </Tooltip>
      )}
    </>
  );
}
