import { useParams } from 'react-router';
import type { Customer as Record } from '@/api/answers';
import { useAnswer, useChange } from '@/api/hooks';
import { Id } from '@/parts/Copy';
import { Facts } from '@/parts/Facts';
import { limits } from '@/parts/limits';
import { More } from '@/parts/More';
import { OnePage } from '@/parts/OnePage';
import { Page, Section } from '@/parts/Page';
import { RecordActions } from '@/parts/RecordActions';
import { SpendByDay } from '@/parts/SpendByDay';
import { Chip, Status } from '@/parts/Status';
import { CustomerForm, tierOf } from './CustomerForm';
import { customerName } from './Customers';

export default function Customer() {
  const { id = '' } = useParams();
  const found = useAnswer('GET /customer/info', { query: { end_user_id: id } });
  return (
    <OnePage of={found} read={(of) => of} kind="Customer" back={BACK}>
      {(of) => <Told of={of} />}
    </OnePage>
  );
}

const BACK = { to: '/customers', label: 'Customers' };

function Told({ of }: { of: Record }) {
  return (
    <Page
      title={customerName(of)}
      badge={of.blocked && <Status tone="bad">Blocked</Status>}
      about={<Id of={of.user_id} />}
      back={BACK}
      actions={<Actions of={of} />}
    >
      <Section title="Budget and limits">
        <Facts
          of={[
            ...limits(of.spend, of.litellm_budget_table),
            ['Tier', tierOf(of) && <Chip key="tier">{tierOf(of)}</Chip>],
            ['Model when none is named', of.default_model],
            ['Only models in', of.allowed_model_region?.toUpperCase()],
          ]}
        />
      </Section>
      <SpendByDay route="GET /customer/daily/activity" query={{ end_user_ids: of.user_id }} />
      <More of="customer" id={of.user_id} />
    </Page>
  );
}

function Actions({ of }: { of: Record }) {
  const block = useChange(of.blocked ? 'POST /customer/unblock' : 'POST /customer/block');
  const remove = useChange('POST /customer/delete');
  const body = { user_ids: [of.user_id] };
  return (
    <RecordActions
      kind="customer"
      name={customerName(of)}
      edit={(close) => <CustomerForm of={of} onClose={close} />}
      block={{
        blocked: of.blocked,
        run: () => block.mutateAsync({ body }),
        means: of.blocked
          ? 'Requests that name this customer are served again.'
          : 'Requests that name this customer are refused.',
      }}
      remove={{
        run: () => remove.mutateAsync({ body }),
        means: 'Its budget goes, too.',
        to: '/customers',
      }}
    />
  );
}
