// The one place that talks to the server. Paths, parameters and bodies are those of admin/openapi.json (schema.d.ts is
// made from it); answers that the document does not describe stand in routes.ts.

import { ROOT } from './root';
import type { Answers, MoreQuery, OwnBodies } from './routes';
import type { paths } from './schema';

type Verb<R> = R extends `${infer M} ${string}` ? Lowercase<M> : never;
type Path<R> = R extends `${string} ${infer P}` ? P : never;
type Operation<R> =
  Path<R> extends keyof paths
    ? Verb<R> extends keyof paths[Path<R>]
      ? paths[Path<R>][Verb<R>]
      : never
    : never;
type QueryOf<O> = O extends { parameters: { query?: infer Q } } ? NonNullable<Q> : unknown;
type More<R> = R extends keyof MoreQuery ? MoreQuery[R] : unknown;

export type Route = keyof Answers;
/** Enumerated values come from addresses, where anything may stand: the server says what it does not take. */
type Loose<Q> = { [N in keyof Q]?: Q[N] extends string | undefined ? string : Q[N] };
export type Query<R extends Route> = Loose<QueryOf<Operation<R>> & More<R>>;
export type Body<R extends Route> = R extends keyof OwnBodies
  ? OwnBodies[R]
  : Operation<R> extends { requestBody?: { content: { 'application/json': infer B } } }
    ? B
    : never;

export interface Sent<R extends Route> {
  /** Values of the `{names}` in the path. */
  path?: Record<string, string>;
  query?: Query<R>;
  body?: Body<R>;
  signal?: AbortSignal;
}

/** What the server refused, in its own words: they name the cure. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

let csrf = '';
let onUnauthorised: () => void = () => {};

/** Told by the session: the token that writes carry. */
export function carry(token: string) {
  csrf = token;
}

/** Told by the session: what to do about a 401. It may mean that the session has ended, or that the role has no right. */
export function whenUnauthorised(then: () => void) {
  onUnauthorised = then;
}

export async function call<R extends Route>(route: R, sent: Sent<R> = {}): Promise<Answers[R]> {
  const [method = 'GET', template = ''] = route.split(' ');
  const response = await request(method, address(template, sent.path, sent.query), sent.body, sent.signal);
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as Answers[R];
}

/** An address to link to, for what the browser itself shall load, such as a CSV file. */
export function address(template: string, path: Record<string, string> = {}, query: object = {}): string {
  const filled =
    ROOT + template.slice(1).replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''));
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') params.set(name, String(value));
  }
  const text = params.toString();
  return text === '' ? filled : `${filled}?${text}`;
}

/** Sends, and turns every refusal into an `ApiError`. Also for answers that are no JSON, such as streams. */
export async function request(
  method: string,
  url: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (method !== 'GET') headers['x-weir-csrf'] = csrf;
  const init: RequestInit = { method, headers, credentials: 'same-origin', signal: signal ?? null };
  if (body !== undefined) init.body = JSON.stringify(body);
  const response = await fetch(url, init).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, 'The gateway cannot be reached. Is it running, and is the network up?');
  });
  if (response.ok) return response;
  if (response.status === 401 && !url.startsWith(`${ROOT}ui/session`)) onUnauthorised();
  throw new ApiError(response.status, told(await response.text(), response.status));
}

/** Refusals come in three forms: OpenAI's `error`, and `detail` as an object or as a list of faults. */
function told(text: string, status: number): string {
  const plain = text.trim() === '' || text.trimStart().startsWith('<');
  if (plain) return `The gateway answered ${status} without a reason.`;
  try {
    return words(JSON.parse(text)) ?? text;
  } catch {
    return text.slice(0, 500);
  }
}

function words(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(fault).join('; ');
  if (typeof value !== 'object' || value === null) return undefined;
  const { error, message, detail } = value as Record<string, unknown>;
  return words(error) ?? words(message) ?? words(detail);
}

function fault(value: unknown): string {
  const { loc, msg } = (value ?? {}) as { loc?: unknown[]; msg?: string };
  const where = loc?.filter((part) => part !== 'body').join('.');
  return where ? `${where}: ${msg}` : (msg ?? words(value) ?? '');
}
