// Each route that the UI calls, with its answer: the one that admin/openapi.json describes, where it describes one.
import type {
  Budget,
  CachePing,
  CallbackState,
  Callbacks,
  Counted,
  Credential,
  Customer,
  Deployment,
  Guardrail,
  Json,
  Key,
  NewKey,
  Options,
  Organization,
  Paged,
  PeriodBudget,
  PriceMap,
  Probe,
  Readiness,
  Replica,
  Session,
  SettingField,
  Standing,
  Team,
  Tried,
  User,
  UserListed,
} from './answers';
import type { paths } from './schema';

/** What the document says that a GET answers. */
type Told<P extends keyof paths> = paths[P] extends {
  get: { responses: { 200: { content: { 'application/json': infer A } } } };
}
  ? A
  : never;

export interface Answers {
  'GET /key/list': { keys: Key[] } & Counted;
  'GET /key/info': Told<'/key/info'>;
  'POST /key/generate': NewKey;
  'POST /key/update': Key;
  'POST /key/delete': Json;
  'POST /key/block': Key;
  'POST /key/unblock': Key;
  'POST /key/{key}/regenerate': NewKey;
  'GET /v2/team/list': Told<'/v2/team/list'>;
  'GET /team/info': Told<'/team/info'> & Counted;
  'POST /team/new': Team;
  'POST /team/update': Json;
  'POST /team/delete': Json;
  'POST /team/block': Json;
  'POST /team/unblock': Json;
  'POST /team/member_add': Json;
  'POST /team/member_update': Json;
  'POST /team/member_delete': Json;
  'GET /user/list': { users: UserListed[] } & Paged;
  'GET /user/info': Told<'/user/info'> & Counted;
  'POST /user/new': User & { key: string };
  'POST /user/update': Json;
  'POST /user/delete': Json;
  'POST /invitation/new': { id: string; expires_at: string };
  'GET /organization/list': { organizations: Organization[] } & Counted;
  'GET /organization/info': Organization;
  'POST /organization/new': Organization;
  'PATCH /organization/update': Json;
  'DELETE /organization/delete': Json;
  'POST /organization/member_add': Json;
  'PATCH /organization/member_update': Json;
  'DELETE /organization/member_delete': Json;
  'GET /customer/list': { customers: Customer[] } & Counted;
  'GET /customer/info': Customer;
  'POST /customer/new': Customer;
  'POST /customer/update': Json;
  'POST /customer/delete': Json;
  'POST /customer/block': Json;
  'POST /customer/unblock': Json;
  'GET /v2/model/info': { data: Deployment[] };
  'GET /model/deployments/state': { scope: 'shared' | 'replica'; total: number; data: Standing[] };
  'POST /model/new': { model_id: string };
  'PATCH /model/{id}/update': Json;
  'POST /model/delete': Json;
  'GET /health': { healthy_endpoints: Probe[]; unhealthy_endpoints: Probe[] };
  'GET /credentials': { credentials: Credential[] };
  'POST /credentials': Json;
  'PATCH /credentials/{name}': Json;
  'DELETE /credentials/{name}': Json;
  'POST /health/test_connection': Tried;
  'GET /schedule/model_cost_map_reload/status': PriceMap;
  'POST /schedule/model_cost_map_reload': Json;
  'DELETE /schedule/model_cost_map_reload': Json;
  'POST /reload/model_cost_map': { message: string; models_count: number };
  'GET /budget/list': Budget[];
  'GET /provider/budgets': {
    providers: Record<string, PeriodBudget>;
    deployments: Record<string, PeriodBudget>;
    /** Absent from a replica of a version before. */
    gateway?: PeriodBudget | null;
  };
  'POST /budget/new': Budget;
  'POST /budget/update': Budget;
  'POST /budget/delete': Json;
  'GET /v2/guardrails/list': { guardrails: Guardrail[] };
  'POST /guardrails/apply_guardrail': { response_text: string };
  'GET /cache/ping': CachePing;
  'POST /cache/flushall': Json;
  'GET /global/activity/cache_hits': Told<'/global/activity/cache_hits'>;
  'GET /user/daily/activity': Told<'/user/daily/activity'>;
  'GET /team/daily/activity': Told<'/team/daily/activity'>;
  'GET /organization/daily/activity': Told<'/organization/daily/activity'>;
  'GET /customer/daily/activity': Told<'/customer/daily/activity'>;
  'GET /tag/daily/activity': Told<'/tag/daily/activity'>;
  'GET /global/spend/report': Told<'/global/spend/report'>;
  'GET /spend/logs': Told<'/spend/logs'>;
  'GET /ui/entries': Told<'/ui/entries'>;
  'GET /audit': Told<'/audit'>;
  'GET /config/list': SettingField[];
  'POST /config/field/update': Json;
  'POST /config/field/delete': Json;
  'GET /get/config/callbacks': Callbacks;
  'GET /health/services': { status: string; message: string };
  'GET /health/callbacks': { failing_count: number; callbacks: CallbackState[] };
  'GET /health/readiness': Readiness;
  'GET /health/replica': Replica;
  'GET /v1/models': { data: { id: string }[] };
  'GET /ui/session': Session;
  'POST /ui/session': Session;
  'DELETE /ui/session': { logout_url: string } | undefined;
  'DELETE /ui/sessions': undefined;
  'GET /ui/options': Options;
  'POST /ui/invitation': undefined;
}

/** Routes that the document does not have. */
export interface MoreQuery {
  'GET /health/readiness': object;
  'GET /v1/models': object;
}

/** Bodies of the UI's own routes: README.md, "What the UI asks of the server". */
export interface OwnBodies {
  'POST /ui/session': { username: string; password: string };
  'POST /ui/invitation': { invitation_id: string; password: string };
}
