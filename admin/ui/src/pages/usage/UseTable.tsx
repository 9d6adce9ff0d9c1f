import { ActionIcon, Tooltip } from '@mantine/core';
import { Link } from 'react-router';
import { type Dimension, meanFirstToken, meanLatency, type Row } from '@/parts/activity';
import { actionsHeader, numberColumn } from '@/parts/columns';
import { type Column, DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import { compact, milliseconds, money, percent } from '@/parts/format';
import { Icon } from '@/parts/Icon';

interface Props {
  rows: Row[];
  dimension: Dimension;
  /** Spend of all of them. */
  whole: number;
  only: (id: string) => void;
}

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
    numberColumn({
      id: 'spend',
      header: 'Spend',
      read: (row) => row.metrics.spend,
      tell: money,
      major: true,
    }),
    numberColumn({
      id: 'share',
      header: 'Share',
      read: (row) => row.metrics.spend,
      tell: (spend) => percent(spend, whole),
    }),
    numberColumn({
      id: 'requests',
      header: 'Requests',
      read: (row) => row.metrics.api_requests,
      major: true,
    }),
    numberColumn({ id: 'failed', header: 'Failed', read: (row) => row.metrics.failed_requests }),
    numberColumn({ id: 'in', header: 'Tokens in', read: (row) => row.metrics.prompt_tokens, tell: compact }),
    numberColumn({
      id: 'cached',
      header: 'Cached',
      read: (row) => row.metrics.cache_read_input_tokens,
      tell: compact,
    }),
    numberColumn({
      id: 'out',
      header: 'Tokens out',
      read: (row) => row.metrics.completion_tokens,
      tell: compact,
    }),
    numberColumn({
      id: 'latency',
      header: 'Latency',
      read: (row) => meanLatency(row.metrics),
      tell: milliseconds,
    }),
    numberColumn({
      id: 'first_token',
      header: 'First token',
      read: (row) => meanFirstToken(row.metrics),
      tell: milliseconds,
    }),
    {
      id: 'more',
      header: actionsHeader,
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
      {row.id !== '' && (
        <Tooltip label="Only this">
          <ActionIcon aria-label={`Only ${row.name}`} onClick={() => only(row.id)}>
            <Icon name="search" size={14} />
          </ActionIcon>
        </Tooltip>
      )}
      {dimension.by === 'team' && row.id !== '' && (
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
