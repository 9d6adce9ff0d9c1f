import { useParams } from 'react-router';
import type { Deployment as Record } from '@/api/answers';
import { useAnswer, useChange } from '@/api/hooks';
import { useMay } from '@/api/session';
import { Id } from '@/parts/Copy';
import { type Fact, Facts } from '@/parts/Facts';
import { count, perMillion } from '@/parts/format';
import { More } from '@/parts/More';
import { OnePage } from '@/parts/OnePage';
import { Page, Section } from '@/parts/Page';
import css from '@/parts/parts.module.css';
import { RecordActions } from '@/parts/RecordActions';
import { SpendByDay } from '@/parts/SpendByDay';
import { Chip, Chips, Status } from '@/parts/Status';
import {
  abilities,
  changedHere,
  placeOf,
  priceSource,
  prices,
  setPrices,
  unpriced,
  writtenAt,
} from './facts';
import { TestCall } from './Health';
import { ModelForm } from './ModelForm';

export default function Deployment() {
  const { id = '' } = useParams();
  const found = useAnswer('GET /v2/model/info', { query: { modelId: id } });
  return (
    <OnePage of={found} read={({ data: [of] }) => of} kind="Deployment" back={BACK}>
      {(of) => <Told of={of} />}
    </OnePage>
  );
}

const BACK = { to: '/models', label: 'Models' };

function Told({ of }: { of: Record }) {
  const writes = useMay('change models');
  const seesHealth = useMay('see health');
  return (
    <Page
      title={of.model_name}
      badge={<Chip>{placeOf(of)}</Chip>}
      about={<Id of={of.model_info.id} />}
      back={BACK}
      actions={writes && <Actions of={of} />}
    >
      <div className={css.columns}>
        <Section title="Settings" about={SAID[placeOf(of)]}>
          <Facts of={[...provenance(of), ...settings(of)]} />
        </Section>
        <Section title="Price" about={`a million tokens; ${priceSource(of)}`}>
          {unpriced(of) ? (
            <Status tone="warn">
              No price is known: its tokens are booked at nothing. Set one, or a base model.
            </Status>
          ) : (
            <Facts
              of={[
                ...prices(of).map(({ label, price }): Fact => [label, perMillion(price)]),
                ['Set by', <Chips key="set" of={setPrices(of)} none="the catalogue alone" most={20} />],
              ]}
            />
          )}
        </Section>
        <Section title="What it can" about="as the catalogue says">
          <Facts of={facts(of)} />
        </Section>
        {seesHealth && (
          <Section title="Health" about="asks the provider something short; it is billed">
            <TestCall id={of.model_info.id} />
          </Section>
        )}
      </div>
      <SpendByDay query={{ model: of.model_name }} />
      <More of="model" id={of.model_name} record={of.model_info.id} />
    </Page>
  );
}

const SAID = {
  file: 'from the configuration file',
  ledger: 'from the ledger: set here or over the API',
};

function provenance(of: Record): Fact[] {
  const changed = changedHere(of);
  return [
    ['Written in', writtenAt(of)],
    ['Changed here', changed.length > 0 && <Chips key="changed" of={changed} none="" most={20} />],
  ];
}

/** Defaults that are told of every deployment, and say nothing. */
const UNTOLD = new Set(['merge_reasoning_content_in_choices', 'use_in_pass_through', 'use_litellm_proxy']);

function settings(of: Record): Fact[] {
  return Object.entries(of.litellm_params)
    .filter(([name, value]) => !UNTOLD.has(name) && value !== null)
    .map(([name, value]) => [
      name,
      <code key={name}>{typeof value === 'string' ? value : JSON.stringify(value)}</code>,
    ]);
}

function facts(of: Record): Fact[] {
  const info = of.model_info;
  return [
    ['Provider', info.litellm_provider],
    ['Kind', info.mode],
    ['Base model', info.base_model],
    ['Input tokens', info.max_input_tokens && count(info.max_input_tokens)],
    ['Output tokens', info.max_output_tokens && count(info.max_output_tokens)],
    ['Abilities', <Chips key="can" of={abilities(of)} none="nothing is known" most={20} />],
    ['Access groups', info.access_groups && <Chips key="groups" of={info.access_groups} none="" most={10} />],
  ];
}

function Actions({ of }: { of: Record }) {
  const remove = useChange('POST /model/delete');
  const inLedger = placeOf(of) === 'ledger' || changedHere(of).length > 0;
  return (
    <RecordActions
      kind="deployment"
      name={of.model_name}
      edit={(close) => <ModelForm of={of} onClose={close} />}
      more={{ label: 'Clone', form: (close) => <ModelForm of={of} clone onClose={close} /> }}
      {...(inLedger && {
        remove: {
          run: () => remove.mutateAsync({ body: { id: of.model_info.id } }),
          means:
            'It gets no traffic from now on. If it changed an entry of the file, that entry holds again.',
          to: '/models',
        },
      })}
    />
  );
}
