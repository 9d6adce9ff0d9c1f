import { ActionIcon, Tooltip } from '@mantine/core';
import { Link } from 'react-router';
import { useMay } from '@/api/session';
import { type Dimension, meanFirstToken, meanLatency, type Row, sum } from '@/parts/activity';
import { actionsHeader, numberColumn } from '@/parts/columns';
import { type Column, DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import { compact, count, milliseconds, moneyColumn, percent } from '@/parts/format';
import { Icon } from '@/parts/Icon';

interface Props {
  rows: Row[];
  dimension: Dimension;
  /** Spend of all of them. */
  whole: number;
  only: (id: string) => void;
}

/** All rows added up. A request counts under each of its tags, so that tags have no sum. */
function sumsOf(rows: Row[], dimension: Dimension, money: (value: number) => string, whole: number) {
  if (rows.length < 2 || dimension.by === 'tag') return undefined;
  const all = sum(rows.map((row) => row.metrics));
  return {
    name: 'Sum',
    spend: money(all.spend),
    share: percent(all.spend, whole),
    requests: count(all.api_requests),
    failed: count(all.failed_requests),
    in: compact(all.prompt_tokens),
    cached: compact(all.cache_read_input_tokens),
    out: compact(all.completion_tokens),
  };
}

export function UseTable({ rows, dimension, whole, only }: Props) {
  const money = moneyColumn(rows.map((row) => row.metrics.spend));
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
      sums={sumsOf(rows, dimension, money, whole)}
      empty={<Empty title={`No ${dimension.plural} in these days`} />}
    />
  );
}

function More({ row, dimension, only }: { row: Row; dimension: Dimension; only: (id: string) => void }) {
  const bills = useMay('reports');
  return (
    <>
      {row.id !== '' && (
        <Tooltip label="Only this">
          <ActionIcon aria-label={`Only ${row.name}`} onClick={() => only(row.id)}>
            <Icon name="search" size={14} />
          </ActionIcon>
        </Tooltip>
      )}
      {bills && dimension.by === 'team' && row.id !== '' && (
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
