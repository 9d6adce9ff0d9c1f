import { ActionIcon, Tooltip } from '@mantine/core';
import { Link } from 'react-router';
import { useMay } from '@/api/session';
import { type Dimension, type Row, sum } from '@/parts/activity';
import { actionsHeader, numberColumn } from '@/parts/columns';
import { type Column, DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import { compact, count, milliseconds, moneyColumn, percent } from '@/parts/format';
import { Icon } from '@/parts/Icon';
import type { Spreads, Time } from '@/parts/latency';

interface Props {
  rows: Row[];
  dimension: Dimension;
  /** Spend of all of them. */
  whole: number;
  only: (id: string) => void;
  spreads: Spreads;
  /** Of this one quantiles are shown, too. */
  time: Time | undefined;
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

/** A time as the mean, and where it is looked at and known, as quantiles. */
function timeColumns(of: Time, header: string, { rows, spreads, time }: Props): Column<Row>[] {
  const column = (id: string, name: string, part: 'mean' | 'p50' | 'p95') =>
    numberColumn<Row>({
      id,
      header: name,
      read: (row) => spreads(of, row.metrics)[part],
      tell: milliseconds,
    });
  const known = of === time && rows.some((row) => spreads(of, row.metrics).p50 !== undefined);
  const quantiles = known ? (['p50', 'p95'] as const) : [];
  return [column(of, header, 'mean'), ...quantiles.map((part) => column(`${of}_${part}`, part, part))];
}

const CACHED = numberColumn<Row>({
  id: 'cached',
  header: 'Cached',
  read: (row) => row.metrics.cache_read_input_tokens,
  tell: compact,
});

export function UseTable(props: Props) {
  const { rows, dimension, whole, only } = props;
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
    ...(props.time === undefined ? [CACHED] : []), // quantiles take its room
    numberColumn({
      id: 'out',
      header: 'Tokens out',
      read: (row) => row.metrics.completion_tokens,
      tell: compact,
    }),
    ...timeColumns('latency', 'Latency', props),
    ...timeColumns('first_token', 'First token', props),
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
