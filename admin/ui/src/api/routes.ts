// Each route that the UI calls, with its answer. admin/openapi.json describes no answers and not all parameters.
import type {
  Activity,
  Budget,
  CacheHits,
  CachePing,
  CallbackState,
  Callbacks,
  Change,
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
  SignOnProvider,
  Team,
  TeamMembership,
  User,
} from './answers';

export interface Answers {
  'GET /key/list': { keys: Key[]; total_count: number; current_page: number; total_pages: number };
  'GET /key/info': { key: string; info: Key };
  'GET /key/aliases': { aliases: string[] };
  'POST /key/generate': NewKey;
  'POST /key/update': Key;
  'POST /key/delete': Json;
  'POST /key/block': Key;
  'POST /key/unblock': Key;
  'POST /key/{key}/regenerate': NewKey;
  'GET /v2/team/list': { teams: Team[] } & Paged;
  'GET /team/info': { team_id: string; team_info: Team; keys: Key[]; team_memberships: TeamMembership[] };
  'POST /team/new': Team;
  'POST /team/update': Json;
  'POST /team/delete': Json;
  'POST /team/block': Json;
  'POST /team/unblock': Json;
  'POST /team/member_add': Json;
  'POST /team/member_update': Json;
  'POST /team/member_delete': Json;
  'GET /user/list': { users: User[] } & Paged;
  'GET /user/info': { user_id: string; user_info: User | null; keys: Key[]; teams: Team[] };
  'POST /user/new': User & { key: string };
  'POST /user/update': Json;
  'POST /user/delete': Json;
  'POST /invitation/new': { id: string; expires_at: string };
  'GET /organization/list': Organization[];
  'GET /organization/info': Organization;
  'POST /organization/new': Organization;
  'PATCH /organization/update': Json;
  'DELETE /organization/delete': Json;
  'POST /organization/member_add': Json;
  'PATCH /organization/member_update': Json;
  'DELETE /organization/member_delete': Json;
  'GET /customer/list': Customer[];
  'GET /customer/info': Customer;
  'POST /customer/new': Customer;
  'POST /customer/update': Json;
  'POST /customer/delete': Json;
  'POST /customer/block': Json;
  'POST /customer/unblock': Json;
  'GET /v2/model/info': { data: Deployment[] };
  'POST /model/new': { model_id: string };
  'PATCH /model/{id}/update': Json;
  'POST /model/delete': Json;
  'GET /health': { healthy_endpoints: Probe[]; unhealthy_endpoints: Probe[] };
  'GET /credentials': { credentials: Credential[] };
  'POST /credentials': Json;
  'PATCH /credentials/{name}': Json;
  'DELETE /credentials/{name}': Json;
  'POST /health/test_connection': { status: 'success' | 'error'; result: { error?: string } };
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
  'GET /spend/logs/ui': { data: Entry[] } & Paged;
  'GET /spend/logs/ui/{request_id}': {
    messages: unknown;
    response: unknown;
    proxy_server_request: unknown;
  } | null;
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

interface Narrowed {
  model: string;
  api_key: string;
}

/** Parameters that the server takes and the document does not name. */
export interface MoreQuery {
  'GET /user/daily/activity': Narrowed & { user_id: string };
  'GET /team/daily/activity': Narrowed & { team_ids: string };
  'GET /organization/daily/activity': Narrowed & { organization_ids: string };
  'GET /customer/daily/activity': Narrowed & { end_user_ids: string };
  'GET /tag/daily/activity': Narrowed & { tags: string };
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
