import { Button, SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import type { Deployment, Probe } from '@/api/answers';
import { useAnswer } from '@/api/hooks';
import { useMay } from '@/api/session';
import { type States, useStates } from '@/api/states';
import { Answered, Failed } from '@/parts/Answered';
import { type Column, DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import { perMillion } from '@/parts/format';
import { Icon } from '@/parts/Icon';
import { Page } from '@/parts/Page';
import { useParams } from '@/parts/params';
import css from '@/parts/parts.module.css';
import { SearchBox } from '@/parts/SearchBox';
import { Chip, Status } from '@/parts/Status';
import { changedHere, placeOf, priceSource, unpriced, writtenAt } from './facts';
import { Health, useHealth } from './Health';
import { ModelForm } from './ModelForm';

const path = (row: Deployment) => `/models/${encodeURIComponent(row.model_info.id)}`;

const SHOWN = [
  { value: 'all', label: 'All' },
  { value: 'cooled', label: 'Cooling' },
  { value: 'unpriced', label: 'No price' },
  { value: 'ledger', label: 'Set here' },
];

const FILTERS: Record<string, (row: Deployment, states: States) => boolean> = {
  all: () => true,
  cooled: (row, states) => states(row.model_info.id)?.word === 'cooling down',
  unpriced,
  ledger: (row) => placeOf(row) === 'ledger' || changedHere(row).length > 0,
};

/** How many deployments share each name. */
function groups(all: Deployment[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { model_name: name } of all) sizes.set(name, (sizes.get(name) ?? 0) + 1);
  return sizes;
}

interface Told {
  sizes: Map<string, number>;
  probes: Probe[] | undefined;
  states: States;
  health: boolean;
}

function columns({ sizes, probes, states, health }: Told): Column<Deployment>[] {
  const sharing = ({ model_name: name }: Deployment) => sizes.get(name) ?? 1;
  const found = (row: Deployment) => probes?.find((probe) => probe.model_id === row.model_info.id);
  const all: Column<Deployment>[] = [
    {
      id: 'name',
      header: 'Name',
      accessorFn: (row) => row.model_name,
      cell: ({ row: { original } }) => (
        <>
          <Link to={path(original)}>{original.model_name}</Link>
          {sharing(original) > 1 && <div className={css.dim}>one of {sharing(original)}</div>}
        </>
      ),
    },
    {
      id: 'model',
      header: 'Deployment',
      accessorFn: (row) => row.litellm_params.model,
      cell: ({ row }) => <code>{row.original.litellm_params.model}</code>,
      meta: { minor: true },
    },
    {
      id: 'input',
      header: 'Input',
      accessorFn: (row) => row.model_info.input_cost_per_token ?? 0,
      cell: ({ row }) => perMillion(row.original.model_info.input_cost_per_token),
      meta: { number: true, minor: true },
    },
    {
      id: 'output',
      header: 'Output',
      accessorFn: (row) => row.model_info.output_cost_per_token ?? 0,
      cell: ({ row }) => perMillion(row.original.model_info.output_cost_per_token),
      meta: { number: true, minor: true },
    },
    {
      id: 'price',
      header: 'Price from',
      accessorFn: priceSource,
      cell: ({ row }) =>
        unpriced(row.original) ? (
          <Status tone="warn">no price</Status>
        ) : (
          <span className={css.dim}>{priceSource(row.original)}</span>
        ),
      meta: { minor: true },
    },
    {
      id: 'source',
      header: 'Set in',
      accessorFn: placeOf,
      cell: ({ row: { original } }) => (
        <span className={css.chips} title={writtenAt(original)}>
          <Chip>{placeOf(original)}</Chip>
          {changedHere(original).length > 0 && <Chip>changed here</Chip>}
        </span>
      ),
      meta: { minor: true },
    },
  ];
  if (health)
    all.push({
      id: 'health',
      header: 'Health',
      enableSorting: false,
      cell: ({ row: { original } }) => <Health of={found(original)} state={states(original.model_info.id)} />,
    });
  return all;
}

export default function Models() {
  const [params, set] = useParams({ q: '', show: 'all' });
  const [making, setMaking] = useState(false);
  const models = useAnswer('GET /v2/model/info');
  const seesHealth = useMay('see health');
  const writes = useMay('change models');
  const health = useHealth({});
  const states = useStates().of;
  const shown = (row: Deployment) =>
    (FILTERS[params.show] ?? FILTERS['all'])?.(row, states) &&
    `${row.model_name} ${row.litellm_params.model}`.toLowerCase().includes(params.q.toLowerCase());
  return (
    <Page
      title="Models"
      about="Deployments, by the name that clients ask for. Prices are for a million tokens."
      actions={
        <>
          {seesHealth && (
            <Button variant="default" loading={health.isFetching} onClick={health.check}>
              Check health
            </Button>
          )}
          {writes && (
            <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setMaking(true)}>
              New deployment
            </Button>
          )}
        </>
      }
    >
      <div className={css.filters}>
        <SearchBox label="Find by name or provider" value={params.q} onChange={(q) => set({ q })} />
        <SegmentedControl
          aria-label="Which"
          data={SHOWN}
          value={params.show}
          onChange={(show) => set({ show })}
        />
      </div>
      {health.isError && <Failed error={health.error} />}
      <Answered of={models} lines={10}>
        {({ data }) => (
          <DataTable
            label="Deployments"
            columns={columns({ sizes: groups(data), probes: health.data, states, health: seesHealth })}
            rows={data.filter(shown)}
            to={path}
            empty={
              <Empty
                title="No deployments here"
                text="Models come from the configuration file, and from here."
              />
            }
          />
        )}
      </Answered>
      {making && <ModelForm onClose={() => setMaking(false)} />}
    </Page>
  );
}
