// How the replica that answers is doing, from its metrics page: what no route of the management API tells.
import { useQuery } from '@tanstack/react-query';
import { address, request } from './client';
import { useMay } from './session';

export type DeploymentState = 'healthy' | 'failing' | 'cooling down';

export interface Replica {
  /** By the id of the deployment; those that have been asked since the start. */
  deployments: Map<string, DeploymentState>;
  /** Age in seconds of the oldest entry that the ledger has not taken, and how many there are. */
  journalLag: number;
  journalWaiting: number;
  ledgerFailures: number;
  alertsDropped: number;
  shed: number;
}

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;
const UNESCAPED: Record<string, string> = { '\\n': '\n', '\\"': '"', '\\\\': '\\' };

/** Samples of these metrics; the page has thousands of others. */
export function samples(page: string, names: ReadonlySet<string>): Sample[] {
  return page.split('\n').flatMap((line) => {
    const [, name = '', labels = '', value = ''] = LINE.exec(line) ?? [];
    if (!names.has(name)) return [];
    const pairs = [...labels.matchAll(LABEL)].map(([, label = '', text = '']) => [
      label,
      text.replace(/\\[n"\\]/g, (mark) => UNESCAPED[mark] ?? mark),
    ]);
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
  });
}

const STATES: DeploymentState[] = ['healthy', 'failing', 'cooling down'];
const STATE = 'litellm_deployment_state';
const NUMBERS = {
  journalLag: 'weir_journal_lag_seconds',
  journalWaiting: 'weir_journal_waiting_entries',
  ledgerFailures: 'weir_ledger_failures_total',
  alertsDropped: 'weir_alerts_dropped_total',
  shed: 'weir_shed_requests_total',
};
const NAMES: ReadonlySet<string> = new Set([STATE, ...Object.values(NUMBERS)]);

export function replica(page: string): Replica {
  const all = samples(page, NAMES);
  const sum = (name: string) =>
    all.filter((row) => row.name === name).reduce((total, row) => total + row.value, 0);
  const states = all.filter((row) => row.name === STATE);
  return {
    deployments: new Map(
      states.map(({ labels, value }) => [labels['model_id'] ?? '', STATES[value] ?? 'healthy']),
    ),
    journalLag: sum(NUMBERS.journalLag),
    journalWaiting: sum(NUMBERS.journalWaiting),
    ledgerFailures: sum(NUMBERS.ledgerFailures),
    alertsDropped: sum(NUMBERS.alertsDropped),
    shed: sum(NUMBERS.shed),
  };
}

/** `null` where this gateway keeps no metrics. */
export function useReplica() {
  const allowed = useMay('see all');
  return useQuery({
    queryKey: ['replica'],
    queryFn: async ({ signal }) => {
      const answer = await request('GET', address('/metrics'), undefined, signal).catch(() => null);
      return answer === null ? null : replica(await answer.text());
    },
    enabled: allowed,
    refetchInterval: 30_000,
  });
}
