import { Button, Drawer, SegmentedControl, Select, Switch } from '@mantine/core';
import { useState } from 'react';
import { Answered } from '@/parts/Answered';
import { DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import { shortId, zone } from '@/parts/format';
import { Icon } from '@/parts/Icon';
import { Narrowed } from '@/parts/Narrowed';
import { Page } from '@/parts/Page';
import { Pager } from '@/parts/Pager';
import { useParams } from '@/parts/params';
import css from '@/parts/parts.module.css';
import { COLUMNS, entryPath } from './columns';
import { useEntries } from './entries';
import { DEFAULTS, FIELDS, Filters, NAMES, SPANS, spanLabel, times } from './Filters';

const SIZE = 50;
const EVERY = 2_000;

const STATES = [
  { value: '', label: 'All' },
  { value: 'success', label: 'Served' },
  { value: 'failure', label: 'Failed' },
  { value: 'cancelled', label: 'Client left' },
  { value: 'interrupted', label: 'Cut off' },
];

export default function Logs() {
  const [params, set] = useParams(DEFAULTS);
  const [filtering, setFiltering] = useState(false);
  const [live, setLive] = useState(false);
  const page = Number(params.page);
  const filters = {
    ...Object.fromEntries(NAMES.map((name) => [name, params[name]])),
    status_filter: params.status,
    ...times(params),
  };
  const entries = useEntries({ page, ...filters }, SIZE, live && page === 1 && EVERY);
  const filtered = FIELDS.filter(({ name }) => params[name] !== '');
  const span = spanLabel(params);
  const clear = () => set(DEFAULTS);
  return (
    <Page
      title="Logs"
      about={`One line for each request, the newest first. Times are ${zone()}.`}
      actions={
        <Switch
          label="Live"
          checked={live}
          onChange={(event) => {
            setLive(event.currentTarget.checked);
            // What comes stands on the first page.
            set({ page: 1 });
          }}
        />
      }
    >
      <div className={css.filters}>
        <SegmentedControl
          aria-label="State"
          data={STATES}
          value={params.status}
          onChange={(status) => set({ status })}
        />
        <Select
          aria-label="Time"
          w={150}
          data={SPANS}
          value={params.span}
          allowDeselect={false}
          onChange={(next) => {
            set({ span: next ?? 'all', from: undefined, until: undefined });
            // From when until when is asked for beside everything else.
            setFiltering(next === 'own');
          }}
        />
        <Button
          variant="default"
          leftSection={<Icon name="search" size={14} />}
          onClick={() => setFiltering(true)}
        >
          Filter
        </Button>
        {params.span === 'own' && span && (
          <Narrowed label="Time" value={span} onClear={() => set({ span: 'all', from: '', until: '' })} />
        )}
        {filtered.map(({ name, label }) => (
          <Narrowed
            key={name}
            label={label}
            value={shortId(params[name])}
            onClear={() => set({ [name]: undefined })}
          />
        ))}
      </div>
      <Answered of={entries} lines={12}>
        {({ rows, total }) => (
          <DataTable
            label="Requests"
            columns={COLUMNS}
            rows={rows}
            to={entryPath}
            empty={<None narrowed={filtered.length > 0 || !!span || params.status !== ''} clear={clear} />}
            foot={<Pager page={page} size={SIZE} total={total} onPage={(next) => set({ page: next })} />}
          />
        )}
      </Answered>
      <Drawer
        opened={filtering}
        onClose={() => setFiltering(false)}
        title="Filter"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Filters
          key={params.span}
          params={params}
          set={(change) => {
            set(change);
            setFiltering(false);
          }}
        />
      </Drawer>
    </Page>
  );
}

function None({ narrowed, clear }: { narrowed: boolean; clear: () => void }) {
  if (!narrowed) return <Empty title="No requests" text="What is answered shows up here within a second." />;
  return (
    <Empty title="No requests" text="None fits what is asked for.">
      <Button variant="default" onClick={clear}>
        Show all
      </Button>
    </Empty>
  );
}
