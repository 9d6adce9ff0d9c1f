import { Button } from '@mantine/core';
import { useState } from 'react';
import { useAnswer } from '@/api/hooks';
import { useMay } from '@/api/session';
import { Answered } from '@/parts/Answered';
import { DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import { Icon } from '@/parts/Icon';
import { Page } from '@/parts/Page';
import { Pager } from '@/parts/Pager';
import { sortOf, sortQuery, sortText, useParams } from '@/parts/params';
import css from '@/parts/parts.module.css';
import { COLUMNS, keyPath } from './columns';
import { Find } from './Find';
import { NewKeyForm } from './KeyForm';

const SIZE = 50;
const DEFAULTS = { page: '1', sort: '-created_at', q: '', alias: '', hash: '', team: '', user: '' };

export default function Keys() {
  const [params, set] = useParams(DEFAULTS);
  const [making, setMaking] = useState(false);
  const writes = useMay('change keys');
  const page = Number(params.page);
  const keys = useAnswer('GET /key/list', {
    query: {
      page,
      size: SIZE,
      return_full_object: true,
      search: params.q,
      key_alias: params.alias,
      key_hash: params.hash,
      team_id: params.team,
      user_id: params.user,
      ...sortQuery(params.sort),
    },
  });
  const create = writes && (
    <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setMaking(true)}>
      New key
    </Button>
  );
  return (
    <Page title="Keys" about="What clients call the gateway with." actions={create}>
      <div className={css.filters}>
        <Find params={params} set={set} />
      </div>
      <Answered of={keys} lines={10}>
        {(answer) => (
          <DataTable
            label="Keys"
            columns={COLUMNS}
            rows={answer.keys}
            to={keyPath}
            sorting={sortOf(params.sort)}
            onSort={(sorting) => set({ sort: sortText(sorting) })}
            empty={
              <Empty
                title={params.q === '' ? 'No keys here' : 'Nothing by this name'}
                text="A key lets a client call models, within its budget and limits."
              />
            }
            foot={
              <Pager
                page={page}
                size={SIZE}
                total={answer.total_count}
                onPage={(next) => set({ page: next })}
              />
            }
          />
        )}
      </Answered>
      {making && <NewKeyForm onClose={() => setMaking(false)} />}
    </Page>
  );
}
