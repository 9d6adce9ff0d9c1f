// What the replica that answers has seen of deployments, from its metrics page: no route of the management API tells it.
import { useQuery } from '@tanstack/react-query';
import { address, request } from './client';
import { useMay } from './session';

export type DeploymentState = 'healthy' | 'failing' | 'cooling down';

/** By the id of the deployment; those that have been asked since the start. */
export type Seen = Map<string, DeploymentState>;

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
const NAMES: ReadonlySet<string> = new Set(['litellm_deployment_state']);

export const seen = (page: string): Seen =>
  new Map(
    samples(page, NAMES).map(({ labels, value }) => [labels['model_id'] ?? '', STATES[value] ?? 'healthy']),
  );

/** `null` where this gateway keeps no metrics. */
export function useSeen() {
  const allowed = useMay('see all');
  return useQuery({
    queryKey: ['seen'],
    queryFn: async ({ signal }) => {
      const answer = await request('GET', address('/metrics'), undefined, signal).catch(() => null);
      return answer === null ? null : seen(await answer.text());
    },
    enabled: allowed,
    refetchInterval: 30_000,
  });
}
