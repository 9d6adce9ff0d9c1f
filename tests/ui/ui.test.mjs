// A person administers a gateway: every page, in a real browser, against a real Weir.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { missing, startRig } from './rig.mjs';
import { walker } from './walk.mjs';

const skip = missing() ?? false;
let rig;
let walk;
let key;

describe('the admin UI', { skip, concurrency: false }, () => {
  before(async () => {
    rig = await startRig();
    rig.page.setDefaultTimeout(8_000);
    walk = walker(rig);
  });
  after(async () => {
    await rig?.stop();
  });

  test('a wrong password is refused, the master key is taken', async () => {
    await walk.open('/', 'Sign in to Weir');
    await walk.looked('login');
    await walk.signIn('admin', 'wrong');
    await walk.reads('User name or password is wrong.');
    await walk.signIn('admin', rig.weir.masterKey);
    await walk.sees('Home');
    const kept = await rig.page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)]);
    assert.deepEqual(
      kept.filter((name) => name !== 'weir-colour-scheme'),
      [],
      'nothing but view preferences is kept in the browser',
    );
  });

  test('a write without the token of the session is refused', async () => {
    const status = await rig.page.evaluate(async () => {
      const answer = await fetch('/team/new', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
      return answer.status;
    });
    assert.equal(status, 403);
  });

  test('a team is made and changed', async () => {
    await walk.open('/teams', 'Teams');
    await walk.press('New team');
    await walk.fill({ Name: 'Research', Budget: '50' });
    await walk.submit('Create');
    await walk.gone();
    await walk.page.getByRole('link', { name: 'Research' }).click();
    await walk.sees('Research');
    await walk.press('Edit');
    await walk.fill({ Budget: '75' });
    await walk.submit('Save');
    await walk.gone();
    await walk.reads('of $75.00');
  });

  test('a user is made, invited, and added to the team', async () => {
    await walk.open('/users', 'Users');
    await walk.press('New user');
    await walk.fill({ 'E-mail': 'ada@example.com' });
    await walk.submit('Create');
    await walk.gone();
    await walk.page.getByRole('link', { name: 'ada@example.com' }).click();
    await walk.sees('ada@example.com');
    await walk.press('Invite');
    await walk.submit('Make the link');
    const link = await walk.page.getByRole('textbox', { name: 'The link' }).inputValue();
    assert.match(link, /\/ui\/\?invitation_id=\S+$/);
    rig.invitation = link;
    await walk.submit('Done');

    await walk.open('/teams', 'Teams');
    await walk.page.getByRole('link', { name: 'Research' }).click();
    await walk.press('Add member');
    await walk.pick('User', /ada@example.com/);
    await walk.submit('Add');
    await walk.gone();
    await walk.page.getByRole('link', { name: 'ada@example.com' }).waitFor();
  });

  test('a key is made, shown once, and used', async () => {
    await walk.press('New key');
    await walk.fill({ Name: 'notebook', Budget: '5' });
    await walk.submit('Create');
    key = await walk.page.getByRole('textbox', { name: 'The key' }).inputValue();
    assert.match(key, /^sk-/);
    await walk.submit('Done');
    await walk.gone();
    for (const model of ['priced', 'priced-mini', 'demo', 'unreachable']) {
      const messages = [{ role: 'user', content: `What does ${model} cost?` }];
      const { status } = await rig.api('POST', '/v1/chat/completions', { model, messages, user: 'customer-7', metadata: { tags: ['night'] } }, key);
      assert.equal(status === 200, model !== 'unreachable', model);
    }
  });

  test('its spend appears, and it is found among many', async () => {
    const many = Array.from({ length: 70 }, (_, at) => rig.api('POST', '/key/generate', { key_alias: `service-${at}` }));
    await Promise.all(many);
    await walk.open('/keys', 'Keys');
    await walk.reads('1–50 of 71');
    await walk.press('Next page');
    await walk.reads('51–71 of 71');
    await walk.page.getByRole('combobox', { name: 'Find a key' }).fill('noteb');
    await walk.page.getByRole('option', { name: 'notebook' }).click();
    await walk.page.getByRole('link', { name: 'notebook' }).waitFor();
    await walk.reads('1–1 of 1');
    await walk.page.getByRole('combobox', { name: 'Find a key' }).fill(key);
    await walk.page.getByRole('combobox', { name: 'Find a key' }).press('Enter');
    await walk.reads('1–1 of 1');
    assert.ok(!walk.page.url().includes(key), 'a key stays out of the address');
    await walk.page.getByRole('link', { name: 'notebook' }).click();
    await walk.sees('notebook');
    await walk.reads(/30 days, by model: \$0\.000/);
    await walk.looked('key');
  });

  test('a key is edited, rotated, blocked and unblocked', async () => {
    await walk.press('Edit');
    await walk.looked('key-edit');
    await walk.fill({ Budget: '12' });
    await walk.submit('Save');
    await walk.gone();
    await walk.reads('of $12.00');

    await walk.press('Rotate');
    await walk.submit('Rotate');
    const fresh = await walk.page.getByRole('textbox', { name: 'The key' }).inputValue();
    assert.notEqual(fresh, key);
    await walk.submit('Done');
    await walk.gone();
    await walk.sees('notebook');
    const ask = (with_) => rig.api('POST', '/v1/chat/completions', { model: 'demo', messages: [{ role: 'user', content: 'hi' }] }, with_);
    assert.equal((await ask(fresh)).status, 200);
    assert.equal((await ask(key)).status, 200, 'the old key is taken for a day');
    key = fresh;

    await walk.menu('Block');
    await walk.submit('Block');
    await walk.gone();
    await walk.reads('Blocked');
    assert.equal((await ask(key)).status, 401);
    await walk.menu('Unblock');
    await walk.submit('Unblock');
    await walk.gone();
    await walk.reads('Active');
  });

  test('a key is deleted by its name only', async () => {
    await walk.open('/keys?alias=service-3', 'Keys');
    await walk.page.getByRole('link', { name: 'service-3', exact: true }).click();
    await walk.menu('Delete');
    assert.equal(await walk.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).isDisabled(), true);
    await walk.looked('delete');
    await walk.typeName('service-3');
    await walk.submit('Delete');
    await walk.sees('Keys');
    await walk.open('/keys?alias=service-3', 'Keys');
    await walk.reads('No keys here');
  });

  test('a refusal is shown in the words of the server', async () => {
    await walk.open('/keys', 'Keys');
    await walk.press('New key');
    await walk.fill({ Name: 'notebook' });
    await walk.submit('Create');
    await walk.page.getByRole('alert').getByText(/already exists/).waitFor();
    await walk.submit('Cancel');
  });

  test('a request is read in the logs: attempts, tokens, price, bodies', async () => {
    await walk.open('/logs', 'Logs');
    await walk.looked('logs');
    await walk.page.getByRole('row', { name: /priced-mini/ }).getByRole('link').click();
    await walk.sees('priced-mini');
    await walk.reads('Worked out at the prices that hold today.');
    await walk.reads('What does priced-mini cost?');
    await walk.reads('A cheaper answer.');
    await walk.looked('exchange');
    await walk.open('/logs?status=failure', 'Logs');
    await walk.page.getByRole('row', { name: /unreachable/ }).getByRole('link').click();
    await walk.sees('unreachable');
    await walk.page.getByText(/^2\. unreachable/).waitFor();
    await walk.looked('exchange-failed');
  });

  test('live logs show what comes', async () => {
    await walk.open('/logs?end_user=newcomer', 'Logs');
    await walk.reads('No requests');
    await walk.page.getByRole('switch', { name: 'Live' }).click();
    const messages = [{ role: 'user', content: 'live' }];
    await rig.api('POST', '/v1/chat/completions', { model: 'priced', messages, user: 'newcomer' });
    await walk.reads('1–1 of 1');
  });

  test('usage by everything, narrowed by the address', async () => {
    for (const by of ['model', 'team', 'key', 'user', 'provider', 'tag', 'customer']) {
      await walk.open(`/usage?by=${by}`, 'Usage');
      await walk.page.getByRole('region', { name: `Usage by ${by}` }).waitFor();
      await walk.looked(`usage-${by}`);
    }
    await walk.open('/usage?by=customer', 'Usage');
    await walk.page.getByRole('link', { name: 'customer-7' }).waitFor();
    await walk.open('/usage?by=model&only=priced', 'Usage');
    assert.equal(await walk.page.getByRole('row', { name: /priced-mini/ }).count(), 0);
    await walk.press('Export');
    const wait = walk.page.waitForEvent('download');
    await walk.page.getByRole('menuitem', { name: /^CSV/ }).click();
    assert.match((await wait).suggestedFilename(), /^weir-model-.*\.csv$/);
  });

  test('a team is billed on paper', async () => {
    await walk.open('/usage?by=team', 'Usage');
    await walk.page.getByRole('link', { name: 'Chargeback of Research' }).click();
    await walk.sees('Chargeback');
    await walk.page.getByRole('cell', { name: 'notebook' }).first().waitFor();
    await walk.page.emulateMedia({ media: 'print' });
    assert.equal(await walk.page.getByRole('navigation', { name: 'Pages', exact: true }).isVisible(), false);
    await rig.shot(walk.page, 'chargeback-print');
    await walk.page.emulateMedia({ media: null });
    await walk.looked('chargeback');
  });

  test('a deployment is added, changed, tested and deleted', async () => {
    await walk.open('/models', 'Models');
    await walk.press('New deployment');
    await walk.fill({ Name: 'added', 'Provider and model': 'openai/gpt-4o-mini' });
    await walk.page.getByText('More', { exact: true }).click();
    await walk.fill({ 'Answer without a provider': 'Added in the browser.' });
    await walk.submit('Create');
    await walk.gone();
    await walk.press('Check health');
    await walk.reads(/Failed/);
    await walk.looked('models');
    await walk.page.getByRole('link', { name: 'added' }).click();
    await walk.sees('added');
    await walk.press('Test call');
    await walk.reads(/\d m?s/);
    await walk.looked('model');
    await walk.press('Edit');
    await walk.fill({ Name: 'added-later' });
    await walk.submit('Save');
    await walk.gone();
    await walk.sees('added-later');
    await walk.press('Clone');
    await walk.submit('Create');
    await walk.gone();
    await walk.menu('Delete');
    await walk.typeName('added-later');
    await walk.submit('Delete');
    await walk.sees('Models');
    await walk.page.getByRole('row', { name: /added-later/ }).waitFor();
    assert.equal(await walk.page.getByRole('row', { name: /added-later/ }).count(), 1);
  });

  test('two models answer side by side', async () => {
    await walk.open('/playground?model=priced&other=demo', 'Playground');
    await walk.page.getByRole('textbox', { name: 'Message', exact: true }).fill('Say something.');
    await walk.press('Send');
    await walk.reads('An answer that has a price.');
    await walk.reads(/Hello from Weir/);
    await walk.reads(/first token .* in all .* in, .* out · \$0\.000/);
    await walk.looked('playground');
  });

  test('organisations and customers', async () => {
    await walk.open('/organizations', 'Organisations');
    await walk.press('New organisation');
    await walk.fill({ Name: 'Acme', Budget: '1000' });
    await walk.submit('Create');
    await walk.gone();
    await walk.page.getByRole('link', { name: 'Acme' }).click();
    await walk.sees('Acme');
    await walk.press('Add member');
    await walk.pick('User', /ada@example.com/);
    await walk.submit('Add');
    await walk.gone();
    await walk.looked('organization');
    await walk.open('/customers', 'Customers');
    await walk.press('New customer');
    await walk.fill({ Id: 'customer-7', Name: 'Seventh', Budget: '3' });
    await walk.submit('Create');
    await walk.gone();
    await walk.page.getByRole('link', { name: 'Seventh' }).click();
    await walk.sees('Seventh');
    await walk.reads('of $3.00');
    await walk.menu('Block');
    await walk.submit('Block');
    await walk.gone();
    await walk.reads('Blocked');
    await walk.looked('customer');
  });

  test('settings are found, changed, and put back; the change is in the audit log', async () => {
    await walk.open('/settings?section=litellm_settings&q=drop_params', 'Settings');
    await walk.looked('settings');
    await walk.press('Change drop_params');
    await walk.page.getByRole('dialog').getByRole('switch').click();
    await walk.submit('Save');
    await walk.gone();
    await walk.reads('ledger');
    await walk.press('Reset drop_params');
    await walk.submit('Reset');
    await walk.gone();
    await walk.reads('file or default');
    await walk.open('/settings?tab=callbacks', 'Settings');
    await walk.press('Test');
    await walk.reads('prometheus is configured');
    await walk.looked('callbacks');
    await walk.open('/settings?tab=credentials', 'Settings');
    await walk.reads('No credentials');
    await walk.open('/settings?tab=audit', 'Settings');
    await walk.page.getByRole('region', { name: 'Changes' }).waitFor();
    await walk.looked('audit');
    await walk.open('/settings?tab=about', 'Settings');
    await walk.reads('connected');
    await walk.looked('about');
  });

  test('the lists and the first page, looked at', async () => {
    for (const [path, title, name] of [
      ['/', 'Home', 'home'],
      ['/keys', 'Keys', 'keys'],
      ['/teams', 'Teams', 'teams'],
      ['/users', 'Users', 'users'],
      ['/organizations', 'Organisations', 'organizations'],
      ['/customers', 'Customers', 'customers'],
    ]) {
      await walk.open(path, title);
      await walk.looked(name);
    }
    await walk.open('/teams', 'Teams');
    await walk.page.getByRole('link', { name: 'Research' }).click();
    await walk.sees('Research');
    await walk.looked('team');
    await walk.open('/users', 'Users');
    await walk.page.getByRole('link', { name: 'ada@example.com' }).click();
    await walk.sees('ada@example.com');
    await walk.looked('user');
  });

  test('the keyboard reaches the pages', async () => {
    await walk.open('/', 'Home');
    await walk.page.keyboard.press('Tab');
    assert.equal(await walk.page.evaluate(() => document.activeElement?.textContent), 'Skip to content');
    await walk.page.keyboard.press('Enter');
    assert.equal(await walk.page.evaluate(() => document.activeElement?.id), 'main');
    const link = walk.page.getByRole('link', { name: 'Keys', exact: true });
    await link.focus();
    await walk.page.keyboard.press('Enter');
    await walk.sees('Keys');
  });

  test('an invited user sets a password, and sees what is its own', async () => {
    const user = new URL(rig.invitation).searchParams.get('invitation_id');
    const { body } = await rig.api('GET', `/invitation/info?invitation_id=${user}`);
    await walk.signOut();
    await walk.open(`/?invitation_id=${user}`, 'Welcome to Weir');
    await walk.looked('invitation');
    await walk.page.getByLabel(/^New password/).fill('correct horse battery');
    await walk.press('Set password');
    await walk.signIn(body.user_id, 'correct horse battery');
    await walk.sees('Home');
    const pages = walk.page.getByRole('navigation', { name: 'Pages', exact: true });
    assert.equal(await pages.getByRole('link', { name: 'Users' }).count(), 0);
    for (const [path, title] of [['/keys', 'Keys'], ['/teams', 'Teams'], ['/logs', 'Logs'], ['/usage', 'Usage'], ['/models', 'Models'], ['/settings', 'Settings']]) {
      await walk.open(path, title);
      await walk.page.waitForLoadState('networkidle');
      assert.equal(await walk.page.getByRole('alert').count(), 0, `${path} asks for nothing that is refused`);
    }
    await walk.open('/keys', 'Keys');
    assert.equal(await walk.page.getByRole('button', { name: 'New key' }).count(), 1);
  });

  test('a viewer is offered no writes, and what it asks for all the same is refused', async () => {
    const made = await rig.api('POST', '/user/new', { user_id: 'auditor', user_role: 'proxy_admin_viewer' });
    await walk.signOut();
    await walk.signIn('auditor', made.body.key);
    await walk.sees('Home');
    for (const [path, title] of [['/keys', 'Keys'], ['/teams', 'Teams'], ['/users', 'Users'], ['/models', 'Models']]) {
      await walk.open(path, title);
      await walk.page.waitForLoadState('networkidle');
      assert.equal(await walk.page.getByRole('button', { name: /^New / }).count(), 0, path);
      assert.equal(await walk.page.getByRole('alert').count(), 0, `${path} asks for nothing that is refused`);
    }
    await walk.open('/customers', 'Customers');
    await walk.page.getByRole('alert').waitFor();
    await walk.looked('refused');
  });

  test('nothing broke, and the content security policy stopped nothing', () => {
    assert.deepEqual(rig.problems, []);
  });
});
