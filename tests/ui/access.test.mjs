// Teams, users and keys: made, used with the official SDK, changed, run out of money, and explained.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import { missing, startRig } from './rig/rig.mjs';

let rig;
let walk;
let key;

const ask = (model, more = {}) => ({ model, messages: [{ role: 'user', content: `What does ${model} cost?` }], ...more });
const client = (apiKey) => new OpenAI({ apiKey, baseURL: `${rig.weir.url}/v1`, maxRetries: 0 });
const status = (apiKey, body) =>
  client(apiKey)
    .chat.completions.create(body)
    .then(() => 200, (error) => error.status);

/** A key by mistake, and a click beside what is open. */
async function beside(page) {
  await page.keyboard.press('Escape');
  await page.mouse.click(300, 500);
}

describe('teams, users and keys', { skip: missing() ?? false, concurrency: false }, () => {
  before(async () => {
    rig = await startRig();
    walk = await rig.admin();
  });
  after(() => rig?.stop());

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
    await walk.submit('Done');

    await walk.open('/teams', 'Teams');
    await walk.page.getByRole('link', { name: 'Research' }).click();
    await walk.press('Add member');
    await walk.pick('User', /ada@example.com/);
    await walk.submit('Add');
    await walk.gone();
    await walk.page.getByRole('link', { name: 'ada@example.com' }).waitFor();
  });

  test('a key is made, shown once, and used with the SDK; its spend appears', async () => {
    await walk.press('New key');
    await walk.fill({ Name: 'notebook', Budget: '5' });
    await beside(walk.page);
    await walk.submit('Create');
    key = await walk.page.getByRole('textbox', { name: 'The key' }).inputValue();
    assert.match(key, /^sk-/);
    await beside(walk.page);
    await walk.page.getByRole('dialog').getByText(/^http:\/\/.*\/v1$/).waitFor();
    assert.equal(await walk.page.getByRole('textbox', { name: 'The key' }).inputValue(), key, 'it is not lost by mistake');
    await walk.looked('key-new');
    await walk.submit('Done');
    await walk.gone();
    assert.equal(await walk.page.getByText(key).count(), 0, 'it is shown once');
    const sdk = client(key);
    const whole = await sdk.chat.completions.create(ask('priced', { user: 'customer-7', metadata: { tags: 'night' } }));
    assert.equal(whole.choices[0].message.content, 'An answer that has a price.');
    let text = '';
    for await (const chunk of await sdk.chat.completions.create(ask('provided', { stream: true }))) {
      text += chunk.choices[0]?.delta.content ?? '';
    }
    assert.notEqual(text, '');
    assert.equal(await status(key, ask('unreachable')), 500);
    await rig.booked(3);
    await walk.open('/keys', 'Keys');
    await walk.page.getByRole('row', { name: /notebook.*\$0\.00\d+ of \$5\.00/ }).waitFor();
    await walk.page.getByRole('link', { name: 'notebook' }).click();
    await walk.sees('notebook');
    await walk.reads(/30 days, by model: \$0\.000/);
    await walk.looked('key');
  });

  test('a key is found among many', async () => {
    const many = Array.from({ length: 70 }, (_, at) => rig.api('POST', '/key/generate', { key_alias: `service-${at}` }));
    await Promise.all(many);
    await walk.open('/keys', 'Keys');
    await walk.reads('1–50 of 71');
    await walk.press('Next page');
    await walk.reads('51–71 of 71');
    const find = walk.page.getByRole('searchbox', { name: 'Find a key' });
    await find.fill('NoteB');
    await walk.page.getByRole('link', { name: 'notebook' }).waitFor();
    await walk.reads('1–1 of 1');
    await find.fill(key.slice(-4));
    await walk.page.getByRole('link', { name: 'notebook' }).waitFor();
    await find.fill('service-1');
    await walk.reads('1–11 of 11');
    await find.fill(key);
    await walk.reads('1–1 of 1');
    assert.ok(!walk.page.url().includes(key), 'a key stays out of the address');
    await walk.page.getByRole('link', { name: 'notebook' }).click();
    await walk.sees('notebook');
  });

  test('a key is edited, rotated, blocked and unblocked', async () => {
    await walk.press('Edit');
    await walk.looked('key-edit');
    await walk.fill({ Budget: '12' });
    await walk.submit('Save');
    await walk.gone();
    await walk.reads('of $12.00');

    await walk.press('Rotate');
    await walk.looked('key-rotate');
    await walk.submit('Rotate');
    const fresh = await walk.page.getByRole('textbox', { name: 'The key' }).inputValue();
    assert.notEqual(fresh, key);
    await walk.submit('Done');
    await walk.gone();
    await walk.sees('notebook');
    assert.equal(await status(fresh, ask('demo')), 200);
    assert.equal(await status(key, ask('demo')), 200, 'the old key is taken for a day');
    // Where the logs of the time before lead to.
    await walk.open(`/keys/${createHash('sha256').update(key).digest('hex')}`, 'notebook');
    await walk.reads(/1 times/);
    key = fresh;

    await walk.menu('Block');
    await walk.submit('Block');
    await walk.gone();
    await walk.reads('Blocked');
    assert.equal(await status(key, ask('demo')), 401);
    await walk.menu('Unblock');
    await walk.submit('Unblock');
    await walk.gone();
    await walk.reads('Active');
    assert.equal(await status(key, ask('demo')), 200);
  });

  test('a key runs out of its budget, and the logs say why', async () => {
    await walk.press('Edit');
    await walk.fill({ Budget: '0.000001' });
    await walk.submit('Save');
    await walk.gone();
    await walk.reads('Budget spent');
    await walk.looked('key-over-budget');
    const { body } = await rig.api('GET', '/spend/logs/ui?page_size=1');
    await assert.rejects(client(key).chat.completions.create(ask('priced')), /[Bb]udget/);
    await rig.booked(body.total + 1);
    await walk.page.getByRole('link', { name: 'Requests of this key in the logs' }).click();
    await walk.sees('Logs');
    await walk.page.getByRole('row', { name: /400.*priced/ }).getByRole('link').first().click();
    await walk.sees('priced');
    await walk.page.getByRole('alert').getByText(/budget/i).first().waitFor();
    await walk.reads('No deployment was asked.');
    await walk.looked('exchange-over-budget');
    await walk.open('/', 'Home');
    await walk.reads(/Key notebook: \$0\.00\d+ of/);
  });

  test('a key gets more budget for a while', async () => {
    await walk.open('/keys?alias=notebook', 'Keys');
    await walk.page.getByRole('link', { name: 'notebook', exact: true }).click();
    await walk.reads('Budget spent');
    await walk.press('Edit');
    await walk.page.getByRole('dialog').getByText('More', { exact: true }).click();
    await walk.fill({ 'More budget for a while': '1', Until: '2035-01-01T00:00' });
    await walk.submit('Save');
    await walk.gone();
    await walk.reads('Active');
    await walk.reads(/^\$1\.00, until/);
    assert.equal(await status(key, ask('demo')), 200);
  });

  test('a key has budgets and limits for single models', async () => {
    await walk.press('Edit');
    await walk.page.getByRole('dialog').getByText('More', { exact: true }).click();
    await walk.fill({ 'Budgets of single models': '{"priced": {"budget_limit": 20, "time_period": "30d"}}' });
    await walk.fill({ 'Requests per minute of single models': '{"priced": 60}' });
    await walk.submit('Save');
    await walk.gone();
    await walk.reads('$20.00 every 30d');
    await walk.reads('Requests per minute of priced');
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

  test('a member is removed by name only, for its keys in the team end', async () => {
    await walk.open('/teams', 'Teams');
    await walk.page.getByRole('link', { name: 'Research' }).click();
    await walk.press('What to do with ada@example.com');
    await walk.page.getByRole('menuitem', { name: 'Remove' }).click();
    assert.equal(await walk.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).isDisabled(), true);
    await walk.typeName('ada@example.com');
    await walk.submit('Remove');
    await walk.gone();
    await walk.page.getByRole('link', { name: 'ada@example.com' }).waitFor({ state: 'detached' });
  });

  test('a refusal is shown in the words of the server', async () => {
    await walk.open('/keys', 'Keys');
    await walk.press('New key');
    await walk.fill({ Name: 'notebook' });
    await walk.submit('Create');
    await walk.page.getByRole('alert').getByText(/already exists/).waitFor();
    await walk.submit('Cancel');
  });

  test('a request is read in the logs: attempts, price at the time, budgets, bodies', async () => {
    await walk.open('/logs?status=success&end_user=customer-7', 'Logs');
    await walk.page.getByRole('row', { name: /priced/ }).getByRole('link').first().click();
    await walk.sees('priced');
    await walk.page.getByRole('cell', { name: '$2.50 a million' }).waitFor();
    await walk.reads(/before, \$0\.00\d+ after/);
    await walk.reads('What does priced cost?');
    await walk.reads('An answer that has a price.');
    await walk.looked('exchange');
    await walk.open('/logs?status=failure', 'Logs');
    await walk.page.getByRole('row', { name: /unreachable/ }).getByRole('link').first().click();
    await walk.sees('unreachable');
    await walk.page.getByText(/^2\. unreachable/).waitFor();
    await walk.looked('exchange-failed');
  });

  test('requests are found by the name of their key, and by their time', async () => {
    await walk.open('/logs', 'Logs');
    await walk.press('Filter');
    await walk.fill({ Key: 'notebook' });
    await walk.looked('logs-filter');
    await walk.submit('Filter');
    await walk.gone();
    assert.match(walk.page.url(), /api_key=[0-9a-f]{64}/);
    await walk.page.getByRole('row', { name: /priced/ }).first().waitFor();
    await walk.press('Filter');
    await walk.fill({ Key: 'nobody' });
    await walk.submit('Filter');
    await walk.page.getByRole('alert').getByText('There is no key by the name of nobody.').waitFor();
    await walk.open('/logs?span=own&from=2020-01-01T00:00&until=2020-01-02T00:00', 'Logs');
    await walk.reads('No requests');
    await walk.press('Time: from 2020-01-01 00:00 until 2020-01-02 00:00');
    await walk.page.getByRole('row', { name: /priced/ }).first().waitFor();
    await walk.open('/logs?session_id=nowhere&status=success', 'Logs');
    await walk.press('Show all');
    await walk.page.getByRole('row', { name: /priced/ }).first().waitFor();
  });

  test('requests of the last hour, and of a time', async () => {
    await walk.open('/logs', 'Logs');
    const choose = async (option) => {
      await walk.page.getByRole('combobox', { name: 'Time' }).click();
      await walk.page.getByRole('option', { name: option }).click();
    };
    await choose('Last hour');
    await walk.page.getByRole('row', { name: /priced/ }).first().waitFor();
    assert.match(walk.page.url(), /span=60/);
    await choose('From … until …');
    await walk.fill({ Until: '2020-01-02T00:00' });
    await walk.submit('Filter');
    await walk.gone();
    await walk.reads('No requests');
  });

  test('there is no such key, and a way back', async () => {
    await walk.open('/keys/nothing', 'Key');
    await walk.reads('There is no such key');
    await walk.page.getByRole('link', { name: 'All keys' }).click();
    await walk.sees('Keys');
  });

  test('live logs show what comes', async () => {
    await walk.open('/logs?end_user=newcomer', 'Logs');
    await walk.reads('No requests');
    await walk.page.getByRole('switch', { name: 'Live' }).click();
    await rig.api('POST', '/v1/chat/completions', ask('priced', { user: 'newcomer' }));
    await walk.reads('1–1 of 1');
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
  });

  test('nothing broke, and the content security policy stopped nothing', () => {
    assert.deepEqual(rig.problems, []);
  });
});
