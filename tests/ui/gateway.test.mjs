// The gateway itself: usage and bills, models, the playground, settings.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { missing, startRig } from './rig/rig.mjs';

let rig;
let walk;

const chat = (model, more = {}) =>
  rig.api('POST', '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'hello' }], ...more });

/** Of the ways to add usage up; the others look the same. */
const LOOKED_AT = ['key', 'provider', 'customer'];

describe('the gateway', { skip: missing() ?? false, concurrency: false }, () => {
  before(async () => {
    rig = await startRig();
    walk = await rig.admin();
    await rig.api('POST', '/team/new', { team_id: 'research', team_alias: 'Research' });
    const { body } = await rig.api('POST', '/key/generate', { team_id: 'research', key_alias: 'notebook' });
    for (const model of ['priced', 'priced', 'priced-mini', 'demo']) {
      await rig.api('POST', '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'hello' }], user: 'customer-7' }, body.key);
    }
    await rig.booked(4);
  });
  after(() => rig?.stop());

  test('usage by everything, narrowed by the address', async () => {
    for (const by of ['model', 'team', 'key', 'user', 'provider', 'tag', 'customer']) {
      await walk.open(`/usage?by=${by}`, 'Usage');
      await walk.page.getByRole('region', { name: `Usage by ${by}` }).waitFor();
      if (LOOKED_AT.includes(by)) await walk.looked(`usage-${by}`);
    }
    await walk.page.getByRole('link', { name: 'customer-7' }).waitFor();
    await walk.open('/usage?by=model', 'Usage');
    await walk.page.getByRole('row', { name: /^Sum \$0\.\d{6} 100\s?% / }).waitFor();
    await walk.open('/usage?by=model&model=priced', 'Usage');
    await walk.page.getByRole('row', { name: /^priced / }).waitFor();
    assert.equal(await walk.page.getByRole('row', { name: /priced-mini/ }).count(), 0);
    await walk.open('/usage?by=team', 'Usage');
    await walk.press('Only Research');
    const models = walk.page.getByRole('region', { name: 'Usage by model' });
    await models.getByRole('row', { name: /^priced-mini / }).waitFor();
    assert.match(walk.page.url(), /team=research/);
    await walk.page.getByTitle('All teams again').waitFor();
    await walk.looked('usage-narrowed');
  });

  test('what no team has used is told with the teams, so that they add up to everything', async () => {
    await chat('priced');
    await rig.booked(5);
    const sum = async (by) => {
      await walk.open(`/usage?by=${by}`, 'Usage');
      const row = walk.page.getByRole('region', { name: `Usage by ${by}` }).getByRole('row', { name: /^Sum / });
      return /\$[\d.]+/.exec(await row.innerText())[0];
    };
    const all = await sum('model');
    assert.equal(await sum('team'), all);
    await walk.page.getByRole('row', { name: /^none \$0\.\d*[1-9]/ }).waitFor();
  });

  test('on a phone, too, amounts stand beside the names', async () => {
    await walk.page.setViewportSize({ width: 390, height: 844 });
    for (const [path, title, table] of [
      ['/usage?by=team', 'Usage', 'Usage by team'],
      ['/usage/chargeback/all', 'Chargeback', 'Teams'],
      ['/logs', 'Logs', 'Requests'],
    ]) {
      await walk.open(path, title);
      const amount = walk.page.getByRole('region', { name: table }).getByRole('cell', { name: /\$\d/ }).first();
      await amount.waitFor();
      const { x, width } = await amount.boundingBox();
      assert.ok(x + width <= 390, `the amounts of ${path} end at ${x + width}`);
    }
    await walk.page.setViewportSize({ width: 1360, height: 860 });
  });

  test('how long answers took is told by day, and of each model', async () => {
    await walk.open('/usage?by=model&measure=latency', 'Usage');
    await walk.page.getByRole('img', { name: 'Latency, by day' }).waitFor();
    const models = walk.page.getByRole('region', { name: 'Usage by model' });
    await models.getByRole('button', { name: 'First token' }).waitFor();
    const row = await models.getByRole('row', { name: /^priced / }).innerText();
    assert.match(row, /\d ms/, 'a mean; nobody streamed, so that there is no first token');
    for (const name of ['p50', 'p95']) {
      await models.getByRole('button', { name, exact: true }).waitFor();
      await walk.page.getByRole('listitem').filter({ hasText: new RegExp(`^${name}$`) }).waitFor();
    }
    assert.match(row, /([\d.]+ ms\s+){3}–/, 'mean, p50 and p95');
    await walk.reads(/p50 .* ms, p95 .* ms/);
    await walk.looked('usage-latency');
    await walk.open('/usage?by=key&measure=latency', 'Usage');
    const keys = walk.page.getByRole('region', { name: 'Usage by key' });
    await keys.getByRole('button', { name: 'Latency' }).waitFor();
    assert.equal(await keys.getByRole('button', { name: 'p95' }).count(), 0, 'of keys nothing is counted');
    await walk.open('/', 'Home');
    await walk.reads('Latency today');
    await walk.reads(/^mean; p50 .* ms, p95 .* ms$/);
    await walk.reads('First token today');
  });

  test('what the whole gateway may spend is shown, with what it has and when it starts anew', async () => {
    const field = (field_name) => ({ config_type: 'litellm_settings', field_name });
    // A budget without an end is refused.
    const limits = { budget_duration: '30d', max_budget: 250 };
    for (const [name, field_value] of Object.entries(limits)) {
      const { status } = await rig.api('POST', '/config/field/update', { ...field(name), field_value });
      assert.equal(status, 200, name);
    }
    await chat('priced', { max_tokens: 9 });
    await walk.open('/', 'Home');
    const budget = walk.page.getByRole('listitem').filter({ hasText: 'Gateway' });
    await budget.getByText('of $250.00').waitFor();
    assert.match(await budget.innerText(), /^Gateway all keys\s+\$\d.* of \$250\.00[^]*starts anew \S/);
    await walk.looked('home-budget');
    for (const name of Object.keys(limits).reverse()) await rig.api('POST', '/config/field/delete', field(name));
    await walk.open('/', 'Home');
    await walk.settled();
    assert.equal(await budget.count(), 0);
  });

  test('usage is exported as CSV and as FOCUS', async () => {
    await walk.open('/usage?by=model', 'Usage');
    const taken = async (item) => {
      await walk.press('Export');
      const wait = walk.page.waitForEvent('download');
      await walk.page.getByRole('menuitem', { name: item }).click();
      const file = await wait;
      return [file.suggestedFilename(), await readFile(await file.path(), 'utf8')];
    };
    const [csvName, csv] = await taken(/^CSV/);
    assert.match(csvName, /^weir-model-.*\.csv$/);
    assert.match(csv, /priced/);
    const [focusName, focus] = await taken(/^FOCUS/);
    assert.match(focusName, /^weir-focus-.*\.csv$/);
    assert.match(focus.split('\n')[0], /BilledCost/);
  });

  test('a team is billed on paper', async () => {
    await walk.open('/usage?by=team', 'Usage');
    await walk.page.getByRole('link', { name: 'Chargeback of Research' }).click();
    await walk.sees('Chargeback');
    await walk.page.getByRole('cell', { name: 'notebook' }).first().waitFor();
    const column = await walk.page.getByRole('region', { name: 'Lines of the bill' }).getByText(/^\$/).allInnerTexts();
    const nanos = column.map((text) => Math.round(Number(text.replace(/[$,]/g, '')) * 1e9));
    const sum = nanos.pop();
    assert.ok(sum > 0);
    assert.equal(sum, nanos.reduce((all, amount) => all + amount, 0), 'who adds the lines up comes to the sum');
    assert.equal(new Set(column.map((text) => text.split('.')[1].length)).size, 1, 'point below point');
    await walk.page.emulateMedia({ media: 'print' });
    assert.equal(await walk.page.getByRole('navigation', { name: 'Pages', exact: true }).isVisible(), false);
    await walk.shot('chargeback-print');
    await walk.page.emulateMedia({ media: null });
    await walk.looked('chargeback');
  });

  test('a deployment is added, changed, tested, cloned and deleted', async () => {
    await walk.open('/models', 'Models');
    await walk.press('New deployment');
    await walk.fill({ Name: 'added', 'Provider and model': 'openai/gpt-4o-mini' });
    await walk.page.getByText('More', { exact: true }).click();
    await walk.fill({ 'Price of a million input tokens': '7', 'Price of a million output tokens': '21' });
    await walk.fill({ 'Answer without a provider': 'Added in the browser.' });
    await walk.submit('Test');
    await walk.reads(/It answers, in/);
    await walk.looked('model-new');
    await walk.submit('Create');
    await walk.gone();
    await walk.press('Check health');
    await walk.reads(/Failed/);
    await walk.page.getByRole('link', { name: 'added' }).click();
    await walk.sees('added');
    await walk.reads('set by the deployment');
    await walk.reads('$21.00');
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
    assert.equal((await chat('added-later')).body.choices[0].message.content, 'Added in the browser.');
  });

  test('a deployment says where it is written and what was changed, and a change is tested first', async () => {
    const { body } = await rig.api('GET', '/v2/model/info?model=provided');
    const id = body.data[0].model_info.id;
    await rig.api('PATCH', `/model/${id}/update`, { litellm_params: { rpm: 600 } });
    await walk.open(`/models/${id}`, 'provided');
    await walk.reads(/config\.yaml:\d+/);
    await walk.reads('litellm_params.rpm');
    await walk.reads(/catalogue: gpt-4o/);
    await walk.press('Edit');
    await walk.submit('Test');
    await walk.reads(/It answers, in/);
    await walk.fill({ Address: 'http://127.0.0.1:9/v1' });
    assert.equal(await walk.page.getByText(/It answers, in/).count(), 0);
    await walk.submit('Test');
    await walk.reads(/Connection error/);
    await walk.submit('Cancel');
    await walk.gone();
    await walk.menu('Delete');
    await walk.typeName('provided');
    await walk.submit('Delete');
    await walk.sees('Models');
    assert.deepEqual((await rig.api('GET', '/v2/model/info?model=provided')).body.data[0].weir.changed, {});
  });

  test('a deployment that fails cools down, and that is told', async () => {
    for (let times = 0; times < 3; times++) await chat('unreachable');
    await walk.open('/models?show=cooled', 'Models');
    await walk.page.getByRole('row', { name: /unreachable.*cooling down, ends in/ }).waitFor();
    await walk.press('Check health');
    await walk.page.getByRole('row', { name: /unreachable.*Failed.*cooling down/ }).waitFor();
    await walk.page.getByRole('link', { name: 'unreachable' }).click();
    await walk.sees('unreachable');
    await walk.reads('A test call does not end that.');
    await walk.reads('Left alone since');
    await walk.reads('InternalServerError (500)');
    await walk.reads(/Connection error/);
    await walk.open('/', 'Home');
    const told = /Cooling down after failures: unreachable, until .*, after InternalServerError \(500\)/;
    await walk.page.getByRole('link', { name: told }).waitFor();
    await walk.page.getByRole('link', { name: /No price is known for demo/ }).waitFor();
    await walk.looked('home');
  });

  test('two models answer side by side, as a stream, and a tool is called', async () => {
    await walk.open('/playground?model=priced&other=demo', 'Playground');
    const say = async (text) => {
      await walk.page.getByRole('textbox', { name: 'Message', exact: true }).fill(text);
      await walk.press('Send');
    };
    await say('Say something.');
    await walk.reads('An answer that has a price.');
    await walk.reads(/Hello from Weir/);
    await walk.reads(/first token .* in all .* in, .* out · \$0\.000/);
    await walk.page.getByRole('link', { name: 'Log', exact: true }).first().waitFor();
    await walk.looked('playground');
    await walk.open('/playground?model=provided', 'Playground');
    const weather = { type: 'function', function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } };
    await walk.page.getByRole('textbox', { name: 'Tools' }).fill(JSON.stringify([weather]));
    await say('__tool');
    await walk.page.getByRole('region', { name: 'Conversation' }).getByText(/^get_weather\(/).waitFor();
    await walk.page.getByRole('textbox', { name: /Result of get_weather/ }).waitFor();
    const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
    await walk.page.locator('input[type=file]').setInputFiles({ name: 'dot.png', mimeType: 'image/png', buffer: png });
    await say('What is in the picture?');
    await walk.reads('[picture]');
    await walk.page.getByRole('button', { name: 'Send', exact: true }).waitFor();
    await walk.looked('playground-tools');
  });

  test('settings are found, changed, and put back; the change is in the audit log', async () => {
    await walk.open('/settings?section=litellm_settings&q=drop_params', 'Settings');
    await walk.press('Change drop_params');
    await walk.page.getByRole('dialog').getByRole('switch').click();
    await walk.submit('Save');
    await walk.gone();
    const row = walk.page.getByRole('row', { name: /^drop_params / });
    await row.getByText('ledger', { exact: true }).waitFor();
    await walk.press('Reset drop_params');
    await walk.submit('Reset');
    await walk.gone();
    await row.getByText('default', { exact: true }).waitFor();
    await walk.open('/settings?tab=audit', 'Settings');
    await walk.page.getByRole('row', { name: /Settings.*drop_params/ }).first().waitFor();
    await walk.looked('settings-audit');
  });

  test('p47 a setting of the ledger shows what the file says below it, and its default', async () => {
    const field = { config_type: 'router_settings', field_name: 'num_retries' };
    await rig.api('POST', '/config/field/update', { ...field, field_value: 4 });
    await walk.open('/settings?section=router_settings&q=num_retries', 'Settings');
    const row = walk.page.getByRole('row', { name: /num_retries/ }).first();
    await row.getByText(/config\.yaml:\d+ says/).waitFor();
    assert.match(await row.innerText(), /4\s+2\s/, 'in force, and by default');
    await walk.looked('settings-drift');
    await rig.api('POST', '/config/field/delete', field);
    await walk.open('/settings?q=master_key', 'Settings');
    await walk.page.getByRole('row', { name: /^master_key / }).first().waitFor();
    assert.equal(await walk.page.getByRole('button', { name: 'Change master_key', exact: true }).count(), 0);
  });

  test('a setting that is in another section is found from there', async () => {
    await walk.open('/settings?q=num_retries', 'Settings');
    await walk.reads('No setting by this name');
    await walk.press('Look in router');
    await walk.page.getByRole('row', { name: /num_retries/ }).first().waitFor();
  });

  test('a callback is tested, and one that cannot be told needs attention', async () => {
    await walk.open('/settings?tab=callbacks', 'Settings');
    await walk.press('Send a test to prometheus');
    await walk.reads('prometheus is configured');
    await walk.reads('not set up');
    await walk.press('Send a test to otel');
    await walk.reads('otel did not take the test');
    await walk.looked('settings-callbacks');
    await walk.open('/', 'Home');
    await walk.page.getByRole('link', { name: /^Callback otel is not set up/ }).click();
    await walk.page.getByRole('row', { name: /^otel / }).waitFor();
  });

  test('who is told of alerts is shown, and that nobody is', async () => {
    await walk.open('/settings?tab=alerts', 'Settings');
    await walk.reads('Nobody is told');
  });

  test('a guardrail is tried on a text', async () => {
    await walk.open('/settings?tab=guardrails', 'Settings');
    const text = walk.page.getByRole('textbox', { name: /^Text/ });
    await text.fill('My card is 4111 1111 1111 1111.');
    await walk.press('Apply');
    await walk.reads('It goes on changed');
    await walk.looked('settings-guardrails');
    await text.fill('the secret plan');
    await walk.press('Apply');
    await walk.page.getByRole('alert').waitFor();
  });

  test('the cache tells its hits, and is emptied', async () => {
    const asked = { user: 'cached', cache: { 'use-cache': true } };
    const { body } = await rig.api('GET', '/spend/logs/ui?page_size=1');
    await chat('provided', asked);
    await chat('provided', asked);
    await rig.booked(body.total + 2);
    await walk.open('/settings?tab=cache', 'Settings');
    await walk.reads('requests that ask for it');
    await walk.page.getByRole('region', { name: 'Hits' }).getByRole('row').nth(1).waitFor();
    await walk.looked('settings-cache');
    await walk.press('Empty it');
    await walk.submit('Empty it');
    await walk.gone();
  });

  test('a tier is made, changed and deleted', async () => {
    await walk.open('/settings?tab=tiers', 'Settings');
    await walk.press('New tier');
    await walk.fill({ Name: 'gold', Budget: '100', 'Requests per minute': '600' });
    await walk.submit('Create');
    await walk.gone();
    await walk.press('Edit gold');
    await walk.fill({ Budget: '120' });
    await walk.submit('Save');
    await walk.gone();
    await walk.page.getByRole('row', { name: /gold \$120\.00/ }).waitFor();
    await walk.looked('settings-tiers');
    await walk.press('Delete gold');
    await walk.typeName('gold');
    await walk.submit('Delete');
    await walk.gone();
    await walk.reads('No tiers');
  });

  test('a credential is kept, used by a deployment, and never told', async () => {
    await walk.open('/settings?tab=credentials', 'Settings');
    await walk.press('New credential');
    await walk.fill({ Name: 'shared', Values: '{"api_key": "sk-nobodys-provider-key"}' });
    await walk.submit('Create');
    await walk.gone();
    await walk.page.getByRole('row', { name: /shared api_key/ }).waitFor();
    await walk.press('Edit shared');
    assert.equal(await walk.page.getByText('sk-nobodys-provider-key').count(), 0);
    await walk.fill({ 'New values': '{"api_base": "http://127.0.0.1:9/v1"}' });
    await walk.submit('Save');
    await walk.gone();
    await walk.page.getByRole('row', { name: /shared.*api_base/ }).waitFor();
    await walk.looked('settings-credentials');
    await walk.open('/models', 'Models');
    await walk.press('New deployment');
    await walk.fill({ Name: 'with-credential', 'Provider and model': 'openai/gpt-4o' });
    await walk.pick('Or a stored credential', 'shared');
    await walk.submit('Create');
    await walk.gone();
    await walk.page.getByRole('link', { name: 'with-credential' }).waitFor();
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

  test('the slash leads to the search, and is typed where something is typed', async () => {
    await walk.open('/keys', 'Keys');
    await walk.page.keyboard.press('/');
    const find = walk.page.getByRole('searchbox', { name: 'Find a key' });
    assert.equal(await find.evaluate((box) => box === document.activeElement), true);
    await walk.page.keyboard.type('a/b');
    assert.equal(await find.inputValue(), 'a/b');
  });

  test('what could not be asked for again is said to be old, until it could', async () => {
    await walk.open('/logs', 'Logs');
    await walk.page.getByRole('row', { name: /priced/ }).first().waitFor();
    const old = walk.page.getByText(/^What is shown is of /);
    assert.equal(await old.count(), 0);
    await walk.page.route('**/ui/entries*', (route) => route.abort());
    await walk.page.getByRole('switch', { name: 'Live' }).click();
    await old.waitFor();
    await walk.reads('The gateway cannot be reached.');
    await walk.accessible('an old page');
    await walk.page.unroute('**/ui/entries*');
    await old.waitFor({ state: 'detached' });
  });

  test('on a phone the pages are behind a button, and Escape closes them', async () => {
    await walk.page.setViewportSize({ width: 390, height: 844 });
    await walk.open('/keys', 'Keys');
    const link = walk.page.getByRole('link', { name: 'Teams', exact: true });
    assert.equal(await link.isVisible(), false);
    await walk.press('Menu');
    await link.waitFor();
    await walk.accessible('menu on a phone');
    await walk.page.keyboard.press('Escape');
    await link.waitFor({ state: 'hidden' });
    await walk.press('Menu');
    await link.click();
    await walk.sees('Teams');
    await link.waitFor({ state: 'hidden' });
    const wide = await walk.page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    assert.equal(wide, false, 'nothing stands beside the screen');
    await walk.page.setViewportSize({ width: 1360, height: 860 });
  });

  test('nothing broke, and the content security policy stopped nothing', () => {
    assert.deepEqual(rig.problems, []);
  });
});
