import type { Deployment, Limits, PeriodBudget } from '@/api/answers';
import { useAnswer } from '@/api/hooks';
import { useMay } from '@/api/session';
import { shortId } from '@/parts/format';

/** Whoever has spent most comes first, so that those who are near a budget that matters are among them. */
const DEAREST = { sort_by: 'spend', sort_order: 'desc' };
const LOOKED_AT = 100;

export interface Budgeted {
  kind: 'Gateway' | 'Team' | 'Key' | 'User' | 'Organisation' | 'Customer' | 'Provider' | 'Deployment';
  name: string;
  to: string;
  spend: number;
  budget: number;
  /** When its period ends, where that is known. */
  ends: string | null;
}

type Limited = Pick<Limits, 'max_budget' | 'budget_reset_at'> | null;

function row(
  kind: Budgeted['kind'],
  name: string,
  to: string,
  { spend }: { spend: number },
  limits: Limited,
): Budgeted[] {
  const budget = limits?.max_budget ?? null;
  // Whoever may spend nothing was stopped on purpose, and is near no limit.
  return !budget ? [] : [{ kind, name, to, spend, budget, ends: limits?.budget_reset_at ?? null }];
}

export const share = ({ spend, budget }: Budgeted) => spend / budget;

const id = encodeURIComponent;

/** Who is held to a budget: the gateway as a whole, then the fullest first. */
export function useBudgeted(): Budgeted[] {
  const { gateway, others } = usePeriods();
  const all = [...useTeams(), ...useKeys(), ...useUsers(), ...useHolders(), ...others];
  return [...gateway, ...all.sort((one, other) => share(other) - share(one))];
}

function useTeams(): Budgeted[] {
  const query = { page_size: LOOKED_AT, ...DEAREST };
  const { data } = useAnswer('GET /v2/team/list', { query }, { enabled: useMay('see all') });
  return (data?.teams ?? []).flatMap((of) =>
    row('Team', of.team_alias ?? of.team_id, `/teams/${id(of.team_id)}`, of, of),
  );
}

function useKeys(): Budgeted[] {
  const query = { size: LOOKED_AT, return_full_object: true, ...DEAREST };
  const { data } = useAnswer('GET /key/list', { query });
  return (data?.keys ?? []).flatMap((of) =>
    row('Key', of.key_alias ?? shortId(of.token), `/keys/${of.token}`, of, of),
  );
}

function useUsers(): Budgeted[] {
  const query = { page_size: LOOKED_AT, ...DEAREST };
  const { data } = useAnswer('GET /user/list', { query }, { enabled: useMay('see all') });
  return (data?.users ?? []).flatMap((of) =>
    row('User', of.user_email ?? of.user_id, `/users/${id(of.user_id)}`, of, of),
  );
}

/** Organisations and customers keep their limits in budgets of their own. */
function useHolders(): Budgeted[] {
  const query = { page: 1, size: LOOKED_AT, ...DEAREST };
  const [all, customers] = [useMay('see all'), useMay('customers')];
  const organizations = useAnswer('GET /organization/list', { query }, { enabled: all }).data?.organizations;
  const found = useAnswer('GET /customer/list', { query }, { enabled: customers }).data?.customers;
  return [
    ...(organizations ?? []).flatMap((of) => {
      const to = `/organizations/${id(of.organization_id)}`;
      return row('Organisation', of.organization_alias, to, of, of.litellm_budget_table);
    }),
    ...(found ?? []).flatMap((of) =>
      row('Customer', of.alias ?? of.user_id, `/customers/${id(of.user_id)}`, of, of.litellm_budget_table),
    ),
  ];
}

/** What all keys together, providers and single deployments may cost in a period. */
function usePeriods(): { gateway: Budgeted[]; others: Budgeted[] } {
  const enabled = useMay('see all');
  const told = useAnswer('GET /provider/budgets', {}, { enabled }).data;
  const models = useAnswer('GET /v2/model/info', {}, { enabled }).data?.data ?? [];
  const limits = ({ budget_limit, budget_reset_at }: PeriodBudget) => ({
    max_budget: budget_limit,
    budget_reset_at,
  });
  const gateway = told?.gateway
    ? row('Gateway', 'all keys', '/usage', told.gateway, limits(told.gateway))
    : [];
  const others = [
    ...Object.entries(told?.providers ?? {}).flatMap(([name, of]) =>
      row('Provider', name, `/usage?by=model&provider=${id(name)}`, of, limits(of)),
    ),
    ...Object.entries(told?.deployments ?? {}).flatMap(([model, of]) =>
      row('Deployment', nameOf(models, model), `/models/${id(model)}`, of, limits(of)),
    ),
  ];
  return { gateway, others };
}

const nameOf = (models: Deployment[], model: string) =>
  models.find((row) => row.model_info.id === model)?.model_name ?? shortId(model);
