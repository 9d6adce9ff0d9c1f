// What an admin should look at, read off what the server tells.
import type { CallbackState, Deployment, Readiness, Replica, Standing } from '@/api/answers';
import { count, milliseconds, moment, money, percent, stamp } from '@/parts/format';
import { NEAR } from '@/parts/Meter';
import { unpriced } from '../models/facts';
import { type Budgeted, share } from './budgeted';

export interface Point {
  to: string;
  text: string;
}

export const budgetPoints = (rows: Budgeted[]): Point[] =>
  rows
    .filter((row) => share(row) >= NEAR)
    .map(({ kind, name, to, spend, budget }) => ({
      to,
      text: `${kind} ${name}: ${money(spend)} of ${money(budget)} spent`,
    }));

const FEW = 4;
const named = (rows: { model_name: string }[]) => {
  const names = [...new Set(rows.map((row) => row.model_name))];
  const more = names.length > FEW ? ` and ${names.length - FEW} more` : '';
  return names.slice(0, FEW).join(', ') + more;
};

/** How long it lasts, and of a single one why. */
function lasting(cooled: Standing[]): string {
  const until = cooled.map((row) => row.until ?? '').sort();
  const last = until.at(-1);
  const error = cooled.length === 1 ? cooled[0]?.error : undefined;
  const why = error ? `, after ${error.class} (${error.status})` : '';
  return last ? `, until ${stamp(last)}${why}` : why;
}

export function modelPoints(models: Deployment[], cooled: Standing[]): Point[] {
  const free = models.filter(unpriced);
  const points: Point[] = [];
  if (cooled.length > 0) {
    const text = `Cooling down after failures: ${named(cooled)}${lasting(cooled)}`;
    points.push({ to: '/models?show=cooled', text });
  }
  if (free.length > 0) {
    const text = `No price is known for ${named(free)}: what they use is booked at nothing`;
    points.push({ to: '/models?show=unpriced', text });
  }
  return points;
}

/** Those that take nothing, and those that could not be set up. */
export const callbackPoints = (states: CallbackState[]): Point[] =>
  states
    .filter(({ status }) => status === 'failing' || status === 'unusable')
    .map((state) => ({ to: '/settings?tab=callbacks', text: troubleOf(state) }));

function troubleOf({ name, failing_since: since, last_error: why, dropped }: CallbackState): string {
  if (since === null) return `Callback ${name} is not set up: ${why}`;
  const lost = dropped > 0 ? `; ${count(dropped)} records are lost` : '';
  return `Callback ${name} takes nothing since ${moment(since)}: ${why}${lost}`;
}

/** Entries reach the ledger within a second; beyond this something is wrong. */
const LATE_SECONDS = 15;

export function gatewayPoints(health: Readiness | undefined, replica: Replica | undefined): Point[] {
  const points: Point[] = [];
  const about = '/settings?tab=about';
  if (health !== undefined && health.db !== 'connected') {
    points.push({ to: about, text: `The ledger is ${health.db}: what is spent waits in the journal` });
  }
  return replica === undefined ? points : [...points, ...replicaPoints(replica, about)];
}

function replicaPoints(replica: Replica, about: string): Point[] {
  const late = milliseconds(replica.journal_lag_seconds * 1000);
  const full = percent(replica.journal_bytes, replica.journal_max_bytes);
  const told: [when: boolean, to: string, text: string][] = [
    [
      replica.journal_lag_seconds > LATE_SECONDS,
      about,
      `${count(replica.journal_waiting_entries)} entries wait in the journal, the oldest for ${late}`,
    ],
    [
      replica.journal_bytes >= NEAR * replica.journal_max_bytes,
      about,
      `The journal is full to ${full}: at its end requests are refused`,
    ],
    [
      replica.shed_requests > 0,
      about,
      `Requests refused for lack of room since the start: ${count(replica.shed_requests)}`,
    ],
    [
      replica.unpriced_requests > 0,
      '/models?show=unpriced',
      `Requests served without a known price since the start: ${count(replica.unpriced_requests)}`,
    ],
    [
      replica.alerts_dropped > 0,
      '/settings?tab=alerts',
      `${count(replica.alerts_dropped)} alerts reached nobody since the start`,
    ],
  ];
  return told.flatMap(([when, to, text]) => (when ? [{ to, text }] : []));
}
