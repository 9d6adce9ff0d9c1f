// Every page, looked at: light, dark, on a phone, and by what finds faults for people who cannot see it. Whatever could be
// typed by somebody holds a script, which has to be shown as the text that it is.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { missing, startRig } from './rig/rig.mjs';

const SCRIPT = '"><script>alert(1)</script><img src=x onerror=alert(2)>';
const id = encodeURIComponent;

let rig;
let walk;
let made;

/** A record of each kind, with a script in each text of it. */
async function scripted() {
  const post = async (path, body) => {
    const answer = await rig.api('POST', path, body);
    assert.equal(answer.status, 200, `${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const metadata = { note: SCRIPT };
  const limits = { max_budget: 0.0005, budget_duration: '30d' };
  const organization = await post('/organization/new', { organization_alias: SCRIPT, metadata, max_budget: 90 });
  const { organization_id } = organization;
  const team = await post('/team/new', { team_alias: SCRIPT, metadata, tags: [SCRIPT], models: [SCRIPT, 'priced', 'demo', 'unreachable'], ...limits });
  const user = await post('/user/new', { user_email: SCRIPT, user_alias: SCRIPT, user_role: 'internal_user', metadata, ...limits });
  await post('/team/member_add', { team_id: team.team_id, member: { role: 'user', user_id: user.user_id } });
  await post('/organization/member_add', { organization_id, member: { role: 'internal_user', user_id: user.user_id } });
  const key = await post('/key/generate', { key_alias: SCRIPT, team_id: team.team_id, user_id: user.user_id, tags: [SCRIPT], metadata, duration: '30d', ...limits });
  await post('/customer/new', { user_id: SCRIPT, alias: SCRIPT, max_budget: 3 });
  const model = await post('/model/new', {
    model_name: SCRIPT,
    litellm_params: { model: `openai/${SCRIPT}`, api_base: `http://127.0.0.1:9/${id(SCRIPT)}`, mock_response: SCRIPT },
    model_info: { base_model: SCRIPT, access_groups: [SCRIPT], description: SCRIPT },
  });
  await post('/credentials', { credential_name: SCRIPT, credential_values: { [SCRIPT]: 'x' }, credential_info: metadata });
  await post('/budget/new', { budget_id: SCRIPT, max_budget: 10 });
  const messages = [{ role: 'user', content: SCRIPT }];
  for (const name of [SCRIPT, 'priced', 'priced', 'unreachable', 'nothing-by-this-name']) {
    await rig.api('POST', '/v1/chat/completions', { model: name, messages, user: SCRIPT, metadata: { tags: [SCRIPT], session_id: SCRIPT, note: SCRIPT } }, key.key);
  }
  await rig.booked(5);
  const logs = await rig.api('GET', '/spend/logs/ui?page_size=100');
  const entry = logs.body.data.find((row) => row.model_group === 'priced');
  return { organization, team, user, key, model, entry };
}

/** Where each page is, and what its title is; a script where it is somebody's name. */
const pages = () => [
  ['home', '/', 'Home'],
  ['usage', '/usage', 'Usage'],
  ['usage-tags', '/usage?by=tag', 'Usage'],
  ['chargeback-all', '/usage/chargeback/all', 'Chargeback'],
  ['chargeback-team', `/usage/chargeback/${id(made.team.team_id)}`, 'Chargeback'],
  ['logs', '/logs', 'Logs'],
  ['logs-exchange', `/logs/${id(made.entry.request_id)}`, 'priced'],
  ['keys', '/keys', 'Keys'],
  ['keys-one', `/keys/${made.key.token}`, SCRIPT],
  ['teams', '/teams', 'Teams'],
  ['teams-one', `/teams/${id(made.team.team_id)}`, SCRIPT],
  ['users', '/users', 'Users'],
  ['users-one', `/users/${id(made.user.user_id)}`, SCRIPT],
  ['organizations', '/organizations', 'Organisations'],
  ['organizations-one', `/organizations/${id(made.organization.organization_id)}`, SCRIPT],
  ['customers', '/customers', 'Customers'],
  ['customers-one', `/customers/${id(SCRIPT)}`, SCRIPT],
  ['models', '/models', 'Models'],
  ['models-one', `/models/${id(made.model.model_id)}`, SCRIPT],
  ['playground', '/playground', 'Playground'],
  ['settings-configuration', '/settings', 'Settings'],
  ['settings-alerts', '/settings?tab=alerts', 'Settings'],
  ['settings-callbacks', '/settings?tab=callbacks', 'Settings'],
  ['settings-guardrails', '/settings?tab=guardrails', 'Settings'],
  ['settings-cache', '/settings?tab=cache', 'Settings'],
  ['settings-tiers', '/settings?tab=tiers', 'Settings'],
  ['settings-prices', '/settings?tab=prices', 'Settings'],
  ['settings-credentials', '/settings?tab=credentials', 'Settings'],
  ['settings-sign-on', '/settings?tab=sign-on', 'Settings'],
  ['settings-audit', '/settings?tab=audit', 'Settings'],
  ['settings-about', '/settings?tab=about', 'Settings'],
  ['lost', '/nowhere', 'There is no such page'],
];

/** Pages that hold nothing that somebody typed. */
const PLAIN = [
  'playground',
  'settings-configuration',
  'settings-callbacks',
  'settings-guardrails',
  'settings-cache',
  'settings-alerts',
  'settings-prices',
  'settings-sign-on',
  'settings-about',
  'lost',
];

/** Where each form is that makes something: its page, the page's title, and the button. */
const forms = () => [
  ['key', '/keys', 'Keys', 'New key'],
  ['team', '/teams', 'Teams', 'New team'],
  ['member', `/teams/${id(made.team.team_id)}`, SCRIPT, 'Add member'],
  ['user', '/users', 'Users', 'New user'],
  ['organization', '/organizations', 'Organisations', 'New organisation'],
  ['customer', '/customers', 'Customers', 'New customer'],
  ['deployment', '/models', 'Models', 'New deployment'],
  ['tier', '/settings?tab=tiers', 'Settings', 'New tier'],
  ['credential', '/settings?tab=credentials', 'Settings', 'New credential'],
];

describe('the looks of every page', { skip: missing() ?? false, concurrency: false }, () => {
  before(async () => {
    rig = await startRig();
    made = await scripted();
    walk = await rig.admin();
  });
  after(() => rig?.stop());

  test('p37 no page has a serious fault, and what was typed stays text', async (context) => {
    for (const [name, path, title] of pages()) {
      await context.test(name, async () => {
        await walk.open(path, title);
        await walk.settled();
        if (!PLAIN.includes(name)) await walk.reads(SCRIPT.slice(2, 20));
        await walk.looked(`page-${name}`, true);
        assert.deepEqual(rig.problems, []);
      });
    }
  });

  test('p37 no form has a serious fault', async (context) => {
    for (const [name, path, title, button] of forms()) {
      await context.test(name, async () => {
        await walk.open(path, title);
        await walk.press(button);
        const more = walk.page.getByRole('dialog').locator('summary');
        if ((await more.count()) > 0) await more.click();
        await walk.looked(`form-${name}`);
        await walk.submit('Cancel');
        await walk.gone();
        assert.deepEqual(rig.problems, []);
      });
    }
  });

  test('the first page, with nothing in the cache of the browser', async (context) => {
    const fresh = await rig.somebody();
    await fresh.page.context().addCookies(await walk.page.context().cookies());
    await fresh.open('/', 'Home');
    const took = await fresh.page.evaluate(() => Math.round(performance.now()));
    context.diagnostic(`the first page is there ${took} ms after it was asked for`);
  });

  test('p37 what was typed stays text in forms and dialogs', async () => {
    await walk.open(`/teams/${id(made.team.team_id)}`, SCRIPT);
    await walk.press('Edit');
    assert.equal(await walk.page.getByRole('dialog').getByLabel(/^Name/).inputValue(), SCRIPT);
    await walk.submit('Cancel');
    await walk.menu('Delete');
    await walk.reads(`Type ${SCRIPT} to go on`);
    await walk.submit('Cancel');
    await walk.open('/playground', 'Playground');
    await walk.page.getByRole('combobox', { name: 'Model' }).click();
    await walk.page.getByRole('option', { name: SCRIPT }).click();
    await walk.page.getByRole('textbox', { name: 'Message', exact: true }).fill(SCRIPT);
    await walk.press('Send');
    await walk.page.getByRole('article').nth(1).getByText(SCRIPT).waitFor();
    assert.deepEqual(rig.problems, []);
  });

  test('an address with a script in it is text, too', async () => {
    for (const path of [`/keys?alias=${id(SCRIPT)}x`, `/logs?model=${id(SCRIPT)}x&session_id=${id(SCRIPT)}`, `/usage?by=model&q=${id(SCRIPT)}&model=${id(SCRIPT)}&tag=${id(SCRIPT)}`, `/${id(SCRIPT)}`]) {
      await walk.open(path);
      await walk.settled();
    }
    assert.deepEqual(rig.problems, []);
  });
});
