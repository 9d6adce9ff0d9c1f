// Each route that the UI calls, with its answer. admin/openapi.json describes no answers and not all parameters.
import type {
  Activity,
  Budget,
  CacheHits,
  CachePing,
  CallbackState,
  Callbacks,
  Change,
  Counted,
  Credential,
  Customer,
  Deployment,
  Entry,
  Guardrail,
  Json,
  Key,
  NewKey,
  Organization,
  Paged,
  Probe,
  Readiness,
  ReportDay,
  Session,
  SettingField,
  Standing,
  SignOnProvider,
  Team,
  TeamMembership,
  Tried,
  User,
} from './answers';

export interface Answers {
  'GET /key/list': { keys: Key[] } & Counted;
  'GET /key/info': { key: string; info: Key };
  'POST /key/generate': NewKey;
  'POST /key/update': Key;
  'POST /key/delete': Json;
  'POST /key/block': Key;
  'POST /key/unblock': Key;
  'POST /key/{key}/regenerate': NewKey;
  'GET /v2/team/list': { teams: Team[] } & Paged;
  'GET /team/info': {
    team_id: string;
    team_info: Team;
    keys: Key[];
    team_memberships: TeamMembership[];
  } & Counted;
  'POST /team/new': Team;
  'POST /team/update': Json;
  'POST /team/delete': Json;
  'POST /team/block': Json;
  'POST /team/unblock': Json;
  'POST /team/member_add': Json;
  'POST /team/member_update': Json;
  'POST /team/member_delete': Json;
  'GET /user/list': { users: User[] } & Paged;
  'GET /user/info': {
    user_id: string;
    user_info: User | null;
    keys: Key[];
    teams: Team[];
  } & Counted;
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
  'GET /budget/list': Budget[];
  'POST /budget/new': Budget;
  'POST /budget/update': Budget;
  'POST /budget/delete': Json;
  'GET /v2/guardrails/list': { guardrails: Guardrail[] };
  'POST /guardrails/apply_guardrail': { response_text: string };
  'GET /cache/ping': CachePing;
  'POST /cache/flushall': Json;
  'GET /global/activity/cache_hits': CacheHits[];
  'GET /user/daily/activity': Activity;
  'GET /team/daily/activity': Activity;
  'GET /organization/daily/activity': Activity;
  'GET /customer/daily/activity': Activity;
  'GET /tag/daily/activity': Activity;
  'GET /global/spend/report': ReportDay[];
  'GET /spend/logs': Entry[];
  'GET /ui/entries': { data: Entry[] } & Paged;
  'GET /model/streaming_metrics': { data: Record<string, number | string>[]; all_api_bases: string[] };
  'GET /audit': { audit_logs: Change[] } & Paged;
  'GET /config/list': SettingField[];
  'POST /config/field/update': Json;
  'POST /config/field/delete': Json;
  'GET /get/config/callbacks': Callbacks;
  'GET /health/services': { status: string; message: string };
  'GET /health/callbacks': { failing_count: number; callbacks: CallbackState[] };
  'GET /health/readiness': Readiness;
  'GET /v1/models': { data: { id: string }[] };
  'GET /ui/session': Session;
  'POST /ui/session': Session;
  'DELETE /ui/session': { logout_url: string } | undefined;
  'DELETE /ui/sessions': undefined;
  'GET /ui/options': { sso: boolean; provider?: SignOnProvider | null };
  'POST /ui/invitation': undefined;
}

/** Parameters that the server takes and the document does not name. */
export interface MoreQuery {
  'GET /global/spend/report': { group_by: string; format: string; team_id: string };
  'GET /spend/logs': { summarize: boolean };
  'GET /health/readiness': object;
  'GET /v1/models': object;
}

/** Bodies of the UI's own routes: README.md, "What the UI asks of the server". */
export interface OwnBodies {
  'POST /ui/session': { username: string; password: string };
  'POST /ui/invitation': { invitation_id: string; password: string };
}
