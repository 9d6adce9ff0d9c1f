import { Button, NumberInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { PriceMap, SettingField } from '@/api/answers';
import { useAnswer, useChange } from '@/api/hooks';
import { Answered, Failed } from '@/parts/Answered';
import { Facts } from '@/parts/Facts';
import { Section } from '@/parts/Page';
import css from '@/parts/parts.module.css';
import { Status } from '@/parts/Status';
import { When } from '@/parts/When';
import { SettingsTable } from './SettingsTable';

const ofPrices = ({ field_name: name }: SettingField) => name.startsWith('price_');

/** Hours of a year. */
const MOST = 8_760;

/** Where prices come from, and how old they are. */
export function Prices() {
  const state = useAnswer('GET /schedule/model_cost_map_reload/status');
  const fetch = useChange('POST /reload/model_cost_map');
  return (
    <div className={css.form}>
      <Section
        title="Price map"
        about="over the catalogue that is built in"
        actions={
          <Button variant="default" loading={fetch.isPending} onClick={() => fetch.mutate({})}>
            Fetch it now
          </Button>
        }
      >
        <div className={css.form}>
          <Answered of={state} lines={2}>
            {(told) => (
              <>
                <Facts
                  of={[
                    ['Fetched', told.last_run === null ? 'never' : <When key="last" at={told.last_run} />],
                    [
                      'Again',
                      told.next_run === null ? 'when asked to' : <When key="next" at={told.next_run} />,
                    ],
                  ]}
                />
                <Schedule key={told.interval_hours} of={told} />
              </>
            )}
          </Answered>
          {fetch.data !== undefined && (
            <span role="status">
              <Status tone="good">{fetch.data.message}</Status>
            </span>
          )}
          {fetch.isError && <Failed error={fetch.error} />}
        </div>
      </Section>
      <SettingsTable section="weir_settings" wanted={ofPrices} />
    </div>
  );
}

function Schedule({ of }: { of: PriceMap }) {
  const plan = useChange('POST /schedule/model_cost_map_reload');
  const cancel = useChange('DELETE /schedule/model_cost_map_reload');
  const [hours, setHours] = useState<number | string>(of.interval_hours ?? 24);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    plan.mutate({ query: { hours: Number(hours) } });
  };
  return (
    <form className={css.filters} onSubmit={submit}>
      <NumberInput
        aria-label="Hours between two fetches"
        w={150}
        min={1}
        max={MOST}
        allowDecimal={false}
        required
        suffix=" hours"
        value={hours}
        onChange={setHours}
      />
      <Button type="submit" variant="default" loading={plan.isPending}>
        {of.scheduled ? 'Change' : 'Fetch by itself'}
      </Button>
      {of.scheduled && (
        <Button variant="default" loading={cancel.isPending} onClick={() => cancel.mutate({})}>
          No more by itself
        </Button>
      )}
      {plan.isError && <Failed error={plan.error} />}
      {cancel.isError && <Failed error={cancel.error} />}
    </form>
  );
}
